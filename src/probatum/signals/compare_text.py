"""A comparison of signals in words and tables: for the terminal, and for the child's experiment log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from probatum.signals.compare import PARTS, SignalComparison
from probatum.signals.effects import Effect
from probatum.signals.robustness import STRENGTHS

_TITLES = {
    "gradient_norms": "gradients",
    "hidden_norms": "hidden norms",
    "attention_stats.entropy": "attention entropy",
    "weights.update_ratio": "update ratios",
}
CAVEAT = (
    "Spread is over probed batches of one run each: it separates these two runs, not the two methods; "
    "that takes several seeds."
)


def comparison_text(found: SignalComparison, *, every: bool = False) -> str:
    """Return the whole comparison as people read it on a terminal: what moved first, the rest counted.

    Args:
        found: The comparison.
        every: Whether the layers that did not move stand in the table too.
    """
    lines = [f"Parent: {found.parent}", f"Child:  {found.child}", "", "Told and given"]
    lines += [f"  {line}" for line in _told(found)]
    lines += ["", f"Change: {found.change}", f"  {found.change_sentence}"]
    lines += ["", f"Epochs: {found.epochs[0]} and {found.epochs[1]}, {found.epochs[2]} in both"]
    lines += ["", "Convergence", *(f"  {line}" for line in _convergence(found))]
    lines += _signals(found, every=every)
    lines += _section("Attention by distance back", _attention(found))
    lines += _section("Measured in one run only", _lone(found))
    lines += ["", "Robustness", *_indented(_curves_table(found.robustness["pairs"]))]
    lines += _indented(robustness_lines(found.robustness))
    return "\n".join([*lines, "", CAVEAT])


def summary_text(found: SignalComparison) -> str:
    """Return `instrumentation.signal_check.summary` of the child's log: several short lines."""
    lines = [f"vs {found.parent}, {found.epochs[2]} common epochs."]
    lines += _told(found)
    lines.append(f"Change: {found.change_sentence}")
    lines += _convergence(found)
    groups = [[own for own in found.layers if own.signal == name] for name in _signal_names(found.layers)]
    lines += [_signal_line(own[0].signal, own) for own in groups if any(map(_has_moved, own))]
    lines += _still_lines(found.layers)
    lines += [f"attention {line}" for line in _attention(found)]
    lines += _lone(found)
    if found.layers:
        lines.append(CAVEAT)
    return "\n".join(lines)


def notes_text(found: SignalComparison) -> str:
    """Return `instrumentation.perturbations.notes` of the child's log."""
    return "\n".join(robustness_lines(found.robustness)) or "No robustness curves in both runs."


def robustness_lines(robustness: dict[str, Any]) -> list[str]:
    """Return the paired tests first, then the curves that none was made for, then what is lacking."""
    lines = [test["sentence"] for test in robustness["tests"]]
    tested = {(f"{test['kind']}_curve", test["metric"]) for test in robustness["tests"]}
    for pair in robustness["pairs"]:
        if (pair["curve"], pair["metric"]) in tested:
            continue
        name = pair["curve"].removesuffix("_curve")
        last = pair["points"][-1]
        lines.append(
            f"{name} {pair['metric']}: {pair['verdict']}; mean drop {pair['parent_area']:.4f} (parent) and "
            f"{pair['child_area']:.4f} (child); at {STRENGTHS[pair['curve']]} {last['strength']:g} "
            f"{last['parent']:.4f} and {last['child']:.4f}{_overlaps(pair['points'])}"
        )
    return lines + robustness["notes"]


def _curves_table(pairs: Sequence[dict[str, Any]]) -> list[str]:
    """Return each curve's ends and mean drop in both runs, side by side."""
    rows = [("metric", "from", "to", "parent", "child", "mean drop: parent", "child")]
    for pair in pairs:
        first, last = pair["points"][0], pair["points"][-1]
        strength = STRENGTHS[pair["curve"]]
        rows.append(
            (
                pair["metric"], f"{strength} {first['strength']:g}", f"{strength} {last['strength']:g}",
                f"{first['parent']:.4f} -> {last['parent']:.4f}", f"{first['child']:.4f} -> {last['child']:.4f}",
                f"{pair['parent_area']:.4f}", f"{pair['child_area']:.4f}",
            )
        )  # fmt: skip
    return [*aligned(rows), ""] if pairs else []


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", title, *_indented(lines)] if lines else []


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" if line else "" for line in lines]


def _has_moved(effect: Effect) -> bool:
    return effect.verdict in ("larger", "smaller")


def _signal_names(effects: Sequence[Effect]) -> list[str]:
    return list(dict.fromkeys(effect.signal for effect in effects))


def _signals(found: SignalComparison, *, every: bool) -> list[str]:
    """Return the layers that moved, largest effect first, and how many others there are of each signal."""
    if not found.layers:
        return ["", "No layer signal is in both artifacts."]
    moved = sorted(filter(_has_moved, found.layers), key=lambda own: -abs(own.effect_size or 0.0))
    if every:
        return ["", "Signals, over the epochs of both", *_indented(_effects_table(found.layers))]
    lines = ["", f"Signals that moved: {len(moved)} of {len(found.layers)} layer signals"]
    if moved:
        lines += _indented(_effects_table(moved))
        lines.append("  effect: difference over the spread between batches; Holm p: within its signal")
    still = _still_lines(found.layers)
    lines += _section("Signals that did not move (--all shows each layer)", still)
    return lines


