"""`probatum demo`: the whole story on embedded data."""

from __future__ import annotations

import sys
from pathlib import Path

import click

EXAMPLES = """\b
Examples:
  probatum demo
  probatum demo --folder ~/probatum-demo --open
  PROBATUM_DATA=~/data probatum demo --dataset physionet2012      (the same on real data; an hour)

A demo that was stopped goes on where it was. Exit code 0: all passed; else the code of the step that failed."""


@click.command("demo", epilog=EXAMPLES)
@click.option(
    "--folder", type=click.Path(path_type=Path), default="probatum-demo", show_default=True, metavar="FOLDER",
    help="Where everything is written.",
)  # fmt: skip
@click.option(
    "--dataset", metavar="NAME",
    help="Real data instead of the simulated cohort: physionet2012 from PROBATUM_DATA.",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(1), default=2, show_default=True, metavar="N", help="Runs at a time."
)
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
def command(folder: Path, dataset: str | None, jobs: int, opens: bool) -> int:
    """Ablate, analyze, explain, reproduce, verify and report, showing each command that a person would type."""
    from probatum.demo import run_demo

    run_demo(folder, dataset=dataset, jobs=jobs, opens=opens, say=_say)
    return 0


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()
