"""Knowledge tracing under damage: the last answer of each window, predicted from a thinned history.

A sample is a window, its target the window's last answer, its observations the answers before. An answer that
is dropped never happened for the model: the interaction leaves the history, and what is left closes up, so no
trace of it stays. A window that lost all of them is scored with the share of right answers in training.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from probatum.perturbations.rank_metrics import auroc
from probatum.perturbations.task import PerturbationTask, Values
from probatum.studies.gainakt.batch import SequenceBatch
from probatum.studies.gainakt.batching import Split

BATCH_SIZE = 256


def tracing_task(model: nn.Module, split: Split, train: Split, device: torch.device) -> PerturbationTask:
    """Return the split's windows as raw observations `(windows, steps, 1)` and what scores their last answers.

    Args:
        model: a trained model, in evaluation mode.
        split: the windows.
        train: the training windows, for the score of an empty history.
        device: where the model is.
    """
    histories = _Histories(split)
    prior = float(train.responses[_rows(train)].double().mean())
    return PerturbationTask(
        values=histories.answers(),
        targets=split.responses[split.starts + split.lengths - 1].numpy(),
        predict=lambda values: histories.scores(model, values, prior, device),
        metrics={"auroc": auroc},
        lengths=(split.lengths - 1).numpy(),
        channels=("response",),
        unit="windows",
    )


def _rows(split: Split) -> torch.Tensor:
    steps = torch.arange(int(split.lengths.sum()))
    begins = torch.cumsum(split.lengths, 0) - split.lengths
    return steps + torch.repeat_interleave(split.starts - begins, split.lengths)


class _Histories:
    """The windows of a split as padded arrays; the last step of each is what is asked."""

    def __init__(self, split: Split) -> None:
        longest = int(split.lengths.max())
        steps = torch.arange(longest)
        real = steps < split.lengths[:, None]  # (windows, longest)
        rows = torch.where(real, split.starts[:, None] + steps, 0)
        self.split = split
        self.concepts = split.concepts[rows]  # (windows, longest)
        self.responses = split.responses[rows]
        self.is_history = (steps < split.lengths[:, None] - 1).numpy()  # (windows, longest)

    def answers(self) -> Values:
        """Return the answers before the last one, `(windows, longest - 1, 1)`; NaN beyond each history."""
        answers = np.where(self.is_history, self.responses.numpy(), np.nan)
        return answers[:, :-1, None].astype(np.float32)

    def scores(
        self, model: nn.Module, values: Values, prior: float, device: torch.device
    ) -> NDArray[np.floating[Any]]:
        """Return the probability of a right last answer from the answers left in `values`, `(windows,)`."""
        kept = torch.from_numpy(
            np.isfinite(values[:, :, 0]) & self.is_history[:, :-1]
        )  # (windows, longest - 1)
        left = kept.sum(1)  # (windows,)
        scores = np.full(len(left), prior, dtype=np.float64)
        order = torch.argsort(left, stable=True)
        with torch.inference_mode():
            some = order[left[order] > 0]  # shortest first: little padding
            for chosen in some.split(BATCH_SIZE) if len(some) else ():
                batch = self._thinned(chosen, kept[chosen], left[chosen]).to(device)
                logits = model(batch).logits.gather(1, (left[chosen].to(device) - 1)[:, None])[:, 0]
                scores[chosen.numpy()] = torch.sigmoid(logits.float()).cpu().numpy()
        return scores

    def _thinned(self, chosen: torch.Tensor, kept: torch.Tensor, left: torch.Tensor) -> SequenceBatch:
        """Return the batch of windows whose dropped steps are closed up, the asked step behind them."""
        longest = int(left.max()) + 1
        places = torch.argsort(
            (~kept).to(torch.int8), dim=1, stable=True
        )  # what is kept first, in order of time
        asked = self.split.lengths[chosen] - 1
        rows = torch.cat([places, places[:, :1]], dim=1)[:, :longest].clone()
        rows[torch.arange(len(chosen)), left] = asked
        real = torch.arange(longest) <= left[:, None]
        return SequenceBatch.from_windows(
            self.concepts[chosen].gather(1, rows) * real,
            self.responses[chosen].gather(1, rows) * real,
            left + 1,
            self.split.students[chosen],
            chosen,
        )
