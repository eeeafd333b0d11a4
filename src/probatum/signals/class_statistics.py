"""Statistics of each class: pure functions of outputs and class indices, and their sums over batches."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn

from .config import PerClassConfig

MOST_CONFUSION = 200  # classes; a matrix of more is nobody's reading
Scale = Literal["probabilities", "logits"]


def class_scores(outputs: Tensor, targets: Tensor, scale: Scale | None) -> tuple[Tensor, Tensor]:
    """Return log-probabilities (n, classes) and targets (n,) of a batch; class -1 is to be left out.

    Args:
        outputs: Logits (batch, classes), (batch, positions, classes), (batch, classes, ...) as `cross_entropy`
            takes them; or of two classes (batch,) or (batch, 1).
        targets: Class indices without the class axis; negative ones (Hugging Face: -100) are left out. Of two
            classes also floating 0 and 1.
        scale: What two-class outputs are; None for outputs with a class axis, which are logits.

    Raises:
        ValueError: The shapes fit neither form.

    Example:
        >>> scores, targets = class_scores(torch.tensor([0.9, 0.2]), torch.tensor([1.0, 1.0]), "probabilities")
        >>> [round(p, 3) for p in scores.exp()[:, 1].tolist()], targets.tolist()
        ([0.9, 0.2], [1, 1])
    """
    outputs = outputs.detach().float()
    if scale is not None:
        flat, classes = outputs.reshape(-1), targets.reshape(-1)
        if scale == "logits":
            scores = torch.stack([nn.functional.logsigmoid(-flat), nn.functional.logsigmoid(flat)], dim=-1)
        else:  # at least exp(-100), as in `binary_cross_entropy`
            scores = torch.stack([torch.log1p(-flat), flat.log()], dim=-1).clamp(min=-100)
    else:
        axis = class_axis(outputs, targets)
        scores = outputs.movedim(axis, -1).flatten(0, -2).log_softmax(-1)
        classes = targets.reshape(-1)
    return scores, classes.long().clamp(min=-1)


def class_axis(outputs: Tensor, targets: Tensor) -> int:
    """Return the axis of `outputs` that holds the classes: the last, else axis 1 as in `cross_entropy`.

    Example:
        >>> class_axis(torch.zeros(2, 5, 3), torch.zeros(2, 5)), class_axis(torch.zeros(2, 3, 5), torch.zeros(2, 5))
        (-1, 1)
    """
    if targets.shape == outputs.shape[:-1]:
        return -1
    if targets.shape == outputs.shape[:1] + outputs.shape[2:]:
        return 1
    raise ValueError(
        f"expected class indices of shape {tuple(outputs.shape[:-1])} for outputs {tuple(outputs.shape)}, "
        f"got {tuple(targets.shape)}; several labels at once or regression have no classes to tell apart"
    )


def is_binary(outputs: Tensor, targets: Tensor) -> bool:
    """Return whether outputs have one number per example, for two classes."""
    return outputs.numel() == targets.numel() and (outputs.dim() <= 1 or outputs.shape[-1] == 1)


class ClassSums:
    """Sums over batches, on the device: confusion and per true class the loss and its square.

    Example:
        >>> sums = ClassSums(2, torch.device("cpu"))
        >>> sums.add(torch.tensor([[0.9, 0.1], [0.4, 0.6]]).log(), torch.tensor([0, 0]))
        >>> sums.confusion.tolist()  # rows: true class; columns: predicted class
        [[1.0, 1.0], [0.0, 0.0]]
    """

    def __init__(self, classes: int, device: torch.device) -> None:
        """Begin at zero."""
        self.confusion = torch.zeros(classes, classes, device=device, dtype=torch.float64)
        self.losses = torch.zeros(2, classes, device=device, dtype=torch.float64)

    def add(self, scores: Tensor, targets: Tensor) -> None:
        """Add a batch of log-probabilities (n, classes) and targets (n,)."""
        classes = torch.arange(scores.shape[-1], device=scores.device)
        true = (targets[:, None] == classes).double()  # comparisons: no scatter, so the same on every device
        predicted = (scores.argmax(-1, keepdim=True) == classes).double()
        loss = -scores.gather(-1, targets.clamp(min=0, max=len(classes) - 1)[:, None]).squeeze(-1).double()
        self.confusion += true.T @ predicted
        self.losses += torch.stack([loss, loss.square()]) @ true


def describe_classes(sums: ClassSums, config: PerClassConfig) -> dict[str, Any]:
    r"""Return the plain record of each class, by index; None where a class had no examples.

    accuracy = recall of the class: correct / n, with standard error sqrt(p (1 - p) / n); loss = mean negative
    log-likelihood in nats over the examples of the class, with the standard error of a mean; confusion: rows are
    true classes, columns predicted ones.

    Example:
        >>> sums = ClassSums(2, torch.device("cpu"))
        >>> sums.add(torch.tensor([[0.9, 0.1], [0.4, 0.6]]).log(), torch.tensor([0, 0]))
        >>> describe_classes(sums, PerClassConfig(enabled=True))
        {'counts': [2, 0], 'accuracy': [0.5, None], 'accuracy_se': [0.3535533905932738, None]}
    """
    size = len(sums.confusion)
    table = torch.cat([sums.confusion, sums.losses]).cpu().tolist()  # one host read
    confusion, (totals, squares) = table[:size], table[size:]
    counts = [int(sum(row)) for row in confusion]
    record: dict[str, Any] = {"counts": counts}
    if config.track_accuracy:
        shares = [
            row[place] / n if n else None
            for place, (row, n) in enumerate(zip(confusion, counts, strict=True))
        ]
        record["accuracy"] = shares
        record["accuracy_se"] = [
            None if share is None else math.sqrt(share * (1 - share) / n)
            for share, n in zip(shares, counts, strict=True)
        ]
    if config.track_loss:
        record["loss"] = [_finite(total / n) if n else None for total, n in zip(totals, counts, strict=True)]
        record["loss_se"] = [
            _standard_error(total, square, n)
            for total, square, n in zip(totals, squares, counts, strict=True)
        ]
    if config.track_confusion and size <= MOST_CONFUSION:
        record["confusion"] = [[int(count) for count in row] for row in confusion]
    return record


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _standard_error(total: float, square: float, n: int) -> float | None:
    """Return the standard error of a mean from a sum and a sum of squares; None below two values."""
    if n < 2 or not math.isfinite(square):
        return None
    variance = max(0.0, (square - total * total / n) / (n - 1))
    return math.sqrt(variance / n)
