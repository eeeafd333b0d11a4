"""The record in Markdown, for people: the answer first, then the evidence, then what to doubt and to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from probatum.analysis.separation import smallest_paired_p
from probatum.signals.show import spark

SHOWN = 10  # signals in the table
PER_SIGNAL = 3  # layers of one signal in the table
_FIELDS = 12  # fields of a part that are listed
_ROWS = 16  # metrics in the table
_FAMILIES = {"primary": "primary", "sealed": "sealed", "test": "test split"}
_WEIGHTS = {
    "high": "**The claim stands or falls with it**",
    "medium": "**It weakens the claim**",
    "low": "**Good to know**",
}
_COMMANDS = 4  # of one suggestion
_LONGEST = 48  # characters of a value in a table


def markdown(record: Mapping[str, Any]) -> str:
    """Return an explanation as a Markdown page."""
    parts = [
        [f"# {_plain(record['child']['name'])} against {_plain(record['parent']['name'])}"],
        _short(record), _changed(record), _did(record), _why(record), _doubts(record), _next(record),
    ]  # fmt: skip
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def summary_lines(record: Mapping[str, Any]) -> list[str]:
    """Return the explanation in a few lines, for an experiment log: no table, no markup."""
    lines = [f"explained against {record['parent']['name']}"]
    changed = record["changed"]["parameters"]
    told = ", ".join(
        f"{own['name']} {_value(own['parent'])} -> {_value(own['child'])}" for own in changed[:6]
    )
    lines.append(f"changed: {told or 'no recorded parameter'}")
    lines += [f"did: {_metric_words(row)}" for row in record["did"]["metrics"] if row["family"] == "primary"]
    signals = record["why"]["signals"]
    clear = [row for row in signals["signals"] if row["least_effect"] > 0][:3]
    lines += [f"moved together with it: {_signal_words(row, signals['unit'])}" for row in clear]
    lines += [
        f"doubt ({own['severity']}): {own['sentence']}"
        for own in record["doubts"]
        if own["severity"] == "high"
    ]
    lines += [f"next: {own['sentence']}" for own in record["next"][:2]]
    return [line.replace("`", "") for line in lines]


def robustness_lines(record: Mapping[str, Any]) -> list[str]:
    """Return what the robustness curves say, one line each, for an experiment log."""
    found = record["why"]["robustness"]
    lines = [
        f"{row['curve']} {row['metric']}: {row['verdict']} over {row['n']} "
        f"{'seed' if row['n'] == 1 else 'seeds'}; mean drop {_number(row['parent_area'])} (parent) and "
        f"{_number(row['child_area'])} (child), difference "
        f"{_signed(row['difference'])}{_interval(row['ci_low'], row['ci_high'])}"
        for row in found["curves"]
    ]
    return lines + found["notes"]


def _short(record: Mapping[str, Any]) -> list[str]:
    primary = next((row for row in record["did"]["metrics"] if row["family"] == "primary"), None)
    if primary is None:
        first = "No primary metric is in both sides."
    else:
        first = f"{_verdict_words(primary)} {_metric_words(primary)}."
    count = len(record["changed"]["parameters"])
    high = [own["code"].replace("_", " ") for own in record["doubts"] if own["severity"] == "high"]
    second = f"{count} {'parameter' if count == 1 else 'parameters'} changed."
    third = f" Weighty doubts: {', '.join(high)}." if high else " No weighty doubt was found."
    bold, _, rest = first.partition(". ")
    reach = _reach(primary) if primary else ""
    return [f"**{bold}.** {rest}{reach}" if rest else first, "", second + third]


def _reach(row: Mapping[str, Any]) -> str:
    """Return what the interval still allows, where the test could not separate: that is what was learned."""
    if row["ci_low"] is None or row["verdict"] not in ("cannot separate", "not separated"):
        return ""
    return (
        f" The 95% interval still allows anything from {_signed(row['ci_low'])} to {_signed(row['ci_high'])}."
    )


def _verdict_words(row: Mapping[str, Any]) -> str:
    words = {
        "better": "It helped.", "worse": "It harmed.", "not separated": "No difference shown.",
        "cannot separate": "Cannot be told with these seeds.", "one seed": "Cannot be told with one seed.",
        "larger": "It changed.", "smaller": "It changed.",
    }  # fmt: skip
    return words.get(row["verdict"], f"{row['verdict']}.")


def _metric_words(row: Mapping[str, Any]) -> str:
    where = f" at the {row['at_epoch']} epoch" if row["at_epoch"] else ""
    if row["n"] < 2:
        n = "one pair of runs"
    else:
        n = f"{row['n']} paired seeds" if row["is_paired"] else f"n={row['n']}, not paired"
    return (
        f"{_code(row['metric'])}{where}: {_number(row['parent']['mean'])} -> "
        f"{_number(row['child']['mean'])}, difference "
        f"{_signed(row['difference'])}{_interval(row['ci_low'], row['ci_high'])} over {n}; "
        f"{row['sentence']}"
    )


def _changed(record: Mapping[str, Any]) -> list[str]:
    changed = record["changed"]
    lines = ["## What changed", ""]
    if changed["parameters"]:
        rows = [
            [_code(own["name"]), _cell(own["parent"]), _cell(own["child"])]
            for own in changed["parameters"][:_FIELDS]
        ]
        lines += [*_table(["parameter", "parent", "child"], rows), ""]
        if (rest := len(changed["parameters"]) - _FIELDS) > 0:
            lines += [f"And {rest} more parameters.", ""]
    else:
        lines += ["No recorded parameter.", ""]
    for part in ("code", "data", "environment", "instrumentation"):
        own = changed[part]
        if part in changed["not_recorded"] and not own:
            lines.append(f"- {part}: not recorded on both sides")
        elif own:
            shown = "; ".join(
                f"{_code(one['name'])} {_cell(one['parent'])} -> {_cell(one['child'])}" for one in own[:4]
            )
            lines.append(f"- {part}: {len(own)} differ: {shown}{'; ...' if len(own) > 4 else ''}")
        elif part != "instrumentation":
            lines.append(f"- {part}: equal in {changed['pairs']} of {changed['pairs']} pairs")
    lines += [f"- {_code(own['name'])} varied among the runs of a side: parent {_cell(own['parent'])}, child "
              f"{_cell(own['child'])}" for own in changed["varies_within"]]  # fmt: skip
    return lines


def _did(record: Mapping[str, Any]) -> list[str]:
    did = record["did"]
    shown = [row for row in did["metrics"] if row["family"] in _FAMILIES]
    shown = shown or [row for row in did["metrics"] if row["family"] == "exploratory"][:_FIELDS]
    rows = [
        [
            f"{_code(row['metric'])}{_arrow(row)}", _FAMILIES.get(row["family"], row["family"]),
            _mean(row["parent"]),
            _mean(row["child"]), f"{_signed(row['difference'])}{_interval(row['ci_low'], row['ci_high'])}",
            _number(row["effect_size"], 2), _number(row["p_holm"], 2), row["verdict"],
        ]
        for row in shown[:_ROWS]
    ]  # fmt: skip
    head = ["metric", "family", "parent", "child", "difference", "effect", "Holm p", "verdict"]
    lines = ["## What it did", "", *_table(head, rows), ""]
    lines.append(
        "Means with 95% t-intervals over seeds. Difference: child minus parent. Effect: the difference over its "
        "standard deviation between seeds. p: exact permutation test, corrected by Holm within each family."
    )
    if did["is_declared"]:
        lines[-1] += " The primary metric was declared before the runs and is a family of its own."
    exploratory = sum(row["family"] == "exploratory" for row in did["metrics"])
    if exploratory and any(row["family"] in _FAMILIES for row in did["metrics"]):
        lines[-1] += f" {exploratory} further columns are in the JSON record."
    costs = [
        f"{_code(row['column'])} {_number(row['parent']['mean'])} -> {_number(row['child']['mean'])}"
        for row in did["metrics"]
        if row["column"] in ("last_epoch", "best_epoch", "training_seconds", "final_step")
    ]
    return [*lines, "", f"Cost: {', '.join(costs)} (means)."] if costs else lines


def _arrow(row: Mapping[str, Any]) -> str:
    higher = row["higher_is_better"]
    return "" if higher is None else " (higher is better)" if higher else " (lower is better)"


def _why(record: Mapping[str, Any]) -> list[str]:
    why = record["why"]
    lines = ["## What moved together with it", ""]
    lines += [
        "Association, not cause: these signals moved together with the change; an intervention on one of them "
        "would be the proof.",
        "",
    ]
    return [
        *lines,
        *_signals(why["signals"]),
        *_attention(why["signals"]),
        *_trajectories(why),
        *_robustness(why["robustness"]),
    ]


def _signals(signals: Mapping[str, Any]) -> Iterator[str]:
    if not signals["measured"]:
        yield from (f"Signals: {signals['reason']}.", "")
        return
    unit, chosen = signals["unit"], _chosen(signals["signals"])
    if not chosen:
        yield from (f"None of {signals['compared']} layer signals moved by more than its spread between "
                    f"{unit}{'es' if unit == 'batch' else 's'}.", "")  # fmt: skip
        return
    rows = [
        [
            _code(row["signal"]), _code(row["layer"]), _number(row["parent"]), _number(row["child"]),
            f"{_signed(row['effect_size'], 2)}{_interval(row['effect_low'], row['effect_high'], 2)}",
            f"{row['same_sign']} of {row['n']}" if row["same_sign"] is not None else "-",
            _number(row["p_holm"], 2), _when(row),
            spark([one["difference"] for one in row["by_epoch"]], width=24) or "-",
        ]
        for row in chosen
    ]  # fmt: skip
    head = ["signal", "layer", "parent", "child", f"effect, in {unit} "
                                                  f"spreads", "same sign", "Holm p", "clear from epoch",
            "difference by epoch"]  # fmt: skip
    yield from _table(head, rows)
    yield ""
    yield (
        f"{signals['moved']} of {signals['different']} layer signals that differ have a 95% interval "
        "without zero; first stands the one whose interval stays farthest from it. Effect: the mean "
        f"difference over the spread between {'seeds' if unit == 'seed' else 'probed batches'}. "
        f"{_what_p_is(signals)}"
    )
    yield ""


def _what_p_is(signals: Mapping[str, Any]) -> str:
    if signals["unit"] == "batch":
        return "Holm p: t-test over the probed batches of these two runs, corrected within the signal."
    n = len(signals["seeds"])
    return (
        f"Holm p: exact permutation test over the seeds, corrected within the signal; with {n} pairs no p "
        f"is below {_number(smallest_paired_p(n), 2)}."
    )


def _chosen(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the clearest signals, a few layers of each, so that one signal does not fill the table."""
    counts: dict[str, int] = {}
    found = []
    for row in rows:
        if row["least_effect"] > 0 and counts.get(row["signal"], 0) < PER_SIGNAL:
            counts[row["signal"]] = counts.get(row["signal"], 0) + 1
            found.append(row)
    return found[:SHOWN]


