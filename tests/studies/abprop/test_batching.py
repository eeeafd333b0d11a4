"""Batches of equally many tokens, in a known number of steps."""

from itertools import combinations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum.studies.abprop.batching import AntibodySplit, balanced_sizes, largest_batch

lengths = st.lists(st.integers(3, 60), min_size=1, max_size=40)


def cost(rising, sizes):
    ends = np.cumsum(sizes)
    return max(size * rising[end - 1] for size, end in zip(sizes, ends, strict=True))


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8).map(sorted), st.data())
def test_the_largest_batch_is_the_smallest_that_any_division_has(rising, data):
    count = data.draw(st.integers(1, len(rising)))
    sizes = balanced_sizes(rising, count)
    assert (len(sizes), sum(sizes)) == (count, len(rising))
    every = [
        np.diff([0, *cuts, len(rising)]).tolist() for cuts in combinations(range(1, len(rising)), count - 1)
    ]
    assert cost(rising, sizes) == min(cost(rising, sizes) for sizes in every)


def made(sizes, bucket_batches):
    tokens = [np.full(size, 4) for size in sizes]
    return AntibodySplit(
        tokens, [np.zeros(size - 2) for size in sizes], np.zeros((len(sizes), 1)), bucket_batches
    )


@settings(max_examples=50)
@given(lengths, st.integers(1, 8), st.integers(1, 5), st.integers(0, 3))
def test_an_epoch_has_every_sequence_once_in_a_known_number_of_steps(sizes, batch_size, buckets, seed):
    split = made(sizes, buckets)
    order = split.training_order(batch_size, torch.Generator().manual_seed(seed))
    assert len(order) == -(-len(sizes) // batch_size)
    assert sorted(np.concatenate(order).tolist()) == list(range(len(sizes)))
    bound = largest_batch(split.lengths, batch_size, buckets)
    assert max(len(rows) * int(split.lengths[rows].max()) for rows in order) <= bound


def test_sorting_more_batches_together_computes_less_padding():
    sizes = np.random.default_rng(0).integers(20, 200, 400).tolist()
    shares = [
        split.padded_share(split.training_order(16, torch.Generator().manual_seed(0)))
        for split in (made(sizes, 1), made(sizes, 25))
    ]
    assert shares[1] < 0.2 * shares[0]


def test_the_same_generator_gives_the_same_epoch_and_the_next_epoch_differs():
    split = made(list(range(10, 50)), 2)
    one, other = (torch.Generator().manual_seed(5) for _ in range(2))
    first = [rows.tolist() for rows in split.training_order(4, one)]
    assert first == [rows.tolist() for rows in split.training_order(4, other)]
    assert first != [rows.tolist() for rows in split.training_order(4, one)]


def test_a_batch_is_padded_on_the_right_and_says_so(split_of):
    split = split_of("ACD", "AC")
    batch = split.gather(np.array([0, 1]))
    assert batch.tokens.tolist() == [[1, 4, 5, 6, 2], [1, 4, 5, 2, 0]]
    assert batch.regions.tolist() == [[-100, 0, 0, 3, -100], [-100, 0, 3, -100, -100]]
    assert batch.is_padded
    assert not split.gather(np.array([1])).is_padded


def test_what_is_hidden_for_evaluation_depends_on_the_sequences_alone(split_of):
    one, other = split_of("ACDEFGHIKL" * 40), split_of("ACDEFGHIKL" * 40)
    assert torch.equal(one.hidden, other.hidden)
    assert 0.1 < one.hidden.float().mean() < 0.2
    assert not one.hidden[[0, -1]].any()
