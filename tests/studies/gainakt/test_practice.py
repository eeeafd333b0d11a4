"""Practice features equal a count by hand and never look ahead."""

import math

import torch

from probatum.studies.gainakt.batch import SequenceBatch
from probatum.studies.gainakt.practice import FEATURE_COUNT, HALF_LIVES, practice_features


def batch_of(concepts, responses):
    lengths = torch.tensor([len(concepts)])
    index = torch.zeros(1).long()
    return SequenceBatch.from_windows(
        torch.tensor([concepts]), torch.tensor([responses]), lengths, index, index
    )


def features_by_hand(concepts, responses, t):
    steps = [j for j in range(t + 1) if concepts[j] == concepts[t + 1]]
    right = [j for j in steps if responses[j]]
    wrong = [j for j in steps if not responses[j]]
    last = 0.0 if not steps else 2.0 * responses[steps[-1]] - 1
    since = 0.0 if not steps else math.log1p(t - steps[-1])
    row = [math.log1p(len(steps)), math.log1p(len(right)), math.log1p(len(wrong))]
    row += [(len(right) + 1) / (len(steps) + 2), last, since]
    for half_life in HALF_LIVES:
        row += [math.log1p(sum(0.5 ** ((t - j) / half_life) for j in group)) for group in (right, wrong)]
    return row


def test_features_equal_a_count_by_hand():
    generator = torch.Generator().manual_seed(0)
    concepts = torch.randint(4, (30,), generator=generator).tolist()
    responses = torch.randint(2, (30,), generator=generator).tolist()
    found = practice_features(batch_of(concepts, responses))
    expected = torch.tensor([[features_by_hand(concepts, responses, t) for t in range(29)]])
    assert found.shape == (1, 29, FEATURE_COUNT)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_later_answers_do_not_move_earlier_features():
    concepts = [1, 1, 2, 1, 2, 2]
    before = practice_features(batch_of(concepts, [1, 0, 1, 0, 0, 1]))
    after = practice_features(batch_of(concepts, [1, 0, 1, 1, 1, 0]))
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.equal(before, after)


def test_long_windows_do_not_overflow_and_still_equal_a_count_by_hand():
    concepts, responses = [0, 1] * 250, [1, 0, 0] * 166 + [1, 1]
    found = practice_features(batch_of(concepts, responses))
    assert found.isfinite().all()
    expected = torch.tensor(features_by_hand(concepts, responses, 498))
    torch.testing.assert_close(found[0, 498], expected, atol=1e-5, rtol=1e-5)


def test_counts_are_exact_under_mixed_precision():
    batch = batch_of([0] * 200, [1] * 200)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = practice_features(batch)
    assert torch.equal(found, practice_features(batch))
