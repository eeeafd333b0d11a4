"""What an analysis remembers is never believed against the files."""

import json
import os

import pytest

from probatum.analysis import memory, reader
from probatum.analysis.export import as_record
from probatum.analysis.leaderboard import analyse
from probatum.analysis.reader import read_results


@pytest.fixture
def plan(sweep, monkeypatch):
    """A plan's folder as the runner makes it; what is read is remembered at once."""
    monkeypatch.setattr(memory, "WORTHWHILE", 1)
    monkeypatch.setattr(memory, "_SETTLED_NS", -(10**12))
    folder = sweep / "sweep"
    (folder / ".probatum").mkdir()
    (folder / "plan_index.json").write_text(json.dumps({"plan": "sweep", "baseline": "opt_sgd"}))
    read_results(sweep)
    return folder


@pytest.fixture
def opened(monkeypatch):
    """The folders of the runs whose files are really read."""
    found = []

    def read(folder, **options):
        found.append(folder)
        return read_run(folder, **options)

    read_run = reader.read_ablation_run
    monkeypatch.setattr(reader, "read_ablation_run", read)
    return found


def losses(folder):
    return sorted(record.values["metrics_loss"] for record in read_results(folder).records)


def test_nothing_is_read_again_that_has_not_changed(plan, opened):
    read_results(plan.parent)
    assert opened == []


def test_what_is_remembered_is_what_was_read(plan):
    remembered = read_results(plan.parent)
    (plan / ".probatum" / "analysis.json").unlink()
    assert read_results(plan.parent) == remembered


def test_the_whole_analysis_is_the_same(plan):
    again = as_record(analyse(plan.parent)) | {"generated_at": ""}
    (plan / ".probatum" / "analysis.json").unlink()
    assert as_record(analyse(plan.parent)) | {"generated_at": ""} == again
    assert again["baselines"] == {"sweep": "opt_sgd"}


def test_a_file_changed_in_place_is_read_again_though_its_size_and_its_time_are_the_same(plan, opened):
    path = plan / "task_focus" / "seed0" / "metadata.json"
    state = path.stat()
    path.write_text(path.read_text().replace('"completed"', '"cancelled"'))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    statuses = [record.status for record in read_results(plan.parent).records]
    assert statuses.count("cancelled") == 1
    assert opened == [str(path.parent)]


def test_a_new_run_is_found_and_one_that_is_gone_is_forgotten(plan, write):
    before = losses(plan)
    write(plan.parent, "sweep", "new", 1, loss=123.0)
    assert losses(plan) == [*before, 123.0]
    for path in (plan / "new" / "seed1").iterdir():
        path.unlink()
    (plan / "new" / "seed1").rmdir()
    assert losses(plan) == before
    assert "/new/seed1" not in json.loads((plan / ".probatum" / "analysis.json").read_text())["runs"]


def test_a_changed_index_is_read_again(plan):
    (plan / "plan_index.json").write_text(json.dumps({"plan": "sweep", "baseline": "data_25"}))
    assert read_results(plan.parent).baselines == {"sweep": "data_25"}


def test_what_changed_a_moment_ago_is_not_remembered(plan, opened, monkeypatch):
    monkeypatch.setattr(memory, "_SETTLED_NS", 10**12)
    (plan / ".probatum" / "analysis.json").unlink()
    read_results(plan.parent)
    assert not (plan / ".probatum" / "analysis.json").exists()


@pytest.mark.parametrize("text", ["", "[]", '{"version": 0}', '{"version": 1', "\x00"])
def test_a_torn_or_older_memory_is_none(plan, text):
    before = losses(plan)
    (plan / ".probatum" / "analysis.json").write_text(text)
    assert losses(plan) == before


def test_folders_that_probatum_did_not_make_are_not_written_to(sweep, monkeypatch):
    monkeypatch.setattr(memory, "WORTHWHILE", 1)
    monkeypatch.setattr(memory, "_SETTLED_NS", -(10**12))
    before = sorted(sweep.rglob("*"))
    read_results(sweep)
    assert sorted(sweep.rglob("*")) == before


def test_a_memory_that_cannot_be_written_is_no_mistake(plan, monkeypatch):
    def refuse(*_):
        raise PermissionError

    before = losses(plan)
    (plan / ".probatum" / "analysis.json").unlink()
    monkeypatch.setattr(memory.Group, "add", refuse)
    assert losses(plan) == before
    assert list((plan / ".probatum").iterdir()) == []


def test_few_runs_are_not_worth_a_memory(sweep, monkeypatch):
    monkeypatch.setattr(memory, "_SETTLED_NS", -(10**12))
    (sweep / "sweep" / ".probatum").mkdir()
    read_results(sweep)
    assert list((sweep / "sweep" / ".probatum").iterdir()) == []
