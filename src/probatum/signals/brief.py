"""The decision brief: what a person or a language model needs to judge an action.

Source: seed 004 ("Produces decision briefs explaining action choices"); the keys are its tracker's.
"""

from __future__ import annotations

from typing import Any

from probatum.signals.snapshot import Snapshot

KEY_METRICS = ("val_loss", "val_accuracy", "train_val_gap", "plateau_length")


def decision_brief(shot: Snapshot, action: str, reason: str = "") -> dict[str, Any]:
    """Return the brief of an action at an epoch, as strict JSON takes it.

    `key_metrics` holds None for what was not measured; `evidence` holds every finding with its numbers.

    Args:
        shot: The epoch, as `narrative.tell` returned it.
        action: What is done.
        reason: Why, in the words of whoever chose it.

    Example:
        >>> decision_brief(Snapshot(3, val_loss=0.5), "WAIT")["key_metrics"]["val_loss"]
        0.5
    """
    return {
        "action": action,
        "epoch": shot.epoch,
        "narrative": shot.narrative,
        "red_flags": list(shot.red_flags),
        "opportunities": list(shot.opportunities),
        "heuristic_reason": reason,
        "gradient_health": None if shot.gradient_health is None else dict(shot.gradient_health),
        "key_metrics": {name: getattr(shot, name) for name in KEY_METRICS},
        "primary_metric": None if shot.primary is None else dict(shot.primary),
        "evidence": [finding.as_record() for finding in shot.findings],
    }


def brief_markdown(brief: dict[str, Any]) -> str:
    """Return a brief as Markdown: headline, narrative, numbers, and the evidence of every flag.

    Example:
        >>> brief_markdown(decision_brief(Snapshot(3, narrative="Training normally"), "WAIT")).splitlines()[0]
        '## Epoch 3: WAIT'
    """
    lines = [f"## Epoch {brief['epoch']}: {_plain(brief['action'])}", "", _plain(brief["narrative"]), ""]
    if brief["heuristic_reason"]:
        lines += [f"Reason: {_plain(brief['heuristic_reason'])}", ""]
    lines += ["| metric | value |", "|---|---|"]
    lines += [f"| {name} | {_number(value)} |" for name, value in brief["key_metrics"].items()]
    if brief["primary_metric"]:
        primary = brief["primary_metric"]
        better = "higher" if primary["higher_is_better"] else "lower"
        lines.append(f"| {_plain(primary['name'])} ({better} is better) | {_number(primary['value'])} |")
    score = (brief["gradient_health"] or {}).get("score")
    lines += [f"| gradient health | {_number(score)} |", ""]
    for kind, title in (("red_flag", "Red flags"), ("opportunity", "Opportunities")):
        lines += _section(title, [item for item in brief["evidence"] if item["kind"] == kind])
    return "\n".join(lines).rstrip() + "\n"


def _section(title: str, findings: list[dict[str, Any]]) -> list[str]:
    if not findings:
        return [f"### {title}", "", "None.", ""]
    lines = [f"### {title}", ""]
    for item in findings:
        lines += [
            f"- **{_plain(item['name'])}**: {_plain(item['wording'])}",
            f"  - evidence: {_plain('; '.join(item['evidence']))}",
            f"  - next: {_plain(item['remedy'])} (source: {_plain(item['source'])})",
        ]
    return [*lines, ""]


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4g}"


def _plain(text: str) -> str:
    """Return text that cannot open a tag or a table cell: names come from people's modules and plans."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")
