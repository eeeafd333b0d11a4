"""The rules of sending, against a store in memory; `test_mlflow_store.py` holds MLflow to the same."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

import pytest

from probatum._errors import TrackingError, UnknownNameError, UsageError
from probatum._files import read_json
from probatum.tracking.address import Address, find_address
from probatum.tracking.sources import Sources, find_sources
from probatum.tracking.state import read_sent
from probatum.tracking.sync import Sync

sys.path.insert(0, str(Path(__file__).parent))
from memory_store import Memory

SECRET = "http://ada:lovelace@host:5000"


@pytest.fixture
def store():
    return Memory()


@pytest.fixture
def send(plan_folder, store):
    """Return a function that sends the plan and returns what became of each run."""

    def run(**options):
        options = {"opener": lambda _: store, **options}
        sync = Sync(Address("postgresql://u:p@host/db"), **options)
        return {result.run: result for result in sync.run(Sources(plan_folder, "plan"))}

    return run


def actions(results):
    return {name: result.action for name, result in results.items()}


def test_one_run_of_the_plan_is_one_run_there(write_run, send, store):
    for place in ("a/seed_1", "a/seed_2", "b/seed_1", "b/seed_2"):
        write_run(place)
    send()
    assert sorted(run["name"] for run in store.runs.values()) == [
        "a/seed_1",
        "a/seed_2",
        "b/seed_1",
        "b/seed_2",
    ]


def test_sending_twice_changes_nothing(write_run, send, store):
    write_run("a")
    send()
    before = json.dumps(store.runs)
    assert actions(send()) == {"a": "unchanged"}
    assert json.dumps(store.runs) == before


def test_a_forgotten_state_makes_no_second_run(write_run, plan_folder, send, store):
    write_run("a")
    send()
    (plan_folder / ".probatum/tracking/a.json").unlink()
    send()
    assert len(store.runs) == 1


def test_a_run_that_goes_on_is_completed_later(write_run, send, store):
    write_run("a", 2, status="running")
    send()
    (run,) = store.runs.values()
    assert (run["status"], len(run["points"]), run["files"]) == ("running", 2, [])
    write_run("a", 4)
    send()
    losses = [step for name, step, *_ in run["points"] if name == "loss"]
    assert (run["status"], losses) == ("completed", [1, 2, 3, 4])
    assert "metadata.json" in run["files"]


def test_another_attempt_takes_the_place_of_the_first(write_run, send, store):
    write_run("a", status="failed")
    send()
    write_run("a", start_time="2026-01-02T00:00:00+00:00")
    send()
    assert [run["status"] for run in store.active] == ["completed"]
    assert len(store.runs) == 2


def test_a_sending_that_broke_off_goes_on_where_it_was(write_run, send, store):
    write_run("a")
    store.breaks_after = 0
    assert actions(send()) == {"a": "failed"}
    store.breaks_after = 10**9
    assert actions(send()) == {"a": "sent"}
    (run,) = store.runs.values()
    assert run["status"] == "completed"


def test_a_refused_run_stops_no_other(write_run, send, store):
    write_run("a")
    write_run("b")
    store.refuses = {"a"}
    results = send()
    assert actions(results) == {"a": "failed", "b": "sent"}
    assert results["a"].error == "no room"


def test_a_run_that_a_person_deleted_there_stays_deleted(write_run, send, store):
    write_run("a", status="running")
    send()
    store.runs["id0"]["deleted"] = True
    write_run("a")
    assert actions(send()) == {"a": "deleted there"}


def test_an_emptied_store_is_filled_again_where_asked(write_run, send, store):
    write_run("a")
    send()
    store.runs.clear()
    assert actions(send()) == {"a": "unchanged"}
    assert actions(send(again=True)) == {"a": "sent"}
    assert len(store.runs["id0"]["points"]) == 5


def test_a_changed_file_of_an_ended_run_is_sent_again(write_run, send, store):
    folder = write_run("a")
    send()
    (folder / "notes.txt").write_text("seen")
    assert send()["a"].files == 1


def test_a_store_that_does_not_answer_is_told_and_nothing_is_opened(write_run, plan_folder):
    write_run("a")
    sync = Sync(Address("http://127.0.0.1:9"), opener=lambda _: pytest.fail("opened"))
    with pytest.raises(TrackingError, match=r"MLflow at http://127.0.0.1:9 does not answer: "):
        list(sync.run(Sources(plan_folder, "plan")))


def test_what_is_missing_is_read_from_the_files(write_run, plan_folder, send):
    write_run("a")
    write_run("b", status="planned", start_time=None)
    sync = Sync(Address("postgresql://u:p@host/db"))
    assert sync.missing(Sources(plan_folder, "plan")) == ["a"]
    send()
    assert sync.missing(Sources(plan_folder, "plan")) == []


def test_the_state_holds_no_credentials(write_run, plan_folder, send):
    write_run("a")
    send()
    state = read_json(plan_folder / ".probatum/tracking/a.json")
    assert list(state["stores"]) == ["postgresql://host/db"]


def test_a_damaged_state_reads_as_nothing_sent(tmp_path):
    (tmp_path / "s.json").write_text('{"stores": {"x": {"key": 3}}}')
    assert read_sent(tmp_path / "s.json", "x").run_id == ""


def test_two_senders_never_send_one_run_at_the_same_time(write_run, plan_folder, store):
    write_run("a")
    both_started, create = threading.Barrier(2), store.create

    def slowly(*words):
        time.sleep(0.05)  # long enough for the other to find nothing there, if it were let in
        return create(*words)

    def send():
        sync = Sync(Address("postgresql://host/db"), opener=lambda _: store)
        both_started.wait()
        list(sync.run(Sources(plan_folder, "plan")))

    store.create = slowly
    two = [threading.Thread(target=send) for _ in range(2)]
    for thread in two:
        thread.start()
    for thread in two:
        thread.join()
    assert len(store.runs) == 1


def test_an_address_is_shown_without_credentials():
    address = Address(SECRET)
    assert "lovelace" not in f"{address} {address!r} {address.shown} {address.label(Path())}"


def test_the_default_store_is_a_file_beside_the_runs(tmp_path):
    assert find_address(None, tmp_path / "runs").uri == "sqlite:///runs/mlflow.db"


def test_the_environment_names_the_store(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host:1")
    assert find_address(None, tmp_path).uri == "http://host:1"


@pytest.mark.parametrize("uri", ["plan.yaml", "file:./mlruns", "ftp://host"])
def test_an_address_that_mlflow_does_not_take_is_refused(uri, tmp_path):
    with pytest.raises(UsageError, match="expected http://HOST:PORT"):
        find_address(uri, tmp_path)


def test_a_place_is_a_plan_a_folder_of_plans_or_a_run(write_run, plan_folder):
    run = write_run("a/seed_1")
    assert find_sources(str(plan_folder)).kind == "plan"
    assert find_sources(str(plan_folder.parent)).kind == "plans"
    assert find_sources(str(run)).kind == "run"
    for place in (run, plan_folder, plan_folder.parent):
        (source,) = find_sources(str(place))
        assert (source.name, source.root) == ("a/seed_1", plan_folder.parent)


def test_a_place_without_runs_is_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="no run stands there"):
        find_sources(str(tmp_path))
