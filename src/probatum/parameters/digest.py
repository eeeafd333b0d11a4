"""Hashes of parameters and configurations: the same parameters, the same hash, on any machine, any day.

Source: DESIGN "Hashes"; fact sheet GainAKT section 4 (recipe of `md5`); seed 003 sections 6 and 6.a.C.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from probatum._errors import ParameterError
from probatum._files import md5_text
from probatum.parameters.jq import jq_text
from probatum.parameters.model import RUNTIME_CATEGORY, Parameters, field_specs, flat


def defaults_md5(defaults: Mapping[str, Any]) -> str:
    """Return the MD5 of `json.dumps(defaults, sort_keys=True)`, the recipe of the seed.

    Args:
        defaults: plain JSON values by name, as `flat(parameters)` returns them.

    Raises:
        ParameterError: a value is not JSON or not finite.

    Example:
        >>> defaults_md5({})
        '99914b932bd37a50b983c5e7c90ae93b'
    """
    try:
        return md5_text(json.dumps(dict(defaults), sort_keys=True, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"defaults must be plain finite JSON values to be hashed, got: {error}."
        ) from None


def config_md5(study: str, schema_version: int, parameters: Parameters) -> str:
    """Return the MD5 of what determines the result: study, schema version, and parameters.

    The category "runtime" (devices, threads), times, names, folders and commands are left out, so that
    a reproduction has the hash of its source. Seed 003 asks the hash to cover the timestamp *and* to
    match on reproduction, which is impossible; matching wins.

    Example:
        >>> from probatum.parameters.model import parameter
        >>> class Small(Parameters):
        ...     rate: float = parameter("training", "step size")
        ...     threads: int = parameter("runtime", "CPU threads")
        >>> config_md5("s", 3, Small(rate=1, threads=1)) == config_md5("s", 3, Small(rate=1.0, threads=8))
        True
    """
    specs = field_specs(type(parameters))
    chosen = {
        name: value for name, value in flat(parameters).items() if specs[name].category != RUNTIME_CATEGORY
    }
    return defaults_md5({"study": study, "schema_version": schema_version, "parameters": chosen})


def normalized_config_hash(config: Mapping[str, Any]) -> str:
    """Return what `jq 'del(.runtime.timestamp, .config_md5)' config.json | jq -S . | md5sum` prints.

    The number format is that of jq 1.5 and 1.6, which read every number as a double: `1.0` prints as `1`
    and 1.7571e-05 as itself. jq 1.7 keeps the digits of the file (`1.0`, `0.000017571`); the two agree
    for integers up to 2**53 and for fractions of at least 0.0001, so a shell with jq 1.7 may print another
    hash of the same file. This function gives the same hash on every machine.

    Args:
        config: the content of a `config.json`.

    Raises:
        ParameterError: `runtime` is not a block, so that jq could not take the timestamp from it.
    """
    kept = {name: value for name, value in config.items() if name != "config_md5"}
    runtime = kept.get("runtime")
    if isinstance(runtime, Mapping):
        kept["runtime"] = {name: value for name, value in runtime.items() if name != "timestamp"}
    elif runtime is not None:
        raise ParameterError(f"`runtime` of a configuration must be a block, got {runtime!r}.")
    return md5_text(jq_text(kept) + "\n")
