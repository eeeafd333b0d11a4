"""ICU mortality on PhysioNet 2012: ConCare with and without awareness of missing values, beside two baselines.

    PROBATUM_DATA=... python -m benchmarks.icu_mortality --runs-root FOLDER             train what is missing
    PROBATUM_DATA=... python -m benchmarks.icu_mortality --runs-root FOLDER --collect   tabulate what is there

Protocol a: train and validate on set a, test on set b. Protocol b: sets a and b together, 8:1:1 by patient, as
in the SMART paper, which has set c too. Each of five seeds draws its own split and its own weights; intervals
are t-intervals over the seeds, differences are paired by seed. Logistic regression and gradient boosting see
summary features of the same patients. The validation patients choose the epoch; test is looked at once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.measurement import save
from probatum._errors import ComparisonError
from probatum.analysis.intervals import t_interval
from probatum.analysis.paired import paired_test
from probatum.perturbations.comparison import compare_curves
from probatum.perturbations.record import read_curves
from probatum.runs.folder import list_run_folders
from probatum.runs.paths import RunPaths
from probatum.runs.status import read_status
from probatum.signals.reading import read_artifact

SEEDS = range(1, 6)
METRICS = ("auroc", "auprc", "min_se_ppv")
PROTOCOLS = {
    "a": ("--protocol", "official", "--val_share", "0.2"),
    "b": ("--protocol", "pooled", "--val_share", "0.1", "--test_share", "0.1"),
}
VARIANTS = {
    "baseline": (),
    "aware": (
        "--missing_aware_extension", "true", "--missing_aware_pretrain_epochs", "5", "--epochs", "17",
    ),
}  # fmt: skip
PUBLISHED = {"ConCare": (0.8274, 0.4777), "SMART": (0.8580, 0.5384), "GRU": (None, 0.4710)}  # three sets
Key = tuple[str, str, int]


def command(key: Key, root: Path) -> list[str]:
    """Return the launch of one training: its title names protocol, variant and seed."""
    protocol, variant, seed = key
    return [
        sys.executable, "-m", "probatum", "launch", "concare", "--title", f"icu_{protocol}_{variant}_{seed}",
        "--runs_root", str(root), "--dataset", "physionet2012", "--split_seed", str(seed), "--seeds", str(seed),
        "--devices", "cpu", "--instrument_signals", *PROTOCOLS[protocol], *VARIANTS[variant],
    ]  # fmt: skip


def finished(root: Path) -> dict[Key, RunPaths]:
    """Return the finished trainings."""
    found: dict[Key, RunPaths] = {}
    for paths in list_run_folders(root):
        title = json.loads(paths.config.read_text())["experiment"]["short_title"].split("_")
        if title[0] == "icu" and read_status(paths).is_finished:
            found[title[1], title[2], int(title[3])] = paths
    return found


def train(root: Path, jobs: int) -> None:
    """Launch every training that is not finished, `jobs` at a time, one thread each."""
    done = finished(root)
    keys = [(p, v, seed) for seed in SEEDS for p in reversed(PROTOCOLS) for v in VARIANTS]

    def launch(key: Key) -> None:
        subprocess.run(command(key, root), check=True, stdout=subprocess.DEVNULL)
        print(*key, "finished", flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(launch, [key for key in keys if key not in done]))


def baseline_scores(protocol: str, seed: int, cache: Path) -> dict[str, dict[str, float]]:
    """Return the test metrics of both baselines on the split of `seed`."""
    if not cache.exists():
        from probatum.studies.concare.baselines import fit_baselines
        from probatum.studies.concare.data import load_icu_data
        from probatum.training.launch import LaunchRequest, plan_launch

        words = command((protocol, "baseline", seed), cache.parent)
        pairs = PROTOCOLS[protocol]
        options = {
            name.removeprefix("--"): [value] for name, value in zip(pairs[::2], pairs[1::2], strict=True)
        }
        options |= {"dataset": ["physionet2012"], "split_seed": [str(seed)]}
        request = LaunchRequest("concare", "baselines", "", options, (), (), None, {}, tuple(words))
        scores = fit_baselines(load_icu_data(plan_launch(request).resolution.parameters), seed)  # type: ignore[arg-type]
        cache.write_text(json.dumps({name: splits["test"] for name, splits in scores.items()}))
    return json.loads(cache.read_text())


def rows(root: Path) -> list[dict[str, Any]]:
    """Return one row per protocol and model."""
    runs, table = finished(root), []
    for protocol in PROTOCOLS:
        scores: dict[str, dict[int, dict[str, float]]] = {}
        for seed in SEEDS:
            for name, values in baseline_scores(
                protocol, seed, root / f"baselines_{protocol}_{seed}.json"
            ).items():
                scores.setdefault(name, {})[seed] = values
            for variant in VARIANTS:
                if (protocol, variant, seed) in runs:
                    record = json.loads(runs[protocol, variant, seed].eval_results.read_text())
                    scores.setdefault(f"ConCare, {variant}", {})[seed] = {
                        metric: record[f"test_{metric}"] for metric in METRICS
                    }
        table += [_row(protocol, model, by_seed) for model, by_seed in scores.items()]
        for row in table:
            if row["model"] == "ConCare, aware" and row["protocol"] == protocol:
                row["versus_baseline"] = _versus(scores["ConCare, baseline"], scores["ConCare, aware"])
    return table


def _row(protocol: str, model: str, by_seed: dict[int, dict[str, float]]) -> dict[str, Any]:
    row: dict[str, Any] = {"protocol": protocol, "model": model, "seeds": list(by_seed)}
    for metric in METRICS:
        values = [scores[metric] for scores in by_seed.values()]
        row[metric] = {"mean": sum(values) / len(values), "interval": t_interval(values), "values": values}
    return row


def _versus(parent: dict[int, dict[str, float]], child: dict[int, dict[str, float]]) -> dict[str, Any]:
    found = {}
    for metric in METRICS:
        test = paired_test(
            {seed: scores[metric] for seed, scores in parent.items()},
            {seed: scores[metric] for seed, scores in child.items()},
        )
        found[metric] = {"mean_diff": test.mean_difference, "p_value": test.p_value, "n": len(test.seeds)}
    return found


def robustness(root: Path) -> list[dict[str, Any]]:
    """Return, per protocol, curve and seed, how parent and child degrade, and the verdict in words."""
    runs, found = finished(root), []
    for protocol in PROTOCOLS:
        for seed in SEEDS:
            pair = [runs.get((protocol, variant, seed)) for variant in VARIANTS]
            if None in pair:
                continue
            parent, child = (
                read_curves(read_artifact(paths.instrumentation("signals")).document["perturbations"])
                for paths in pair  # type: ignore[union-attr]
                if paths is not None
            )
            for ours, theirs in zip(parent, child, strict=True):
                try:
                    compared = compare_curves(ours, theirs)
                except ComparisonError as error:
                    found.append(
                        {"protocol": protocol, "seed": seed, "curve": ours.name, "error": str(error)}
                    )
                    continue
                found.append(
                    {
                        "protocol": protocol, "seed": seed, "kind": ours.kind, "curve": ours.name,
                        "strengths": list(ours.strengths),
                        "parent": [point.metrics["auroc"] for point in ours.points],
                        "child": [point.metrics["auroc"] for point in theirs.points],
                        "parent_area": ours.areas["auroc"].value, "child_area": theirs.areas["auroc"].value,
                        "verdict": compared.metrics["auroc"].verdict,
                    }
                )  # fmt: skip
    return found


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
    table = rows(options.runs_root)
    for row in table:
        print(
            row["protocol"],
            f"{row['model']:<22}",
            *(f"{m} {row[m]['mean']:.4f}" for m in METRICS),
            len(row["seeds"]),
        )
    result = {"rows": table, "robustness": robustness(options.runs_root), "published": PUBLISHED}
    print(save("icu_mortality", {"dataset": "physionet2012", **result}, load))


if __name__ == "__main__":
    main()
