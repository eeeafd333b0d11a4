"""`probatum resume`: continue an interrupted run, bit for bit."""

from __future__ import annotations

import click

EXAMPLES = """\b
Examples:
  probatum resume 123456
  probatum resume runs/20260101_120000_gainakt2exp_baseline_123456"""


@click.command(epilog=EXAMPLES)
@click.argument("run")
@click.option("--runs_root", "--runs-root", metavar="FOLDER", help="Where run folders stand; else PROBATUM_RUNS, else ./runs.")
def command(run: str, runs_root: str | None) -> int:
    """Continue RUN (a path, folder name or 6-digit id) from its last finished epoch."""
    from probatum.runs.folder import find_run
    from probatum.runs.folder import runs_root as root_of
    from probatum.training.carry_out import carry_out
    from probatum.training.run import load_recorded_run
    from probatum.training.summary import summarise

    paths = find_run(run, root_of(runs_root))
    results = carry_out(load_recorded_run(paths))
    click.echo(summarise(paths, results))
    return 0
