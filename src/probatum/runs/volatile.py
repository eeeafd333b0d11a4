"""What two identical runs may differ in; everything else must be the same, byte by byte."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from probatum._errors import RecordError
from probatum._files import read_json, sha256_file
from probatum.runs.paths import RunPaths


@dataclass(frozen=True)
class Volatile:
    """The names of what may differ."""

    files: tuple[str, ...]  # patterns of paths inside the run folder: whole files
    json_keys: frozenset[str]  # keys at any depth of a JSON file
    text_keys: frozenset[str]  # `key: value` lines of a text file


VOLATILE = Volatile(
    files=(
        "status.json",
        "stdout.log",
        "environment.txt",
        "environment.json",
        "code.patch",
        "README.md",
        "experiment_log.yaml",
        "MANIFEST.sha256",
        "artifacts/fields.json",
        "artifacts/timing_seed*.csv",
        "artifacts/logs/*",
        "reproduction_report.json",
        "reproduction_manifest.json",
    ),
    json_keys=frozenset(
        {
            "timestamp",
            "created",
            "completed_at",
            "experiment_id",
            "experiment_name",
            "id",
            "short_title",
            "purpose",
            "experiment_suffix",
            "input",
            "commands",
            "command",
            "reproduction",
            "run_dir",
            "duration_seconds",
            "overhead_seconds",
            "provenance",
            "host",
            "runtime",
        }
    ),
    text_keys=frozenset({"timestamp", "experiment_id"}),
)
_TIMESTAMP = re.compile(r"(repro_results)_\d{8}_\d{6}(\.json)")


def is_volatile(name: str) -> bool:
    """Return whether a whole file, named relative to its run folder, may differ.

    Example:
        >>> is_volatile("status.json"), is_volatile("model_best.pth")
        (True, False)
    """
    return any(fnmatchcase(name, pattern) for pattern in VOLATILE.files)


def stable_digest(path: Path | str) -> str:
    """Return the SHA-256 of a file without what may differ between two identical runs.

    Raises:
        RecordError: the file is missing, or a JSON file is torn.
    """
    path = Path(path)
    if path.suffix == ".json":
        text = json.dumps(without_volatile(read_json(path)), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
    try:
        if path.suffix != ".txt":
            return sha256_file(path)
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}).") from None
    kept = [line for line in lines if line.partition(":")[0] not in VOLATILE.text_keys]
    return hashlib.sha256("\n".join(kept).encode("utf-8", "surrogateescape")).hexdigest()


def stable_digests(paths: RunPaths) -> dict[str, str]:
    """Return the stable digest of every file that two identical runs must share, by its name in the folder.

    The time in the name of `repro_results_<time>.json` is left out.
    """
    files = {
        file.relative_to(paths.folder).as_posix(): file for file in paths.folder.rglob("*") if file.is_file()
    }
    return {
        _TIMESTAMP.sub(r"\1\2", name): stable_digest(file)
        for name, file in sorted(files.items())
        if not is_volatile(name) and not file.name.startswith(".")
    }


def without_volatile(value: Any) -> Any:
    """Return a JSON value without the keys that differ between two identical runs.

    Example:
        >>> without_volatile({"best_val_auc": 0.7, "completed_at": "2026-01-01"})
        {'best_val_auc': 0.7}
    """
    if isinstance(value, dict):
        return {key: without_volatile(item) for key, item in value.items() if key not in VOLATILE.json_keys}
    if isinstance(value, list):
        return [without_volatile(item) for item in value]
    return value
