"""`reproduction_report.json` and `reproduction_manifest.json`.

Source: seed 003, sections 6.a.J, 15.5 to 15.8; fact sheet GainAKT, section 5.2.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from probatum._files import write_json
from probatum.reproduction.citation import citation
from probatum.reproduction.compare import Comparison, Row
from probatum.reproduction.differences import Difference

REPORT_SCHEMA_VERSION = 1
SCHEMAS = Path(__file__).parent / "schemas"


def build_report(comparison: Comparison) -> dict[str, Any]:
    """Return the content of `reproduction_report.json`."""
    source, target = comparison.source, comparison.target
    one, other = comparison.source_hashes, comparison.target_hashes
    rows = {row.name: row for row in comparison.rows}
    auc, mastery, gain = (rows.get(n) for n in ("val_auc", "mastery_correlation", "gain_correlation"))
    return {
        "schema_version": REPORT_SCHEMA_VERSION,
        "source": source.paths.name, "target": target.paths.name, "source_experiment": source.paths.name,
        "exists_source": True, "exists_target": True, "mode": comparison.mode,
        "source_schema_version": source.config.get("schema_version"),
        "target_schema_version": target.config.get("schema_version"),
        "source_config_md5": one.config_md5, "target_config_md5": other.config_md5,
        "config_md5_match": comparison.config_md5_match,
        "source_normalized_config_hash": one.normalized_config_hash,
        "target_normalized_config_hash": other.normalized_config_hash,
        "source_results_md5": one.results_md5, "target_results_md5": other.results_md5,
        "results_md5_match": comparison.results_md5_match,
        "source_results_raw_md5": one.results_raw_md5, "target_results_raw_md5": other.results_raw_md5,
        **_named("best_epoch_auc", "best_auc_abs_diff", "max_auc_abs_diff", "auc_within_tolerance", auc),
        **_named("mastery_corr", "mastery_corr_abs_diff", "max_mastery_corr_abs_diff",
                 "mastery_corr_within_tolerance", mastery),
        **_named("gain_corr", "gain_corr_abs_diff", "max_gain_corr_abs_diff",
                 "gain_corr_within_tolerance", gain),
        "tolerances": {"auc": _tolerance(auc), "corr": _tolerance(mastery or gain)},
        "within_tolerance": comparison.within_tolerance,
        "fully_reproduced": comparison.verdict == "PASS",
        "verdict": comparison.verdict, "comparable": comparison.comparable,
        "reasons": list(comparison.reasons), "notes": list(comparison.notes),
        "rows": [asdict(row) for row in comparison.rows],
        "seeds": source.seeds,
        "aggregated_new": {row.name: row.repro for row in comparison.rows},
        "bitwise": comparison.bitwise, "first_difference": comparison.first_difference,
        "epochs": None if comparison.epochs is None else asdict(comparison.epochs),
        "environment_match": not comparison.environment_differences,
        "differences": {
            "config": _listed(comparison.config_differences),
            "environment": _listed(comparison.environment_differences),
            "data": _listed(comparison.data_differences),
            "code": _listed(comparison.code_differences),
        },
        "citation": citation(comparison),
    }  # fmt: skip


def build_manifest(comparison: Comparison) -> dict[str, Any]:
    """Return the content of `reproduction_manifest.json`: the audit summary of both seeds' lists."""
    source, target = comparison.source, comparison.target
    one, other = comparison.source_hashes, comparison.target_hashes
    diffs = {row.name: row.diff for row in comparison.rows}
    return {
        "experiment_id": target.paths.name,
        "source_experiment": source.paths.name, "reproduction_experiment": target.paths.name,
        "schema_version": target.config.get("schema_version"),
        "config_md5": other.config_md5,
        "config_md5_source": one.config_md5, "config_md5_repro": other.config_md5,
        "normalized_config_hash_source": one.normalized_config_hash,
        "normalized_config_hash_repro": other.normalized_config_hash,
        "environment_match": not comparison.environment_differences,
        "auc_diff": diffs.get("val_auc"),
        "mastery_corr_diff": diffs.get("mastery_correlation"),
        "gain_corr_diff": diffs.get("gain_correlation"),
        "within_tolerance": comparison.within_tolerance,
        "amp_used": (target.config.get("parameters") or {}).get("mixed_precision"),
        "seeds": target.seeds, "reproduction_mode": True,
        "override_count": len(target.config.get("overrides") or {}),
        "results_md5": other.results_md5, "results_raw_md5": other.results_raw_md5,
        "verdict": comparison.verdict, "bitwise": comparison.bitwise,
        "notes": "; ".join((*comparison.reasons, *comparison.notes)) or "All criteria satisfied.",
    }  # fmt: skip


def write_report(comparison: Comparison, *, manifest: bool = False) -> list[Path]:
    """Write the report, and the manifest where asked, into the target folder; return what was written.

    A finished run's ledger gains a line, so that `verify` knows the new files.
    """
    paths = comparison.target.paths
    files = {paths.reproduction_report: build_report(comparison)}
    if manifest:
        files[paths.reproduction_manifest] = build_manifest(comparison)
    for file, content in files.items():
        write_json(file, _finite(content))
    if paths.manifest.exists():
        from probatum.runs.integrity import amend

        amend(paths, files)
    return list(files)


def _named(values: str, diff: str, largest: str, within: str, row: Row | None) -> dict[str, Any]:
    """Return one metric under the names that the first reports used."""
    return {
        f"source_{values}": row.original if row else None,
        f"target_{values}": row.repro if row else None,
        diff: row.diff if row else None,
        largest: row.diff if row else None,
        within: row.status == "PASS" if row else None,
    }


def _tolerance(row: Row | None) -> float | None:
    return row.tolerance if row else None


def _listed(found: tuple[Difference, ...]) -> list[dict[str, Any]]:
    return [asdict(item) for item in found]


def _finite(value: Any) -> Any:
    """Return a JSON value whose NaN and infinities are spelled as text: strict JSON has none."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value
