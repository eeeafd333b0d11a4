import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum.packs.rewards import COMPONENTS, rewards

fakes = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fakes.py"))))


def test_a_reward_is_the_change_in_the_following_epoch_less_the_cost():
    rows = rewards(fakes.record(accuracies=(20.0, 30.0, 28.0), done={1: "GERMINATE_NORM"}))
    assert rows[0][:3] == (10.0, 0.0, 10.0)
    assert rows[1][:3] == pytest.approx((-2.0, 0.02, -2.02))


def test_the_return_is_the_accuracy_gained_less_every_cost():
    record = fakes.grown()
    first = dict(zip(COMPONENTS, rewards(record)[0], strict=True))
    assert first["return_to_go"] == pytest.approx(49.0 - 30.0 - 0.02 - 0.01 - 0.01)


def test_the_last_return_is_the_last_reward():
    last = rewards(fakes.record())[-1]
    assert last[3] == last[2]


def test_an_intervention_that_was_not_allowed_costs_nothing():
    only_wait = [(True, *(False,) * 7)] * 8
    assert rewards(fakes.record(done={2: "CULL"}, allowed=only_wait))[2][1] == 0.0


def test_an_accuracy_that_was_not_measured_changes_nothing():
    rows = rewards(fakes.record(accuracies=(20.0, None, 24.0, float("nan"))))
    assert [row[0] for row in rows] == [0.0, 4.0, 0.0]
