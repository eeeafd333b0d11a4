"""Where an ablation's runs execute. A new engine is one file and one line here."""

from __future__ import annotations

import importlib

from probatum._errors import UnknownNameError
from probatum._names import unknown
from probatum.ablations.engines.base import Engine, Job, Outcome

ENGINES = {"local": "probatum.ablations.engines.local:LocalEngine"}

__all__ = ["ENGINES", "Engine", "Job", "Outcome", "make_engine"]


def make_engine(name: str, jobs: int | None) -> Engine:
    """Return the engine called `name` with `jobs` runs at a time.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in ENGINES:
        raise UnknownNameError(unknown("engine", name, ENGINES))
    module, attribute = ENGINES[name].split(":")
    return getattr(importlib.import_module(module), attribute)(jobs)
