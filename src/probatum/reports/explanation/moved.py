"""The signals that moved together with a change, most telling first, by layer and epoch.

With two or more pairs of seeds the seed is the unit; with one pair the probed batch is, which tells two runs
apart and not two methods. An effect is the difference over the spread between seeds (batches); what counts for
the order is the end of its 95% interval that is nearest to zero, so that a large effect that may be chance
stands below a smaller one that is not. Everything here is association: a signal that moved is no cause.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from probatum.analysis.comparison import Comparison, adjust, compare
from probatum.analysis.intervals import std, t_interval
from probatum.reports.explanation.alignment import Alignment, shifted
from probatum.reports.explanation.sides import Side
from probatum.signals.compare import TESTED
from probatum.signals.diffusion import compare_diffusion
from probatum.signals.effects import NEARLY, Effect, layer_effects, signal_effects
from probatum.signals.inert import Likeness, likeness
from probatum.signals.reading import Artifact

BY_EPOCH = 12  # signals that are shown epoch by epoch
LISTED = 60  # signals in the record
_WORDS = {"better": "larger", "worse": "smaller"}
UNITS = {
    "gradient_norms": "l2 norm", "hidden_norms": "l2 norm", "totals.gradient_norm": "l2 norm",
    "attention_stats.entropy": "nats", "lag_curve.mean_distance": "positions", "lag_curve.entropy": "nats",
}  # fmt: skip
_Pairs = dict[int, tuple[float, float]]  # by seed
_Cells = dict[int, _Pairs]  # by epoch


@dataclass
class _Places:
    """Everything measured on both sides: (signal, layer) -> epoch -> seed -> (parent, child)."""

    cells: dict[tuple[str, str], _Cells] = field(default_factory=dict)

    def add(
        self, signal: str, layer: str, epoch: int, seed: int, first: float | None, second: float | None
    ) -> None:
        if first is not None and second is not None:
            self.cells.setdefault((signal, layer), {}).setdefault(epoch, {})[seed] = (first, second)


def what_moved(parent: Side, child: Side, alignment: Alignment) -> dict[str, Any]:
    """Return the signals' part of the section `why`."""
    seeds = sorted(parent.artifacts.keys() & child.artifacts.keys())
    if not seeds:
        return _nothing(parent, child)
    pairs = {
        seed: (
            shifted(parent.artifacts[seed], alignment.parent),
            shifted(child.artifacts[seed], alignment.child),
        )
        for seed in seeds
    }
    rows = _over_seeds(pairs) if len(seeds) > 1 else _over_batches(*pairs[seeds[0]])
    moved = [row for row in rows if row["verdict"] not in ("identical", "nearly identical")]
    moved.sort(key=lambda row: (-row["least_effect"], -abs(row["effect_size"] or 0.0)))
    return {
        "measured": True, "reason": None, "unit": "seed" if len(seeds) > 1 else "batch", "seeds": seeds,
        "compared": len(rows), "different": len(moved), "moved": sum(row["least_effect"] > 0 for row in rows),
        "by_signal": _counts(rows), "signals": moved[:LISTED],
        "attention": _attention(pairs), "likeness": _alike(parent, child, seeds),
    }  # fmt: skip


def _nothing(parent: Side, child: Side) -> dict[str, Any]:
    lacking = [word for word, side in (("parent", parent), ("child", child)) if not side.artifacts]
    reason = (
        f"no signals in the {' and the '.join(lacking)}" if lacking else "no seed has signals on both sides"
    )
    return {
        "measured": False, "reason": reason, "unit": None, "seeds": [], "compared": 0, "different": 0, "moved": 0,
        "by_signal": [], "signals": [], "attention": [], "likeness": None,
    }  # fmt: skip


def _over_seeds(pairs: Mapping[int, tuple[Artifact, Artifact]]) -> list[dict[str, Any]]:
    places = _Places()
    for seed, both in pairs.items():
        before, after = (artifact.series() for artifact in both)
        for signal in TESTED:
            for layer, own in before.get(signal, {}).items():
                other = after.get(signal, {}).get(layer, {})
                for epoch in own.keys() & other.keys():
                    places.add(signal, layer, epoch, seed, own[epoch].mean, other[epoch].mean)
    found: list[tuple[tuple[str, str], _Cells, _Pairs, Comparison]] = []
    for place, cells in places.cells.items():
        means = _means(cells)
        if len(means) > 1:
            found.append((place, cells, means, compare(*_split(means), True)))
    adjusted: dict[tuple[str, str], Comparison] = {}
    for signal in dict.fromkeys(place[0] for place, *_ in found):
        own = [item for item in found if item[0][0] == signal]
        adjusted |= dict(zip((item[0] for item in own), adjust([item[3] for item in own]), strict=True))
    rows = [_seed_row(place, cells, means, adjusted[place]) for place, cells, means, _ in found]
    rows.sort(key=lambda row: -row["least_effect"])
    for row in [row for row in rows if row["verdict"] not in ("identical", "nearly identical")][:BY_EPOCH]:
        row["by_epoch"] = _seed_epochs(places.cells[row["signal"], row["layer"]])
        row |= _when(row["by_epoch"])
    return rows


