"""What a finished run tells of its source: the report and the manifest of a cloned run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probatum._errors import ComparisonError, RecordError, UnknownNameError
from probatum._files import read_json, write_json
from probatum.reproduction.compare import Comparison, compare_runs
from probatum.reproduction.report import build_manifest, write_report
from probatum.runs.folder import find_run
from probatum.runs.integrity import amend
from probatum.runs.paths import RunPaths

MANIFEST_VARIABLE = "EXPERIMENT_MANIFEST"  # asks a pasted explicit command for the manifest


def write_reproduction_files(paths: RunPaths) -> list[Path]:
    """Return the files written about a finished run's source, none where nobody asked.

    A run that was cloned gets `reproduction_report.json` against its source. `launch --manifest`, which the
    record keeps so that `resume` honours it, and the variable `EXPERIMENT_MANIFEST` ask for
    `reproduction_manifest.json` too. Where there is no source its fields are null: nothing was compared.
    """
    config = read_json(paths.config)
    block, manifest = config.get("reproduction"), is_manifest_wanted(paths, config)
    comparison = _comparison(block, paths) if block else None
    if comparison is not None:
        return write_report(comparison, manifest=manifest)
    if not manifest:
        return []
    write_json(paths.reproduction_manifest, _alone(paths, block))
    amend(paths, [paths.reproduction_manifest])
    return [paths.reproduction_manifest]


def is_manifest_wanted(paths: RunPaths, config: Mapping[str, Any]) -> bool:
    """Return whether the launch or the environment asks for the manifest.

    The folder of a reproduction holds its source's record byte for byte: the wish in it is not its own, and
    `reproduce --manifest` has another.
    """
    recorded = (config.get("input") or {}).get("manifest") is True
    return MANIFEST_VARIABLE in os.environ or (recorded and not paths.name.endswith("_repro"))


def _comparison(block: dict[str, Any], paths: RunPaths) -> Comparison | None:
    """Return the comparison with the source if that is still there and finished; a finished run must not fail."""
    try:
        source = find_run(block["source_experiment"], paths.folder.parent)
        return compare_runs(source, paths, force=True) if source.results.exists() else None
    except (UnknownNameError, RecordError, ComparisonError, KeyError):
        return None


def _alone(paths: RunPaths, block: dict[str, Any] | None) -> dict[str, Any]:
    content = build_manifest(compare_runs(paths, paths))
    compared = ("environment_match", "within_tolerance", "verdict", "bitwise")
    nothing = [name for name in content if name.endswith(("_source", "_diff")) or name in compared]
    name = block.get("source_experiment") if block else None
    return {
        **content, **dict.fromkeys(nothing), "source_experiment": name, "reproduction_mode": bool(block),
        "notes": f"Not compared: {'the source run was not found' if block else 'the run has no source'}.",
    }  # fmt: skip
