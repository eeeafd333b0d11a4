"""Variance and skew of the heads equal scipy's over real steps."""

import pytest
import torch
from scipy.stats import skew

from probatum.studies.gainakt.batch import TracingOutput
from probatum.studies.gainakt.head_statistics import HeadMoments, head_statistics

MASK = torch.tensor([[True, True, True, False], [True, False, False, False]])


def test_statistics_equal_scipy_and_ignore_padding():
    torch.manual_seed(0)
    values = torch.rand(2, 4, 3).square()
    values[~MASK] = 1e9
    found = head_statistics(TracingOutput(torch.zeros(2, 4), values, None), MASK)
    real = values[MASK].double().flatten().numpy()
    assert set(found) == {"mastery_variance", "mastery_skew"}
    assert float(found["mastery_variance"]) == pytest.approx(real.var())
    assert float(found["mastery_skew"]) == pytest.approx(skew(real))


@pytest.mark.parametrize("mask", [MASK, torch.zeros(2, 4).bool()])
def test_a_constant_head_and_an_empty_batch_have_no_spread(mask):
    found = head_statistics(TracingOutput(torch.zeros(2, 4), None, torch.ones(2, 4, 3)), mask)
    assert {name: float(value) for name, value in found.items()} == {"gain_variance": 0, "gain_skew": 0}


def _sweep(length_by_batch, *, gains=True):
    """Return one output and mask per batch, of different lengths, with padding that must not count."""
    generator = torch.Generator().manual_seed(3)
    for length in length_by_batch:
        mask = torch.rand(3, length, generator=generator) < 0.7
        mastery, gain = (torch.rand(3, length, 5, generator=generator).pow(k) for k in (1, 4))
        mastery[~mask], gain[~mask] = 1e6, -1e6
        yield TracingOutput(torch.zeros(3, length), mastery, gain if gains else None), mask


def _joined(sweep):
    """Return the sweep as one batch: its real steps one after the other."""
    outputs, masks = zip(*sweep, strict=True)
    mastery = torch.cat([output.mastery[mask] for output, mask in zip(outputs, masks, strict=True)])[None]
    gains = torch.cat([output.gains[mask] for output, mask in zip(outputs, masks, strict=True)])[None]
    steps = mastery.shape[1]
    return TracingOutput(torch.zeros(1, steps), mastery, gains), torch.ones(1, steps).bool()


def _moments(sweep):
    moments = HeadMoments()
    for output, mask in sweep:
        moments.add(output, mask)
    return moments.read()


def test_moments_over_a_sweep_are_the_statistics_of_all_its_steps():
    sweep = list(_sweep([2, 7, 4]))
    expected = {name: float(value) for name, value in head_statistics(*_joined(sweep)).items()}
    assert _moments(sweep) == pytest.approx(expected, rel=1e-9)


def test_moments_over_a_sweep_equal_scipys():
    sweep = list(_sweep([6, 3]))
    gains = _joined(sweep)[0].gains.double().flatten().numpy()
    found = _moments(sweep)
    assert found["gain_variance"] == pytest.approx(gains.var(), rel=1e-9)
    assert found["gain_skew"] == pytest.approx(skew(gains), rel=1e-9)


def test_moments_do_not_depend_on_the_cut_into_batches():
    sweep = list(_sweep([5, 5]))
    assert _moments(sweep) == pytest.approx(_moments([_joined(sweep)]), rel=1e-12)


def test_a_constant_head_has_no_skew_in_a_sweep_either():
    output = TracingOutput(torch.zeros(2, 4), torch.full((2, 4, 3), 0.7), None)
    found = _moments([(output, MASK), (output, MASK)])
    assert found["mastery_variance"] == pytest.approx(0.0, abs=1e-12)
    assert found["mastery_skew"] == 0.0


def test_a_head_that_is_lacking_and_a_sweep_without_steps_are_not_measured():
    assert _moments(_sweep([4], gains=False))["gain_variance"] is None
    empty = [(output, torch.zeros_like(mask)) for output, mask in _sweep([4])]
    assert set(_moments(empty).values()) == {None}
