import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from probatum.signals.attention_statistics import attention_statistics, future_mass, lag_curve


def weights(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).softmax(-1)


def causal(queries, keys=None):
    return torch.ones(queries, keys or queries, dtype=torch.bool).tril((keys or queries) - queries)


def reference_lag_curve(values, allowed):
    sums, counts = {}, {}
    batch, heads, queries, keys = values.shape
    for b, h, q, k in np.ndindex(batch, heads, queries, keys):
        lag = q + keys - queries - k
        if lag >= 0 and allowed[b, h, q, k]:
            sums[lag] = sums.get(lag, 0.0) + float(values[b, h, q, k])
            counts[lag] = counts.get(lag, 0) + 1
    return [sums[lag] / counts[lag] if lag in counts else math.nan for lag in range(keys)]


def test_the_entropy_is_scipys_in_nats():
    values = weights(2, 3, 5, 7)
    expected = stats.entropy(values.double().numpy(), axis=-1).mean()
    assert float(attention_statistics(values)["entropy"]) == pytest.approx(expected, rel=1e-5)


def test_uniform_weights_over_77_features_have_the_entropy_of_77():
    assert float(attention_statistics(torch.full((4, 1, 1, 77), 1 / 77))["entropy"]) == pytest.approx(
        math.log(77)
    )


def test_the_normalised_entropy_of_uniform_causal_weights_is_one():
    values = causal(6).float() / causal(6).sum(-1, keepdim=True)
    assert float(attention_statistics(values.expand(2, 2, 6, 6))["entropy_normalised"]) == pytest.approx(1)


def test_a_query_that_may_see_no_key_counts_nowhere():
    values = weights(1, 2, 3, 4)
    padded = torch.cat([values, torch.zeros(1, 2, 1, 4)], dim=2)
    for name, value in attention_statistics(values).items():
        assert float(attention_statistics(padded)[name]) == pytest.approx(float(value), abs=1e-6)


def test_head_agreement_is_the_mean_cosine_of_pairs():
    values = weights(2, 3, 4, 5)
    unit = (values / values.norm(dim=-1, keepdim=True)).double().numpy()
    pairs = [(unit[:, a] * unit[:, b]).sum(-1) for a in range(3) for b in range(a)]
    assert float(attention_statistics(values)["head_agreement"]) == pytest.approx(np.mean(pairs), rel=1e-5)


def test_one_head_has_no_agreement():
    assert "head_agreement" not in attention_statistics(weights(2, 1, 3, 3))


def test_nan_weights_are_not_taken_for_masked_ones():
    assert math.isnan(float(attention_statistics(torch.full((1, 1, 2, 2), math.nan))["entropy"]))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 3), st.integers(1, 2), st.integers(2, 6), st.integers(0, 3), st.integers(0, 99))
def test_the_lag_curve_is_that_of_the_loops(batch, heads, queries, more_keys, seed):
    values = weights(batch, heads, queries, queries + more_keys, seed=seed)
    allowed = torch.rand(values.shape, generator=torch.Generator().manual_seed(seed)) < 0.8
    expected = reference_lag_curve(values, allowed)
    np.testing.assert_allclose(lag_curve(values, allowed), expected, rtol=1e-5)


def test_causal_attention_has_no_mass_on_the_future_and_its_curve_is_that_of_the_loops():
    values = (weights(2, 2, 5, 5) * causal(5)).double()
    values = (values / values.sum(-1, keepdim=True)).float()
    assert float(future_mass(values)) == 0
    np.testing.assert_allclose(
        lag_curve(values), reference_lag_curve(values, causal(5).expand(2, 2, 5, 5)), rtol=1e-5
    )


def test_right_padding_does_not_move_the_newest_key_of_a_pooling_layer():
    allowed = torch.tensor([[True, True, True, True], [True, True, False, False]])[:, None, None]
    values = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.4, 0.6, 0.0, 0.0]])[:, None, None]
    np.testing.assert_allclose(lag_curve(values, allowed), [0.5, 0.35, 0.2, 0.1], rtol=1e-6)


def test_a_distance_that_no_query_may_see_is_absent_and_not_zero():
    band = causal(4) & ~causal(4).tril(-2)
    curve = lag_curve(band[None, None] / band.sum(-1, keepdim=True), band)
    assert [math.isnan(value) for value in curve.tolist()] == [False, False, True, True]


def test_half_precision_is_summed_in_single():
    exact, half = weights(1, 2, 8, 8), weights(1, 2, 8, 8).half()
    assert float(attention_statistics(half)["entropy"]) == pytest.approx(
        float(attention_statistics(exact)["entropy"]), rel=1e-3
    )
