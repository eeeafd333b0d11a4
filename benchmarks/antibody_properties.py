"""Real antibodies: masked residues, CDRs and liabilities of held-out clonotypes, beside every baseline.

    PROBATUM_DATA=... python -m benchmarks.antibody_properties --runs-root FOLDER             train what is missing
    PROBATUM_DATA=... python -m benchmarks.antibody_properties --runs-root FOLDER --collect   tabulate what is there

The data are `pooled_open`, split by clonotype from one split seed; each training seed draws weights, masks and the
order of the batches. Intervals are t-intervals over the training seeds, so they leave out how another split would
move the level. Validation chooses the epoch, and chose the settings; test is read once. Baselines need no seed.
Label set `abprop` is trained once, for comparison with the rules of the code behind the study.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.antibody_templates import template_baseline
from benchmarks.measurement import save
from probatum.analysis.intervals import t_interval
from probatum.runs.folder import list_run_folders
from probatum.runs.paths import RunPaths
from probatum.runs.status import read_status

SEEDS = {"numbered": (1, 2, 3), "abprop": (1,)}
SETTINGS = {"dataset": "pooled_open", "epochs": "4"}  # the default encoder
PERPLEXITY = "mlm_perplexity"
CDR = ("cls_macro_f1", "cls_f1_cdr", "cls_f1_framework", *(f"cls_recall_cdr{number}" for number in (1, 2, 3)))
Key = tuple[str, int]  # label set, seed


def command(key: Key, root: Path) -> list[str]:
    """Return the launch of one training: its title names label set and seed."""
    labels, seed = key
    words = [word for name, value in SETTINGS.items() for word in (f"--{name}", value)]
    return [
        sys.executable, "-m", "probatum", "launch", "abprop", "--title", f"antibodies_{labels}_{seed}",
        "--runs_root", str(root), "--labels", labels, "--seeds", str(seed), "--devices", "cpu", *words,
    ]  # fmt: skip


def finished(root: Path) -> dict[Key, RunPaths]:
    """Return the finished trainings."""
    found: dict[Key, RunPaths] = {}
    for paths in list_run_folders(root):
        title = json.loads(paths.config.read_text())["experiment"]["short_title"].split("_")
        if title[0] == "antibodies" and read_status(paths).is_finished:
            found[title[1], int(title[2])] = paths
    return found


def train(root: Path) -> None:
    """Launch every training that is not finished, one after the other."""
    done = finished(root)
    for key in [(labels, seed) for labels, seeds in SEEDS.items() for seed in seeds]:
        if key not in done:
            subprocess.run(command(key, root), check=True, stdout=subprocess.DEVNULL)
            print(*key, "finished", flush=True)


def measured(runs: list[dict[str, Any]], metric: str) -> dict[str, Any]:
    """Return a test metric's mean over the seeds, its t-interval, its values, and every baseline's."""
    values = [run[f"test_{metric}"] for run in runs]
    interval = t_interval(values) if len(values) > 1 and None not in values else None
    mean = None if None in values else sum(values) / len(values)
    start = f"test_null_{metric}_"
    beside = {
        name.removeprefix(start): value
        for name, value in runs[0].items()
        if name.startswith(start) and name.removeprefix(start) in NULLS
    }
    return {"metric": metric, "mean": mean, "interval": interval, "values": values, "baselines": beside}


NULLS = ("uniform", "unigram", "bigram", "position", "majority", "mean", "motif_rules")


def rows(root: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the metrics of each label set that has a finished training."""
    runs, table = finished(root), {}
    for labels, seeds in SEEDS.items():
        told = [json.loads(runs[labels, s].eval_results.read_text()) for s in seeds if (labels, s) in runs]
        if not told:
            continue
        start = "test_reg_r2_"
        keys = [name.removeprefix("test_") for name in told[0] if name.startswith(start)]
        metrics = (PERPLEXITY, *CDR, "reg_macro_r2", *keys, "reg_macro_spearman")
        table[labels] = [measured(told, metric) for metric in metrics]
    return table


def described(root: Path) -> dict[str, Any]:
    """Return, by label set, the split, what was left out, the weights, the seconds and the hash of the runs."""
    found: dict[str, Any] = {}
    for (labels, seed), paths in sorted(finished(root).items()):
        config = json.loads(paths.config.read_text())
        data = json.loads(paths.data.read_text())
        timing = np.genfromtxt(paths.seed_timing(seed), delimiter=",", names=True)
        entry = found.setdefault(
            labels,
            {"splits": data["splits"], "left_out": data.get("left_out"), "config_md5": {}, "seconds": {}},
        )
        entry["config_md5"][seed] = config["config_md5"]
        entry["seconds"][seed] = round(float(timing["train_seconds"].sum()), 1)
    return found


def templates(root: Path) -> dict[str, Any]:
    """Return what the most similar training sequences say of the `numbered` test sequences."""
    from probatum.studies.abprop.data import load_antibody_data
    from probatum.training.launch import LaunchRequest, plan_launch

    options = {name: [value] for name, value in SETTINGS.items()}
    words = tuple(command(("numbered", 1), root))
    request = LaunchRequest("abprop", "templates", "", options, (), (), None, {}, words)
    parameters: Any = plan_launch(request).resolution.parameters
    return template_baseline(load_antibody_data(parameters))


def main() -> None:
    """Train where asked, then write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs-root", type=Path, required=True)
    parser.add_argument("--collect", action="store_true", help="train nothing; tabulate the finished ones")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    if not options.collect:
        train(options.runs_root)
    table = rows(options.runs_root)
    for labels, metrics in table.items():
        for row in metrics:
            mean = "undefined" if row["mean"] is None else f"{row['mean']:.4f}"
            print(labels, f"{row['metric']:<36}", mean, row["baselines"])
    template = templates(options.runs_root)
    for row in table.get("numbered", []):
        if row["metric"] in template:
            row["baselines"]["template"] = template[row["metric"]]
    result = {"settings": SETTINGS, "tables": table, "runs": described(options.runs_root), "near": template}
    print(save("antibody_properties", result, load))


if __name__ == "__main__":
    main()
