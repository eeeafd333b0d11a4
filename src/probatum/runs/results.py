"""`results.json`, `results_multi_seed.json` and the result of one seed, from plain dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probatum._errors import RecordError
from probatum.runs.config import SCHEMA_VERSION
from probatum.runs.files import json_text, put
from probatum.runs.paths import RunPaths
from probatum.runs.statistics import mean_of, seed_statistics, temporal_statistics
from probatum.runs.status import utc_now

BEST_NAMES = {  # key of results.json -> metric
    "best_val_auc": "val_auc",
    "best_epoch_auc": "val_auc",
    "best_val_accuracy": "val_accuracy",
    "best_mastery_corr": "mastery_correlation",
    "best_gain_corr": "gain_correlation",
}
CONSISTENCY = (
    "monotonicity_violation_rate",
    "negative_gain_rate",
    "bounds_violation_rate",
    "mastery_correlation",
    "gain_correlation",
)
_SHARED = ("train_history", "final_consistency", "correlation_sampling", "parameter_check")


def summarise_epochs(
    rows: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]], primary: str
) -> dict[str, Any]:
    """Return the best epoch by the primary metric and every metric's value there and at the last epoch.

    The earliest of equal epochs is the best; where the primary metric was never measured it is the last.

    Args:
        rows: The epoch rows, each with `epoch`.
        metrics: The metric definitions as in `config.json`.
        primary: The name of the metric that chooses.

    Raises:
        RecordError: there is no row, or the primary metric is not defined.

    Example:
        >>> rows = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.7}]
        >>> summarise_epochs(rows, [{"name": "loss", "higher_is_better": False}], "loss")["metrics"]
        {'loss': {'best_epoch': 1, 'best': 0.5, 'last': 0.7}}
    """
    directions = {metric["name"]: metric["higher_is_better"] for metric in metrics}
    if primary not in directions or not rows:
        raise RecordError(
            f"expected epoch rows and a metric {primary!r}, got {len(rows)} rows and {sorted(directions)}."
        )
    sign = 1 if directions[primary] else -1
    measured = [row for row in rows if row.get(primary) is not None]
    best = max(measured, key=lambda row: sign * row[primary]) if measured else rows[-1]
    last, epoch = rows[-1], best["epoch"]
    values = {
        name: {"best_epoch": epoch, "best": best.get(name), "last": last.get(name)}
        for name in directions
        if name in last
    }
    return {"best_epoch": epoch, "last_epoch": last["epoch"], "metrics": values}


def build_results(
    *,
    experiment_name: str,
    config_md5: str,
    per_seed: Sequence[Mapping[str, Any]],
    completed_at: str | None = None,
) -> dict[str, Any]:
    """Return the content of `results.json`.

    One seed: its values. Several: `per_seed` holds each, the top level their means, and a history is kept per
    seed only.

    Args:
        experiment_name: The run folder's name.
        config_md5: As in `config.json`.
        per_seed: One result per seed, in their order: `seed`, `best_epoch`, `metrics`, and where known
            `train_history`, `final_consistency`, `correlation_sampling`, `parameter_check`, `evaluation` and
            the study's own keys under `study`.
        completed_at: The time, UTC; now where None.

    Raises:
        RecordError: there is no result.
    """
    if not per_seed:
        raise RecordError("results.json needs the result of at least one seed, got none.")
    single = [_one_seed(result) for result in per_seed]
    several = len(single) > 1
    head = {
        "schema_version": SCHEMA_VERSION,
        "experiment_name": experiment_name,
        "config_md5": config_md5,
        "seeds": [result["seed"] for result in single],
        "multi_seed": several,
        "completed_at": completed_at or utc_now(),
    }
    if not several:
        return {**single[0], **head}
    shared = mean_of(
        [{k: v for k, v in result.items() if k not in {"seed", "train_history"}} for result in single]
    )
    shared["parameter_check"] = _joined_check(single)
    return {**shared, **head, "per_seed": single}


def _one_seed(result: Mapping[str, Any]) -> dict[str, Any]:
    metrics = {name: _normal(value, result) for name, value in result["metrics"].items()}
    best = {key: metrics[name]["best"] for key, name in BEST_NAMES.items() if name in metrics}
    consistency = {name: metrics[name]["last"] for name in CONSISTENCY if name in metrics}
    kept = {key: value for key, value in result.items() if key not in {"schema_version", "metrics", "study"}}
    study = dict(result.get("study", {}))
    return {
        **best,
        "final_consistency": consistency,
        "parameter_check": {"missing_params": [], "unread_params": []},
        **study,
        **kept,
        "metrics": metrics,
    }


def _normal(value: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a metric as {best_epoch, best, last}; a seed's own file calls them {epoch, best_epoch, last}."""
    if "best" in value:
        return dict(value)
    return {
        "best_epoch": value.get("epoch", result["best_epoch"]),
        "best": value["best_epoch"],
        "last": value["last"],
    }


