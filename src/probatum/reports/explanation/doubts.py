"""What to doubt in a comparison: each doubt with a code, a weight, its numbers, and one sentence made of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from probatum.analysis.comparison import ALPHA
from probatum.analysis.records import number
from probatum.analysis.separation import seeds_needed
from probatum.reports.explanation.changes import is_data_changed, pairs_of
from probatum.reports.explanation.effects import row_of
from probatum.reports.explanation.sides import Side
from probatum.reproduction.differences import metric_differences
from probatum.runs.lenient import as_map

SEVERITIES = ("high", "medium", "low")  # the claim falls; it is weaker; it should be said
BUDGET = 1.1  # times the other side's epochs or training time: more is another budget
_JUDGED = ("splits.val", "splits.test", "splits.eval")
_SHOWN = 4  # names in a sentence


def what_to_doubt(parent: Side, child: Side, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the doubts, weightiest first.

    Args:
        parent: The runs without the change.
        child: The runs with it.
        found: The sections `changed`, `did` and `why`.
    """
    rows = [
        *_seeds(parent, child, found["did"]), *_records(parent, child, found), *_change(found),
        *_budget(found["did"], found["why"]["alignment"]), *_epochs(parent, child),
        *_splits(parent, child, found["did"]), *_leaks(parent, child), *_signals(found["why"]),
    ]  # fmt: skip
    return sorted(rows, key=lambda row: SEVERITIES.index(row["severity"]))


def _doubt(code: str, severity: str, sentence: str, **numbers: Any) -> dict[str, Any]:
    return {"code": code, "severity": severity, "numbers": numbers, "sentence": sentence}


