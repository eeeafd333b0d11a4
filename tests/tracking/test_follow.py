from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from probatum._errors import MissingExtraError, TrackingError, UsageError
from probatum.tracking.during import tracked, wanted_address
from probatum.tracking.follow import Follower, is_open
from probatum.tracking.sources import Sources
from probatum.tracking.sync import Result


class Scripted:
    """A sync whose passes do what the test says: an error, or the results."""

    def __init__(self, *passes) -> None:
        self.passes = list(passes)

    def open(self):
        return self

    def run(self, sources):
        now = self.passes.pop(0)
        if isinstance(now, Exception):
            raise now
        return iter(now)


DOWN = TrackingError("MLflow at x does not answer: refused.")


def follow(plan_folder, *passes, busy=()):
    said: list[str] = []
    answers = iter([*busy, *[False] * 1000])
    sync = Scripted(*passes)
    follower = Follower(
        Sources(plan_folder, "plan"),
        sync,
        said.append,
        lambda: next(answers),
        pause_seconds=0.001,  # type: ignore[arg-type]
    )
    return follower.follow(), said, sync


def test_a_last_pass_follows_once_the_runner_is_gone(plan_folder):
    whole, said, sync = follow(plan_folder, [], [Result("a", "sent", points=3)], busy=[True, True, False])
    assert (whole, said, sync.passes) == (True, ["1 sent, 3 points"], [])


def test_a_store_that_is_down_is_told_once_and_again_when_it_is_back(plan_folder):
    whole, said, _ = follow(plan_folder, DOWN, DOWN, [], busy=[True, False, True, False])
    assert whole
    assert [line.partition(":")[0] for line in said] == [
        "MLflow at x does not answer",
        "MLflow answers again",
    ]


def test_it_ends_though_the_store_stays_down(plan_folder):
    assert follow(plan_folder, DOWN)[0] is False


def test_a_refused_run_is_told_once(plan_folder):
    refused = [Result("a", "failed", error="no room")]
    whole, said, _ = follow(plan_folder, refused, refused, busy=[True, False, False])
    assert (whole, said) == (False, ["a: not sent: no room"])


def test_a_pause_grows_with_the_cost_of_a_pass_and_while_the_store_is_down(plan_folder):
    follower = Follower(Sources(plan_folder, "plan"), Scripted(), print, pause_seconds=2.0)  # type: ignore[arg-type]
    assert (follower._pause(0.01), follower._pause(0.5)) == (2.0, 10.0)
    follower._failures = 3
    assert follower._pause(0.01) == 16.0


def test_a_pipe_tells_when_its_holder_is_gone():
    reading, writing = os.pipe()
    try:
        assert is_open(reading)
        os.close(writing)
        assert not is_open(reading)
    finally:
        os.close(reading)


def plan(tmp_path, uri=None):
    return SimpleNamespace(base={"train": {"mlflow": {"tracking_uri": uri}}}, folder=tmp_path / "p")


def test_nobody_asked_for_tracking(tmp_path):
    assert wanted_address(plan(tmp_path), None) is None


def test_the_store_is_the_asked_one_else_the_environments_else_the_configured_one(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    configured = plan(tmp_path, "http://configured:1")
    assert str(wanted_address(configured, None)) == "http://configured:1"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://environment:1")
    assert str(wanted_address(configured, "")) == "http://environment:1"
    assert str(wanted_address(configured, "http://asked:1")) == "http://asked:1"


def test_a_configured_folder_that_mlflow_refuses_stops_no_sweep(tmp_path):
    said: list[str] = []
    assert wanted_address(plan(tmp_path, "file:./mlruns"), None, said.append) is None
    assert "nothing is sent to MLflow" in said[0]


def test_a_plan_in_the_place_of_the_address_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    with pytest.raises(UsageError, match=r"got 'plan.yaml'"):
        wanted_address(plan(tmp_path), "plan.yaml")


def test_without_mlflow_the_option_is_refused_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'probatum\[mlflow\]'"):
        wanted_address(plan(tmp_path), "")


def test_without_mlflow_a_configured_store_is_noted_and_the_sweep_goes_on(tmp_path, monkeypatch, write_run):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    folder, said = write_run("a").parent, []
    with tracked(folder, wanted_address(plan(tmp_path, "http://127.0.0.1:9"), None), said.append):
        said.append("the sweep")
    assert said[0].endswith("but MLflow is not installed: nothing is sent now")
    assert said[1:] == [
        "the sweep",
        "1 run not yet in MLflow: probatum runs sync outputs/ablations/p --mlflow http://127.0.0.1:9",
    ]


def test_the_address_stands_on_no_command_line(tmp_path, monkeypatch, plan_folder):
    seen = {}

    class Process:
        stdin = None

        def __init__(self, words, *, env, **_):
            seen.update(words=words, env=env)

        def wait(self, _):
            return 0

    monkeypatch.setattr("subprocess.Popen", Process)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    with tracked(plan_folder, wanted_address(plan(tmp_path), "http://ada:lovelace@127.0.0.1:9"), print):
        assert "MLFLOW_TRACKING_URI" not in os.environ
    assert "lovelace" not in " ".join(seen["words"])
    assert seen["env"]["MLFLOW_TRACKING_URI"] == "http://ada:lovelace@127.0.0.1:9"
