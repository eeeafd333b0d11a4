"""A view as lines and as a table of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from probatum.ablations.runner.progress import duration
from probatum.reports.watch.state import PlanView, RunView, View
from probatum.signals.compare_text import aligned
from probatum.signals.show import spark

if TYPE_CHECKING:
    from rich.console import RenderableType

HEAD = ("run", "study", "title", "status", "epochs", "metric", "curve", "last", "best", "rate", "left")
_GIVES_WAY = ("study", "rate", "metric", "last", "curve", "left", "title")  # first to last
_BAR, _CURVE = 10, 16  # columns
_ORDER = ("completed", "running", "planned", "failed", "interrupted")
_COLORS = {"running": "cyan", "completed": "green", "failed": "red", "interrupted": "yellow"}


def cells(run: RunView, *, blocks: bool = True) -> tuple[str, ...]:
    """Return a run's cells, in the order of `HEAD`; a dash where nothing is known."""
    return (
        run.id or _clean(run.name), _clean(run.study) or "-", _clean(run.title) or "-", run.status,
        _epochs(run, blocks=blocks),
        _clean(run.metric or "-"), spark(run.curve, blocks=blocks, width=_CURVE) or "-", _number(run.last),
        _number(run.best), "-" if run.rate is None else f"{run.rate:,.0f}/s",
        "-" if run.seconds_left is None else duration(run.seconds_left),
    )  # fmt: skip


def lines(view: View, *, blocks: bool = False) -> list[str]:
    """Return the view as plain, aligned lines."""
    found = [plan_line(plan) for plan in view.plans]
    if view.runs:
        found += aligned([HEAD, *(cells(run, blocks=blocks) for run in view.runs)])
        found += [f"{run.id or _clean(run.name)}: {_clean(run.note)}" for run in view.runs if run.note]
    elif not view.plans:
        found.append(f"no runs in {view.place}")
    if view.hidden:
        found.append(f"and {view.hidden} older runs; --last {len(view.runs) + view.hidden} lists them")
    return found


def run_line(run: RunView) -> str:
    """Return one run on one line, for a log."""
    told = f"{_clean(run.metric)} {_number(run.last)} best {_number(run.best)}" if run.metric else "no metric"
    left = "" if run.seconds_left is None else f", about {duration(run.seconds_left)} left"
    rate = "" if run.rate is None else f", {run.rate:,.0f}/s"
    return f"{_clean(run.name)}: {run.status}, epochs {_epochs(run)}, {told}{rate}{left}"


def plan_line(plan: PlanView) -> str:
    """Return one plan on one line."""
    names = [*(name for name in _ORDER if name in plan.counts), *sorted(set(plan.counts) - set(_ORDER))]
    told = ", ".join(f"{plan.counts[name]} {_clean(name)}" for name in names) or "no run yet"
    runner = "a runner works on it" if plan.is_running else "no runner works on it"
    left = f", about {duration(plan.seconds_left)} left" if plan.seconds_left else ""
    return f"plan {_clean(plan.name)}: {told} of {plan.total}; {runner}{left}"


def shown_columns(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the columns that fit into a terminal's width: what says least gives way first.

    Example:
        >>> shown_columns([HEAD, ("1",) * len(HEAD)], 40)
        [0, 2, 3, 4, 8, 10]
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    kept = list(range(len(HEAD)))
    for name in _GIVES_WAY:
        if sum(widths[column] for column in kept) + 2 * (len(kept) - 1) <= width:
            break
        kept.remove(HEAD.index(name))
    return kept


def rich_view(view: View, width: int, *, blocks: bool = True) -> RenderableType:
    """Return the view as a table with colours, as wide as the terminal; names are text, never markup."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = [Text(f"{view.place}  {view.time}", style="dim")]
    parts += [Text(plan_line(plan)) for plan in view.plans]
    table = Table(box=None, pad_edge=False, header_style="bold")
    rows = [cells(run, blocks=blocks) for run in view.runs]
    kept = shown_columns([HEAD, *rows], width)
    for name in (HEAD[column] for column in kept):
        right = name in ("last", "best", "rate", "left")
        table.add_column(name, justify="right" if right else "left", no_wrap=True, overflow="ellipsis")
    for run, row in zip(view.runs, rows, strict=True):
        texts = [Text(cell) for cell in row]
        texts[HEAD.index("status")].stylize(_COLORS.get(run.status, ""))
        table.add_row(*(texts[column] for column in kept))
    parts.append(table if view.runs else Text("no runs"))
    if view.hidden:
        parts.append(Text(f"and {view.hidden} older runs", style="dim"))
    return Group(*parts)


def _epochs(run: RunView, *, blocks: bool = False) -> str:
    total = "?" if run.epochs_total is None else str(run.epochs_total)
    text = f"{run.epochs_done}/{total}"
    if run.seeds > 1:
        text += f" ({run.seeds_done}/{run.seeds} seeds)"
    if blocks and run.fraction is not None and run.status == "running":
        full = round(run.fraction * _BAR)
        text = "█" * full + "░" * (_BAR - full) + " " + text
    return text


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _clean(text: str | None) -> str:
    r"""Return a text without control characters: a run's title must not drive the terminal.

    Example:
        >>> _clean("a\x1b[2Jb")
        'a?[2Jb'
    """
    return "".join(letter if letter.isprintable() else "?" for letter in text or "")


def changed(before: Sequence[RunView], after: Sequence[RunView]) -> list[RunView]:
    """Return the runs that are new or stand elsewhere."""
    known = {run.name: (run.status, run.epochs_done, run.last) for run in before}
    return [run for run in after if known.get(run.name) != (run.status, run.epochs_done, run.last)]
