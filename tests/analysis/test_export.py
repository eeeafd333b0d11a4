import csv
import io
import json

from probatum.analysis import export
from probatum.analysis.leaderboard import analyse


def test_the_csv_begins_with_the_seeds_columns(sweep):
    rows = list(csv.DictReader(io.StringIO(export.csv_text(analyse(sweep)))))
    names = ["plan", "experiment", "seed", "status", "duration_seconds", "returncode", "run_root", "tag_axis",
             "metrics_cls_f1", "metrics_loss", "metrics_mlm_perplexity", "final_step", "loss_min", "loss_mean",
             "step_time_avg", "training_seconds", "startup_seconds"]  # fmt: skip
    assert list(rows[0])[: len(names)] == names
    assert len(rows) == 18


def test_the_json_is_strict_and_has_the_seeds_keys(sweep, write, tmp_path):
    folder = write(sweep, "sweep", "broken", 0)
    (folder / "summary.json").write_text('{"metrics": {"loss": NaN}}')
    export.write_json(analyse(sweep), tmp_path / "made" / "summary.json")
    text = (tmp_path / "made" / "summary.json").read_text()
    assert "NaN" not in text
    content = json.loads(text)
    assert {"generated_at", "results_dir", "num_runs", "metric", "records", "pareto"} <= content.keys()
    assert {"plan", "experiment", "metric", "duration_seconds", "run_root", "status"} <= content["pareto"][
        0
    ].keys()


def test_every_experiment_has_both_epochs_and_its_comparison(sweep):
    experiments = {row["experiment"]: row for row in export.as_record(analyse(sweep))["experiments"]}
    large = experiments["model_large"]
    assert {"metrics_loss", "loss_min", "training_seconds"} <= large["summary"].keys()
    assert large["against_baseline"]["verdict"] == "cannot separate"
    assert experiments["baseline_reference"]["against_baseline"] is None


def test_two_analyses_of_the_same_runs_differ_in_nothing_but_the_time(sweep):
    first, second = (export.as_record(analyse(sweep)) for _ in range(2))
    assert first | {"generated_at": ""} == second | {"generated_at": ""}
