"""Where an ablation's runs execute. A new engine is one file and one line here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from probatum._errors import UnknownNameError
from probatum._names import unknown
from probatum.ablations.engines.base import Engine, Job, Outcome

ENGINES = {
    "local": "probatum.ablations.engines.local:LocalEngine",
    "ray": "probatum.ablations.engines.ray.engine:RayEngine",
    "slurm": "probatum.ablations.engines.slurm.engine:SlurmEngine",
}

__all__ = ["ENGINES", "Engine", "Job", "Outcome", "is_alive", "make_engine"]


def make_engine(name: str, jobs: int | None, options: Mapping[str, str] | None = None) -> Engine:
    """Return the engine called `name` with `jobs` runs at a time and its own options.

    Raises:
        UnknownNameError: there is none of that name.
        UsageError: the engine does not take these options.
        MissingExtraError: what it needs is not installed.
    """
    return _engine_class(name)(jobs, options or {})  # pyright: ignore[reportCallIssue]


def is_alive(name: str, place: Mapping[str, Any]) -> bool | None:
    """Return whether the job at a place still runs, or None where that cannot be told from here."""
    return _engine_class(name).is_alive(place)


def _engine_class(name: str) -> type[Engine]:
    if name not in ENGINES:
        raise UnknownNameError(unknown("engine", name, ENGINES))
    module, attribute = ENGINES[name].split(":")
    return getattr(importlib.import_module(module), attribute)