def _means(cells: _Cells) -> _Pairs:
    """Return each seed's means over its epochs."""
    seeds = sorted({seed for own in cells.values() for seed in own})
    columns = {seed: [own[seed] for own in cells.values() if seed in own] for seed in seeds}
    return {
        seed: (math.fsum(a for a, _ in own) / len(own), math.fsum(b for _, b in own) / len(own))
        for seed, own in columns.items()
    }


def _split(pairs: _Pairs) -> tuple[dict[int | str, float], dict[int | str, float]]:
    return {seed: a for seed, (a, _) in pairs.items()}, {seed: b for seed, (_, b) in pairs.items()}


def _seed_row(place: tuple[str, str], cells: _Cells, means: _Pairs, found: Comparison) -> dict[str, Any]:
    first, second = ([both[side] for both in means.values()] for side in (0, 1))
    spread = math.sqrt(((std(first) or 0.0) ** 2 + (std(second) or 0.0) ** 2) / 2)
    verdict = _alike_pairs(list(means.values())) or _WORDS.get(found.verdict, found.verdict)
    signs = [b > a for a, b in means.values() if a != b]
    return {
        **_head(place, len(cells), math.fsum(first) / len(first), math.fsum(second) / len(second)),
        **_effect(found.difference, found.ci_low, found.ci_high, spread),
        "n": found.n, "p_value": found.p_value, "p_holm": found.p_holm, "comparisons": found.comparisons,
        "same_sign": max(sum(signs), len(signs) - sum(signs)), "verdict": verdict,
    }  # fmt: skip


def _head(place: tuple[str, str], epochs: int, first: float, second: float) -> dict[str, Any]:
    return {
        "signal": place[0], "layer": place[1], "unit": UNITS.get(place[0], ""), "epochs": epochs, "parent": first,
        "child": second, "moved_from_epoch": None, "most_at_epoch": None, "by_epoch": [],
    }  # fmt: skip


def _effect(difference: float, low: float | None, high: float | None, spread: float) -> dict[str, Any]:
    """Return the difference, and the same in spreads; `least_effect` is 0 where the interval holds zero."""
    known = spread > 0 and low is not None and high is not None
    ends = (low / spread, high / spread) if known and low is not None and high is not None else (None, None)
    clear = known and low is not None and high is not None and low * high > 0
    return {
        "difference": difference, "ci_low": low, "ci_high": high, "spread": spread or None,
        "effect_size": difference / spread if spread > 0 else None,
        "effect_low": ends[0], "effect_high": ends[1],
        "least_effect": min(abs(ends[0] or 0.0), abs(ends[1] or 0.0)) if clear else 0.0,
    }  # fmt: skip


def _alike_pairs(pairs: list[tuple[float, float]]) -> str:
    if all(a == b for a, b in pairs):
        return "identical"
    nearly = all(abs(b - a) <= NEARLY * max(abs(a), abs(b)) for a, b in pairs)
    return "nearly identical" if nearly else ""


def _seed_epochs(cells: _Cells) -> list[dict[str, Any]]:
    rows = []
    for epoch in sorted(cells):
        first, second = ([both[side] for both in cells[epoch].values()] for side in (0, 1))
        differences = [b - a for a, b in zip(first, second, strict=True)]
        low, high = t_interval(differences) or (None, None)
        rows.append(_epoch_row(epoch, first, second, low, high))
    return rows


def _epoch_row(
    epoch: int, first: list[float], second: list[float], low: float | None, high: float | None
) -> dict[str, Any]:
    a, b = math.fsum(first) / len(first), math.fsum(second) / len(second)
    return {"epoch": epoch, "parent": a, "child": b, "difference": b - a, "ci_low": low, "ci_high": high}


