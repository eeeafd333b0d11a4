"""The six constraints together, weighted, each concept tensor read as few times as possible."""

from __future__ import annotations

from torch import Tensor

from probatum.studies.gainakt.batch import SequenceBatch
from probatum.studies.gainakt.losses import constraints
from probatum.studies.gainakt.mastery import GAIN_STEP, of_concept


def constraint_losses(
    gains: Tensor,
    mastery: Tensor | None,
    batch: SequenceBatch,
    weights: dict[str, float],
    *,
    practised_only: bool,
) -> dict[str, Tensor]:
    """Return every constraint times its weight; one of weight 0 is not computed and is 0.

    Args:
        gains: `(batch, length, concepts)`.
        mastery: same shape; None leaves out what needs it.
        batch: what the model was given.
        weights: weight by constraint.
        practised_only: mastery moves by practice only (GainAKT3Exp).
    """
    mask, responses = batch.mask, batch.responses
    practised_gains = of_concept(gains, batch.concepts)  # (batch, length)
    terms = {
        "non_negative": lambda: constraints.non_negative(gains, mask),
        "gain_performance": lambda: constraints.gain_performance(practised_gains, responses, mask),
        "sparsity": lambda: constraints.sparsity(gains, practised_gains, mask),
    }
    if mastery is not None:
        rises = mastery[:, 1:] - mastery[:, :-1]  # (batch, length - 1, concepts)
        terms |= {
            "monotonicity": lambda: constraints.monotonicity(rises, mask),
            "mastery_performance": lambda: constraints.mastery_performance(
                of_concept(mastery, batch.concepts), responses, mask
            ),
            "consistency": lambda: consistency_of(rises, gains, batch, practised_only=practised_only),
        }
    zero = practised_gains.new_zeros(())
    return {
        name: weight * terms[name]() if weight and name in terms else zero for name, weight in weights.items()
    }


def consistency_of(rises: Tensor, gains: Tensor, batch: SequenceBatch, *, practised_only: bool) -> Tensor:
    """Return the consistency term with the rise that the model's gains promise."""
    if not practised_only:
        return constraints.consistency(rises, GAIN_STEP * gains[:, 1:], batch.mask)
    now = batch.concepts[:, 1:, None]  # (batch, length - 1, 1)
    return constraints.consistency(rises.gather(2, now), gains[:, 1:].gather(2, now), batch.mask)
