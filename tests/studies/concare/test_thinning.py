"""What is removed leaves no trace in the batch, at the rates that were asked for."""

import numpy as np
import pytest
import torch
from tests.studies.concare.icu_batches import CHANNELS, STEPS, stays

from probatum.studies.concare.preprocessing import carry_forward
from probatum.studies.concare.thinning import carried_forward, thinned


def thin(batch, lowest, highest, seed=1):
    return thinned(batch, lowest=lowest, highest=highest, generator=torch.Generator().manual_seed(seed))


def test_carrying_forward_agrees_with_the_loader():
    torch.manual_seed(0)
    mask = torch.rand(5, STEPS, CHANNELS) < 0.4
    raw = torch.randn(mask.shape)
    expected = carry_forward(np.where(mask, raw, np.nan), mask.numpy())
    for theirs, ours in zip(expected, carried_forward(raw, mask.float()), strict=True):
        assert np.array_equal(theirs, ours.numpy())


def test_a_removed_value_shows_nowhere():
    batch = stays(20)
    less = thin(batch, 0.5, 0.5).batch
    is_removed = (batch.mask - less.mask) > 0
    changed = batch._replace(values=torch.where(is_removed, batch.values + 100, batch.values))
    again = thin(changed, 0.5, 0.5).batch
    assert is_removed.any()
    for before, after in zip(less, again, strict=True):
        assert torch.equal(before, after)


def test_only_observed_cells_are_removed_and_the_share_counts_them():
    batch = stays(30)
    less = thin(batch, 0.2, 0.8)
    assert (less.batch.mask <= batch.mask).all()
    torch.testing.assert_close(less.removed_share, (batch.mask - less.batch.mask).sum(1) / STEPS)


def test_nothing_removed_gives_the_batch_back():
    batch = stays(10)
    for before, after in zip(batch, thin(batch, 0.0, 0.0).batch, strict=True):
        assert torch.equal(before, after)


def test_the_rate_is_drawn_per_stay_over_the_whole_range():
    batch = stays(400)._replace(mask=torch.ones(400, STEPS, CHANNELS))
    rates = thin(batch, 0.2, 0.8).removed_share.mean(1)
    assert float(rates.mean()) == pytest.approx(0.5, abs=0.03)
    within = np.sqrt(0.6**2 / 12 + (0.5 * 0.5 - 0.6**2 / 12) / (STEPS * CHANNELS))  # uniform, then binomial
    assert float(rates.std()) == pytest.approx(within, abs=0.02)


def test_draws_come_from_the_generator_alone():
    state = torch.get_rng_state()
    first, second = (thin(stays(4), 0.2, 0.8).batch.mask for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)
