import math

import pytest
import torch

from probatum.signals.noise_scale import (
    NoiseCollector,
    in_examples,
    noise_ratio,
    pair_moments,
)


def simulated_pairs(pairs, size, signal, noise, batch):
    """Return moments of pairs of batch gradients whose |G|² is `signal`² and tr(Σ) is `noise`² times `size`."""
    own = torch.Generator().manual_seed(1)
    true = torch.zeros(size)
    true[0] = signal
    moments = []
    for _ in range(pairs):
        one, two = (true + noise / math.sqrt(batch) * torch.randn(size, generator=own) for _ in range(2))
        moments.append(pair_moments([one], [two]))
    return [[found[name].item() for found in moments] for name in ("product", "square")]


def test_moments_are_those_of_the_whole_gradient():
    first, second = [torch.randn(3, 2), torch.randn(4)], [torch.randn(3, 2), torch.randn(4)]
    one, two = (torch.cat([part.flatten() for part in parts]) for parts in (first, second))

    found = pair_moments(first, second)

    assert found["product"].item() == pytest.approx((one @ two).item(), rel=1e-5)
    assert found["square"].item() == pytest.approx((one @ one + two @ two).item() / 2, rel=1e-5)


def test_the_scale_is_found_within_its_standard_error_where_it_is_known():
    products, squares = simulated_pairs(pairs=400, size=50, signal=1.0, noise=0.5, batch=8)
    truth = 50 * 0.25 / 1.0

    found = in_examples(noise_ratio(products, squares), 8)

    assert found.n == 400
    assert abs(found.mean - truth) < 4 * found.se
    assert found.se < 0.1 * truth


def test_the_estimate_equals_that_of_two_batch_sizes():
    """McCandlish et al. 2018, appendix A.1, with a batch of B and the pair as a batch of 2 B."""
    one, two, batch = torch.tensor([3.0, 1.0]), torch.tensor([2.0, 2.0]), 4
    small = (one @ one + two @ two).item() / 2
    big = ((one + two) / 2).square().sum().item()
    square = (2 * batch * big - batch * small) / batch
    trace = (small - big) / (1 / batch - 1 / (2 * batch))

    moments = pair_moments([one], [two])
    found = in_examples(noise_ratio([moments["product"].item()], [moments["square"].item()]), batch)

    assert found.mean == pytest.approx(trace / square)
    assert found.se is None


def test_the_jackknife_error_covers_the_spread_over_repetitions():
    estimates, errors = [], []
    for seed in range(60):
        own = torch.Generator().manual_seed(seed)
        gradients = 1.0 + torch.randn(20, 2, 30, generator=own)
        moments = [pair_moments([one], [two]) for one, two in gradients]
        found = noise_ratio(
            [pair["product"].item() for pair in moments], [pair["square"].item() for pair in moments]
        )
        estimates.append(found.mean)
        errors.append(found.se)

    spread = torch.tensor(estimates).std().item()
    assert torch.tensor(errors).mean().item() == pytest.approx(spread, rel=0.35)


def test_gradients_that_disagree_have_no_scale():
    assert noise_ratio([-1.0, 0.5], [2.0, 2.0]) is None
    assert noise_ratio([], []) is None


def test_pairs_that_are_not_finite_are_counted_and_left_out():
    found = noise_ratio([1.0, math.nan], [3.0, math.inf])

    assert (found.mean, found.n, found.non_finite) == (2.0, 1, 1)


def test_a_parameter_that_had_a_gradient_only_once_is_left_out_of_the_pair():
    collector = NoiseCollector()
    collector.remember({"a": torch.ones(2), "b": torch.ones(2)})

    found = collector.compare({"a": torch.full((2,), 3.0)})

    assert found["product"].item() == 6.0
    assert not collector.is_pending


def test_what_is_kept_is_a_copy():
    gradient = torch.ones(2)
    collector = NoiseCollector()
    collector.remember({"a": gradient})
    gradient.zero_()

    assert collector.compare({"a": torch.ones(2)})["product"].item() == 2.0
