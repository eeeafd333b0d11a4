"""MLflow itself, over an SQLite file, asked through SQL: one real store for the whole module."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from probatum._errors import TrackingError
from probatum.tracking.address import Address
from probatum.tracking.sources import Sources
from probatum.tracking.sync import Sync

pytest.importorskip("mlflow", reason="needs the mlflow extra: pip install 'probatum[mlflow]'")

pytestmark = [  # MLflow's own affairs; ours stay errors
    pytest.mark.filterwarnings(rf"ignore::{kind}:{module}")
    for kind in ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning", "UserWarning")
    for module in (
        r"mlflow(\..*)?",
        r"alembic(\..*)?",
        r"sqlalchemy(\..*)?",
        r"google(\..*)?",
        r"pydantic(\..*)?",
    )
] + [pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Return the file of an empty store: making its tables takes seconds, so they are made once."""
    return tmp_path_factory.mktemp("store") / "mlflow.db"


@pytest.fixture
def send(plan_folder, database, request):
    """Return a function that sends the plan to an experiment of the test's own."""

    def run(**options):
        sync = Sync(Address(f"sqlite:///{database}"), request.node.name[:80], **options)
        return {result.run: result for result in sync.run(Sources(plan_folder, "plan"))}

    return run


@pytest.fixture
def ask(database):
    """Return a function that asks the database."""

    def rows(query, *values):
        with closing(sqlite3.connect(database)) as connection:
            return connection.execute(query, values).fetchall()

    return rows


def test_everything_of_a_run_is_there(write_run, send, ask, database):
    write_run("a/seed_1", 4)
    run_id = send()["a/seed_1"].run_id
    points = ask(
        "select step, value, timestamp from metrics where run_uuid=? and key='loss' order by step", run_id
    )
    assert points == [(step, 1 / step, 1_767_225_600_000) for step in (1, 2, 3, 4)]
    assert ("train.learning_rate", "0.0001") in ask("select key, value from params where run_uuid=?", run_id)
    tags = dict(ask("select key, value from tags where run_uuid=?", run_id))
    assert (tags["ablation_plan"], tags["ablation_experiment"], tags["axis"]) == ("p", "a", "capacity")
    head = ask("select name, status, start_time, end_time from runs where run_uuid=?", run_id)
    assert head == [("a/seed_1", "FINISHED", 1_767_225_600_000, 1_767_225_660_000)]
    files = database.parent / ".mlflow-artifacts" / run_id / "artifacts"
    assert (files / "artifacts/logs/abprop-train.csv").read_text().count("train,loss") == 4


def test_nothing_is_doubled_where_the_state_was_lost(write_run, plan_folder, send, ask):
    folder = write_run("a", 3)
    with (folder / "artifacts/logs/abprop-train.csv").open("a") as file:
        file.write("4,train,loss,nan\n5,train,loss,inf\n")
    run_id = send()["a"].run_id
    counted = "select count(*), sum(is_nan) from metrics where run_uuid=?"
    before = ask(counted, run_id)
    (plan_folder / ".probatum/tracking/a.json").unlink()
    assert send()["a"].run_id == run_id
    assert ask(counted, run_id) == before
    assert before[0][1] == 1


def test_many_points_and_parameters_go_in_parts(write_run, send, ask):
    folder = write_run("a", 2100)
    values = "".join(f"p{number}: {number}\n" for number in range(150))
    (folder / "configs/model.yaml").write_text(values + f"long: {'x' * 9000}\n")
    run_id = send()["a"].run_id
    assert ask("select count(*) from metrics where run_uuid=? and key='loss'", run_id) == [(2100,)]
    assert ask("select count(*) from params where run_uuid=? and key like 'model.%'", run_id) == [(151,)]


def test_names_that_mlflow_refuses_are_cleaned_and_stay_apart(write_run, send, ask):
    folder = write_run("a", results={"file": "r", "format": "wide"})
    (folder / "artifacts/r").write_text("step,acc@1,acc#1,../up\n1,0.25,0.5,0.75\n")
    run_id = send()["a"].run_id
    found = dict(ask("select key, value from metrics where run_uuid=? and value<=1", run_id))
    assert {"acc_1": 0.25, "acc_1_2": 0.5, "__/up": 0.75}.items() <= found.items()


def test_a_replaced_attempt_is_in_the_bin_with_its_successors_name(write_run, send, ask):
    write_run("a", status="failed")
    first = send()["a"].run_id
    write_run("a", start_time="2026-01-02T00:00:00+00:00")
    second = send()["a"].run_id
    assert ask("select lifecycle_stage, status from runs where run_uuid=?", first) == [("deleted", "FAILED")]
    tag = "select value from tags where run_uuid=? and key='probatum.replaced_by'"
    assert ask(tag, first) == [(second,)]


def test_a_file_goes_without_the_credentials_that_it_holds(write_run, send, database):
    folder = write_run("a")
    (folder / "configs/data.yaml").write_text("source: https://ada:lovelace@host/x\n")
    run_id = send()["a"].run_id
    files = database.parent / ".mlflow-artifacts" / run_id / "artifacts"
    assert (files / "configs/data.yaml").read_text() == "source: https://host/x\n"


def test_a_running_run_is_seen_as_running(write_run, send, ask):
    write_run("a", 2, status="running")
    run_id = send()["a"].run_id
    assert ask("select status, end_time from runs where run_uuid=?", run_id) == [("RUNNING", None)]
    write_run("a", 3, status="interrupted")
    send()
    assert ask("select status, end_time from runs where run_uuid=?", run_id) == [
        ("KILLED", 1_767_225_660_000)
    ]


def test_a_deleted_experiment_is_told(write_run, plan_folder, send, database):
    write_run("a")
    send()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "update experiments set lifecycle_stage='deleted' where name like 'test_a_deleted%'"
        )
    write_run("b")
    assert "was deleted in MLflow" in (send()["b"].error or "")


def test_an_error_holds_no_credentials(database):
    from probatum.tracking.mlflow_store import MlflowStore

    store = MlflowStore(Address(f"sqlite:///{database}"))
    with pytest.raises(TrackingError) as caught, store._translated():
        raise RuntimeError("no route to https://ada:lovelace@host:5000")
    assert str(caught.value) == "no route to https://host:5000"
