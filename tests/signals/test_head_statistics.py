import math
from typing import NamedTuple

import pytest
import torch
from scipy import stats

from probatum.signals.head_statistics import HeadStatisticsCollector, head_statistics, named_heads


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).exp()


def test_variance_and_skew_are_scipys():
    x = noise(40)
    found = head_statistics(x)
    assert float(found["variance"]) == pytest.approx(x.double().numpy().var(ddof=1), rel=1e-5)
    assert float(found["skew"]) == pytest.approx(stats.skew(x.double().numpy()), rel=1e-4)


def test_several_units_are_averaged():
    x = noise(40, 2, 3)
    found = head_statistics(x)
    assert float(found["skew"]) == pytest.approx(stats.skew(x.double().numpy(), axis=0).mean(), rel=1e-4)
    assert float(found["variance"]) == pytest.approx(x.double().numpy().var(0, ddof=1).mean(), rel=1e-5)


def test_a_constant_head_has_no_variance_and_no_skew():
    found = head_statistics(torch.full((8,), 0.1))
    assert float(found["variance"]) == pytest.approx(0, abs=1e-12)
    assert math.isnan(found["skew"])


def test_a_constant_unit_is_left_out_of_the_skew():
    x = torch.stack([noise(40), torch.full((40,), 3.0)], dim=1)
    assert float(head_statistics(x)["skew"]) == pytest.approx(float(head_statistics(x[:, 0])["skew"]))


def test_one_example_has_neither():
    assert all(math.isnan(value) for value in head_statistics(torch.ones(1)).values())


class Output(NamedTuple):
    logits: torch.Tensor
    decov: torch.Tensor


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        (torch.ones(3), ["output"]),
        ((torch.ones(3), torch.ones(3, 2)), ["0", "1"]),
        (Output(torch.ones(3), torch.tensor(0.1)), ["logits"]),
        ({"risk": torch.ones(3), "tokens": torch.ones(3).long()}, ["risk"]),
    ],
)
def test_heads_have_their_own_names(outputs, names):
    assert list(named_heads(outputs)) == names


def test_outputs_without_heads_are_missing_with_the_reason():
    collector = HeadStatisticsCollector()
    assert collector.read(None) == {}
    assert "no outputs" in collector.missing["heads"]
