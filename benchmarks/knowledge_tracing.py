"""Knowledge tracing on ASSISTments2015: every model on the same five folds, through the same loop.

    PROBATUM_DATA=... python -m benchmarks.knowledge_tracing --runs-root FOLDER          train what is missing
    python -m benchmarks.knowledge_tracing --runs-root FOLDER --collect                  tabulate what is there

Each training is a `probatum launch` titled `kt_<variant>_fold<k>`; a finished one is not repeated. The fold is
the unit: intervals are t-intervals over the folds' trainings, differences are paired by fold and tested by an
exact permutation test (with five folds no p-value can be below 0.0625). The held-out test students are the same
for all folds; each fold's validation students chose its best epoch.

How high a test AUC is depends on which students the split holds out. So GainAKT2Exp and the LSTM are also
trained on fold 0 of further splits (`--split_seed`), none of them chosen by its result: 1024 is pyKT's own seed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.measurement import save
from probatum.analysis.intervals import t_interval
from probatum.analysis.paired import paired_test
from probatum.runs.folder import list_run_folders
from probatum.runs.journal import read_epochs
from probatum.runs.paths import RunPaths
from probatum.runs.status import read_status

FOLDS = range(5)
WITHOUT_CONSTRAINTS = ("--enhanced_constraints", "false")
MODELS: dict[tuple[str, str], tuple[str, ...]] = {
    ("gainakt2exp", "constraints"): (),
    ("gainakt3exp", "constraints"): (),
    ("gainakt2exp", "bce"): WITHOUT_CONSTRAINTS,
    ("gainakt3exp", "bce"): WITHOUT_CONSTRAINTS,
    ("dkt", "base"): (),
    ("plain", "base"): (),
}
BASELINES = ("dkt", "plain")
SPLIT_SEED = 42  # of the five folds
OTHER_SPLIT_SEEDS = (0, 1, 1024)
SPLIT_MODELS = ("gainakt2exp", "dkt")
TOLD = ("mastery_correlation", "gain_correlation", "practice_null_corr", "mastery_shuffled_null_corr")


def finished(root: Path) -> dict[tuple[str, str, int], RunPaths]:
    """Return the finished trainings by model, variant and fold."""
    found = {}
    for paths in list_run_folders(root):
        config = json.loads(paths.config.read_text())
        title = config["experiment"]["short_title"].split("_")
        if title[0] == "kt" and read_status(paths).is_finished:
            found[config["experiment"]["study"], title[1], int(title[2].removeprefix("fold"))] = paths
    return found


def train(root: Path, jobs: int) -> None:
    """Launch every training that is not finished, `jobs` at a time, one thread each."""
    done = finished(root)
    jobs = [(*key, fold, extra) for fold in FOLDS for key, extra in MODELS.items()]
    jobs += [
        (model, f"draw{seed}", 0, ("--split_seed", str(seed)))
        for seed in OTHER_SPLIT_SEEDS
        for model in SPLIT_MODELS
    ]
    wanted = [job for job in jobs if job[:3] not in done]

    def launch(job: tuple[str, str, int, tuple[str, ...]]) -> None:
        model, variant, fold, extra = job
        command = [
            sys.executable, "-m", "probatum", "launch", model, "--title", f"kt_{variant}_fold{fold}",
            "--runs_root", str(root), "--dataset", "assist2015", "--fold", str(fold), "--devices", "cpu", *extra,
        ]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        print(f"{model} {variant} fold {fold} finished", flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(launch, wanted))


def rows(root: Path) -> Iterator[dict[str, Any]]:
    """Yield one row per model and variant: test AUC over the folds, beside the baselines, and the cost."""
    scores: dict[tuple[str, str], dict[int, float]] = {}
    runs = finished(root)
    for (model, variant, fold), paths in runs.items():
        scores.setdefault((model, variant), {})[fold] = json.loads(paths.eval_results.read_text())["test_auc"]
    for key in MODELS:
        if key not in scores:
            continue
        by_fold = dict(sorted(scores[key].items()))
        interval = t_interval(list(by_fold.values()))
        yield {
            "model": key[0],
            "variant": key[1],
            "folds": list(by_fold),
            "test_auc": by_fold,
            "test_auc_mean": sum(by_fold.values()) / len(by_fold),
            "ci_low": interval[0] if interval else None,
            "ci_high": interval[1] if interval else None,
            "versus": {name: _versus(scores, key, name) for name in BASELINES if name != key[0]},
            "test_correlations": _correlations([runs[(*key, fold)] for fold in by_fold]),
            "minutes_per_fold": _minutes([runs[(*key, fold)] for fold in by_fold]),
        }


def splits(root: Path) -> dict[str, Any]:
    """Return the test AUC on fold 0 by split seed, and the difference paired over the splits."""
    runs = finished(root)
    variants = {"gainakt2exp": "constraints", "dkt": "base"}
    scores: dict[str, dict[int, float]] = {model: {} for model in SPLIT_MODELS}
    for seed in (SPLIT_SEED, *OTHER_SPLIT_SEEDS):
        for model in SPLIT_MODELS:
            paths = runs.get((model, variants[model] if seed == SPLIT_SEED else f"draw{seed}", 0))
            if paths is not None:
                scores[model][seed] = json.loads(paths.eval_results.read_text())["test_auc"]
    if min(len(by_seed) for by_seed in scores.values()) < 2:
        return {"test_auc": scores}
    test = paired_test(scores["dkt"], scores["gainakt2exp"])
    intervals = {model: t_interval(list(by_seed.values())) for model, by_seed in scores.items()}
    return {
        "test_auc": scores,
        "intervals": intervals,
        "mean_diff": test.mean_difference,
        "p_value": test.p_value,
    }


def _versus(scores: dict[tuple[str, str], dict[int, float]], key: tuple[str, str], baseline: str) -> Any:
    other = scores.get((baseline, "base"), {})
    if len(other.keys() & scores[key].keys()) < 2:  # one fold separates nothing
        return None
    test = paired_test(other, scores[key])
    return {"mean_diff": test.mean_difference, "p_value": test.p_value, "folds": list(test.seeds)}


def _correlations(runs: list[RunPaths]) -> dict[str, float | None]:
    """Return the mean over folds of the test correlations and of the nulls beside them."""
    records = [json.loads(paths.eval_results.read_text()) for paths in runs]
    values = {name: [record.get(f"test_{name}") for record in records] for name in TOLD}
    return {name: None if None in found else sum(found) / len(found) for name, found in values.items()}


def _minutes(runs: list[RunPaths]) -> float:
    seconds = [
        sum(row["duration_seconds"] for row in read_epochs(paths.seed_timing(seed)))
        for paths in runs
        for seed in json.loads(paths.config.read_text())["seeds"]["all"]
    ]
    return sum(seconds) / len(seconds) / 60


def main() -> None:
    """Train where asked, then write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs-root", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--collect", action="store_true", help="train nothing; tabulate the finished ones")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    if not options.collect:
        train(options.runs_root, options.jobs)
    table = list(rows(options.runs_root))
    for row in table:
        print(f"{row['model']:<12} {row['variant']:<12} {row['test_auc_mean']:.4f}  folds {row['folds']}")
    result = {"dataset": "assist2015", "rows": table, "splits": splits(options.runs_root)}
    print(save("knowledge_tracing", result, load))


if __name__ == "__main__":
    main()
