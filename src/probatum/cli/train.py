"""`probatum train`: the explicit command; every parameter is given."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from probatum.cli.arguments import StudyCommand

EXAMPLES = """\b
Examples:
  probatum train gainakt2exp --dataset simulated --fold 0 ...        (every parameter; one missing is named)
  jq -r .commands.train_explicit runs/<folder>/config.json | sh      (run a recorded command again)

The run folder is the one that EXPERIMENT_DIR names, or a new one."""


@click.command(cls=StudyCommand, epilog=EXAMPLES)
@click.argument("study")
@click.option("--title", default="explicit", help="The new folder's title, where EXPERIMENT_DIR names none.")
@click.option(
    "--runs_root", metavar="FOLDER", help="Where run folders stand; else PROBATUM_RUNS, else ./runs."
)
@click.pass_context
def command(ctx: click.Context, /, study: str, **options: Any) -> int:
    """Train STUDY with the parameters given; refuse to start if one is missing."""
    from probatum.runs.paths import RunPaths
    from probatum.training.launch import plan_explicit
    from probatum.training.recorded import check_against_record, load_recorded_run

    plan = plan_explicit(study, ctx.obj, title=options["title"], argv=("probatum", *sys.argv[1:]))
    folder = os.environ.get("EXPERIMENT_DIR")
    if folder:
        paths = RunPaths(Path(folder))
        check_against_record(plan, paths)
    else:
        from probatum.runs.folder import runs_root

        paths = plan.prepare(runs_root(options["runs_root"]), folder=None, force=False)
        click.echo(f"run {paths.name}")
    from probatum.training.carry_out import carry_out
    from probatum.training.reproduction_files import write_reproduction_files
    from probatum.training.summary import summarise

    results = carry_out(load_recorded_run(paths))
    write_reproduction_files(paths)
    click.echo(summarise(paths, results))
    return 0
