import math

import numpy as np
import pytest
import torch

from probatum.signals.loss_noise import LossCollector, loss_noise


def test_a_steady_fall_is_no_noise():
    falling = [10.0 - 0.01 * step for step in range(200)]

    assert loss_noise(falling).mean < 0.01
    assert np.std(falling, ddof=1) > 0.5


def test_noise_about_a_trend_is_found_within_its_error():
    values = np.random.default_rng(0).normal(0, 0.3, 400) + np.linspace(5, 4, 400)

    found = loss_noise(list(values))

    assert abs(found.mean - 0.3) < 3 * found.se
    assert found.n == 400


@pytest.mark.parametrize("losses", [[], [1.0, 2.0], [1.0, math.nan, 2.0]])
def test_too_few_losses_have_no_noise(losses):
    assert loss_noise(losses) is None


def test_losses_that_are_not_finite_are_counted():
    assert loss_noise([1.0, 2.0, math.inf, 1.0]).non_finite == 1


def take(collector):
    """Return the losses of a collector in order."""
    return collector.take([value for block in collector.tensors() for value in block.tolist()])


def test_tensors_and_numbers_keep_their_order():
    collector = LossCollector()
    for loss in (torch.tensor(1.0), 2.0, torch.tensor([3.0]), 4.0, torch.tensor(5.0)):
        collector.add(loss)

    assert take(collector) == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert take(collector) == []


def test_more_losses_than_a_block_holds_are_all_kept():
    collector = LossCollector()
    for step in range(2100):
        collector.add(torch.tensor(float(step)))

    assert take(collector) == [float(step) for step in range(2100)]


def test_a_loss_that_is_changed_afterwards_was_kept_as_it_was():
    collector, loss = LossCollector(), torch.tensor(1.0)
    collector.add(loss)
    loss.mul_(100)

    assert take(collector) == [1.0]
