"""The briefs of an episode: each decision as a person or a language model needs it to judge and to act.

A brief is that of `signals.brief` (narrative, key numbers, red flags and opportunities with their evidence),
followed by what was done, why, why not something else, and what came of it. Names and reasons come from
people's modules and policies, so that nothing of them is taken for Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from probatum._errors import UsageError
from probatum.packs.decision import BRIEF
from probatum.signals.brief import brief_markdown

_SPECIAL = re.compile(
    r"[\\`*\[\]~]|(?<!\w)_|_(?!\w)|(?<=\w)://|^(?:#+(?=\s)|>|[+-](?=[\s-])|=|\d+[.)](?=\s))"
)


def episode_brief(episode: Mapping[str, Any], decision: int | None = None) -> dict[str, Any]:
    """Return the briefs of an episode, as strict JSON takes them.

    Args:
        episode: By the seed's keys.
        decision: Which decision, counted from 0; all where None.

    Raises:
        UsageError: there is no such decision.
    """
    count = len(episode["decisions"])
    if decision is not None and not 0 <= decision < count:
        raise UsageError(
            f"{episode['episode_id']} has {count} decisions, 0 to {count - 1}; there is no decision {decision}."
        )
    chosen = range(count) if decision is None else [decision]
    return {
        "episode_id": episode["episode_id"],
        "policy": episode["policy"],
        "summary": episode["summary"],
        "test_accuracy": episode["test_accuracy"],
        "final_validation_accuracy": episode["validation_accuracies"][-1],
        "decisions": [{"decision": number, **_brief(episode["decisions"][number])} for number in chosen],
    }


def episode_markdown(brief: Mapping[str, Any]) -> str:
    """Return `episode_brief` as Markdown."""
    told = brief["summary"]
    lines = [
        f"# {escaped(brief['episode_id'])}: {escaped(told['outcome'])}",
        "",
        f"Policy {escaped(brief['policy'])}. {escaped(told['trajectory'])}.",
        f"Outcome by {told['outcome_basis']}, gain {_points(told['gain_points'])}; validation accuracy at the end "
        f"{_percent(brief['final_validation_accuracy'])}, test accuracy {_percent(brief['test_accuracy'])}.",
        "",
        *(f"- epoch {each['epoch']}: {_moment(each)}" for each in told["key_moments"]),
    ]
    parts = ["\n".join(lines).rstrip() + "\n", *(decision_markdown(each) for each in brief["decisions"])]
    return "\n".join(parts)


def decision_markdown(brief: Mapping[str, Any]) -> str:
    """Return the brief of one decision as Markdown."""
    action, hindsight = brief["taken"], brief["hindsight"]
    lines = [f"Action: **{escaped(action['name'])}**, {_how(action)}.", ""]
    refused = brief["why_not_alternatives"]
    if refused:
        lines += [
            "### Why not",
            "",
            *(f"- {escaped(name)}: {escaped(why)}" for name, why in refused.items()),
            "",
        ]
    lines += ["### Hindsight", "", _judged(hindsight), ""]
    return brief_markdown(_escaped_values(brief)) + "\n" + "\n".join(lines)


def escaped(text: object) -> str:
    r"""Return text that Markdown shows as it stands: no emphasis, link, code, tag, table cell or list.

    Example:
        >>> print(escaped("*now* [x](http://y) <b> a_b | c"))
        \*now\* \[x\](http:\//y) &lt;b> a_b \| c
    """
    return _markup(_quoted(str(text)))


def _brief(decision: Mapping[str, Any]) -> dict[str, Any]:
    """Return a decision with the keys of `signals.brief.decision_brief`, and what came after."""
    context = decision["decision_context"]
    return {
        "action": decision["action"]["name"],
        "epoch": decision["epoch"],
        "narrative": context["narrative"],
        "red_flags": context["red_flags"],
        "opportunities": context["opportunities"],
        "heuristic_reason": context["why_this_action"],
        **{name: context[name] for name in BRIEF},
        "taken": decision["action"],
        "allowed": decision["allowed"],
        "why_not_alternatives": context["why_not_alternatives"],
        "hindsight": decision["hindsight"],
    }


def _escaped_values(value: Any) -> Any:
    """Return the texts of a brief without Markdown of their own; `brief_markdown` escapes tags and cells itself."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return {name: _escaped_values(each) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [_escaped_values(each) for each in value]
    return value


def _quoted(text: str) -> str:
    flat = " ".join(text.split())
    return _SPECIAL.sub(_character, flat)


def _character(found: re.Match[str]) -> str:
    text = found.group()
    if text == "://":
        return ":\\//"  # no address becomes a link by itself
    return f"{text[:-1]}\\{text[-1]}"


def _markup(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")


def _moment(moment: Mapping[str, Any]) -> str:
    gained = f" ({escaped(moment['improvement'])})" if "improvement" in moment else ""
    return escaped(moment["event"]) + gained


def _how(action: Mapping[str, Any]) -> str:
    confidence = action["confidence"]
    parts = ["confidence " + ("not stated" if confidence is None else f"{confidence:.2f}")]
    parts.append(f"probability {action['probabilities'].get(action['name'], 0.0):.3g}")
    if action["is_exploratory"]:
        parts.append(f"taken to explore in place of {escaped(action['greedy'])}")
    if not action["is_carried_out"]:
        parts.append("not allowed, so that nothing was done")
    return ", ".join(parts)


def _judged(hindsight: Mapping[str, Any]) -> str:
    good = hindsight["was_good_decision"]
    if good is None:
        return "Not judged: an accuracy was not measured."
    word = "A good decision" if good else "Not a good decision"
    after = f"{_percent(hindsight['accuracy_after'])} after {hindsight['horizon_epochs']} epochs"
    if hindsight["basis"] == "counterfactual":
        against = f"{_percent(hindsight['accuracy_without'])} of the same run left alone"
    else:
        against = (
            f"{_percent(hindsight['accuracy_before'])} when it was made (training alone may have won it)"
        )
    later = hindsight["accuracy_5_epochs_later"]
    five = "the episode ended within five epochs" if later is None else f"{_percent(later)} five epochs later"
    gained = _points(hindsight["difference_points"])
    return f"{word}, by {hindsight['basis']}: {after}, against {against}: {gained}; {five}."


def _percent(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1f}%"


def _points(value: float | None) -> str:
    return "not measured" if value is None else f"{value:+.2f} points"
