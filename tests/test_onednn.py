from __future__ import annotations

import pytest
import torch

from probatum import _onednn


@pytest.mark.parametrize("is_there", [True, False])
def test_a_product_is_torchs_with_and_without_onednn(is_there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_there:
        monkeypatch.setattr(_onednn, "LINEAR", None)
    rows, weight = torch.randn(5, 7), torch.randn(3, 7)
    torch.testing.assert_close(_onednn.product(rows, weight), rows @ weight.T)
    torch.testing.assert_close(
        _onednn.product(rows.double(), weight.double()), rows.double() @ weight.double().T
    )


def test_transposed_views_are_taken_as_they_are() -> None:
    rows, weight = torch.randn(7, 5), torch.randn(7, 3)
    torch.testing.assert_close(_onednn.product(rows.T, weight.T), rows.T @ weight)


def test_only_float32_outside_autocast_is_taken() -> None:
    wide, plain = torch.ones(2, 2, dtype=torch.float64), torch.ones(2, 2)
    assert not _onednn.takes(wide, wide)
    assert not _onednn.takes(plain[:0], plain)
    with torch.autocast("cpu"):
        assert not _onednn.takes(plain, plain)
