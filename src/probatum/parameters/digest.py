"""Hashes of parameters and configurations: the same parameters, the same hash, on any machine, any day.

Source: DESIGN "Hashes"; fact sheet GainAKT section 4 (recipe of `md5`); seed 003 sections 6 and 6.a.C.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probatum import _digest
from probatum._errors import ParameterError
from probatum.parameters.model import NOT_IDENTITY, Parameters, field_specs, flat


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
        return _digest.defaults_md5(defaults)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"defaults must be plain finite JSON values to be hashed, got: {error}."
        ) from None


def config_md5(study: str, schema_version: int, parameters: Parameters) -> str:
    """Return the MD5 of what determines the result: study, schema version, and parameters.

    The categories "runtime" (devices, threads) and "instrumentation" (what is seen, which changes nothing),
    times, names, folders and commands are left out, so that a reproduction has the hash of its source.
    Seed 003 asks the hash to cover the timestamp *and* to
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
    volatile = {name for name, spec in specs.items() if spec.category in NOT_IDENTITY}
    return _digest.identity_md5(study, schema_version, flat(parameters), volatile=volatile)


def normalized_config_hash(config: Mapping[str, Any]) -> str:
    """Return what `jq 'del(.runtime.timestamp, .config_md5)' config.json | jq -S . | md5sum` prints.

    The number format is that of jq 1.5 and 1.6; a shell with jq 1.7 may print another hash of the same file
    (`probatum._jq` says for which numbers). This function gives the same hash on every machine.

    Args:
        config: the content of a `config.json`.

    Raises:
        ParameterError: `runtime` is not a block, so that jq could not take the timestamp from it.
    """
    try:
        return _digest.normalized_config_hash(config)
    except ValueError as error:
        raise ParameterError(str(error)) from None
