"""What to try next: what would settle each doubt, with its command, and the remedies that the rules give."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from probatum._errors import RecordError
from probatum.analysis.comparison import ALPHA
from probatum.reports.explanation.effects import row_of
from probatum.reports.explanation.sides import Side
from probatum.runs.lenient import as_map

_MOST = 4  # remedies


def what_to_try(parent: Side, child: Side, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the suggestions: those that settle the claim first, then remedies for what ails the child's runs.

    Args:
        parent: The runs without the change.
        child: The runs with it.
        found: The sections `changed`, `did`, `why` and `doubts`.
    """
    codes = {doubt["code"]: doubt for doubt in found["doubts"]}
    return [
        *_settling(parent, child, found, codes), *_checking(parent, child, found, codes),
        *_remedies(parent, child),
    ]  # fmt: skip


def _try(
    action: str, sentence: str, because: list[str], commands: Sequence[str] = (), **numbers: Any
) -> dict[str, Any]:
    return {
        "action": action, "because": because, "commands": list(commands), "numbers": numbers, "sentence": sentence,
    }  # fmt: skip


def _settling(
    parent: Side, child: Side, found: Mapping[str, Any], codes: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield what settles the claim: the same budget, enough seeds, one change at a time."""
    changed = found["changed"]
    varying = [own["name"] for own in changed["varies_within"]]
    if "unequal_budget" in codes:
        yield from _equal_budget(parent, child, codes["unequal_budget"], varying)
    if "too_few_seeds" in codes:
        needed = codes["too_few_seeds"]["numbers"]["needed"]
        used = sorted(set(parent.seeds) | set(child.seeds))
        new = [seed for seed in range(1, needed + len(used) + 1) if seed not in used]
        new = new[: max(1, needed - len(set(parent.seeds) & set(child.seeds)))]
        where = f"to the plan (`seeds: {sorted([*used, *new])}`)" if child.metadata else "on both sides"
        lines = [line for side in (parent, child) for line in _launches(side, {}, new, varying)]
        yield _try(
            "add_seeds",
            f"Add {_seeds(new)} {where}: at n={needed} the exact test can speak for the primary metric.",
            ["too_few_seeds"], [] if child.metadata else lines, seeds=new, n=needed, alpha=ALPHA,
        )  # fmt: skip
    if "several_changes" in codes:
        names = codes["several_changes"]["numbers"]["parameters"]
        values = {own["name"]: own["child"] for own in changed["parameters"]}
        yield _try(
            "one_change_at_a_time", "Run a plan with one experiment for each change alone: "
            + ", ".join(f"`{name}: {_word(values[name])}`" for name in names) + ".",
            ["several_changes"],
            experiments=[{"name": name, "override": {name: values[name]}} for name in names],
        )  # fmt: skip


def _checking(
    parent: Side, child: Side, found: Mapping[str, Any], codes: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield what makes the comparison itself sound, and what would tell more."""
    varying = [own["name"] for own in found["changed"]["varies_within"]]
    for code in ("never_read", "inert_change"):
        if code in codes:
            yield _try("find_the_switch", "Find what the parameter needs beside itself before anything is measured "
                       "again.", [code])  # fmt: skip
    differing = [
        name for name in ("environment_drift", "other_code", "other_data", "other_splits") if name in codes
    ]
    if differing:
        yield _try("same_conditions", "Reproduce the parent under the child's conditions, then compare again.",
                   differing, _reproduce(parent))  # fmt: skip
    if "no_test" in codes and child.folders:
        names = [paths.name for side in (parent, child) for paths in side.folders]
        yield _try(
            "evaluate_once", "Evaluate both sides once on the test split, after the last choice.", ["no_test"],
            [f"probatum evaluate {shlex.quote(name)}" for name in names],
        )  # fmt: skip
    if longer := [
        own for own in found["doubts"] if own["code"] == "best_at_last_epoch" and own["severity"] == "medium"
    ]:
        who = " and ".join(own["numbers"]["side"] for own in longer)
        yield _try(
            "train_longer", f"Train {who} for more epochs, both sides alike: the best epoch was the last.",
            ["best_at_last_epoch"],
        )  # fmt: skip
    primary = row_of(found["did"])
    told = primary is not None and primary["verdict"] in ("better", "worse", "larger", "smaller")
    if told and child.folders and not any(own["severity"] == "high" for own in found["doubts"]):
        yield _try(
            "confirm", "Reproduce the child once, before the claim is told.", [], _reproduce(child)[:1]
        )
    if not found["why"]["signals"]["measured"]:
        signals = {"instrument_signals": True}
        lines = [
            line for side in (parent, child) for line in _launches(side, signals, side.seeds[:1], varying)
        ]
        yield _try(
            "measure_signals", "Run a pair with signals: why stays unanswered without them.", [], lines
        )


def _equal_budget(
    parent: Side, child: Side, doubt: Mapping[str, Any], varying: list[str]
) -> Iterator[dict[str, Any]]:
    epochs = doubt["numbers"].get("epochs")
    if not epochs:
        yield _try(
            "equal_budget", "Give both sides the same number of steps or the same time.", ["unequal_budget"]
        )
        return
    shorter, most = (parent, epochs["child"]) if epochs["ratio"] > 1 else (child, epochs["parent"])
    word = "parent" if shorter is parent else "child"
    yield _try(
        "equal_budget", f"Run the {word} with {most:g} epochs too: the difference that stays is not the budget's.",
        ["unequal_budget"], _launches(shorter, {"epochs": round(most)}, shorter.seeds, varying),
        side=word, epochs=most,
    )  # fmt: skip


def _launches(
    side: Side, changes: Mapping[str, Any], seeds: Sequence[int], varying: Sequence[str]
) -> list[str]:
    """Return the commands that launch a side again: one for all seeds, or each where a parameter follows the seed.

    Empty for runs of a foreign command, which have no record to tell it from.
    """
    if not side.records or not seeds:
        return []
    config = side.records[0].config
    following = [name for name in varying if _follows(side, name)]
    words = ["probatum", "launch", str(as_map(config.get("experiment")).get("study"))]
    for name, value in {**as_map(config.get("overrides")), **changes}.items():
        if name not in ("seeds", *varying):
            words += [f"--{name}", *map(_word, value if isinstance(value, list) else [value])]
    if not following:
        return [shlex.join([*words, "--seeds", *map(str, seeds)])]
    return [
        shlex.join(
            [*words, "--seeds", str(seed), *(word for name in following for word in (f"--{name}", str(seed)))]
        )
        for seed in seeds
    ]


def _follows(side: Side, name: str) -> bool:
    """Return whether a parameter is the seed itself in every run of a side."""
    return all([as_map(own.config.get("parameters")).get(name)] == own.seeds for own in side.records)


def _reproduce(side: Side) -> list[str]:
    return [f"probatum reproduce {shlex.quote(paths.name)}" for paths in side.folders]


def _word(value: Any) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds"


def _remedies(parent: Side, child: Side) -> Iterator[dict[str, Any]]:
    """Yield what the rules advise for the child's runs, and in how many of the parent's they say the same."""
    own, others = _causes(child), _causes(parent)
    ranked = sorted(own.items(), key=lambda item: -len(item[1]))
    for name, found in ranked[:_MOST]:
        cause = found[0]
        likely = sum(one["certainty"] == "likely" for one in found)
        alike = len(others.get(name, []))
        yield _try(
            "remedy",
            f"{name.replace('_', ' ').capitalize()} is "
            f"{'likely' if 2 * likely > len(found) else 'possible'} in {len(found)} of {child.group.n} "
            f"runs of the child ({alike} of {parent.group.n} of the parent): {cause['advice']}.",
            [], cause=name, child_runs=len(found), parent_runs=alike, likely=likely,
            evidence=cause["evidence"], sources=cause["sources"],
        )  # fmt: skip


def _causes(side: Side) -> dict[str, list[dict[str, Any]]]:
    try:
        from probatum.policies.advisor import advise
        from probatum.policies.run_snapshots import run_snapshots
    except ImportError:  # the rooms are joined one by one
        return {}
    found: dict[str, list[dict[str, Any]]] = {}
    for record in side.records:
        try:
            trainings = run_snapshots(record.paths)
        except (RecordError, KeyError):
            continue
        for own in trainings:
            if side.tag is None or side.tag in own.source or not own.has_signals:
                for cause in advise(own.shots, has_signals=own.has_signals)["causes"]:
                    found.setdefault(cause["cause"], []).append(cause)
    return found
