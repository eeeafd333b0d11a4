"""`probatum archive`: a run as one file that says by itself what was run."""

from __future__ import annotations

from pathlib import Path

import click

EXAMPLES = """\b
Examples:
  probatum archive 423891                                  <run>.zip in this folder, with the best weights
  probatum archive 423891 --output crate --weights none    a folder instead, without weights
  probatum archive 423891 --author "A. Name" --orcid 0000-0002-1825-0097 --license CC-BY-4.0
  probatum verify 20260101_120000_gainakt2exp_423891.zip

The archive is a Process Run Crate (RO-Crate 1.1). Inputs are named by checksum and do not come along; nothing
about a person is taken from the machine. The same run gives the same bytes."""


@click.command(epilog=EXAMPLES)
@click.argument("run")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE.zip|FOLDER",
    help="A new zip, or a new folder; <run>.zip where not given.",
)
@click.option(
    "--weights",
    type=click.Choice(["none", "best", "all"]),
    default="best",
    show_default=True,
    help="Which checkpoints come along.",
)
@click.option("--author", metavar="NAME", help="Who made the run; left out unless given.")
@click.option("--orcid", metavar="ID", help="The author's ORCID.")
@click.option("--license", "licence", metavar="SPDX|URL", help="Under which licence others may use it.")
@click.option("--citation", metavar="DOI|TEXT", help="The publication that the run belongs to.")
@click.option("--no-ledger", is_flag=True, help="Archive a copied run that its ledger does not accompany.")
@click.option(
    "--runs-root",
    "--runs_root",
    metavar="FOLDER",
    help="Where run folders stand; else PROBATUM_RUNS, else ./runs.",
)
def command(
    run: str,
    output: Path | None,
    weights: str,
    author: str | None,
    orcid: str | None,
    licence: str | None,
    citation: str | None,
    no_ledger: bool,
    runs_root: str | None,
) -> None:
    """Write RUN as one archive: files, command, environment, checksums of its inputs, results and verdicts."""
    from probatum.reproduction.archive.claims import Claims
    from probatum.reproduction.archive.writing import write_archive
    from probatum.runs.folder import find_run
    from probatum.runs.folder import runs_root as find_root

    claims = Claims(author, orcid, licence, citation)
    paths = find_run(run, find_root(runs_root))
    done = write_archive(paths, output, weights=weights, claims=claims, anchored=not no_ledger)  # pyright: ignore
    click.echo(f"archived {paths.name}: {done.files} files in {done.path}")
    if done.left_out:
        click.echo(f"left out: {', '.join(done.left_out)} (--weights all takes them along)")
    click.echo(f"reproductions: {', '.join(done.verdicts) or 'none beside the run'}")
    if licence is None:
        click.echo("no licence is stated: others need one to reuse it (--license CC-BY-4.0)")
    click.echo(f"Archive seal {done.seal}")
    click.echo(f"next: probatum verify {done.path}")
