"""Accuracy, loss, confusion and counts of each class, over a whole validation set or the probed batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .activations import main_output
from .attention_weights import apart_from_training
from .class_statistics import MOST_CONFUSION, ClassSums, Scale, class_scores, describe_classes, is_binary
from .config import PerClassConfig

MOST_CLASSES = 1000  # a vocabulary is no set of classes to be told one by one


class PerClassCollector:
    """Gathers outputs and targets over an epoch.

    Args:
        config: What to record.
        binary: What two-class outputs (one number per example) are. None decides by their values over the whole
            epoch (probabilities where all lie in 0..1) and records what was decided.

    Example:
        >>> collector = PerClassCollector(PerClassConfig(enabled=True))
        >>> record = collector.end_epoch(torch.tensor([2.0, -1.0, 3.0]), torch.tensor([1, 0, 0]))
        >>> record["of"], record["outputs"], record["accuracy"]
        ('validation', 'logits', [0.5, 1.0])
    """

    signal = "per_class"

    def __init__(self, config: PerClassConfig, binary: Scale | None = None) -> None:
        """Begin with an empty epoch."""
        self._config = config
        self._binary: Scale | None = binary
        self.missing: dict[str, str] = {}
        self.taken: Mapping[str, str] = {
            "of": "the predictions given for the epoch, else the probed training batches: see `of`",
            "axis": "examples of each true class; accuracy is the class's recall",
            "confusion": "rows: true class; columns: predicted class",
        }
        self._reset()

    def _reset(self) -> None:
        self._sums: dict[Scale | None, ClassSums] = {}
        self._range: Tensor | None = (
            None  # on the device: least and greatest two-class output, targets no class
        )

    def observe(self, outputs: Any, targets: Any) -> None:
        """Add a batch on its device, without a host read; nothing happens where either is None."""
        scores = _logits(outputs)
        targets = _labels(targets)
        if scores is None or targets is None:
            return
        with apart_from_training(scores.device):
            self._add(scores, targets.detach().to(scores.device))

    def _add(self, outputs: Tensor, targets: Tensor) -> None:
        binary = is_binary(outputs, targets)
        scales: list[Scale | None] = [None]
        if binary:
            scales = ["probabilities", "logits"] if self._binary is None else [self._binary]
            self._note_range(outputs, targets)
        elif outputs.dim() < 2 or targets.is_floating_point():
            self.missing["per_class"] = (
                f"expected class indices as targets, got {targets.dtype} of shape {tuple(targets.shape)}"
            )
            return
        for scale in scales:
            try:
                self._add_scores(scale, *class_scores(outputs, targets, scale))
            except ValueError as error:
                self.missing["per_class"] = str(error)

    def _note_range(self, outputs: Tensor, targets: Tensor) -> None:
        """Keep what decides at the end of the epoch whether outputs are probabilities and targets classes."""
        values, labels = outputs.detach().float(), targets.float()
        strange = ((labels != 0) & (labels != 1) & (labels >= 0)).any().float()
        now = torch.stack([-values.amin(), values.amax(), strange])
        self._range = now if self._range is None else torch.maximum(self._range, now)

    def _add_scores(self, scale: Scale | None, scores: Tensor, targets: Tensor) -> None:
        classes = scores.shape[-1]
        if classes > MOST_CLASSES:
            raise ValueError(f"{classes} classes: more than {MOST_CLASSES} are not told apart")
        if classes > MOST_CONFUSION and self._config.track_confusion:
            self.missing["per_class: confusion"] = (
                f"{classes} classes: a matrix of at most {MOST_CONFUSION} is kept"
            )
        if scale not in self._sums:
            self._sums[scale] = ClassSums(classes, scores.device)
        self._sums[scale].add(scores, targets)

    def end_epoch(self, predictions: Any = None, targets: Any = None) -> dict[str, Any]:
        """Return the plain record of the validation outputs given, else of the batches observed; forget both."""
        of = "train"
        if predictions is not None and targets is not None:
            of = "validation"
            self._reset()
            self.observe(
                torch.as_tensor(predictions) if not isinstance(predictions, Mapping) else predictions, targets
            )
        scale = self._decided_scale()
        sums = self._sums.get(scale)
        self._reset()
        if sums is None:
            self.missing.setdefault(
                "per_class", "no outputs and targets were given to `observe` or `end_epoch`"
            )
            return {}
        self.missing.pop("per_class", None)
        return {"of": of, "outputs": scale or "logits", **describe_classes(sums, self._config)}

    def _decided_scale(self) -> Scale | None:
        """Return what the epoch's two-class outputs were; None where outputs had a class axis."""
        if self._range is None:
            return None
        least, greatest, strange = self._range.tolist()
        if strange:
            self._sums = {}
            self.missing["per_class"] = (
                "expected targets 0 and 1 for outputs of one number each, got other values"
            )
        if self._binary is not None:
            return self._binary
        return "probabilities" if -least >= 0 and greatest <= 1 else "logits"


def _logits(outputs: Any) -> Tensor | None:
    """Return the tensor of class outputs: `logits` of a mapping or an object, else the main output."""
    named = outputs.get("logits") if isinstance(outputs, Mapping) else getattr(outputs, "logits", None)
    return named if isinstance(named, Tensor) else main_output(outputs)


def _labels(targets: Any) -> Tensor | None:
    """Return the targets as a tensor; None where there are none."""
    if targets is None or isinstance(targets, Tensor):
        return targets
    if isinstance(targets, Mapping):
        return targets.get("labels")
    return torch.as_tensor(targets)
