"""The tables of the documentation about growing networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.cells import spread, table

_CLOCKS = {"by_processor": "processor time", "by_wall": "wall clock"}


def growth_episodes(result: Mapping[str, Any]) -> str:
    """Return episodes an hour here and of the old generator's loop, and what an epoch takes side by side."""
    rates = result["episodes_per_hour"]
    body = [
        [name, spread(rates[clock]["old_generator"], 0), spread(rates[clock]["probatum"], 0),
         spread(result["times_as_many"][clock], 1, "x")]
        for clock, name in _CLOCKS.items()
    ]  # fmt: skip
    said = (
        f"Episodes an hour of {result['epochs']} epochs on digits with the diagnostic profile, "
        f"{result['processes']} processes of one thread, {result['side_by_side']} runs "
        "side by side in each of ours. Median (range) of "
        f"{result['rounds']} rounds that took turns. The peer is the old generator's loop, written from its "
        "description.\n\n"
    )
    times = result["milliseconds_per_epoch"]
    epochs = [
        [count, f"{own['single']:.0f}", f"{own['stacked']:.0f}", f"{own['single'] / own['stacked']:.1f}x"]
        for count, own in sorted(times.items(), key=lambda item: int(item[0]))
    ]
    head = ["runs", "single, ms", "side by side, ms", "times as fast"]
    rates_table = table(["by", "old generator", "Probatum", "times as many"], body)
    between = "\nProcessor time of one run's epoch, signals included, no seed in the slot:\n\n"
    return said + rates_table + between + table(head, epochs)


_HOSTS = {"narrow": "narrow host: one of 64 channels passes the slot", "sound": "sound host, as published"}


def growth_policies(result: Mapping[str, Any]) -> str:
    """Return what policies reach on each host, and what richer data changed."""
    parts = []
    for name, own in sorted(result["settings"].items(), reverse=True):  # digits first
        for host, rows in own["tables"].items():
            parts.append(_setting(name, own, host, rows))
            parts.append(table(_HEAD, [_policy(row) for row in rows]))
    parts.append(
        "Accuracy on the test split in percent. A learned policy counts in each initial state with the mean of its "
        "networks; intervals are 95 % t-intervals over the initial states, p is that of exact sign flips, not "
        "adjusted. `fixed` germinates `conv_enhance` at a set epoch.\n"
    )
    if result.get("richer"):
        parts.append(_richer(result["richer"], result["diagnose"]))
    return "\n".join(parts)


_HEAD = [
    "policy",
    "test accuracy",
    "networks",
    "grew",
    "weights added",
    "less no growth",
    "less the heuristic",
]


def _setting(name: str, own: Mapping[str, Any], host: str, rows: Any) -> str:
    learned = f"{own['episodes']} episodes to learn from, half of each host, 27 features"
    told = f"{', '.join(own['changes'])}; {learned}; {rows[0]['states']} initial states"
    return f"**{name}, {_HOSTS[host]}**: {told}.\n"


def _policy(row: Mapping[str, Any]) -> list[str]:
    low, high = row["interval"]
    means = row["network_means"]
    networks = "" if len(means) < 2 else ", ".join(f"{value:.1f}" for value in means)
    against = [_difference(row["against"].get(other)) for other in ("no_growth", "heuristic")]
    return [
        f"`{row['policy']}`", f"{row['test_accuracy']:.2f} ({low:.2f} to {high:.2f})", networks,
        f"{row['grew_share']:.0%}", f"{row['parameters_added']:,.0f}", *against,
    ]  # fmt: skip


def _difference(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    low, high = found["interval"] or (None, None)
    between = "" if low is None else f" ({low:+.2f} to {high:+.2f}; p = {found['p']:.3g})"
    return f"{found['mean']:+.2f}{between}"


def _richer(found: Mapping[str, Any], options: Any) -> str:
    """Return the table of phase 5."""
    sets = sorted(found["features"], key=found["features"].__getitem__)
    rows = []
    for cause in ("all", *found["causes"]):
        cells = [_cell(found["groups"][group][cause]["test_accuracy"]) for group in ("no_growth", *sets)]
        change = next(own for own in found["differences"] if own["cause"] == cause)["test_accuracy"]
        low, high, p = change["ci_low"], change["ci_high"], change["p"]
        rows.append([cause, *cells, f"{change['mean']:+.2f} ({low:+.2f} to {high:+.2f}; p = {p:.3g})"])
    head = [
        "hidden cause",
        "no growth",
        *(f"{own}: {found['features'][own]} features" for own in sets),
        "difference",
    ]
    said = (
        f"**Did richer data help?** Digits, {found['algorithm']}, {len(found['seeds'])} networks, "
        f"{found['episodes']} episodes to learn from, {found['test_episodes']} new ones; 95 % t-intervals over "
        f"networks (`probatum policy diagnose FOLDER {' '.join(options)}`).\n\n"
    )
    return said + table(head, rows)


def _cell(own: Mapping[str, Any]) -> str:
    if own["ci_low"] is None:
        return f"{own['mean']:.2f}"
    return f"{own['mean']:.2f} ({own['ci_low']:.2f} to {own['ci_high']:.2f})"
