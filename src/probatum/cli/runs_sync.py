"""`probatum runs sync`: send what a tracking store does not have yet."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from probatum.tracking.sync import Result

_EPILOG = """\b
Examples:
  probatum runs sync                                   every run, into runs/mlflow.db
  probatum runs sync outputs/ablations/my_plan --mlflow http://127.0.0.1:5000
  probatum runs sync outputs/ablations                 every plan, into outputs/ablations/mlflow.db
  probatum runs sync 123456 --experiment baselines
  probatum runs sync outputs/ablations/my_plan --follow     while the sweep goes on
  mlflow ui --backend-store-uri sqlite:///outputs/ablations/mlflow.db

Exit code 0: the store has everything; 1: it does not answer, or refused a run."""


@click.command("sync", epilog=_EPILOG)
@click.argument("place", metavar="[FOLDER|RUN]", required=False)
@click.option(
    "--mlflow", "uri", metavar="URI",
    help="The store; else MLFLOW_TRACKING_URI, else mlflow.db beside the runs.",
)  # fmt: skip
@click.option(
    "--experiment", metavar="NAME",
    help="The experiment there; else MLFLOW_EXPERIMENT_NAME, else the plan's or the study's name.",
)  # fmt: skip
@click.option(
    "--artifacts", type=click.Choice(["records", "all", "none"]), default="records", show_default=True,
    help="Files that go along: `records` leaves out weights and what exceeds 10 MiB.",
)  # fmt: skip
@click.option("--follow", is_flag=True, help="Go on until the runner of the plan ends, or Ctrl-C.")
@click.option(
    "--while-open", is_flag=True, hidden=True
)  # follow until standard input ends: how `ablate` calls
@click.option("--dry-run", "--dry_run", is_flag=True, help="Tell what is missing there; send nothing.")
@click.option("--again", is_flag=True, help="Look at every run anew: for a store that was emptied.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", help="What to print."
)
@click.option(
    "--runs-root", "--runs_root", "runs_root", metavar="FOLDER",
    help="Where run folders stand; else PROBATUM_RUNS, else ./runs.",
)  # fmt: skip
def command(place: str | None, runs_root: str | None, form: str, **options: Any) -> int:
    """Send to MLflow what it does not have yet: parameters, metrics per step, tags, files.

    One run here is one run there. Sending twice changes nothing; a run that still goes on is completed later.
    """
    from probatum.tracking.address import find_address
    from probatum.tracking.during import EXPERIMENT_VARIABLE
    from probatum.tracking.sources import find_sources
    from probatum.tracking.sync import Sync

    sources = find_sources(place, runs_root)
    address = find_address(options["uri"], sources.root)
    experiment = options["experiment"] or os.environ.get(EXPERIMENT_VARIABLE)
    sync = Sync(address, experiment, options["artifacts"], again=options["again"])
    if options["dry_run"]:
        names = sync.missing(sources)
        click.echo(json.dumps(names, indent=2) if form == "json" else _would(names, address.shown))
        return 0
    if options["follow"] or options["while_open"]:
        return _follow(sources, sync, while_open=options["while_open"])
    return _report(sync, sources, place, form)


def _report(sync: Any, sources: Any, place: str | None, form: str) -> int:
    from probatum._errors import TrackingError

    results: list[Result] = []
    try:
        results.extend(sync.run(sources))
    except TrackingError as error:
        shown = f"probatum runs sync {place or ''}".strip()
        raise TrackingError(f"{error} Start it (or name another with --mlflow), then: {shown}") from None
    if form == "json":
        click.echo(json.dumps([result.as_record() for result in results], indent=2))
    else:
        click.echo(_table(results, sync.address.shown))
    return 1 if any(result.action == "failed" for result in results) else 0


def _follow(sources: Any, sync: Any, *, while_open: bool) -> int:
    from probatum.tracking.follow import Follower, is_open

    os.nice(10)  # beside a training that needs the processor

    def say(line: str) -> None:
        click.echo(line)
        sys.stdout.flush()

    try:
        return 0 if Follower(sources, sync, say, is_open if while_open else None).follow() else 1
    except KeyboardInterrupt:
        return 0


def _would(names: list[str], shown: str) -> str:
    return "\n".join([*names, f"{len(names)} would be sent to {shown}"])


def _table(results: list[Result], shown: str) -> str:
    told = [result for result in results if result.action not in ("unchanged", "not begun")]
    width = max((len(result.run) for result in told), default=0)
    lines = [
        f"{result.run:<{width}}  {result.action:<8} "
        f"{result.error or f'{result.points} points, {result.files} files'}"
        for result in told
    ]
    counts: dict[str, int] = {}
    for result in results:
        counts[result.action] = counts.get(result.action, 0) + 1
    summary = ", ".join(f"{count} {action}" for action, count in counts.items()) or "no run there"
    return "\n".join([*lines, f"{summary}: {shown}"])