def _when(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return from which epoch on every interval excludes zero, and where the clear difference is largest."""
    clear = [row for row in rows if row["ci_low"] is not None and row["ci_low"] * row["ci_high"] > 0]
    start = None
    for row in reversed(rows):
        if row not in clear:
            break
        start = row["epoch"]
    most = max(clear, key=lambda row: abs(row["difference"]), default=None)
    return {"moved_from_epoch": start, "most_at_epoch": most["epoch"] if most else None}


def _over_batches(parent: Artifact, child: Artifact) -> list[dict[str, Any]]:
    before, after = parent.series(), child.series()
    effects = [
        effect
        for signal in TESTED
        for effect in layer_effects(signal, before.get(signal, {}), after.get(signal, {}))
    ]
    rows = [_batch_row(effect) for effect in effects]
    rows.sort(key=lambda row: -row["least_effect"])
    for row in [row for row in rows if row["verdict"] not in ("identical", "nearly identical")][:BY_EPOCH]:
        signal, layer = row["signal"], row["layer"]
        _, cells = signal_effects(signal, {layer: before[signal][layer]}, {layer: after[signal][layer]})
        row["by_epoch"] = [
            {"epoch": own.epoch, "parent": own.parent, "child": own.child, "difference": own.difference,
             "ci_low": own.ci_low, "ci_high": own.ci_high}
            for own in cells
        ]  # fmt: skip
        row |= _when(row["by_epoch"])
    return rows


def _batch_row(effect: Effect) -> dict[str, Any]:
    spread = abs(effect.difference / effect.effect_size) if effect.effect_size else 0.0
    return {
        **_head((effect.signal, effect.layer), effect.epochs, effect.parent, effect.child),
        **_effect(effect.difference, effect.ci_low, effect.ci_high, spread),
        "n": effect.batches, "p_value": effect.p_value, "p_holm": effect.p_adjusted, "comparisons": None,
        "same_sign": None, "verdict": effect.verdict,
    }  # fmt: skip


def _counts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return, by signal, how many layers clearly moved up or down, are the same, or cannot be told."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        own = found.setdefault(
            row["signal"], {"signal": row["signal"], "layers": 0, "up": 0, "down": 0, "same": 0, "unclear": 0}
        )
        own["layers"] += 1
        same = row["verdict"] in ("identical", "nearly identical")
        word = (
            "same"
            if same
            else "unclear"
            if not row["least_effect"]
            else "up"
            if row["difference"] > 0
            else "down"
        )
        own[word] += 1
    return sorted(found.values(), key=lambda own: -(own["up"] + own["down"]) / own["layers"])


def _attention(pairs: Mapping[int, tuple[Artifact, Artifact]]) -> list[dict[str, Any]]:
    """Return, by attention layer, how far back the mass lies and how diffused it is, over the seeds."""
    found: dict[str, dict[int, Any]] = {}
    for seed, (parent, child) in pairs.items():
        before, after = parent.lag_curves(), child.lag_curves()
        for layer in before.keys() & after.keys():
            if own := compare_diffusion(layer, before[layer], after[layer]):
                found.setdefault(layer, {})[seed] = own
    rows = []
    for layer in sorted(found):
        own = list(found[layer].values())
        row: dict[str, Any] = {
            "layer": layer,
            "n": len(own),
            "verdicts": sorted({one.verdict for one in own}),
        }
        for name, unit, part in (
            ("mean_distance", "positions", "centre"),
            ("entropy", "nats", "curve_entropy"),
        ):
            first, second = ([getattr(one, f"{side}_{part}") for one in own] for side in ("parent", "child"))
            low, high = t_interval([b - a for a, b in zip(first, second, strict=True)]) or (None, None)
            values = _epoch_row(0, first, second, low, high)
            row[name] = {"unit": unit, **{key: value for key, value in values.items() if key != "epoch"}}
        rows.append(row)
    return rows


def _alike(parent: Side, child: Side, seeds: list[int]) -> dict[str, Any] | None:
    """Return whether the change acts: by the last epoch, and by all where that one says that they agree."""
    found: list[Likeness] = []
    for seed in seeds:
        both = parent.artifacts[seed], child.artifacts[seed]
        quick = likeness(*(Artifact(own.path, {**own.document, "signal_check": {"epochs": own.epochs[-1:]}})
                           for own in both))  # fmt: skip
        found.append(quick if quick.differing else likeness(*both))
    if not found:
        return None
    return {
        "alike_pairs": sum(own.is_alike for own in found), "pairs": len(found),
        "verdicts": sorted({own.verdict for own in found}), "values": sum(own.values for own in found),
    }  # fmt: skip
