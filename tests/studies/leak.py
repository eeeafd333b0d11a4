"""Does a knowledge-tracing model see what it must not? One check for every model, forever.

The prediction of step t is about the response r at t + 1 to the concept q at t + 1. It may use every
interaction up to t, and q at t + 1; never r at t + 1 nor anything later. Mastery and gains of step t may
not use even q at t + 1. Fact sheet gainakt.md, section 7.1: one leak of r lifted an AUC from 0.72 to 0.885.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from probatum.studies.gainakt.batch import SequenceBatch, TracingOutput

Model = Callable[[SequenceBatch], TracingOutput]


def assert_no_leak(
    model: Model, batch: SequenceBatch, *, concept_count: int, tolerance: float = 1e-6
) -> None:
    """Fail, with the list of what leaks, unless `model` sees only what it may see of `batch`."""
    found = leaks(model, batch, concept_count=concept_count, tolerance=tolerance)
    assert not found, "the model sees what it must not:\n" + "\n".join(found)


def assert_listens(model: Model, batch: SequenceBatch, *, tolerance: float = 1e-6) -> None:
    """Fail unless the history moves some prediction: who ignores it leaks nothing, and knows nothing."""
    base = outputs(model, batch)["logits"]
    other = outputs(model, responses_flipped(batch, 0))["logits"]
    moves = ((other - base).abs() > tolerance) & batch.mask
    assert moves.any(), "no prediction moves when every response is flipped: the model ignores the history."


def leaks(model: Model, batch: SequenceBatch, *, concept_count: int, tolerance: float) -> list[str]:
    """Return one line for each kind of leak and step; empty when the model is sound.

    Args:
        model: maps a batch to its outputs; put in evaluation mode if it is a module.
        batch: of at least two students and three steps, at least one row with padding.
        concept_count: number of concepts; changed concepts stay below it.
        tolerance: largest change that counts as none, in log-odds or probability.
    """
    base = outputs(model, batch)
    states = ("mastery", "gains")
    found = []

    def check(altered: SequenceBatch, step: int, mask: Tensor, what: str, names: tuple[str, ...]) -> None:
        found.extend(moved(base, outputs(model, altered), step, mask, what, names, tolerance))

    steps = batch.mask.shape[1]
    for step in range(steps):
        flipped = responses_flipped(batch, step + 1)
        check(flipped, step, batch.mask, "a later response", ("logits", *states))
        asked = concepts_changed(batch, step + 1, concept_count)
        check(asked, step, batch.mask, "the concept asked next", states)
        later = concepts_changed(batch, step + 2, concept_count)
        check(later, step, batch.mask, "a concept after the one asked next", ("logits",))
    everything = ("logits", *states)
    check(padding_changed(batch, concept_count), steps - 1, batch.mask, "the padding", everything)
    mine = batch.mask & first_row(batch)
    check(others_changed(batch), steps - 1, mine, "another student of the batch", everything)
    return found


def outputs(model: Model, batch: SequenceBatch) -> dict[str, Tensor]:
    """Return logits and, where there are any, mastery and gains, without dropout and without gradients."""
    training = getattr(model, "training", False)
    if isinstance(model, torch.nn.Module):
        model.eval()
    try:
        with torch.no_grad():
            output = model(batch)
    finally:
        if isinstance(model, torch.nn.Module):
            model.train(training)
    found = {"logits": output.logits, "mastery": output.mastery, "gains": output.gains}
    return {name: value for name, value in found.items() if value is not None}


def moved(
    base: dict[str, Tensor], other: dict[str, Tensor], step: int, mask: Tensor, what: str,
    names: tuple[str, ...], tolerance: float,
) -> list[str]:  # fmt: skip
    """Return a line for each output that moved at or before `step`, at real steps."""
    lines = []
    for name in names:
        if name not in base:
            continue
        change = (other[name] - base[name]).abs()
        change = change.flatten(2).amax(-1) if change.dim() > 2 else change
        worst = torch.where(mask, change, 0)[:, : step + 1].max().item()
        if not worst <= tolerance:  # NaN fails too
            lines.append(f"{name} up to step {step} moved by {worst:.3g} when {what} was changed")
    return lines


def responses_flipped(batch: SequenceBatch, first: int) -> SequenceBatch:
    """Return the batch with the responses of the interactions from `first` on flipped.

    Interaction i stands in `responses[:, i]` and, as a target, in `next_responses[:, i - 1]`.
    """
    steps = torch.arange(batch.mask.shape[1], device=batch.mask.device)
    return batch._replace(
        responses=torch.where(steps >= first, 1 - batch.responses, batch.responses),
        next_responses=torch.where(steps + 1 >= first, 1 - batch.next_responses, batch.next_responses),
    )


def concepts_changed(batch: SequenceBatch, first: int, concept_count: int) -> SequenceBatch:
    """Return the batch with other concepts in the interactions from `first` on."""
    steps = torch.arange(batch.mask.shape[1], device=batch.mask.device)
    other, other_next = (batch.concepts + 1) % concept_count, (batch.next_concepts + 1) % concept_count
    return batch._replace(
        concepts=torch.where(steps >= first, other, batch.concepts),
        next_concepts=torch.where(steps + 1 >= first, other_next, batch.next_concepts),
    )


def padding_changed(batch: SequenceBatch, concept_count: int) -> SequenceBatch:
    """Return the batch with other numbers in the padding, where the mask says that nothing is real."""
    return batch._replace(
        concepts=torch.where(batch.mask, batch.concepts, (batch.concepts + 1) % concept_count),
        responses=torch.where(batch.mask, batch.responses, 1 - batch.responses),
        next_concepts=torch.where(batch.mask, batch.next_concepts, (batch.next_concepts + 1) % concept_count),
        next_responses=torch.where(batch.mask, batch.next_responses, 1 - batch.next_responses),
    )


def first_row(batch: SequenceBatch) -> Tensor:
    """Return a column that is true for the first student of the batch only."""
    return (torch.arange(batch.mask.shape[0], device=batch.mask.device) == 0)[:, None]


def others_changed(batch: SequenceBatch) -> SequenceBatch:
    """Return the batch with the responses of every student but the first flipped."""
    mine = first_row(batch)
    return batch._replace(
        responses=torch.where(mine, batch.responses, 1 - batch.responses),
        next_responses=torch.where(mine, batch.next_responses, 1 - batch.next_responses),
    )
