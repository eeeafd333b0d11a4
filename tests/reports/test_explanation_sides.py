import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum._errors import RecordError, UnknownNameError, UsageError
from probatum.reports.explanation.sides import find_side
from probatum.runs.folder import run_id

explained = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("explained.py"))))


@pytest.fixture
def plan(tmp_path):
    for seed in (1, 2, 3):
        explained.plan_run(tmp_path / "sweep", "baseline", seed, 1.0 + seed / 10)
        explained.plan_run(tmp_path / "sweep", "wide", seed, 0.9 + seed / 10, overrides=["train.width:8->16"])
    index = {"primary_metric": {"name": "loss", "higher_is_better": False}, "experiments": []}
    (tmp_path / "sweep" / "plan_index.json").write_text(json.dumps(index))
    return tmp_path / "sweep"


def test_a_side_is_one_run_by_its_id(tmp_path):
    paths = explained.run(tmp_path, "base", 7, 0.5)
    side = find_side(run_id(paths.name), tmp_path)
    assert (side.name, side.kind, side.seeds) == ("base", "run", [7])


def test_a_side_is_several_runs_joined_by_commas(tmp_path):
    side = find_side(explained.side(tmp_path, "base", [0.5, 0.6, 0.7]), tmp_path)
    assert (side.kind, side.seeds, side.group.n) == ("runs", [1, 2, 3], 3)


def test_a_side_is_every_run_that_a_pattern_names(tmp_path):
    for seed in (1, 2):
        explained.run(tmp_path, f"base_{seed}", seed, 0.5)
        explained.run(tmp_path, f"wide_{seed}", seed, 0.5)
    side = find_side("*_base_*", tmp_path)
    assert (side.name, side.seeds) == ("base", [1, 2])


def test_a_pattern_without_a_run_is_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="called '\\*_x_\\*'"):
        find_side("*_x_*", tmp_path)


def test_two_runs_of_one_seed_are_refused(tmp_path):
    names = [explained.run(tmp_path, title, 1, 0.5).name for title in ("a", "b")]
    with pytest.raises(UsageError, match="several runs of seed 1"):
        find_side(",".join(names), tmp_path)


def test_an_experiment_is_found_by_its_folder_and_by_its_name(plan):
    by_folder, by_name = find_side(plan / "wide", "runs"), find_side("wide", "runs", plan=plan)
    assert by_folder.kind == by_name.kind == "experiment"
    assert by_folder.seeds == by_name.seeds == [1, 2, 3]


def test_an_unknown_experiment_is_answered_with_the_nearest(plan):
    with pytest.raises(UnknownNameError, match="Did you mean 'wide'"):
        find_side("wid", "runs", plan=plan)


@pytest.mark.parametrize("name", ["..", ".", "wide/seed_1/..", ".probatum"])
def test_a_name_cannot_leave_the_plan(plan, name):
    with pytest.raises(UnknownNameError):
        find_side(name, "runs", plan=plan)


def test_a_side_that_never_completed_is_refused(tmp_path):
    paths = explained.run(tmp_path, "base", 1, 0.5)
    explained.rewrite(paths.status, lambda status: status.update(status="failed"))
    with pytest.raises(RecordError, match="none of its runs completed"):
        find_side(paths.name, tmp_path)


def test_two_artifacts_of_one_seed_ask_for_a_tag(tmp_path):
    paths = explained.run(tmp_path, "base", 1, 0.5, signals={})
    paths.instrumentation("other").write_bytes(paths.instrumentation("signals").read_bytes())
    with pytest.raises(UsageError, match="--tag"):
        find_side(paths.name, tmp_path).artifacts  # noqa: B018
    assert find_side(paths.name, tmp_path, tag="other").artifacts[1].path.stem == "other"


def test_a_torn_artifact_is_left_out_with_a_note(tmp_path):
    paths = explained.run(tmp_path, "base", 1, 0.5, signals={})
    paths.instrumentation("signals").write_text("{")
    side = find_side(paths.name, tmp_path)
    assert side.artifacts == {}
    assert "signals.json" in side.notes[0]
