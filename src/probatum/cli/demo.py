"""`probatum demo`: the whole story on embedded data."""

from __future__ import annotations

import sys

import click

EXAMPLES = """\b
Examples:
  probatum demo
  probatum demo --runs_root ~/runs
  PROBATUM_DATA=~/data probatum demo --dataset assist2015      (the same on real data; minutes)

Exit code 0: reproduced and whole; else the code of the step that failed."""


@click.command("demo", epilog=EXAMPLES)
@click.option(
    "--dataset", metavar="NAME",
    help="Real data instead of simulated learners: assist2015 from PROBATUM_DATA, or a file's path.",
)  # fmt: skip
@click.option(
    "--runs_root", "--runs-root", metavar="FOLDER", help="Where runs stand; else PROBATUM_RUNS, else ./runs."
)
def command(dataset: str | None, runs_root: str | None) -> int:
    """Train, evaluate, reproduce and verify, showing each command that a person would type."""
    from probatum.demo import run_demo

    run_demo(dataset=dataset, root=runs_root, say=_say)
    return 0


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()
