import random

from hypothesis import given
from hypothesis import strategies as st

from probatum.signals.schedule import ProbeSchedule


@given(st.integers(0, 99), st.integers(1, 9), st.integers(1, 300), st.integers(1, 50))
def test_one_step_of_each_equal_part_is_probed(seed, batches, total, epoch):
    steps = ProbeSchedule(seed, batches, total).steps(epoch)

    assert len(steps) == min(batches, total)
    assert steps == sorted(set(steps))
    assert 0 <= steps[0] <= steps[-1] < total
    if total > batches:
        assert all(
            part * total // batches <= step < (part + 1) * total // batches for part, step in enumerate(steps)
        )


def test_epochs_and_seeds_differ_and_repeat():
    own = ProbeSchedule(0, 2, 1000)

    assert own.steps(1) != own.steps(2)
    assert own.steps(1) != ProbeSchedule(1, 2, 1000).steps(1)
    assert own.steps(3) == ProbeSchedule(0, 2, 1000).steps(3)


def test_an_unknown_length_is_probed_early_and_then_learned():
    schedule = ProbeSchedule(0, 4)
    first = schedule.steps(1)
    schedule.learn(40)

    assert first == [0, 1, 2, 4]
    assert schedule.steps(2) == ProbeSchedule(0, 4, 40).steps(2)


def test_the_global_generator_is_not_touched():
    state = random.getstate()
    ProbeSchedule(0, 3, 100).steps(1)

    assert random.getstate() == state
