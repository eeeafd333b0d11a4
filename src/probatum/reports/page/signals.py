"""What was seen inside: heat maps by layer and epoch, attention by distance back, and what moved."""

from __future__ import annotations

from dataclasses import dataclass

from probatum._errors import RecordError
from probatum.reports import charts
from probatum.reports.figures import HEAT_MAPS, file_name, in_all
from probatum.reports.page.blocks import (
    Block,
    Cell,
    Column,
    Figure,
    Section,
    Table,
    Text,
    Tone,
    missing,
    number,
)
from probatum.reports.page.measured import Measured
from probatum.reports.page.subject import Subject
from probatum.signals.compare import SignalComparison, compare_artifacts
from probatum.signals.compare_text import CAVEAT
from probatum.signals.effects import Effect

FURTHER = ("hidden_norms", "weights.norm", "attention_stats.head_agreement", "gradient_stats.vanishing_share")
MOVED = 25  # rows of the table; `signals compare --all` has every layer
NONE = (
    "No signals were recorded. Train with `--instrument_signals` to see gradients, activations and attention by "
    "layer and epoch."
)
_TONES: dict[str, Tone] = {"inert": "bad", "unexplained": "doubt", "unknown": "doubt"}


@dataclass(frozen=True)
class Compared:
    """The comparison of a pair's artifacts, made once for all sections."""

    found: SignalComparison | None = None
    note: str = ""


def compare_pair(subject: Subject, seen: Measured) -> Compared:
    """Return the comparison of the child's signals with the parent's; empty where one has none."""
    if subject.kind != "pair" or len(seen.artifacts) < 2:
        return Compared()
    try:
        return Compared(compare_artifacts(seen.first, seen.last))
    except RecordError as error:
        return Compared(None, str(error))


def build(subject: Subject, seen: Measured, compared: Compared) -> Section:
    """Return the section; where nothing was seen, the line that says how to see it."""
    section = Section("signals", "Signals")
    if not seen.artifacts:
        section.blocks.append(missing(NONE))
        return section
    lacking = [run.name for run in subject.runs if run.name not in seen.artifacts]
    if seen.note:
        section.blocks.append(Text([seen.note], "muted"))
    if lacking:
        section.blocks.append(missing(f"No signals in {', '.join(lacking)}."))
    if compared.found:
        section.blocks += _what_moved(compared.found)
    maps, curves = _heat_maps(seen), _lag_curves(seen)
    section.blocks += [*maps, *curves]
    if not maps:
        section.blocks.append(
            missing("The artifacts hold no signal by layer: choose a richer `--telemetry_profile`.")
        )
    if not curves:
        section.blocks.append(
            missing("No attention by distance back: the model has no attention that was watched.")
        )
    return section


def _what_moved(found: SignalComparison) -> list[Block]:
    moved = [own for own in found.layers if own.verdict in {"larger", "smaller"}]
    moved.sort(key=lambda own: -abs(own.effect_size or 0.0))
    blocks: list[Block] = [Text([f"Change: {found.change_sentence}"], _TONES.get(found.change, ""))]
    if not moved:
        return [
            *blocks,
            missing(f"None of {len(found.layers)} layer signals moved beyond the spread of its batches."),
        ]
    columns = [
        Column("signal"), Column("layer"), Column("parent", True), Column("child", True),
        Column("difference", True, "child minus parent, mean over the epochs of both"),
        Column("effect size", True, "difference over the spread between batches"),
        Column("Holm p", True, "within the signal"), Column("verdict"),
    ]  # fmt: skip
    caption = f"Signals that moved: {len(moved)} of {len(found.layers)} layer signals"
    caption += f", the {MOVED} largest effects" if len(moved) > MOVED else ""
    table = Table("moved", caption, columns, [_row(own) for own in moved[:MOVED]], is_filtered=len(moved) > 8)
    return [*blocks, table, Text([CAVEAT], "muted")]


def _row(own: Effect) -> list[Cell]:
    return [
        Cell(own.signal), Cell(own.layer), number(own.parent), number(own.child), number(own.difference, 3),
        number(own.effect_size, 3), number(own.p_adjusted, 2), Cell(own.verdict),
    ]  # fmt: skip


def _heat_maps(seen: Measured) -> list[Figure]:
    known = {name: artifact.series() for name, artifact in seen.artifacts.items()}
    found = []
    for signal in (*HEAT_MAPS, *FURTHER):
        own = {name: seen.artifacts[name] for name, series in known.items() if series.get(signal)}
        if not own or not _varies(known, signal):
            continue
        chart = charts.heat_map(own, signal)
        layers = {layer for series in known.values() for layer in series.get(signal, {})}
        values = [
            (value.mean, name, layer, epoch)
            for name, series in known.items()
            for layer, by_epoch in series.get(signal, {}).items()
            for epoch, value in by_epoch.items()
            if value.mean is not None
        ]
        low, high = min(values), max(values)
        alt = f"{signal}: {len(layers)} layers of {', '.join(own)}. Smallest {_where(low)}; largest {_where(high)}."
        figure = Figure(f"heat_map_{file_name(signal)}", chart, alt, is_wide=len(own) > 1)
        found.append(figure)
    return found


def _varies(known: dict, signal: str) -> bool:
    """Return whether a map would show anything: some finite value, and not one value everywhere."""
    values = {
        own.mean
        for series in known.values()
        for by_epoch in series.get(signal, {}).values()
        for own in by_epoch.values()
    } - {None}
    return len(values) > 1


def _where(value: tuple[float, str, str, int]) -> str:
    number_, name, layer, epoch = value
    return f"{number_:.3g} in {layer} at epoch {epoch} of {name}"


def _lag_curves(seen: Measured) -> list[Figure]:
    found = []
    for layer in in_all([list(own.lag_curves()) for own in seen.artifacts.values()]):
        chart = charts.lag_curves(seen.artifacts, layer)
        peaks = []
        for name, artifact in seen.artifacts.items():
            own = artifact.lag_curves()[layer]
            masses = [mass or 0.0 for mass in own[max(own)]]
            peak = masses.index(max(masses))
            peaks.append(f"{name}: largest share {masses[peak]:.3g} at distance {peak}")
        figure = Figure(
            f"lag_curve_{file_name(layer)}", chart, f"Attention of {layer} by distance. {'; '.join(peaks)}."
        )
        found.append(figure)
    return found
