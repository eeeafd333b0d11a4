from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from probatum.training.checkpoint import load_checkpoint, save_checkpoint
from probatum.training.seeding import (
    describe_random_state,
    random_state,
    restore_random_state,
    seed_everything,
)


@pytest.fixture(autouse=True)
def _deterministic_again():
    yield
    torch.use_deterministic_algorithms(False)


def _draw(order):
    return (
        torch.rand(2).tolist(), torch.randperm(5, generator=order).tolist(), random.random(), np.random.rand(),
        random.gauss(0, 1), np.random.randn(),
    )  # fmt: skip


def test_every_generator_continues_from_a_saved_state(tmp_path):
    order = seed_everything(3, deterministic=False)
    _draw(order)  # leaves the halves of two normal pairs behind
    save_checkpoint(tmp_path / "state", {"random": random_state(order)})
    expected = _draw(order)
    other = seed_everything(99, deterministic=False)
    restore_random_state(load_checkpoint(tmp_path / "state")["random"], other)
    assert _draw(other) == expected


def test_a_seed_decides_every_generator():
    one, other = (describe_random_state(seed_everything(5, deterministic=False)) for _ in range(2))
    assert one == other
    different = describe_random_state(seed_everything(6, deterministic=False))
    assert all(one[name] != different[name] for name in ("torch", "order", "python", "numpy"))


def test_the_order_of_the_data_does_not_depend_on_other_draws():
    order = seed_everything(5, deterministic=False)
    torch.rand(10)
    assert order.initial_seed() == seed_everything(5, deterministic=False).initial_seed()
    assert torch.equal(
        torch.randperm(9, generator=order),
        torch.randperm(9, generator=seed_everything(5, deterministic=False)),
    )


def test_an_operation_without_a_deterministic_kernel_can_be_refused():
    seed_everything(5, deterministic=True)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark
