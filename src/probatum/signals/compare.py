"""Two artifacts compared: what the runs were told first, then whether the change acts at all, then how.

All epochs count, not the first alone; every difference comes with its uncertainty; overlapping curves and
inert changes are named as such.

Source: seed 000, "Automating comparisons"; concare.md 1.4 for what the old script left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from probatum.signals.diffusion import Diffusion, compare_diffusion
from probatum.signals.effects import ALPHA, Effect, signal_effects
from probatum.signals.inert import Likeness, leaves, likeness
from probatum.signals.reading import RUN, Artifact, artifact_names
from probatum.signals.robustness import compare_robustness
from probatum.signals.rules import two_runs_rule

TESTED = (  # signals whose batches can be told apart; weight norms hardly vary within an epoch
    "gradient_norms",
    "gradient_stats.vanishing_share",
    "gradient_stats.exploding_share",
    "activation_stats.mean",
    "activation_stats.std",
    "activation_stats.saturated_share",
    "activation_stats.dead_share",
    "hidden_norms",
    "attention_stats.mean",
    "attention_stats.entropy",
    "attention_stats.head_agreement",
    "weights.update_ratio",
    "heads.variance",
    "heads.skew",
    "totals.gradient_norm",
    "landscape.sharpness",  # its spread is over directions, not over batches
)
PARTS = ("parameters", "inputs", "code")  # of an artifact's provenance
LABELS = frozenset(
    {"instrumentation_tag", "instrumentation_dir", "title", "short_title", "purpose", "run_dir"}
)


@dataclass(frozen=True)
class SignalComparison:
    """A child's signals against its parent's."""

    parent: str
    child: str
    differences: dict[str, list[dict[str, Any]] | None]  # by part; None where an artifact does not state it
    likeness: Likeness
    change: str  # inert, repeated, acts, unexplained, unknown
    change_sentence: str
    convergence: dict[str, Any] | None
    epochs: tuple[int, int, int]  # in the parent, in the child, in both
    layers: list[Effect]
    cells: list[Effect]  # layer by epoch
    only_in_one: dict[str, dict[str, list[str]]]
    diffusion: list[Diffusion]
    robustness: dict[str, Any]

    def as_record(self) -> dict[str, Any]:
        """Return the comparison as strict JSON takes it."""
        record = asdict(self)
        record["epochs"] = dict(zip(("parent", "child", "common"), self.epochs, strict=True))
        if math.isinf(self.likeness.largest_difference):
            record["likeness"]["largest_difference"] = None  # words differ, not numbers
        return record


def compare_artifacts(parent: Artifact, child: Artifact, alpha: float = ALPHA) -> SignalComparison:
    """Return the comparison of two artifacts.

    Args:
        parent: The run that was changed.
        child: The run with the change.
        alpha: The level after Holm's correction, within each signal.
    """
    differences = _differences(parent, child)
    like = likeness(parent, child)
    change, sentence = _change(differences, like)
    before, after = parent.series(), child.series()
    layers: list[Effect] = []
    cells: list[Effect] = []
    for signal in TESTED:
        totals, singles = signal_effects(signal, before.get(signal, {}), after.get(signal, {}), alpha)
        layers += totals
        cells += singles
    numbers = [{record["epoch"] for record in artifact.epochs} for artifact in (parent, child)]
    names = artifact_names([parent.path, child.path])
    return SignalComparison(
        names[0], names[1], differences, like, change, sentence,
        _convergence(parent.document["convergence"], child.document["convergence"]),
        (len(numbers[0]), len(numbers[1]), len(numbers[0] & numbers[1])),
        layers, cells, _only_in_one(before, after), _diffusion(parent, child, layers),
        compare_robustness(parent.document["perturbations"] or {}, child.document["perturbations"] or {}),
    )  # fmt: skip


def _differences(parent: Artifact, child: Artifact) -> dict[str, list[dict[str, Any]] | None]:
    found: dict[str, list[dict[str, Any]] | None] = {
        "config": _unequal(parent.document["config"], child.document["config"])
    }
    for part in PARTS:
        first, second = ((own.document.get("provenance") or {}).get(part) for own in (parent, child))
        found[part] = None if first is None or second is None else _unequal(first, second)
    return found


def _unequal(first: Any, second: Any) -> list[dict[str, Any]]:
    """Return the fields that differ; labels such as the tag do not count."""
    before, after = dict(leaves(first)), dict(leaves(second))
    return [
        {"field": name, "parent": before.get(name), "child": after.get(name)}
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name) and name.rpartition(".")[2] not in LABELS
    ]


def _change(differences: Mapping[str, list[dict[str, Any]] | None], like: Likeness) -> tuple[str, str]:
    """Return whether the change acts, as a word and as a sentence."""
    told = list(
        dict.fromkeys(item["field"] for part in ("config", "parameters") for item in differences[part] or [])
    )
    others = [part for part in ("inputs", "code") if differences[part]]
    if like.verdict == "too little measured":
        return "unknown", f"only {like.values} measurements are in both runs: too few to tell."
    if like.is_alike and (told or others):
        rule = two_runs_rule("inert_change")
        what = ", ".join(_some([*told, *others]))
        words = rule["wording"].format(how=f"{like.verdict} ({like.values} values)")
        return "inert", f"inert change: {words}. Different: {what}. {rule['remedy']}"
    if like.is_alike:
        return (
            "repeated",
            f"nothing differs and everything measured is {like.verdict}: a repetition, or a copy.",
        )
    first = f" First difference: {like.first_difference}." if like.first_difference else ""
    if told or others:
        return "acts", f"{like.differing} of {like.values} measurements differ.{first}"
    return "unexplained", (
        f"{like.differing} of {like.values} measurements differ, although no stated parameter, input or code does: "
        f"look at seed, environment and what the artifacts do not state.{first}"
    )


def _convergence(parent: Mapping[str, Any] | None, child: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return best and last epoch and value of both; None where one does not state them."""
    if not parent or not child:
        return None
    found: dict[str, Any] = {}
    for which in ("best", "last"):
        epoch = f"{which}_epoch"
        if epoch in parent or epoch in child:
            found[epoch] = {"parent": parent.get(epoch), "child": child.get(epoch)}
        for name in parent:
            if name.startswith(f"{which}_") and name != epoch and name in child:
                a, b = parent[name], child[name]
                found[name] = {
                    "parent": a,
                    "child": b,
                    "difference": None if a is None or b is None else b - a,
                }
    return found


def _only_in_one(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, list[str]]]:
    """Return the layers that one run measured and the other did not, by signal."""
    found = {}
    for signal in sorted(before.keys() | after.keys()):
        first, second = before.get(signal, {}), after.get(signal, {})
        lone = {
            "parent": sorted(first.keys() - second.keys() - {RUN}),
            "child": sorted(second.keys() - first.keys() - {RUN}),
        }
        if any(lone.values()):
            found[signal] = lone
    return found


def _diffusion(parent: Artifact, child: Artifact, layers: list[Effect]) -> list[Diffusion]:
    rows = {
        effect.layer: effect.difference for effect in layers if effect.signal == "attention_stats.entropy"
    }
    before, after = parent.lag_curves(), child.lag_curves()
    found = [
        compare_diffusion(layer, before[layer], after[layer], rows.get(layer))
        for layer in before
        if layer in after
    ]
    return [item for item in found if item]


def _some(names: list[str], shown: int = 6) -> list[str]:
    return names[:shown] + ([f"and {len(names) - shown} more"] if len(names) > shown else [])
