"""What a recorded run says to a tracking store: read from files alone, and the same however often it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from probatum.ablations.plan.merge import leaves
from probatum.ablations.targets.command import spelled
from probatum.tracking.secrets import is_secret, without_credentials

ENDED = frozenset({"completed", "failed", "interrupted"})


class Point(NamedTuple):
    """One measured number. `value` may be NaN or infinite: that a loss diverged is worth seeing."""

    step: int
    value: float
    time_ms: int  # milliseconds since 1970, UTC


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that goes along, and the name it gets."""

    path: Path
    name: str
    state: tuple[int, int]  # size in bytes and time of change in ns: another one is sent again


@dataclass(frozen=True, slots=True)
class RunContent:
    """One run. Another attempt at the same experiment has another `key`, a resumed one keeps it."""

    key: str
    name: str
    experiment: str
    status: str
    start_ms: int
    end_ms: int | None
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    series: Mapping[str, tuple[Point, ...]]
    artifacts: tuple[Artifact, ...]

    @property
    def is_ended(self) -> bool:
        """Whether nothing more is to be expected, unless somebody goes on with the run."""
        return self.status in ENDED

    def until_now(self) -> RunContent:
        """Return what can be sent of a run that still goes on: files are sent once they are whole."""
        return self if self.is_ended else replace(self, artifacts=(), end_ms=None)


def milliseconds(time: Any) -> int | None:
    """Return a recorded time as milliseconds since 1970, None where there is none.

    Example:
        >>> milliseconds("1970-01-01T00:00:02+00:00"), milliseconds(None), milliseconds("soon")
        (2000, None, None)
    """
    try:
        return round(datetime.fromisoformat(time).timestamp() * 1000)
    except (TypeError, ValueError):
        return None


def parameters_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Return nested values as dotted names and texts; what is secret is hidden.

    Example:
        >>> parameters_of({"train": {"rate": 1e-4, "weights": {"mlm": 1}, "use_x": True, "token": "abc"}})
        {'train.rate': '0.0001', 'train.weights.mlm': '1', 'train.use_x': 'true', 'train.token': '(hidden)'}
    """
    return {
        name: "(hidden)" if is_secret(name) and value is not None else without_credentials(spelled(value))
        for name, value in leaves(values)
    }


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return tags as texts; those that say nothing are left out."""
    return {
        str(name): without_credentials(str(value))
        for name, value in values.items()
        if value not in (None, "")
    }


def with_finals(
    series: dict[str, tuple[Point, ...]], finals: Iterable[tuple[str, Point]]
) -> dict[str, tuple[Point, ...]]:
    """Return the series with numbers that stand for the whole run; a measured series of that name wins."""
    return {**{name: (point,) for name, point in finals}, **series}


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping, an empty one for anything else: what stands in a file is not to be trusted."""
    return value if isinstance(value, dict) else {}
