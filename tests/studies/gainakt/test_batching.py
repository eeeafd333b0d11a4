"""Batches: every step once, little padding, order from the generator alone."""

import numpy as np
import pytest
import torch

from probatum.studies.gainakt.batching import Split
from probatum.studies.gainakt.protocol import Protocol, split
from probatum.studies.gainakt.simulate import CLASSROOM, simulate


@pytest.fixture(scope="module")
def windows():
    histories = simulate(students=400, concepts=6, seed=2, model=CLASSROOM)
    rules = Protocol(seq_len=50, min_interactions=3, test_share=0.2, fold_count=5, fold=0, split_seed=1)
    return split(histories, rules)["train"]


@pytest.fixture
def prepared(windows):
    return Split(windows, bucket_batches=10)


def order(prepared, seed):
    return [batch.windows.tolist() for batch in prepared.batches(16, torch.Generator().manual_seed(seed))]


def test_an_epoch_holds_every_window_once(prepared):
    seen = [window for batch in order(prepared, 1) for window in batch]
    assert sorted(seen) == list(range(prepared.count))
    assert len(order(prepared, 1)) == prepared.batch_count(16)


def test_the_order_comes_from_the_generator_and_from_nothing_else(prepared):
    torch.manual_seed(1)
    one = order(prepared, 7)
    torch.manual_seed(2)
    assert order(prepared, 7) == one != order(prepared, 8)


def test_batching_draws_nothing_from_the_global_generator(prepared):
    before = torch.get_rng_state()
    order(prepared, 1)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_batch_shows_the_history_shifted_by_one(prepared):
    histories, windows = prepared.windows.histories, prepared.windows
    for batch in prepared.evaluation_batches(16):
        for row, window in enumerate(batch.windows.tolist()):
            own = slice(windows.starts[window], windows.starts[window] + windows.lengths[window])
            real = batch.mask[row]
            assert int(real.sum()) == windows.lengths[window] - 1
            assert batch.concepts[row][real].tolist() == histories.concepts[own][:-1].tolist()
            assert batch.next_concepts[row][real].tolist() == histories.concepts[own][1:].tolist()
            assert batch.responses[row][real].tolist() == histories.responses[own][:-1].tolist()
            assert batch.next_responses[row][real].tolist() == histories.responses[own][1:].tolist()
            assert not batch.next_concepts[row][~real].any()
            assert batch.students[row] == windows.students[window]


def test_the_evaluation_order_is_fixed_and_by_length(prepared):
    lengths = [batch.mask.sum(1) for batch in prepared.evaluation_batches(32)]
    assert (torch.cat(lengths).diff() >= 0).all()
    assert sum(int(batch.mask.sum()) for batch in prepared.evaluation_batches(32)) == prepared.step_count


def test_buckets_cut_the_padding(windows):
    generator = torch.Generator().manual_seed(1)
    shares = [
        bucketed.padded_share(bucketed.training_order(16, generator))
        for bucketed in (Split(windows, bucket_batches=1), Split(windows, bucket_batches=100))
    ]
    assert shares[1] < shares[0] / 4
    assert shares[1] < 0.15


def test_the_steps_of_all_windows_lie_flat_without_gap(prepared):
    offsets, steps = prepared.step_offsets(), prepared.windows.lengths - 1
    assert np.array_equal(offsets[1:], (offsets + steps)[:-1])
    assert offsets[0] == 0
    assert offsets[-1] + steps[-1] == prepared.step_count