def _signal_words(row: Mapping[str, Any], unit: str) -> str:
    return (
        f"{row['signal']} of {row['layer']} {_number(row['parent'])} -> {_number(row['child'])}, effect "
        f"{_signed(row['effect_size'], 2)}{_interval(row['effect_low'], row['effect_high'], 2)} "
        f"{unit} spreads"
    )


def _when(row: Mapping[str, Any]) -> str:
    if row["moved_from_epoch"] is not None:
        return str(row["moved_from_epoch"])
    return f"at {row['most_at_epoch']} only" if row["most_at_epoch"] is not None else "-"


def _attention(signals: Mapping[str, Any]) -> Iterator[str]:
    told = []
    for row in signals["attention"]:
        own = row["mean_distance"]
        if own["ci_low"] is not None and own["ci_low"] * own["ci_high"] > 0:
            told.append(
                f"- {_code(row['layer'])} looks {abs(own['difference']):.3g} positions "
                f"{'farther back' if own['difference'] > 0 else 'nearer'}: mean distance "
                f"{_number(own['parent'])} -> {_number(own['child'])}, difference "
                f"{_signed(own['difference'])}{_interval(own['ci_low'], own['ci_high'])}"
            )
    if told:
        yield from ("Attention:", "", *told, "")


def _trajectories(why: Mapping[str, Any]) -> Iterator[str]:
    rows = []
    for own in why["trajectories"]:
        both = [row for row in own["epochs"] if row["n"]]
        clear = [row for row in both if row["ci_low"] is not None and row["ci_low"] * row["ci_high"] > 0]
        rows.append([
            _code(own["name"]), spark([row["parent"] for row in own["epochs"]], width=24),
            spark([row["child"] for row in own["epochs"]], width=24), _signed(both[0]["difference"]),
            _signed(both[-1]["difference"]), f"{len(clear)} of {len(both)}",
        ])  # fmt: skip
    if rows:
        head = ["curve", "parent", "child", "difference, first", "difference, last", "epochs clear of zero"]
        counted = (
            "" if why["alignment"]["on"] == "epoch" else ", counted from the first epoch of training proper"
        )
        yield from (
            "Curves over the epochs (means over the seeds, each drawn from its own lowest to its "
            f"highest{counted}):",
            "",
        )
        yield from (*_table(head, rows), "")


