"""The live view: a table that is drawn again on a terminal, one line per change elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from probatum.reports.watch.state import Watcher
from probatum.reports.watch.table import changed, lines, plan_line, rich_view, run_line

if TYPE_CHECKING:
    from rich.console import RenderableType


def watch_terminal(watcher: Watcher, interval_seconds: float, *, blocks: bool = True) -> None:
    """Draw the view again every `interval_seconds`, until a person stops it."""
    from rich.console import Console
    from rich.live import Live

    console = Console()

    def draw() -> RenderableType:
        return rich_view(watcher.look(), console.width, blocks=blocks)

    with Live(draw(), console=console, auto_refresh=False, screen=True) as live:
        while True:
            time.sleep(interval_seconds)
            live.update(draw(), refresh=True)


def watch_lines(
    watcher: Watcher,
    interval_seconds: float,
    say: Callable[[str], object],
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Say the view once, then every change on a line of its own, until nothing is going on."""
    view = watcher.look()
    for line in lines(view):
        say(line)
    while view.is_alive:
        pause(interval_seconds)
        before, view = view, watcher.look()
        for run in changed(before.runs, view.runs):
            say(f"{view.time} {run_line(run)}")
        told = {plan_line(plan) for plan in before.plans}
        for plan in view.plans:
            if (line := plan_line(plan)) not in told:
                say(f"{view.time} {line}")