def _joined_check(single: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return what any seed missed and what no seed read."""
    checks = [result["parameter_check"] for result in single]
    unread = set.intersection(*(set(check["unread_params"]) for check in checks))
    return {
        "missing_params": sorted({name for check in checks for name in check["missing_params"]}),
        "unread_params": sorted(unread),
    }


def build_multi_seed(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of `results_multi_seed.json` from that of `results.json`; one seed has it too."""
    per_seed = results.get("per_seed") or [{"seed": results["seeds"][0], **results}]
    names = list(per_seed[0]["metrics"])
    stats = {
        name: seed_statistics([result["metrics"][name]["best"] for result in per_seed]) for name in names
    }
    for key, name in BEST_NAMES.items():
        if name in stats:
            stats[key] = stats[name]
    for name in names:
        stats[f"{name}_last_epoch"] = seed_statistics(
            [result["metrics"][name]["last"] for result in per_seed]
        )
    temporal = {
        str(result["seed"]): temporal_statistics(
            result.get("train_history", {}).get("semantic_trajectory", [])
        )
        for result in per_seed
    }
    rows = [{"seed": result["seed"], **_short(result)} for result in per_seed]
    return {
        "schema_version": SCHEMA_VERSION,
        "seeds": results["seeds"],
        "stats": stats,
        "per_seed": rows,
        "temporal": temporal,
        "temporal_aggregate": _mean_measured(list(temporal.values())),
        "config_md5": results["config_md5"],
        "completed_at": results["completed_at"],
    }


def _short(result: Mapping[str, Any]) -> dict[str, Any]:
    best = {key: result[key] for key in BEST_NAMES if key in result}
    last = {f"{name}_last_epoch": value["last"] for name, value in result["metrics"].items()}
    return {
        "best_epoch": result["best_epoch"],
        **best,
        **last,
        "final_consistency": result["final_consistency"],
    }


def _mean_measured(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {key: seed_statistics([record[key] for record in records])["mean"] for key in records[0]}


def write_results(paths: RunPaths, results: Mapping[str, Any]) -> str:
    """Write `results.json` and return its SHA-256.

    Raises:
        RecordError: a value is not finite; the message names the key.
    """
    return put(paths.results, json_text(dict(results)))


def write_repro_results(paths: RunPaths, results: Mapping[str, Any], timestamp: str, **more: Any) -> str:
    """Write `repro_results_<timestamp>.json`: the results and what they were made from; return its SHA-256.

    Args:
        paths: The run folder.
        results: The content of `results.json`.
        timestamp: The time as `YYYYMMDD_HHMMSS`; one that a killed attempt left is removed.
        more: `model_config` and `training_args`.
    """
    for old in paths.folder.glob(paths.repro_results("*").name):
        old.unlink()
    consistency = {"final_consistency_metrics": results.get("final_consistency"), "timestamp": timestamp}
    return put(paths.repro_results(timestamp), json_text({**results, **consistency, **more}))


def write_multi_seed(paths: RunPaths, results: Mapping[str, Any]) -> str:
    """Write `results_multi_seed.json` from the content of `results.json`; return its SHA-256."""
    return put(paths.results_multi_seed, json_text(build_multi_seed(results)))