def _robustness(found: Mapping[str, Any]) -> Iterator[str]:
    if not found["curves"]:
        yield f"Robustness: {'; '.join(found['notes'])}."
        return
    rows = []
    for row in found["curves"]:
        last = row["points"][-1]
        words = [one["verdict"] for one in row["by_seed"]]
        seeds = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words)) or "-"
        rows.append([
            f"{row['curve']}, {_code(row['metric'])}", _number(row["parent_area"]), _number(row["child_area"]),
            f"{_signed(row['difference'])}{_interval(row['ci_low'], row['ci_high'])}", _number(row["p_holm"], 2),
            row["verdict"], seeds, f"{_number(last['parent'])} and {_number(last['child'])} at "
                                   f"{last['strength']:g}",
        ])  # fmt: skip
    head = [
        "robustness",
        "mean drop, parent",
        "child",
        "difference",
        "Holm p",
        "over the seeds",
        "seed by seed",
        "at the end",
    ]
    yield from (*_table(head, rows), "")
    if all(len(row["by_seed"]) == 1 for row in found["curves"]):
        yield from (*(f"- {_line(row['by_seed'][0]['sentence'])}" for row in found["curves"]), "")
    yield (
        "A smaller mean drop degrades more slowly. Over the seeds: exact permutation test of the drop "
        "areas; seed by seed: paired bootstrap over the same samples and masks."
    )


