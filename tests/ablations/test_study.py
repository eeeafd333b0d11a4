"""A plan over a Probatum study: every run is a normal run folder with its record."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from probatum._errors import ParameterError
from probatum._files import read_json
from probatum.ablations import PlanOptions, SweepOptions, load_plan, run_plan
from probatum.ablations.engines.local import LocalEngine
from probatum.ablations.engines.slots import Slot
from probatum.ablations.runner.folder import RunFolder
from probatum.analysis.ablation_folders import read_ablation_run
from probatum.runs.folder import list_run_folders
from probatum.runs.journal import read_epochs
from probatum.runs.paths import RunPaths
from probatum.runs.status import read_status, write_status

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = "epochs=2", "points=64"
PLAN = """
study: spiral_study.py
seeds: [1, 2]
one_at_a_time: {hidden: [8, 24]}
"""


def lay_out(folder: Path, text: str = PLAN) -> Path:
    for file in EXAMPLES.glob("spiral_study.*"):
        shutil.copy(file, folder)
    (folder / "plan.yaml").write_text(text)
    return folder / "plan.yaml"


@pytest.fixture
def study_plan(tmp_path, monkeypatch):
    """Return a function that loads a plan over the spiral study."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROBATUM_RUNS", raising=False)

    def load(text=PLAN, **options):
        return load_plan(lay_out(tmp_path, text), PlanOptions(**options))

    return load


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return a plan of one experiment and one seed, carried out."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("PROBATUM_RUNS", raising=False)
        plan = load_plan(lay_out(folder), PlanOptions(("hidden-8",), sets=(*SMALL, "hidden=8")))
        with LocalEngine(slots=[Slot(0, 1, None)]) as engine:
            result = run_plan(plan, engine, SweepOptions(max_runs=1), print)
    assert result.completed == ["hidden-8/seed_1"]
    return plan


def test_a_run_is_a_normal_run_folder_with_its_record(finished):
    (paths,) = list_run_folders(finished.root / "runs")
    config = read_json(paths.config)
    assert read_status(paths).status == "completed"
    assert config["seeds"]["all"] == [1]
    assert config["experiment"]["short_title"] == "hidden-8"
    assert paths.manifest.exists()


def test_the_plan_knows_the_run_and_its_numbers(finished):
    folder = RunFolder(finished.folder / "hidden-8/seed_1")
    record, (paths,) = read_json(folder.metadata), list_run_folders(finished.root / "runs")
    summary, results = read_json(folder.summary), read_json(paths.results)
    assert record["run"] == summary["run"] == paths.name
    assert summary["metrics"] == {name: value["last"] for name, value in results["metrics"].items()}
    primary = finished.primary_metric.name
    assert summary["best"][primary]["value"] == results["metrics"][primary]["best"]
    assert summary["final_step"] == 2


def test_the_summary_takes_training_apart_from_the_rest_of_the_run(finished):
    folder = RunFolder(finished.folder / "hidden-8/seed_1")
    record, (paths,) = read_json(folder.metadata), list_run_folders(finished.root / "runs")
    summary, epochs = read_json(folder.summary), read_epochs(paths.seed_timing(1))
    trained = sum(row["train_seconds"] for row in epochs)
    assert summary["training_seconds"] == pytest.approx(trained)
    assert summary["startup_seconds"] == pytest.approx(record["duration_seconds"] - trained)
    assert summary["step_time_avg"] == pytest.approx(trained / 2)


def test_analysis_reads_the_measured_training_time(finished):
    run = read_ablation_run(str(finished.folder / "hidden-8/seed_1"), has_summary=True)
    assert run.training_seconds_source == "summary.json"
    assert (
        run.training_seconds
        == read_json(RunFolder(finished.folder / "hidden-8/seed_1").summary)["training_seconds"]
    )
    assert "startup_seconds" not in run.values


def test_an_experiment_is_resolved_by_the_studys_own_types(study_plan):
    plan = study_plan("study: spiral_study.py\nexperiments: [{name: a, model_overrides: {hidden: 8}}]")
    blocks = plan.runs[0].resolved.configs
    assert [block["hidden"] for block in blocks.values() if "hidden" in block] == [8]
    assert plan.runs[0].seed is None


def test_the_base_value_is_left_to_the_baseline(study_plan):
    assert [e.name for e in study_plan().experiments] == ["hidden-8", "baseline_reference"]


def test_direction_and_primary_metric_are_the_studys(study_plan):
    plan = study_plan()
    assert plan.primary_metric.name == plan.target.study.primary_metric
    assert plan.primary_metric.higher_is_better is plan.target.directions[plan.primary_metric.name]


def test_an_unknown_parameter_is_a_mistake_of_the_plan(study_plan):
    with pytest.raises(ParameterError, match=r"plan.yaml:2: experiments\[0\] \(a\).*hidden"):
        study_plan("study: spiral_study.py\nexperiments: [{name: a, model_overrides: {hiden: 8}}]")


def test_an_unknown_study_is_answered_with_the_nearest(study_plan):
    with pytest.raises(ParameterError, match="Did you mean 'concare'"):
        study_plan("study: concarre\nexperiments: [{name: a}]")


def test_configuration_files_mean_nothing_beside_a_study(study_plan):
    with pytest.raises(
        ParameterError, match=r"plan.yaml:2: defaults.train_config: means nothing beside `study`"
    ):
        study_plan("study: spiral_study.py\ndefaults: {train_config: x}\nexperiments: [{name: a}]")


def test_what_only_says_where_a_run_takes_place_is_not_in_the_hash(study_plan):
    one, two, three = (study_plan(sets=(entry,)).runs[0] for entry in ("threads=1", "threads=2", "hidden=5"))
    assert one.config_hash == two.config_hash != three.config_hash


def test_an_interrupted_run_is_resumed_and_not_begun_again(study_plan):
    plan = study_plan(sets=SMALL)
    run, folder = plan.runs[0], RunFolder(plan.folder / "hidden-8/seed_1")
    first = plan.target.start(run, folder, None)
    write_status(RunPaths(plan.target.runs_root / first.record["run"]), "interrupted")
    second = plan.target.start(run, folder, first.record)
    assert second.command[3:5] == ("resume", str(plan.target.runs_root / first.record["run"]))
    assert second.record == {**first.record, "resumed": True}


def test_the_first_command_is_the_explicit_one(study_plan):
    plan = study_plan(sets=SMALL)
    start = plan.target.start(plan.runs[1], RunFolder(plan.folder / "x"), None)
    words = " ".join(start.command)
    assert start.command[2:5] == ("probatum", "train", "./spiral_study.py")
    assert "--seeds 2 " in words
    assert "--hidden 8 " in words
    assert Path(start.env["EXPERIMENT_DIR"]).is_dir()


def test_artifacts_of_a_watched_plan_do_not_meet_under_one_name(study_plan):
    plan = study_plan(sets=("instrument_signals=true",))
    target, run = plan.target, plan.runs[-1]
    words = target._launch(run.experiment, run.seed).resolution.parameters  # pyright: ignore
    assert words.instrumentation_tag == f"{run.experiment.folder}_seed{run.seed}"


def test_runs_that_want_more_threads_than_their_slot_has_are_told_of(study_plan):
    plan = study_plan(filters=("hidden-8",), sets=(*SMALL, "hidden=8", "threads=3"))
    said: list[str] = []
    with LocalEngine(slots=[Slot(0, 1, None)]) as engine:
        run_plan(plan, engine, SweepOptions(max_runs=0), said.append)
    assert said[0].startswith("note: runs use 3 threads each, 1 at a time, where 1 each would fit.")
