"""Which residues a masked language model must guess, and what it sees in their place."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from probatum.studies.abprop.batch import AntibodyBatch
from probatum.studies.abprop.tokenizer import AMINO_ACIDS, FIRST_RESIDUE, MASK, UNKNOWN

MASKED_SHARE, RANDOM_SHARE = 0.8, 0.1  # of the chosen residues; the rest is kept (Devlin et al. 2019)


class Masked(NamedTuple):
    """A corrupted batch and the residues to guess."""

    tokens: Tensor  # (B, T), what the model sees
    places: Tensor  # (chosen,) flat places in B * T
    targets: Tensor  # (chosen,) the true ids


def corrupted(batch: AntibodyBatch, probability: float, generator: torch.Generator) -> Masked:
    """Return `batch` with a share of its residues corrupted: 80% masked, 10% random amino acids, 10% kept.

    X is never a target, and no special token is drawn. Draws are made on the CPU, so that every device sees the
    same ones.

    Args:
        batch: on the CPU or a device.
        probability: chance of a residue to be chosen, in (0, 1).
        generator: of the CPU.
    """
    tokens = batch.tokens.cpu()
    draws = torch.rand(2, *tokens.shape, generator=generator)
    others = torch.randint(len(AMINO_ACIDS), tokens.shape, generator=generator) + FIRST_RESIDUE
    chosen = guessable(tokens) & (draws[0] < probability)
    seen = torch.where(draws[1] < MASKED_SHARE, MASK, others)
    seen = torch.where(draws[1] < MASKED_SHARE + RANDOM_SHARE, seen, tokens)
    return _placed(torch.where(chosen, seen, tokens), chosen, tokens, batch.tokens.device)


def hidden(batch: AntibodyBatch, chosen: Tensor) -> Masked:
    """Return `batch` with every chosen residue masked, for evaluation.

    Args:
        batch: on the CPU or a device.
        chosen: which tokens are hidden, `(B, T)`.
    """
    tokens = batch.tokens.cpu()
    return _placed(torch.where(chosen, MASK, tokens), chosen, tokens, batch.tokens.device)


def guessable(tokens: Tensor) -> Tensor:
    """Return which tokens are one of the 20 amino acids.

    Example:
        >>> guessable(torch.tensor([1, 4, 23, 24, 2, 0])).tolist()
        [False, True, True, False, False, False]
    """
    return (tokens >= FIRST_RESIDUE) & (tokens < UNKNOWN)


def _placed(seen: Tensor, chosen: Tensor, tokens: Tensor, device: torch.device) -> Masked:
    places = chosen.flatten().nonzero().squeeze(1)
    return Masked(seen.to(device), places.to(device), tokens.flatten()[places].to(device))
