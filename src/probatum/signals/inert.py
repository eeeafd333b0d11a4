"""Changes that did not act: two runs whose configurations differ and whose measurements do not.

Source: concare.md 1.5 n (two runs that differ in a flag which cannot act there, both kept as experiments);
SageMaker Debugger, SimilarAcrossRuns.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from probatum.signals.reading import Artifact
from probatum.signals.rules import two_runs_rule

NOT_MEASURED = frozenset({"overhead_seconds", "narrative", "missing", "findings"})  # cost and words


@dataclass(frozen=True)
class Likeness:
    """How far two runs' measurements agree."""

    verdict: str  # bit-identical, within tolerance, different, too little measured
    values: int  # measurements that both have
    differing: int  # of these, how many differ by more than the tolerance
    only_in_one: int  # measurements that one run lacks
    largest_difference: float
    largest_at: str
    first_difference: str  # the first measurement that differs at all; empty where none does

    @property
    def is_alike(self) -> bool:
        """Whether everything measured is the same within tolerance."""
        return self.verdict in ("bit-identical", "within tolerance")


def likeness(parent: Artifact, child: Artifact) -> Likeness:
    """Return how far everything measured agrees: signals of all epochs, snapshots, convergence, curves.

    Values are equal within tolerance where |a - b| <= atol + rtol |b|; the numbers stand in `rules.yaml`.
    """
    rule = two_runs_rule("inert_change")
    first, second = dict(_measured(parent)), dict(_measured(child))
    shared = [path for path in first if path in second]
    different = [path for path in shared if first[path] != second[path]]
    gaps = {path: _gap(first[path], second[path]) for path in different}
    beyond = [path for path in different if gaps[path] > rule["atol"] + rule["rtol"] * _size(second[path])]
    only = len(first.keys() ^ second.keys())
    largest = max(different, key=lambda path: gaps[path], default="")
    if len(shared) < rule["min_values"]:
        verdict = "too little measured"
    elif beyond or only:
        verdict = "different"
    else:
        verdict = "within tolerance" if different else "bit-identical"
    return Likeness(
        verdict,
        len(shared),
        len(beyond),
        only,
        gaps.get(largest, 0.0),
        largest,
        different[0] if different else "",
    )


def _measured(artifact: Artifact) -> Iterator[tuple[str, Any]]:
    """Yield the path and value of every measurement, in time order."""
    for record in artifact.epochs:
        yield from leaves(record, f"epoch {record['epoch']}", NOT_MEASURED)
    yield from leaves(artifact.document["convergence"], "convergence", NOT_MEASURED)
    yield from leaves(artifact.document["perturbations"], "perturbations", NOT_MEASURED)


def leaves(value: Any, path: str = "", skip: Container[str] = ()) -> Iterator[tuple[str, Any]]:
    """Yield the path and value of every number, text and truth value below `value`, `skip` left out.

    Example:
        >>> list(leaves({"a": {"b": [1, None]}}))
        [('a.b.0', 1)]
    """
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name not in skip:
                yield from leaves(item, f"{path}.{name}" if path else str(name), skip)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}.{index}" if path else str(index), skip)
    elif value is not None:
        yield path, value


def _gap(first: Any, second: Any) -> float:
    """Return the distance of two values; words that differ are infinitely far apart."""
    numbers = isinstance(first, int | float) and isinstance(second, int | float)
    return abs(first - second) if numbers else math.inf


def _size(value: Any) -> float:
    return abs(value) if isinstance(value, int | float) else 0.0
