"""`probatum watch`: running and finished runs as they stand, in the terminal or in a browser on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from probatum.reports.watch.state import Watcher
    from probatum.runs.paths import RunPaths

_PLANS = Path("outputs") / "ablations"  # where `ablate` puts plans
EXAMPLES = """\b
Examples:
  probatum watch                                  the runs of PROBATUM_RUNS, else ./runs; Ctrl-C ends it
  probatum watch outputs/ablations/my_plan        one plan and its runs
  probatum watch --once                           the table once
  probatum watch --format json | jq '.runs[0]'    the same as JSON, once
  probatum watch --web --port 8765                http://127.0.0.1:8765/, for this machine alone

Read are the files that runs write; nothing is written, and no training waits for it. Without a terminal every
change is one line, and the view ends when nothing runs any more. --web listens on the loopback address only,
answers GET and HEAD only, and refuses what other sites make a browser send.
Exit code 0: watched; 2: usage."""


@click.command("watch", epilog=EXAMPLES)
@click.argument("place", metavar="[RUNS_ROOT|PLAN]", required=False)
@click.option("--once", is_flag=True, help="Show it once and end.")
@click.option("--interval", type=click.FloatRange(min=0.1), default=2.0, show_default=True, metavar="SECONDS",
              help="How often it looks again.")  # fmt: skip
@click.option("--last", type=click.IntRange(min=1), default=30, show_default=True, metavar="N",
              help="How many runs are listed; what is going on is listed always.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="How it is shown; json once.")  # fmt: skip
@click.option("--web", is_flag=True, help="Serve it to a browser on 127.0.0.1 until Ctrl-C.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, metavar="N",
              help="The port of --web; 0 takes a free one.")  # fmt: skip
def command(
    place: str | None, once: bool, interval: float, last: int, form: str, web: bool, port: int
) -> int:
    """Watch the runs of a folder, or a plan, live."""
    from probatum._files import strict_json
    from probatum.reports.watch.state import Watcher

    if web and (once or form == "json"):
        raise click.UsageError("--web stays until Ctrl-C: leave --once and --format json out.")
    watcher = Watcher(_place(place), last)
    try:
        if web:
            _serve(watcher, port, interval)
        elif form == "json":
            click.echo(strict_json(watcher.look().as_record()))
        else:
            _show(watcher, interval, once=once)
    except KeyboardInterrupt:  # the way to end it
        pass
    return 0


def _place(place: str | None) -> Path:
    """Return where to look: the named folder, else the runs' root, else where plans stand."""
    from probatum.runs.folder import runs_root

    if place is not None:
        return Path(place)
    root = runs_root()
    return root if root.is_dir() or not _PLANS.is_dir() else _PLANS


def _show(watcher: Watcher, interval: float, *, once: bool) -> None:
    from probatum.reports.watch.table import lines

    is_terminal = sys.stdout.isatty()
    if once and not is_terminal:
        for line in lines(watcher.look()):
            click.echo(line)
    elif once:
        from rich.console import Console

        from probatum.reports.watch.table import rich_view

        console = Console()
        console.print(rich_view(watcher.look(), console.width, blocks=_can_show_blocks()))
    elif is_terminal:
        from probatum.reports.watch.terminal import watch_terminal

        watch_terminal(watcher, interval, blocks=_can_show_blocks())
    else:
        from probatum.reports.watch.terminal import watch_lines

        watch_lines(watcher, interval, click.echo)


def _serve(watcher: Watcher, port: int, interval: float) -> None:
    from probatum.reports.watch.server import WatchServer

    with WatchServer(watcher, port, refresh_seconds=max(1.0, interval), report=_report) as server:
        click.echo(f"{server.address}  (this machine alone; Ctrl-C ends it)")
        server.serve_forever()


def _report(paths: RunPaths) -> str:
    """Return the report of a finished run; charts are slow to load, so only when the first is asked for."""
    from probatum.reports.page.page import build_page
    from probatum.reports.page.subject import Request, read_subject

    return build_page(read_subject(Request([str(paths.folder)], paths.folder.parent))).html()


def _can_show_blocks() -> bool:
    from probatum.signals.show import BLOCKS

    try:
        (BLOCKS + "░").encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
