from __future__ import annotations

import os

import pytest
from engine_conformance import EngineConformance

from probatum._errors import UnknownNameError, UsageError
from probatum.ablations.engines import is_alive, make_engine
from probatum.ablations.engines.local import LocalEngine
from probatum.ablations.engines.slots import Slot, available_cores, plan_slots, visible_devices
from probatum.runs.status import process_start, this_process


class TestLocalEngine(EngineConformance):
    @pytest.fixture
    def engine(self):
        with self.another() as engine:
            yield engine

    def another(self):
        return LocalEngine(None, {"grace_seconds": "0.3"}, slots=[Slot(0, 3, None), Slot(1, 3, "5")])

    def test_each_slot_has_its_threads_and_its_device(self, engine, tmp_path):
        for key in "ab":
            engine.submit(self.job(tmp_path, 'echo "$OMP_NUM_THREADS-${CUDA_VISIBLE_DEVICES-none}"', key))
        self.outcomes(engine, 2)
        assert (tmp_path / "b/out").read_text() == "3-5\n"

    def test_a_program_that_is_killed_is_told_from_one_that_fails(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, "kill -9 $$"))
        assert self.outcomes(engine)["a"].returncode == 128 + 9

    def test_an_end_is_noticed_without_polling(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, "exit 0"))
        assert engine.wait(30.0)[0].duration_seconds < 5.0


def test_cores_are_divided_among_the_jobs():
    assert [slot.threads for slot in plan_slots(3, cores=8, devices=[])] == [2, 2, 2]


@pytest.mark.parametrize(
    ("jobs", "cores", "devices"), [(9, 4, []), (9, 4, ["0", "1"]), (None, 4, ["0", "1"])]
)
def test_no_slots_take_more_than_there_is(jobs, cores, devices):
    slots = plan_slots(jobs, cores=cores, devices=devices)
    assert sum(slot.threads for slot in slots) <= cores
    assert len({slot.device for slot in slots}) == (len(slots) if devices else 1)


def test_one_run_at_a_time_on_a_machine_without_devices():
    assert len(plan_slots(None, cores=4, devices=[])) == 1


def test_no_job_at_all_is_refused():
    with pytest.raises(UsageError, match="at least 1, got 0"):
        plan_slots(0)


def test_devices_are_those_that_the_environment_shows(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 3")
    assert visible_devices() == ["2", "3"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert visible_devices() == []


def test_cores_are_counted():
    assert available_cores() >= 1


def test_an_unknown_engine_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'local'"):
        make_engine("locale", 1)


def test_an_option_that_the_engine_does_not_take_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'grace_seconds'"):
        make_engine("local", 1, {"grace_second": "3"})


def test_a_value_of_the_wrong_type_names_the_option():
    with pytest.raises(UsageError, match="--engine-option grace_seconds=soon"):
        make_engine("local", 1, {"grace_seconds": "soon"})


def test_a_process_of_this_machine_is_known_to_be_alive_or_not():
    here = this_process()
    place = {**here, "pid": os.getpid(), "start_time": process_start(os.getpid())}
    assert is_alive("local", place)
    assert not is_alive("local", {**place, "start_time": -1})
    assert is_alive("local", {**place, "host": "elsewhere"}) is None