def _doubts(record: Mapping[str, Any]) -> list[str]:
    lines = ["## What to doubt"]
    for severity, words in _WEIGHTS.items():
        own = [doubt for doubt in record["doubts"] if doubt["severity"] == severity]
        if own:
            lines += ["", words, "", *(f"- {_line(doubt['sentence'])}" for doubt in own)]
    return lines if record["doubts"] else [*lines, "", "Nothing that the records show."]


def _next(record: Mapping[str, Any]) -> list[str]:
    lines = ["## What to try next", ""]
    if not record["next"]:
        return [*lines, "Nothing that the records suggest."]
    for number, own in enumerate(record["next"], start=1):
        lines.append(f"{number}. {_line(own['sentence'])}")
        if own["commands"]:
            shown = [f"   {_line(command)}" for command in own["commands"][:_COMMANDS]]
            rest = len(own["commands"]) - len(shown)
            more = [f"   # and {rest} more, in the JSON record"] if rest > 0 else []
            lines += ["", "   ```bash", *shown, *more, "   ```", ""]
    return lines


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]


def _mean(own: Mapping[str, Any] | None) -> str:
    return (
        "-"
        if own is None
        else f"{_number(own['mean'])}{_interval(own['ci_low'], own['ci_high'], sign=False)}"
    )


def _interval(low: float | None, high: float | None, digits: int = 4, *, sign: bool = True) -> str:
    if low is None or high is None:
        return ""
    show = _signed if sign else _number
    return f" [{show(low, digits)}, {show(high, digits)}]"


def _number(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:.{digits}g}"


def _signed(value: float | None, digits: int = 4) -> str:
    """Return a number with its sign.

    Example:
        >>> _signed(0.00231436), _signed(-2.5842, 2), _signed(None)
        ('+0.0023', '-2.6', '-')
    """
    return "-" if value is None else f"{value:+.{max(2, digits - 2)}g}"


def _cell(value: Any) -> str:
    return _code(_value(value))


def _value(value: Any) -> str:
    text = "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2 - 2]}...{text[-_LONGEST // 2 + 2 :]}"


def _code(text: str) -> str:
    """Return a text as Markdown code, harmless wherever it came from."""
    return f"`{_line(text).replace('`', '?')}`"


def _plain(text: str) -> str:
    """Return a text without what Markdown or HTML would take for markup.

    Example:
        >>> _plain("<b>a*b</b>")
        '?b?a?b?/b?'
    """
    return "".join("?" if letter in "<>*`[]#|\\" else letter for letter in _line(text))


def _line(text: str) -> str:
    """Return a text on one line, without control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
