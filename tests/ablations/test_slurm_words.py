"""What can be said about the Slurm engine where there is no Slurm."""

from __future__ import annotations

from pathlib import Path

import pytest

from probatum._errors import UsageError
from probatum.ablations.engines import Job, make_engine
from probatum.ablations.engines.slurm.lanes import Lanes
from probatum.ablations.engines.slurm.options import SlurmOptions, submission_parameters
from probatum.ablations.engines.slurm.queue import expressions, job_ids, minutes
from probatum.ablations.engines.slurm.submission import home


def job(key: str, folder: Path) -> Job:
    return Job(key, ("true",), folder, {}, folder / "stdout.log", folder / "stderr.log", folder / "exit_code")


def test_an_expression_of_the_queue_says_the_same_as_its_ids():
    ids = ["7", *(f"12_{index}" for index in (0, 1, 2, 5, 7, 8, 1000)), "13_4"]
    assert [one for expression in expressions(ids) for one in job_ids(expression)] == ids


@pytest.mark.parametrize(
    ("text", "expected"),
    [("00:30:00", 30), ("00:30:01", 31), ("2-00:00:00", 2880), ("INFINITE", 0), ("NONE", 0)],
)
def test_slurms_times_are_minutes(text, expected):
    assert minutes(text) == expected


def test_options_reach_the_submission_script():
    options = SlurmOptions(
        partition="gpu", gpus_per_run=2, memory_gb=1.5, setup="module load a\nmodule load b"
    )
    found = submission_parameters(options, "probatum-1", 90)
    assert (found["partition"], found["gpus_per_node"], found["mem"], found["time"]) == (
        "gpu",
        2,
        "1536MB",
        90,
    )
    assert found["setup"] == ["module load a", "module load b"]
    assert "account" not in found


@pytest.mark.parametrize(("requeue", "expected"), [(True, "requeue"), (False, "no-requeue")])
def test_slurm_starts_a_run_again_only_where_it_is_told_to(requeue, expected):
    extra = submission_parameters(SlurmOptions(requeue=requeue), "n", 0)["additional_parameters"]
    assert [name for name in extra if "requeue" in name] == [expected]


@pytest.mark.parametrize(("limit", "expected"), [(1, 15), (60, 60), (0, 60)])
def test_a_run_hears_of_slurms_limit_before_it_and_not_at_its_start(limit, expected):
    extra = submission_parameters(SlurmOptions(), "n", limit)["additional_parameters"]
    assert extra["signal"] == f"B:USR2@{expected}"


def test_submissions_lie_below_the_plan_of_a_run(tmp_path):
    assert (
        home(SlurmOptions(), job("a/seed_1", tmp_path / "plan/a/seed_1")) == tmp_path / "plan/.probatum/slurm"
    )


def test_submissions_lie_where_the_user_wants_them(tmp_path):
    assert home(SlurmOptions(folder=tmp_path / "logs"), job("a", tmp_path / "plan/a")) == tmp_path / "logs"


def test_arrays_never_run_more_together_than_was_allowed():
    lanes, widths, busy = Lanes(3), {}, []
    for number in range(7):
        name = f"array-{number}"
        width, before = lanes.place(name, 1000, 7 - number, busy)
        widths[name] = width if before is None else 0  # it runs in its predecessor's place
        busy.append(name)
    assert sum(widths.values()) == 3


def test_a_single_array_gets_all_that_was_allowed():
    assert Lanes(8).place("array", 50, 1, ()) == (8, None)


def test_a_machine_without_slurm_is_told_so(monkeypatch, tmp_path):
    pytest.importorskip("submitit", reason="the engine names its missing extra first")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"expected scontrol on the PATH.*--engine local"):
        make_engine("slurm", 1)


def test_all_wrong_options_are_named_at_once():
    with pytest.raises(UsageError, match=r"(?s)partition.*time_minutes=0"):
        make_engine("slurm", 1, {"partitoin": "gpu", "time_minutes": "0"})


def test_no_run_at_a_time_is_refused():
    with pytest.raises(UsageError, match="at least 1, got 0"):
        make_engine("slurm", 0)
