import os
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum._errors import RecordError, UnknownNameError, UsageError
from probatum.runs import folder as folder_module
from probatum.runs.folder import (
    create_run_folder,
    find_reproductions,
    find_run,
    run_id,
    runs_root,
    slug,
    use_run_folder,
)

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def test_a_folder_name_holds_time_study_title_and_id(tmp_path):
    paths = create_run_folder(tmp_path, "dkt", "Quick Check", now=NOON)
    assert paths.name.startswith("20260102_120000_dkt_quick_check_")
    assert run_id(paths.name) == paths.name[-6:]


def test_a_reproduction_carries_the_id_of_its_source(tmp_path):
    paths = create_run_folder(tmp_path, "dkt", "", now=NOON, run_id="123456", suffix="_repro")
    assert paths.name == "20260102_120000_dkt_123456_repro"


def test_two_reproductions_at_one_instant_get_two_folders(tmp_path):
    names = {
        create_run_folder(tmp_path, "dkt", "", now=NOON, run_id="123456", suffix="_repro").name
        for _ in range(3)
    }
    assert len(names) == 3


@pytest.fixture
def draw(monkeypatch):
    """Return a function that sets what the next ids are drawn as."""

    def make(*numbers):
        drawn = iter(numbers)
        monkeypatch.setattr(folder_module.secrets, "randbelow", lambda n: next(drawn) if n == 900_000 else 0)

    return make


def test_a_drawn_id_that_another_run_carries_is_drawn_again(tmp_path, draw):
    (tmp_path / "20250101_000000_dkt_other_100007").mkdir()
    draw(7, 7, 8)
    assert run_id(create_run_folder(tmp_path, "dkt", "x").name) == "100008"


def test_an_id_that_others_took_after_the_last_launch_of_this_process_is_drawn_again(tmp_path, draw):
    draw(1, 7, 8)
    create_run_folder(tmp_path, "dkt", "x")
    (tmp_path / "20250101_000000_dkt_other_100007_repro").mkdir()
    assert run_id(create_run_folder(tmp_path, "dkt", "x").name) == "100008"


def test_an_id_that_others_took_in_place_of_a_removed_run_is_drawn_again(tmp_path, draw):
    draw(1, 7, 8)
    first = create_run_folder(tmp_path, "dkt", "x")
    first.folder.rename(tmp_path / "20250101_000000_dkt_other_100007")  # as many folders as before
    os.utime(tmp_path, ns=(0, 0))  # whatever the grain of the file system's clock
    assert run_id(create_run_folder(tmp_path, "dkt", "x").name) == "100008"


def test_an_own_id_is_not_drawn_twice(tmp_path, draw):
    draw(1, 1, 2)
    create_run_folder(tmp_path, "dkt", "x")
    assert run_id(create_run_folder(tmp_path, "dkt", "y").name) == "100002"


def test_a_root_that_nobody_else_changed_is_not_listed_again(tmp_path, draw, monkeypatch):
    if tmp_path.stat().st_nlink < 2:
        pytest.skip("this file system does not count the subfolders of a folder")
    draw(1, 2)
    create_run_folder(tmp_path, "dkt", "x")
    monkeypatch.setattr(folder_module.os, "listdir", pytest.fail)
    assert run_id(create_run_folder(tmp_path, "dkt", "x").name) == "100002"


def _launch_many(root):
    return [create_run_folder(root, "dkt", "same", now=NOON).name for _ in range(10)]


def test_eight_processes_launching_at_once_get_folders_and_ids_of_their_own(tmp_path):
    with ProcessPoolExecutor(8, mp_context=get_context("fork")) as pool:
        names = [name for names in pool.map(_launch_many, [tmp_path] * 8) for name in names]
    assert len({run_id(name) for name in names}) == 80
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())


@given(st.text())
def test_a_slug_cannot_leave_its_folder(title):
    made = slug(title)
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
    assert len(made) <= 80


@pytest.mark.parametrize(
    "title", ["../../etc/passwd", "<script>alert(1)</script>", "x" * 5000, "", "a\0b", "..", "/"]
)
def test_a_hostile_title_makes_a_folder_in_the_root(tmp_path, title):
    paths = create_run_folder(tmp_path, "../study", title)
    assert paths.folder.parent == tmp_path
    assert paths.folder.is_dir()


def test_the_root_is_explicit_then_the_variable_then_runs(monkeypatch):
    monkeypatch.delenv("PROBATUM_RUNS", raising=False)
    assert str(runs_root(None)) == "runs"
    monkeypatch.setenv("PROBATUM_RUNS", "elsewhere")
    assert str(runs_root(None)) == "elsewhere"
    assert str(runs_root("here")) == "here"


def test_a_root_that_is_a_file_is_a_usage_error(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(UsageError, match="--runs-root"):
        create_run_folder(tmp_path / "runs", "dkt", "x")


def test_a_run_is_found_by_path_name_and_id(run):
    root = run.folder.parent
    assert find_run(run.folder, root) == find_run(run.name, root) == find_run(run_id(run.name), root) == run


def test_an_id_means_the_original_and_its_reproductions_are_found_apart(run):
    root, number = run.folder.parent, run_id(run.name)
    repro = create_run_folder(root, "toy", "", run_id=number, suffix="_repro")
    repro.config.write_text("{}")
    assert find_run(number, root) == run
    assert find_reproductions(run) == [repro]


def test_a_missed_run_is_answered_with_the_nearest_names(run):
    with pytest.raises(UnknownNameError, match=f"Did you mean.*{run.name}"):
        find_run(run.name[:-1], run.folder.parent)


def test_an_empty_root_says_what_to_do(tmp_path):
    with pytest.raises(UnknownNameError, match="probatum launch"):
        find_run("123456", tmp_path)


def test_a_named_folder_that_holds_something_needs_force(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(UsageError, match="--force"):
        use_run_folder(tmp_path, force=False)
    assert use_run_folder(tmp_path, force=True).folder == tmp_path


def test_not_even_force_writes_over_a_completed_run(run):
    with pytest.raises(RecordError, match="sealed"):
        use_run_folder(run.folder, force=True)