def _seeds(parent: Side, child: Side, did: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    common = sorted(set(parent.seeds) & set(child.seeds))
    paired = len(common) > 1 or len(parent.seeds) == len(child.seeds) == len(common) == 1
    n, needed = (
        len(common) if paired else min(parent.group.n, child.group.n),
        seeds_needed(ALPHA, paired=paired),
    )
    if n < needed:
        yield _doubt(
            "too_few_seeds", "high",
            f"{n} {'paired ' if paired else ''}{_plural(n, 'seed')} cannot separate anything at {ALPHA:g}, "
            f"whatever the difference; {needed} could."
            + (" The intervals, not the verdicts, carry the information." if n > 1 else ""),
            n=n, needed=needed, alpha=ALPHA,
        )  # fmt: skip
    if not paired:
        yield _doubt(
            "no_common_seeds", "medium",
            f"Parent and child share too few seeds to be paired ({_some(parent.seeds)} and "
            f"{_some(child.seeds)}): the spread between seeds is not taken out.",
            parent=parent.seeds, child=child.seeds,
        )  # fmt: skip
    elif lone := sorted(set(parent.seeds) ^ set(child.seeds)):
        yield _doubt("unpaired_seeds", "medium", f"{_plural(len(lone), 'Seed')} {_some(lone)} of one side only "
                     f"{'is' if len(lone) == 1 else 'are'} left out of the paired tests.", seeds=lone)  # fmt: skip
    for word, side in (("parent", parent), ("child", child)):
        if failed := side.group.failures():
            yield _doubt(
                "failed_runs", "medium",
                f"{len(failed)} {_plural(len(failed), 'run')} of the {word} did not complete: the others are the "
                "survivors.", side=word, runs=len(failed),
            )  # fmt: skip
    if did["primary"] is not None and not did["is_declared"]:
        yield _doubt(
            "metric_chosen_after", "medium",
            "The metric that is judged by was named for this explanation: where it was chosen after looking, its "
            "p-value promises too much.", metric=did["primary"],
        )  # fmt: skip
    if row_of(did) is None:
        yield _doubt("no_primary_metric", "medium", "No primary metric was declared before the runs: whichever is "
                     "quoted was chosen after looking.")  # fmt: skip


def _records(parent: Side, child: Side, found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    changed = found["changed"]
    yield from _data(changed)
    if changed["not_recorded"]:
        yield _doubt("not_recorded", "medium", f"Not recorded on both sides: {_some(changed['not_recorded'])}. "
                     "Whether it differs cannot be told.", parts=changed["not_recorded"])  # fmt: skip
    for part, code in (("code", "other_code"), ("environment", "environment_drift")):
        if names := [own["name"] for own in changed[part]]:
            words = "the code itself" if part == "code" else "the environment"
            yield _doubt(
                code, "medium", f"Beside the parameters, {words} differs: {_some(names)}.", fields=names
            )
    metrics = sorted({own.field for _, *both in pairs_of(parent, child) for own in metric_differences(*both)})
    if metrics:
        yield _doubt(
            "other_metrics", "high", f"The metrics are not defined alike: {_some(metrics)}.", fields=metrics
        )
    for note in dict.fromkeys([*parent.notes, *child.notes]):
        yield _doubt("unreadable", "low", f"Left out: {note}", note=note)


def _data(changed: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Say whether both sides saw the same samples; data that follow a changed parameter are part of the change."""
    if not is_data_changed(changed):
        return
    names = [own["name"] for own in changed["data"]]
    asked = [own["name"] for own in changed["parameters"] if own["category"] == "data"]
    judged = [name for name in names if name.startswith(_JUDGED) and name.endswith(("sha256", "rows"))]
    where = "splits" if all(name.startswith("splits.") for name in names) else "data"
    if asked and not judged:
        yield _doubt(
            "data_as_asked", "low",
            f"The training data differ, as {_some(asked)} asks; validation and test are the same "
            f"samples.", fields=names,
        )  # fmt: skip
        return
    on = " and were not judged on the same samples" if judged else ""
    yield _doubt(
        f"other_{where}", "high",
        f"Parent and child did not see the same {where}{on}: {_some(judged or names)}. What is measured is "
        "the change and "
        f"the {where} together.", fields=names,
    )  # fmt: skip


def _change(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    changed, likeness = found["changed"], found["why"]["signals"]["likeness"]
    names = [own["name"] for own in changed["parameters"]]
    told = names or changed["data"] or changed["code"]
    if changed["never_read"]:
        yield _doubt(
            "never_read", "high",
            f"The runs never read {_some(changed['never_read'])}: it cannot have acted.",
            parameters=changed["never_read"],
        )  # fmt: skip
    if likeness and likeness["alike_pairs"]:
        yield _doubt(
            "inert_change", "high",
            f"In {likeness['alike_pairs']} of {likeness['pairs']} pairs everything measured is the same: "
            "the change did not act there.", **likeness,
        )  # fmt: skip
    elif not told and likeness:
        yield _doubt("unexplained", "high", "No recorded parameter, data or code differs, and the runs do: what "
                     "differs was not recorded.")  # fmt: skip
    if len(names) > 1:
        yield _doubt(
            "several_changes", "medium",
            f"{len(names)} parameters changed together ({_some(names)}): the effect belongs to all of "
            "them, to none alone.", parameters=names,
        )  # fmt: skip
    if varying := [own["name"] for own in changed["varies_within"]]:
        yield _doubt(
            "varies_with_seed", "low",
            f"{_some(varying)} varied from run to run on a side: the spread over seeds holds that too.",
            parameters=varying,
        )  # fmt: skip


def _budget(did: Mapping[str, Any], alignment: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Say where one side trained longer; a stage before the training counts."""
    rows = {row["column"]: row for row in did["metrics"] if row["family"] == "cost"}
    numbers: dict[str, Any] = {}
    for column, word in (("last_epoch", "epochs"), ("final_step", "steps"), ("training_seconds", "seconds")):
        if (row := rows.get(column)) and row["parent"]["mean"] > 0:
            ratio = row["child"]["mean"] / row["parent"]["mean"]
            clear = column != "training_seconds" or (
                row["ci_low"] is not None and row["ci_low"] * row["ci_high"] > 0
            )
            if clear and not 1 / BUDGET < ratio < BUDGET:
                numbers[word] = {
                    "parent": row["parent"]["mean"],
                    "child": row["child"]["mean"],
                    "ratio": ratio,
                }
    if numbers:
        told = "; ".join(
            f"{own['parent']:.4g} and {own['child']:.4g} {word}" for word, own in numbers.items()
        )
        more = max(own["ratio"] for own in numbers.values()) > 1
        stage = alignment["epochs_before_child" if more else "epochs_before_parent"]
        before = f", {stage} of its epochs before training proper" if stage else ""
        yield _doubt(
            "unequal_budget", "high",
            f"The {'child' if more else 'parent'} trained longer (parent and child: {told}{before}): a "
            "difference may be "
            "the budget's.", **numbers,
        )  # fmt: skip


def _epochs(parent: Side, child: Side) -> Iterator[dict[str, Any]]:
    for word, side in (("parent", parent), ("child", child)):
        at_end, early = [], []
        for seed, record in side.by_seed.items():
            result = next((own for own in record.per_seed() if own.get("seed", seed) == seed), {})
            best, last = number(result.get("best_epoch")), number(result.get("last_epoch"))
            asked = number(as_map(record.config.get("parameters")).get("epochs"))
            if best is not None and best == last:
                at_end.append(seed)
            if last is not None and asked is not None and last < asked:
                early.append(seed)
        n = len(side.by_seed)
        if at_end:
            yield _doubt(
                "best_at_last_epoch", "medium" if 2 * len(at_end) > n else "low",
                f"{len(at_end)} of {n} runs of the {word} were best at their last epoch: they may not have been "
                "trained to the end.", side=word, runs=len(at_end), of=n,
            )  # fmt: skip
        if early:
            yield _doubt(
                "stopped_early", "low",
                f"{len(early)} of {n} runs of the {word} stopped before the epochs that were asked for.",
                side=word, runs=len(early), of=n,
            )  # fmt: skip


def _splits(parent: Side, child: Side, did: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    primary = row_of(did)
    if primary is None:
        return
    if "test" in primary["metric"].split("_"):
        yield _doubt(
            "chosen_on_test", "high",
            f"The primary metric {primary['metric']} is of the test split: what it chose (epoch, variant) has "
            "seen the test.", metric=primary["metric"],
        )  # fmt: skip
        return
    others = {word: own for own in did["metrics"] if (word := _same_metric(primary, own))}
    if primary["at_epoch"] == "best":
        against = [f"{own['difference']:+.4g} {word}" for word, own in others.items()]
        turned = [word for word, own in others.items() if own["difference"] * primary["difference"] < 0]
        yield _doubt(
            "validation_used_twice", "medium" if turned or not others else "low",
            f"Validation chose the best epoch and judges it: {primary['difference']:+.4g} there"
            + (f", {', '.join(against)}." if against else ".")
            + (f" The sign turns {' and '.join(turned)}." if turned else ""),
            difference=primary["difference"], sign_turns=turned,
            **{word.replace(" ", "_"): own["difference"] for word, own in others.items()},
        )  # fmt: skip
    tested = [row for row in did["metrics"] if row["family"] == "test"]
    if tested:
        metrics = f"{len(tested)} {_plural(len(tested), 'metric')}"
        yield _doubt(
            "test_looked_at", "low",
            f"The test split was evaluated on both sides ({metrics}): a choice made after reading these "
            "numbers needs new data.", metrics=len(tested),
        )  # fmt: skip
    else:
        yield _doubt("no_test", "medium", "No held-out test split was evaluated on both sides.")


def _same_metric(primary: Mapping[str, Any], row: Mapping[str, Any]) -> str | None:
    """Return how a row relates to the primary one: the same metric at the last epoch, or on the test split."""
    if row["metric"] == primary["metric"] and row["at_epoch"] == "last":
        return "at the last epoch"
    bare = re.sub(r"^(valid|validation|val|eval)_", "", primary["metric"])
    return "on test" if row["family"] == "test" and row["metric"] == f"test_{bare}" else None


def _leaks(parent: Side, child: Side) -> Iterator[dict[str, Any]]:
    """Say what the data records show of leaks: splits of one digest, preprocessing fitted beyond training."""
    shared, fitted, missing = set(), set(), set()
    for record in [*parent.records, *child.records]:
        data = as_map(record.data)
        digests: dict[str, str] = {}
        for split, own in as_map(data.get("splits")).items():
            digest = as_map(own).get("sha256")
            if digest and digest in digests:
                shared.add(f"{digests[digest]} = {split}")
            elif digest:
                digests[str(digest)] = split
        on = as_map(data.get("preprocessing")).get("fitted_on")
        if on not in (None, "train"):
            fitted.add(str(on))
        missing |= set(map(str, record.config.get("missing_params") or ()))
    if shared:
        yield _doubt("splits_overlap", "high", f"Two splits hold the same samples: {_some(sorted(shared))}.",
                     splits=sorted(shared))  # fmt: skip
    if fitted:
        yield _doubt(
            "fitted_beyond_train", "high",
            f"Preprocessing was fitted on {_some(sorted(fitted))}, not on the training split alone.",
            fitted_on=sorted(fitted),
        )  # fmt: skip
    if missing:
        yield _doubt("missing_parameters", "high", f"Parameters were read that the record does not hold: "
                     f"{_some(sorted(missing))}.", parameters=sorted(missing))  # fmt: skip


def _signals(why: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    signals = why["signals"]
    if signals["unit"] == "batch":
        yield _doubt(
            "one_pair_of_signals", "medium",
            "Signals of one pair of runs: their spread is over probed batches and tells these two runs apart, "
            "not the two methods.",
        )  # fmt: skip
    if signals["unit"] == "seed" and signals["moved"]:
        expected = ALPHA * signals["different"]
        yield _doubt(
            "many_signals", "low",
            f"{signals['moved']} of {signals['different']} layer signals that differ have an interval "
            f"without zero; about {expected:.0f} would by chance alone.",
            moved=signals["moved"], different=signals["different"], expected_by_chance=expected,
        )  # fmt: skip
    alignment = why["alignment"]
    if alignment["on"] != "epoch":
        yield _doubt(
            "epochs_shifted", "low",
            f"Epochs are counted from the first of training proper: {alignment['epochs_before_parent']} "
            f"epochs of the parent and {alignment['epochs_before_child']} of the child stand before it and "
            "are not compared.",
            **alignment,
        )  # fmt: skip
    for row in why["robustness"]["curves"]:
        level = row["level"]
        if row["verdict"] == "degrades more slowly" and level["ci_high"] is not None and level["ci_high"] < 0:
            yield _doubt(
                "lower_start", "medium",
                f"{row['metric']} under {row['curve']} degrades more slowly from a lower start: with less to "
                "lose that is not robustness.", **level,
            )  # fmt: skip


def _some(names: list[Any]) -> str:
    shown = ", ".join(f"`{name}`" if isinstance(name, str) else str(name) for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "") if names else "none"


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"
