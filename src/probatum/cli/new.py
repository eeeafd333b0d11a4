"""`probatum new`: working skeletons."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

EXAMPLES = """\b
Examples:
  probatum new study flowers
  probatum new study flowers --folder studies

Writes flowers.py, flowers.yaml and test_flowers.py, which run as they stand. Nothing is written over."""


@click.group("new")
def command() -> None:
    """Write a working skeleton."""


@command.command("study", epilog=EXAMPLES)
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where the files are written; made where missing. The current folder where not given.",
)
def study(name: str, folder: Path) -> None:
    """Write a study called NAME: program, values, test."""
    from probatum.studies.skeleton.writing import write_study

    for file in write_study(name, folder):
        click.echo(f"wrote {file}")
    click.echo("next:")
    if folder != Path():
        click.echo(f"  cd {shlex.quote(str(folder))}")
    click.echo(f"  probatum launch ./{name}.py --title first")
    click.echo(f"  probatum check ./{name}.py")
    click.echo(f"  python -m unittest test_{name}")
