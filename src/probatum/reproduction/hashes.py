"""The hashes that a comparison states; computed from plain JSON, so that no parameter model is loaded.

Source: DESIGN "Hashes"; seed 003 sections 6 and 15.6.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probatum import _digest
from probatum._errors import RecordError
from probatum._files import md5_text, strict_json
from probatum.runs.volatile import without_volatile


def stable_md5(value: Any) -> str:
    """Return the MD5 of the part of a JSON value that two identical runs share: it can match."""
    return md5_text(json.dumps(without_volatile(value), sort_keys=True))


def raw_md5(path: Path) -> str | None:
    """Return the MD5 of a file's bytes, or None where there is no file."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() if path.exists() else None


def normalized_config_hash(config: Mapping[str, Any]) -> str:
    """Return what `jq 'del(.runtime.timestamp, .config_md5)' config.json | jq -S . | md5sum` prints.

    Raises:
        RecordError: `runtime` is not a block.
    """
    try:
        return _digest.normalized_config_hash(config)
    except ValueError as error:
        raise RecordError(f"config.json is torn or edited: {error}") from None


def recorded_config_md5(config: Mapping[str, Any]) -> str:
    """Return the `config_md5` that the record's own study, schema version and parameters give.

    A study in a file is recorded by its path, for the commands, and by its name, which the hash covers: the same
    file gives the same hash wherever it lies.
    """
    types = config.get("types") or {}
    volatile = {*types.get("runtime", ()), *types.get("instrumentation", ())}
    experiment = config["experiment"]
    return _digest.identity_md5(
        experiment.get("model") or experiment["study"],
        config["schema_version"],
        config["parameters"],
        volatile=volatile,
    )


def same_json(one: Any, other: Any) -> bool:
    """Return whether two JSON values are written alike (1 and 1.0 are not)."""
    return strict_json(one) == strict_json(other)
