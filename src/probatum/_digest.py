"""How parameters and configurations are hashed: from plain JSON, so that reading a record loads no model.

Source: DESIGN "Hashes"; fact sheet GainAKT section 4 (recipe of `md5`); seed 003 sections 6 and 6.a.C.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from probatum._files import md5_text
from probatum._jq import jq_text


def defaults_md5(defaults: Mapping[str, Any]) -> str:
    """Return the MD5 of `json.dumps(defaults, sort_keys=True)`, the recipe of the seed.

    Raises:
        TypeError: a value is not JSON.
        ValueError: a number is not finite.

    Example:
        >>> defaults_md5({})
        '99914b932bd37a50b983c5e7c90ae93b'
    """
    return md5_text(json.dumps(dict(defaults), sort_keys=True, allow_nan=False))


def identity_md5(
    study: str, schema_version: int, parameters: Mapping[str, Any], *, volatile: Collection[str]
) -> str:
    """Return the MD5 of what determines the result: `config_md5`.

    Args:
        study: the study's name.
        schema_version: the version of `config.json`.
        parameters: every parameter, flat, as plain JSON values.
        volatile: the names of those that only say where a run takes place (devices, threads).

    Example:
        >>> here, there = {"rate": 0.1, "threads": 1}, {"rate": 0.1, "threads": 8}
        >>> identity_md5("s", 3, here, volatile={"threads"}) == identity_md5("s", 3, there, volatile={"threads"})
        True
    """
    chosen = {name: value for name, value in parameters.items() if name not in volatile}
    return defaults_md5({"study": study, "schema_version": schema_version, "parameters": chosen})


def normalized_config_hash(config: Mapping[str, Any]) -> str:
    """Return what `jq 'del(.runtime.timestamp, .config_md5)' config.json | jq -S . | md5sum` prints.

    The numbers are those of jq 1.5 and 1.6; `probatum._jq` says where another jq may print another hash.

    Raises:
        ValueError: `runtime` is not a block, so that jq could not take the timestamp from it.
    """
    kept = {name: value for name, value in config.items() if name != "config_md5"}
    runtime = kept.get("runtime")
    if isinstance(runtime, Mapping):
        kept["runtime"] = {name: value for name, value in runtime.items() if name != "timestamp"}
    elif runtime is not None:
        raise ValueError(f"`runtime` of a configuration must be a block, got {runtime!r}.")
    return md5_text(jq_text(kept) + "\n")