def _still_lines(effects: Sequence[Effect]) -> list[str]:
    """Return one line per verdict: which signals did not move, and in how many layers."""
    lines = []
    for verdict in dict.fromkeys(effect.verdict for effect in effects if not _has_moved(effect)):
        counts = Counter(effect.signal for effect in effects if effect.verdict == verdict)
        lines.append(f"{verdict}: {', '.join(f'{name} ({count})' for name, count in counts.items())}")
    return lines


def _overlaps(points: Sequence[dict[str, Any]]) -> str:
    known = [point for point in points if point["overlap"] is not None]
    if not known:
        return "; no intervals, so nothing can be said of chance"
    share = sum(point["overlap"] for point in known)
    return f"; intervals overlap at {share} of {len(known)} points"


def _told(found: SignalComparison) -> list[str]:
    lines = []
    for part in ("config", *PARTS):
        differing = found.differences[part]
        if differing is None:
            lines.append(f"{part}: not stated in both artifacts")
        elif not differing:
            lines.append(f"{part}: equal")
        else:
            shown = ", ".join(_field(item) for item in differing[:6])
            more = f", and {len(differing) - 6} more" if len(differing) > 6 else ""
            lines.append(f"{part}: {len(differing)} differ: {shown}{more}")
    return lines


def _field(item: dict[str, Any]) -> str:
    return f"{item['field']} {_value(item['parent'])} -> {_value(item['child'])}"


def _value(value: Any) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= 24 else text[:21] + "..."


def _convergence(found: SignalComparison) -> list[str]:
    if not found.convergence:
        return ["not stated in both artifacts"]
    lines = []
    for name, own in found.convergence.items():
        change = f" ({own['difference']:+.4f})" if own.get("difference") is not None else ""
        lines.append(f"{name} {_number(own['parent'])} -> {_number(own['child'])}{change}")
    return lines


def _signal_line(signal: str, effects: Sequence[Effect]) -> str:
    """Return how many layers moved which way, and the layer that moved most."""
    counts = Counter(effect.verdict for effect in effects)
    words = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    line = f"{_TITLES.get(signal, signal)}: {words} ({len(effects)} layer{'s' * (len(effects) > 1)})"
    moved = list(filter(_has_moved, effects))
    most = max(moved, key=lambda effect: abs(effect.effect_size or 0.0))
    return (
        f"{line}; most: {most.layer} {most.parent:.4g} -> {most.child:.4g}, effect {most.effect_size:+.2f} "
        f"batch spreads, difference [{_number(most.ci_low)}, {_number(most.ci_high)}], "
        f"Holm p {_number(most.p_adjusted)}"
    )


def _effects_table(effects: Iterable[Effect]) -> list[str]:
    rows = [
        ("signal", "layer", "parent", "child", "difference", "95% interval", "effect", "Holm p", "verdict")
    ]
    rows += [
        (
            effect.signal, effect.layer, _number(effect.parent), _number(effect.child),
            _number(effect.difference), _interval(effect), _number(effect.effect_size),
            _number(effect.p_adjusted), effect.verdict,
        )
        for effect in effects
    ]  # fmt: skip
    return aligned(rows)


def _attention(found: SignalComparison) -> list[str]:
    return [
        f"{own.layer}: {own.verdict}; lag-curve entropy {own.parent_curve_entropy:.3f} -> "
        f"{own.child_curve_entropy:.3f} nats, mean distance back {own.parent_centre:.2f} -> "
        f"{own.child_centre:.2f}, newest position {own.parent_newest:.3f} -> {own.child_newest:.3f}"
        for own in found.diffusion
    ]


def _lone(found: SignalComparison) -> list[str]:
    """Return the layers that one run lacks, with all of the signals that they have in the other."""
    signals: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for signal, own in found.only_in_one.items():
        for who, layers in own.items():
            if layers:
                signals.setdefault((who, tuple(layers)), []).append(signal)
    return [
        f"only in the {who}: {', '.join(grouped(names))} of {', '.join(layers[:4])}"
        f"{', ...' if len(layers) > 4 else ''}"
        for (who, layers), names in signals.items()
    ]


def grouped(names: Sequence[str]) -> list[str]:
    """Return dotted names with what they share said once.

    Example:
        >>> grouped(["gradient_stats.p1", "gradient_stats.p50", "a"])
        ['gradient_stats.{p1, p50}', 'a']
    """
    parts: dict[str, list[str]] = {}
    for name in names:
        group, dot, last = name.rpartition(".")
        parts.setdefault(group if dot else name, []).append(last if dot else "")
    return [
        f"{group}.{{{', '.join(own)}}}" if len(own) > 1 else ".".join(filter(None, [group, *own]))
        for group, own in parts.items()
    ]


def _interval(effect: Effect) -> str:
    return "-" if effect.ci_low is None else f"[{_number(effect.ci_low)}, {_number(effect.ci_high)}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines with aligned columns.

    Example:
        >>> aligned([("a", "bb"), ("ccc", "d")])
        ['a    bb', 'ccc  d']
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
