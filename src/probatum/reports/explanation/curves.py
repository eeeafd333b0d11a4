"""Curves of two sides over the seeds: metrics epoch by epoch, and robustness against damage of the inputs.

Robustness is judged seed by seed with the paired bootstrap of `perturbations` (samples are the unit there), and
then over the seeds by the drop areas: whether the method degrades more slowly is a question for several seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from probatum._errors import RecordError
from probatum._files import read_json
from probatum.analysis.comparison import adjust, compare
from probatum.analysis.directions import direction_of
from probatum.analysis.groups import Seed
from probatum.analysis.intervals import mean, t_interval
from probatum.analysis.records import number
from probatum.reports.explanation.alignment import Alignment, from_first
from probatum.reports.explanation.sides import Side, definitions
from probatum.signals.robustness import compare_robustness

_LOSSES = ("train_loss", "val_loss")
_DEGRADES = {"better": "degrades more slowly", "worse": "degrades faster"}


def trajectories(parent: Side, child: Side, alignment: Alignment) -> list[dict[str, Any]]:
    """Return the sealed metrics, the losses and the semantic trajectory, epoch by epoch, means over the seeds."""
    sealed = list(dict.fromkeys([*definitions(parent), *_LOSSES]))
    first = {seed: from_first(rows, alignment.parent) for seed, rows in parent.epochs.items()}
    second = {seed: from_first(rows, alignment.child) for seed, rows in child.epochs.items()}
    found = [_trajectory(name, "epochs", first, second, (name,)) for name in sealed]
    before = {
        seed: from_first(_numbered(rows), alignment.parent) for seed, rows in parent.trajectories.items()
    }
    after = {seed: from_first(_numbered(rows), alignment.child) for seed, rows in child.trajectories.items()}
    names = {path for rows in before.values() for row in rows.values() for path in _paths(row)}
    found += [_trajectory(".".join(path), "semantic", before, after, path) for path in sorted(names)]
    return [row for row in found if row]


def _numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "epoch": row.get("epoch", number + 1)} for number, row in enumerate(rows)]


def _paths(row: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _paths(value, (*prefix, name))
        elif name != "epoch" and number(value) is not None:
            yield (*prefix, name)


def _trajectory(
    name: str, source: str, parent: Mapping[int, Any], child: Mapping[int, Any], path: tuple[str, ...]
) -> dict[str, Any]:
    """Return one curve of both sides; {} where no epoch of a common seed has it."""
    seeds = sorted(parent.keys() & child.keys())
    rows = []
    for epoch in sorted({epoch for seed in seeds for epoch in parent[seed].keys() | child[seed].keys()}):
        pairs = [(_at(parent[seed], epoch, path), _at(child[seed], epoch, path)) for seed in seeds]
        known = [(a, b) for a, b in pairs if a is not None and b is not None]
        low, high = (t_interval([b - a for a, b in known]) if known else None) or (None, None)
        sides = [[value for own in pairs if (value := own[side]) is not None] for side in (0, 1)]
        rows.append({
            "epoch": epoch, "n": len(known), "parent": mean(sides[0]) if sides[0] else None,
            "child": mean(sides[1]) if sides[1] else None,
            "difference": mean([b - a for a, b in known]) if known else None, "ci_low": low, "ci_high": high,
        })  # fmt: skip
    if not any(row["n"] for row in rows):
        return {}
    return {"name": name, "source": source, "unit": "", "seeds": seeds, "epochs": rows}


def _at(rows: Mapping[int, Any], epoch: int, path: tuple[str, ...]) -> float | None:
    value: Any = rows.get(epoch)
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return number(value)


def robustness(parent: Side, child: Side) -> dict[str, Any]:
    """Return the robustness curves of both sides: one row per curve and metric, and what is lacking."""
    seeds = sorted(parent.artifacts.keys() & child.artifacts.keys())
    found = {seed: compare_robustness(_section(parent, seed), _section(child, seed)) for seed in seeds}
    by_curve: dict[tuple[str, str], dict[int, Any]] = {}
    tests: dict[tuple[str, str], dict[int, Any]] = {}
    for seed, own in found.items():
        for pair in own["pairs"]:
            by_curve.setdefault((pair["curve"], pair["metric"]), {})[seed] = pair
        for test in own["tests"]:
            tests.setdefault((f"{test['kind']}_curve", test["metric"]), {})[seed] = test
    rows = [_curve_row(key, own, tests.get(key, {})) for key, own in by_curve.items()]
    compared = adjust([row.pop("comparison") for row in rows])
    for row, own in zip(rows, compared, strict=True):
        row |= {
            "n": own.n, "difference": own.difference, "ci_low": own.ci_low, "ci_high": own.ci_high,
            "effect_size": own.effect_size, "p_value": own.p_value if own.n > 1 else None,
            "p_holm": own.p_holm if own.n > 1 else None, "comparisons": own.comparisons,
            "smallest_p": own.smallest_p, "verdict": _DEGRADES.get(own.verdict, own.verdict),
        }  # fmt: skip
    notes = sorted({note for own in found.values() for note in own["notes"]})
    return {"curves": rows, "notes": notes or ([] if rows else ["no robustness curves on both sides"])}


def _section(side: Side, seed: int) -> Mapping[str, Any]:
    """Return a run's curves: the artifact's, else those that `perturb` added to the finished run."""
    own = side.artifacts[seed].document["perturbations"] or {}
    if any(own.get(name) for name in ("missingness_curve", "truncation_curve")) or seed not in side.by_seed:
        return own
    added = side.by_seed[seed].paths.perturbations(f"curves_seed{seed}")
    try:
        return {**own, **read_json(added)} if added.is_file() else own
    except RecordError as error:
        side.notes.append(str(error))
        return own


def _curve_row(key: tuple[str, str], pairs: Mapping[int, Any], tests: Mapping[int, Any]) -> dict[str, Any]:
    curve, metric = key
    higher = direction_of(metric) is not False
    first: dict[Seed, float] = {seed: own["parent_area"] for seed, own in pairs.items()}
    second: dict[Seed, float] = {seed: own["child_area"] for seed, own in pairs.items()}
    starts = [own["points"][0] for own in pairs.values()]
    levels = [point["child"] - point["parent"] for point in starts]
    low, high = t_interval(levels) or (None, None)
    return {
        "curve": curve.removesuffix("_curve"), "metric": metric, "seeds": sorted(pairs),
        "parent_area": mean(list(first.values())), "child_area": mean(list(second.values())),
        "points": _points(pairs), "by_seed": [
            {"seed": seed, "verdict": test["verdict"], "is_missing_aware": test["is_missing_aware"],
             "sentence": test["sentence"]}
            for seed, test in sorted(tests.items())
        ],
        "level": {"difference": mean(levels), "ci_low": low, "ci_high": high},
        "comparison": compare(first, second, not higher),
    }  # fmt: skip


def _points(pairs: Mapping[int, Any]) -> list[dict[str, Any]]:
    strengths = [point["strength"] for point in next(iter(pairs.values()))["points"]]
    rows = []
    for strength in strengths:
        own = [point for pair in pairs.values() for point in pair["points"] if point["strength"] == strength]
        rows.append({
            "strength": strength, "n": len(own), "parent": mean([point["parent"] for point in own]),
            "child": mean([point["child"] for point in own]),
        })  # fmt: skip
    return rows
