"""Small finished runs, written by hand."""

import json

from probatum._digest import defaults_md5
from probatum.reproduction.hashes import recorded_config_md5
from probatum.runs.metric import MetricDefinition
from probatum.runs.paths import RunPaths

METRICS = (
    MetricDefinition("val_loss", "Validation loss", False, 0.0, None, 0.001, 0.01, "", "BCE"),
    MetricDefinition("val_auc", "Val AUC", True, 0.0, 1.0, 0.0002, 0.002, "", "AUC"),
    MetricDefinition("val_accuracy", "Val accuracy", True, 0.0, 1.0, 0.0002, 0.002, "", "accuracy"),
    MetricDefinition("mastery_correlation", "Mastery", True, -1.0, 1.0, 0.0005, 0.01, "", "Pearson"),
    MetricDefinition("gain_correlation", "Gain", True, -1.0, 1.0, 0.0005, 0.01, "", "Pearson"),
)
VALUES = {
    "val_loss": 0.5, "val_auc": 0.7412, "val_accuracy": 0.6812, "mastery_correlation": 0.5234,
    "gain_correlation": 0.4123,
}  # fmt: skip
NAMES = {"source": "20251102_143210_toy_baseline_423891", "target": "20251102_154320_toy_423891_repro"}


def make_config(seeds=(42,), *, mixed_precision=False, **parameters):
    defaults = {"learning_rate": 0.001, "seeds": [42], "mixed_precision": False, "threads": 1}
    resolved = {**defaults, "seeds": list(seeds), "mixed_precision": mixed_precision, **parameters}
    config = {
        "schema_version": 3,
        "experiment": {"id": "423891", "study": "toy", "experiment_id": NAMES["source"]},
        "training": {name: resolved[name] for name in ("learning_rate", "seeds", "mixed_precision")},
        "runtime": {"threads": 1, "timestamp": "2025-11-02T14:32:10Z"},
        "defaults": defaults,
        "overrides": {name: value for name, value in resolved.items() if defaults[name] != value},
        "parameters": resolved,
        "types": {"training": ["learning_rate", "seeds", "mixed_precision"], "runtime": ["threads"]},
        "md5": defaults_md5(defaults),
        "seeds": {"primary": seeds[0], "all": list(seeds)},
        "metrics": [metric.as_record() for metric in METRICS],
        "tolerance_mode": "standard" if mixed_precision else "strict",
        "missing_params": [],
        "commands": {
            "train_explicit": "probatum train toy --learning_rate 0.001 --seeds 42"
            " --mixed_precision false --threads 1"
        },
    }
    return {**config, "config_md5": recorded_config_md5(config)}


def make_results(values, seeds=(42,)):
    def block(found):
        return {
            "metrics": {
                name: {"best_epoch": 2, "best": value, "last": value} for name, value in found.items()
            }
        }

    per_seed = values if isinstance(values, list) else [values] * len(seeds)
    results = {
        "schema_version": 3,
        "seeds": list(seeds),
        "completed_at": "2025-11-02T15:00:00Z",
        **block(per_seed[0]),
    }
    return results if len(seeds) == 1 else {**results, "per_seed": [block(found) for found in per_seed]}


def make_run(
    folder, *, config=None, values=None, data="a" * 64, environment=None, seeds=(42,), auc_cell="0.7412"
):
    folder.mkdir(parents=True)
    paths = RunPaths(folder)
    write(paths.config, config or make_config(seeds))
    write(paths.results, make_results(VALUES if values is None else values, seeds))
    write(paths.environment_json, environment or {"torch_version": "2.13.0", "git_commit": None})
    write(paths.data, {"name": "toy", "files": [{"name": "toy.csv", "sha256": data, "rows": 9}]})
    paths.metrics_epoch.write_text(f"seed,epoch,val_auc\n42,1,0.7\n42,2,{auc_cell}\n")
    paths.model_best().write_bytes(b"weights")
    return paths


def write(path, content):
    path.write_text(json.dumps(content, sort_keys=True))


def make_pair(root, **target):
    source = {key: target[key] for key in ("config", "seeds") if key in target}
    return make_run(root / NAMES["source"], **source), make_run(root / NAMES["target"], **target)


def make_sealed_run(root, *, files=()):
    """Return a finished run as the loop leaves it: sealed, closed, in the ledger, with weights and an input."""
    from probatum._files import write_whole
    from probatum.runs.integrity import close, seal

    paths = make_run(root / NAMES["source"])
    write(paths.data, {"name": "stays", "files": list(files), "licence": "ODC-By"})
    seal(paths)
    write_whole(paths.model_last(), b"last state")
    close(paths)
    return paths
