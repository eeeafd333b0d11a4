from __future__ import annotations

import numpy as np
import torch

from probatum.studies.concare.history import history_features


def _loop(values, mask):
    found = torch.zeros(*values.shape, 4)
    for b, t, c in np.ndindex(*values.shape):
        seen = values[b, : t + 1, c][mask[b, : t + 1, c] > 0]
        if len(seen):
            found[b, t, c] = torch.stack(
                [torch.tensor(np.log1p(len(seen)) / 2, dtype=seen.dtype), seen.mean(), seen.min(), seen.max()]
            )
    return found


def test_features_equal_those_of_a_loop():
    generator = torch.Generator().manual_seed(1)
    values = torch.randn(3, 6, 4, generator=generator)
    mask = (torch.rand(3, 6, 4, generator=generator) < 0.5).float()
    torch.testing.assert_close(history_features(values, mask), _loop(values, mask))


def test_a_value_that_was_not_observed_is_never_read():
    values, mask = torch.randn(2, 5, 3), torch.zeros(2, 5, 3)
    mask[:, 1] = 1
    other = torch.where(mask > 0, values, 100.0)
    assert torch.equal(history_features(values, mask), history_features(other, mask))


def test_later_hours_change_nothing_before_them():
    values, mask = torch.randn(1, 5, 2), torch.ones(1, 5, 2)
    later = values.clone()
    later[:, 3:] += 5
    assert torch.equal(history_features(values, mask)[:, :3], history_features(later, mask)[:, :3])
