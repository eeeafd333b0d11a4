"""`probatum resume`: continue an interrupted run, bit for bit."""

from __future__ import annotations

from pathlib import Path

import click

EXAMPLES = """\b
Examples:
  probatum resume 123456
  probatum resume runs/20260101_120000_gainakt2exp_baseline_123456"""


@click.command(epilog=EXAMPLES)
@click.argument("run")
@click.option(
    "--runs_root",
    "--runs-root",
    metavar="FOLDER",
    help="Where run folders stand; else PROBATUM_RUNS, else ./runs.",
)
def command(run: str, runs_root: str | None) -> int:
    """Continue RUN (a path, folder name or 6-digit id) from its last finished epoch."""
    from probatum.runs.folder import find_run
    from probatum.runs.folder import runs_root as root_of
    from probatum.training.carry_out import carry_out
    from probatum.training.recorded import load_recorded_run
    from probatum.training.reproduction_files import write_reproduction_files
    from probatum.training.summary import summarise

    root = root_of(runs_root)
    _check_prepared(run, root)
    paths = find_run(run, root)
    results = carry_out(load_recorded_run(paths))
    write_reproduction_files(paths)
    click.echo(summarise(paths, results))
    return 0


def _check_prepared(reference: str, root: Path) -> None:
    """Say so where the launch itself was stopped: there is nothing to continue.

    Raises:
        RecordError: the folder is there, its configuration is not.
    """
    from probatum._errors import RecordError
    from probatum.runs.folder import run_id
    from probatum.runs.paths import RunPaths

    beside = [folder for folder in root.glob(f"*_{reference}") if run_id(folder.name) == reference]
    for folder in (Path(reference), root / reference, *beside):
        if reference not in {"", ".", ".."} and folder.is_dir() and not RunPaths(folder).config.exists():
            raise RecordError(
                f"{folder}: the launch was stopped before it had written config.json, so that nothing was "
                "decided yet and nothing can be continued. Remove the folder and launch again."
            )
