"""The hashes that a comparison states; computed from plain JSON, so that no parameter model is loaded.

Source: DESIGN "Hashes"; seed 003 sections 6 and 15.6.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from probatum._files import md5_text, strict_json
from probatum.runs.volatile import without_volatile


def stable_md5(value: Any) -> str:
    """Return the MD5 of the part of a JSON value that two identical runs share: it can match."""
    return md5_text(json.dumps(without_volatile(value), sort_keys=True))


def raw_md5(path: Path) -> str | None:
    """Return the MD5 of a file's bytes, or None where there is no file."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() if path.exists() else None


def normalized_config_hash(config: Mapping[str, Any]) -> str:
    """Return what `jq 'del(.runtime.timestamp, .config_md5)' config.json | jq -S . | md5sum` prints."""
    kept = {key: value for key, value in config.items() if key != "config_md5"}
    if isinstance(kept.get("runtime"), Mapping):
        kept["runtime"] = {key: value for key, value in kept["runtime"].items() if key != "timestamp"}
    return md5_text(_jq().jq_text(kept) + "\n")


def defaults_md5(defaults: Mapping[str, Any]) -> str:
    """Return the MD5 of `json.dumps(defaults, sort_keys=True)`.

    Example:
        >>> defaults_md5({})
        '99914b932bd37a50b983c5e7c90ae93b'
    """
    return md5_text(json.dumps(dict(defaults), sort_keys=True))


def recorded_config_md5(config: Mapping[str, Any]) -> str:
    """Return the `config_md5` that the record's own study, schema version and parameters give."""
    runtime = set((config.get("types") or {}).get("runtime", ()))
    chosen = {name: value for name, value in config["parameters"].items() if name not in runtime}
    identity = {
        "study": config["experiment"]["study"],
        "schema_version": config["schema_version"],
        "parameters": chosen,
    }
    return defaults_md5(identity)


def same_json(one: Any, other: Any) -> bool:
    """Return whether two JSON values are written alike (1 and 1.0 are not)."""
    return strict_json(one) == strict_json(other)


@cache
def _jq() -> Any:
    """Return the module `parameters/jq.py` alone: its package would load the parameter model."""
    path = Path(__file__).parents[1] / "parameters" / "jq.py"
    spec = importlib.util.spec_from_file_location("probatum_jq", path)
    if spec is None or spec.loader is None:  # pragma: no cover - the file is part of the package
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
