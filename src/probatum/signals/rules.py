"""Red flags and opportunities: rules are data, and every finding carries the numbers behind it.

`rules.yaml` holds the rules and explains their fields. A threshold is absolute, or a multiple of a reference
from the run's own history; nothing is said before the minimum of evidence is there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from probatum._errors import UsageError
from probatum._names import unknown
from probatum.signals.snapshot import Snapshot

Reference = Literal["own_median", "own_minimum", "own_maximum", "previous", "earlier"]
GRADIENT_SHARE = "relative_gradient_share"  # a layer's norm over the global norm; made here
SIGNALS = (*Snapshot.__dataclass_fields__, GRADIENT_SHARE)


class ClearBy(BaseModel):
    """A standard error that the value must clear the threshold by."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    signal: str
    times: float = Field(gt=0)


class Condition(BaseModel):
    """One comparison of a signal with a threshold."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    signal: str
    compare: Literal["above", "at_least", "below", "at_most"]
    threshold: float
    relative_to: Reference | None = None
    window: int = Field(default=1, ge=1)
    min_evidence: int = Field(default=0, ge=0)
    clear_by: ClearBy | None = None


class Rule(Condition):
    """A condition with its flag, its patience and its words."""

    flag: str | None = None  # None: the rule's own name
    kind: Literal["red_flag", "opportunity"] = "red_flag"
    patience: int = Field(default=1, ge=1)
    until_epoch: int | None = None
    also: tuple[Condition, ...] = ()
    wording: str
    remedy: str
    source: str


@cache
def _document() -> dict[str, Any]:
    return yaml.safe_load((files("probatum.signals") / "rules.yaml").read_text(encoding="utf-8"))


def two_runs_rule(name: str) -> dict[str, Any]:
    """Return a rule about two runs, as `rules.yaml` states it."""
    return dict(_document()["two_runs"][name])


def load_rules(overrides: Mapping[str, Mapping[str, Any] | None] | None = None) -> dict[str, Rule]:
    """Return the rules by name, with `overrides` laid over them.

    Args:
        overrides: Fields to change by rule; None takes a rule away; a new name is a new rule.

    Raises:
        UsageError: a field is unknown or has a wrong value; all mistakes are listed.

    Example:
        >>> rules = load_rules({"sustained_plateau": {"threshold": 5}, "overtraining": None})
        >>> rules["sustained_plateau"].threshold, "overtraining" in rules
        (5.0, False)
    """
    documents = {name: dict(fields) for name, fields in _document()["rules"].items()}
    mistakes: list[str] = []
    for name, fields in (overrides or {}).items():
        if fields is None:
            if documents.pop(name, None) is None:
                mistakes.append(unknown("rule", name, documents))
        elif name not in documents and "signal" not in fields:
            mistakes.append(unknown("rule", name, documents) + " A new rule states its `signal`.")
        else:
            documents[name] = {**documents.get(name, {}), **fields}
    rules: dict[str, Rule] = {}
    for name, fields in documents.items():
        try:
            rules[name] = Rule.model_validate(fields)
            mistakes += _misfits(name, rules[name])
        except ValidationError as error:
            mistakes += [_mistake(name, item) for item in error.errors()]
    if mistakes:
        raise UsageError("rules: " + "; ".join(mistakes))
    return rules


@cache
def shipped_rules() -> Mapping[str, Rule]:
    """Return the rules without overrides; read once."""
    return MappingProxyType(load_rules())


def words(rule: Rule, target: str | None, value: float, reference: float | None, ratio: float) -> str:
    """Return a rule's wording with its numbers."""
    known = math.nan if reference is None else reference
    return rule.wording.format(target=target, value=value, reference=known, ratio=ratio)


def _misfits(name: str, rule: Rule) -> list[str]:
    """Return what a rule names that does not exist: signals of a snapshot, fields of its wording."""
    conditions = (rule, *rule.also)
    signals = [condition.signal for condition in conditions]
    signals += [condition.clear_by.signal for condition in conditions if condition.clear_by]
    firsts = {signal.partition(".")[0] for signal in signals}
    found = [f"{name}: {unknown('signal', first, SIGNALS)}" for first in sorted(firsts - set(SIGNALS))]
    try:
        words(rule, "", 0.0, None, 0.0)
    except (KeyError, ValueError, IndexError) as error:
        found.append(f"{name}.wording: knows target, value, reference and ratio, got {error}")
    return found


def _mistake(rule: str, error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{rule}: {unknown('field', str(error['loc'][-1]), Rule.model_fields)}"
    return f"{rule}.{where}: {error['msg'].lower()}, got {error['input']!r}"
