import math

import pytest
import torch

from probatum.signals.buffer import EpochBuffer, mean_curve, tables


def test_numbers_and_lists_come_back_under_their_names():
    buffer = EpochBuffer()
    for scale in (1.0, 2.0):
        buffer.add("a", {"x": {"norm": torch.tensor(scale), "curve": scale * torch.arange(3.0)}})
        buffer.add("b", {"y": {"count": torch.tensor(7)}})
    buffer.settle()

    assert buffer.of("a") == {"x": {"norm": [1.0, 2.0], "curve": [[0.0, 1.0, 2.0], [0.0, 2.0, 4.0]]}}
    assert buffer.of("b") == {"y": {"count": [7.0, 7.0]}}
    assert buffer.of("c") == {}


def test_everything_is_read_in_one_transfer(monkeypatch):
    transfers = []
    original = torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, "tolist", lambda own: transfers.append(1) or original(own))
    buffer = EpochBuffer()
    for layer in range(20):
        buffer.add("a", {str(layer): {"norm": torch.tensor(1.0), "count": torch.tensor(3)}})
    buffer.settle()

    assert len(transfers) == 1


def test_a_state_is_plain_and_goes_on_where_it_was():
    buffer, resumed = EpochBuffer(), EpochBuffer()
    buffer.add("a", {"x": {"norm": torch.tensor(1.0)}})
    resumed.load_state_dict(buffer.state_dict())
    resumed.add("a", {"x": {"norm": torch.tensor(2.0)}})
    resumed.settle()

    assert buffer.of("a") == {"x": {"norm": [1.0]}}
    assert resumed.of("a") == {"x": {"norm": [1.0, 2.0]}}


def test_tables_count_what_is_not_finite():
    found = tables({"x": {"norm": [1.0, math.nan]}})["x"]["norm"]

    assert (found.mean, found.n, found.non_finite) == (1.0, 1, 1)


@pytest.mark.parametrize(
    ("curves", "mean"), [([], []), ([[1.0], [2.0, 4.0]], [1.5, 4.0]), ([[math.nan, 1.0]], [None, 1.0])]
)
def test_curves_are_averaged_where_they_reach(curves, mean):
    assert mean_curve(curves) == mean
