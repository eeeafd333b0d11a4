import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.signals.statistics import (
    HISTOGRAM_EDGES,
    SAMPLE_SIZE,
    bounded_sample,
    flatten,
    joint_norm,
    magnitude_histogram,
    mean_and_std,
    norms,
    quantiles,
    share_above,
    share_below,
    upcast,
)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(dtype):
    values = torch.full((70_000,), 4.0, dtype=dtype)

    assert upcast(values).dtype is torch.float32
    assert norms([values])[0].item() == pytest.approx(4.0 * math.sqrt(70_000), rel=1e-5)


def test_float64_stays_and_gradients_are_detached():
    values = torch.ones(2, dtype=torch.float64, requires_grad=True)

    assert upcast(values).dtype is torch.float64
    assert not upcast(values).requires_grad


def test_a_sparse_tensor_is_the_dense_one_it_stands_for():
    sparse = torch.sparse_coo_tensor(
        torch.tensor([[1, 1, 3]]), torch.tensor([1.0, 2.0, 4.0]), (5,), check_invariants=True
    )

    assert flatten([sparse]).tolist() == [0.0, 3.0, 0.0, 4.0, 0.0]


def test_a_complex_tensor_has_the_norm_of_its_moduli():
    values = torch.tensor([3 + 4j, 0j])

    assert norms([values])[0].item() == pytest.approx(5.0)


def test_norms_of_parts_join_to_the_norm_of_the_whole():
    parts = [torch.randn(3, 4), torch.randn(7), torch.randn(())]

    whole = np.linalg.norm(np.concatenate([part.numpy().ravel() for part in parts]))
    assert joint_norm(norms(parts)).item() == pytest.approx(whole, rel=1e-6)


def test_mean_and_deviation_are_numpys():
    values = torch.randn(1001) * 3 + 5

    found = mean_and_std(values)

    assert found["mean"].item() == pytest.approx(values.numpy().mean(dtype=np.float64), rel=1e-6)
    assert found["std"].item() == pytest.approx(values.numpy().std(ddof=1, dtype=np.float64), rel=1e-6)


def test_one_value_has_no_deviation():
    assert list(mean_and_std(torch.ones(1))) == ["mean"]


def test_shares_count_infinity_above_and_not_a_number_on_neither_side():
    magnitudes = torch.tensor([1e-9, 1.0, 1e4, math.inf, math.nan])

    assert share_below(magnitudes, 1e-7).item() == pytest.approx(0.2)
    assert share_above(magnitudes, 1e3).item() == pytest.approx(0.4)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20_000), st.integers(1, 500))
def test_a_sample_is_bounded_distinct_and_the_same_every_time(total, size):
    values = torch.arange(float(total))

    sample = bounded_sample(values, size)

    assert len(sample) == min(total, size)
    assert len(set(sample.tolist())) == len(sample)
    assert torch.equal(sample, bounded_sample(values, size))


def test_a_sample_follows_no_row_or_column():
    columns = torch.arange(512.0).expand(1024, 512)

    seen = bounded_sample(columns)

    assert len(seen) == SAMPLE_SIZE
    assert len(set(seen.tolist())) > 500
    assert seen.mean().item() == pytest.approx(255.5, rel=0.01)


def test_a_sample_of_a_view_reads_the_view():
    values = torch.arange(12.0).reshape(3, 4).t()

    assert sorted(bounded_sample(values, 100).tolist()) == list(range(12))


def test_quantiles_of_few_values_are_exact_and_of_many_close():
    few, many = torch.randn(300), torch.randn(200_000)
    levels = [0.01, 0.25, 0.5, 0.75, 0.99]

    assert quantiles(few, levels).numpy() == pytest.approx(np.quantile(few.numpy(), levels), abs=1e-4)
    assert quantiles(many, levels).numpy() == pytest.approx(np.quantile(many.numpy(), levels), abs=0.2)


def test_a_histogram_counts_like_numpy_with_everything_outside_kept():
    values = torch.randn(2000) * 10.0 ** torch.randint(-14, 7, (2000,))
    edges = [0.0, *HISTOGRAM_EDGES, math.inf]
    expected, _ = np.histogram(values.abs().double().numpy(), bins=edges)

    assert magnitude_histogram(values).sum().item() == 2000
    assert np.abs(magnitude_histogram(values).numpy() - expected).sum() <= 2  # float32 edges


def test_values_that_are_not_finite_fall_above():
    assert magnitude_histogram(torch.tensor([math.nan, math.inf, -math.inf]))[-1].item() == 3


def test_nothing_is_drawn_from_the_global_generator():
    state = torch.get_rng_state()
    values = torch.arange(50_000.0)
    quantiles(values, [0.5])
    magnitude_histogram(values)

    assert torch.equal(state, torch.get_rng_state())
