"""What a masked model sees and guesses."""

import numpy as np
import torch

from probatum.studies.abprop.masking import corrupted, hidden
from probatum.studies.abprop.tokenizer import MASK


def test_shares_are_those_of_bert_and_specials_are_never_touched(split_of):
    batch = split_of("ACDEFGHIKLMNPQRSTVWY" * 500).gather(np.array([0]))
    masked = corrupted(batch, 0.15, torch.Generator().manual_seed(0))
    seen = masked.tokens.flatten()[masked.places]
    count = len(masked.places)
    assert abs(count / 10_000 - 0.15) < 0.01
    assert abs(float((seen == MASK).float().mean()) - 0.8) < 0.03
    assert abs(float((seen == masked.targets).float().mean()) - (0.1 + 0.1 / 20)) < 0.03
    others = seen[(seen != MASK) & (seen != masked.targets)]
    assert others.min() >= 4  # never a special token
    assert others.max() < 24  # never X
    assert torch.equal(masked.tokens[0, [0, -1]], batch.tokens[0, [0, -1]])


def test_what_is_not_chosen_is_unchanged_and_targets_are_the_truth(split_of):
    batch = split_of("ACDEF" * 30, "MKT" * 20).gather(np.array([0, 1]))
    masked = corrupted(batch, 0.3, torch.Generator().manual_seed(1))
    rest = torch.ones(batch.tokens.numel(), dtype=torch.bool)
    rest[masked.places] = False
    assert torch.equal(masked.tokens.flatten()[rest], batch.tokens.flatten()[rest])
    assert torch.equal(masked.targets, batch.tokens.flatten()[masked.places])


def test_x_is_never_a_target(split_of):
    batch = split_of("X" * 200).gather(np.array([0]))
    assert not len(corrupted(batch, 0.9, torch.Generator().manual_seed(0)).places)


def test_evaluation_masks_every_chosen_residue(split_of):
    batch = split_of("ACDEF").gather(np.array([0]))
    chosen = torch.tensor([[False, True, False, True, False, False, False]])
    masked = hidden(batch, chosen)
    assert masked.tokens.tolist() == [[1, MASK, 5, MASK, 7, 8, 2]]
    assert masked.targets.tolist() == [4, 6]
