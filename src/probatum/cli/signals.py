"""`probatum signals`: what was seen inside runs, shown, drawn and compared."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from probatum.signals.reading import Artifact

EXAMPLES = """\b
Examples:
  probatum signals show 423891
  probatum signals show 423891 --signal gradient_norms --layer fc
  probatum signals show instrumentation_data/a0.json --epoch 3 --format json | jq .
  probatum signals figures 423891 128061 --dir figures
  probatum signals compare --parent_json a0.json --child_json a3.json --child_yaml a3.yaml"""
FIGURES_EXAMPLES = """\b
Examples:
  probatum signals figures 423891 --dir figures
  probatum signals figures 423891 128061 --dir figures --signal activation_stats
  probatum signals figures instrumentation_data/a0.json instrumentation_data/a3.json --dir figures

Each chart becomes NAME.png and NAME.svg: heat maps (layer by epoch) of gradient norms, update ratios,
activation spread and attention entropy, attention by distance back, and robustness curves, also those that
`probatum perturb` added. Several runs share each chart, on one scale; a curve that one of them lacks is left
out. Exit code 0: written; 1: a file is torn or foreign, or holds nothing; 2: usage."""
COMPARE_EXAMPLES = """\b
Examples:
  probatum signals compare --parent_json instrumentation_data/a0.json \\
    --child_json instrumentation_data/a3.json --child_yaml experiment_logs/a3.yaml
  probatum signals compare --parent-json a0.json --child-json a3.json --format json | jq .change

Exit code 0: compared; 1: a file is torn or foreign; 2: usage."""


@click.group("signals", epilog=EXAMPLES)
def command() -> None:
    """Show or draw what was seen inside a run, or compare a child's signals with its parent's."""


@command.command("compare", epilog=COMPARE_EXAMPLES)
@click.option("--parent_json", "--parent-json", required=True, metavar="FILE", help="The parent's artifact.")
@click.option("--child_json", "--child-json", required=True, metavar="FILE", help="The child's artifact.")
@click.option("--child_yaml", "--child-yaml", metavar="FILE",
              help="The child's experiment log; summary and notes are written into it.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="How the comparison is shown.")  # fmt: skip
@click.option("--all", "every", is_flag=True, help="In the table, the layers that did not move too.")
def compare(parent_json: str, child_json: str, child_yaml: str | None, form: str, every: bool) -> int:
    """Compare a child's signals with its parent's, all epochs, layer by layer."""
    from probatum._files import strict_json
    from probatum.signals.compare import compare_artifacts
    from probatum.signals.compare_text import comparison_text, notes_text, summary_text
    from probatum.signals.experiment_log import write_comparison
    from probatum.signals.reading import read_artifact

    if Path(parent_json).resolve() == Path(child_json).resolve():
        raise click.UsageError(f"{parent_json} would be compared with itself.")
    found = compare_artifacts(read_artifact(parent_json), read_artifact(child_json))
    if child_yaml:
        write_comparison(child_yaml, summary_text(found), notes_text(found))
    click.echo(strict_json(found.as_record()) if form == "json" else comparison_text(found, every=every))
    if child_yaml:
        click.echo(
            f"wrote instrumentation.signal_check.summary and instrumentation.perturbations.notes to {child_yaml}",
            err=True,
        )
    return 0


@command.command("figures", epilog=FIGURES_EXAMPLES)
@click.argument("runs", metavar="RUN|FILE...", nargs=-1, required=True)
@click.option(
    "--dir", "folder", required=True, metavar="FOLDER", help="Where the figures go; made where missing."
)
@click.option("--signal", "signals", metavar="NAME", multiple=True,
              help="One more heat map, or the beginning of several: activation_stats. Repeatable.")  # fmt: skip
@click.option("--tag", metavar="TAG", help="Which artifact of each run, where it has several.")
@click.option(
    "--runs_root", "--runs-root", metavar="FOLDER", help="Where runs stand; else PROBATUM_RUNS, else ./runs."
)
def figures(
    runs: tuple[str, ...], folder: str, signals: tuple[str, ...], tag: str | None, runs_root: str | None
) -> int:
    """Draw the signals and robustness curves of runs (path, folder name or id) or artifact FILEs."""
    from probatum.signals.reading import artifact_names

    artifacts = [_artifact(run, tag, runs_root) for run in runs]
    paths = [artifact.path for artifact in artifacts]
    twice = [str(path) for path in paths if sum(path.samefile(other) for other in paths) > 1]
    if twice:
        raise click.UsageError(f"{twice[0]} is given more than once.")

    from probatum.reports.figures import signal_charts, write_figures  # charts are slow to load

    named = dict(zip(artifact_names(paths), artifacts, strict=True))
    added = {name: _added_curves(artifact) for name, artifact in named.items()}
    charts = signal_charts(named, signals, added)
    for path in write_figures(charts, folder):
        click.echo(path)
    return 0


@command.command("show", epilog=EXAMPLES)
@click.argument("run", metavar="RUN|FILE")
@click.option("--signal", metavar="NAME", help="One signal, or the beginning of several: gradient_stats.")
@click.option("--layer", metavar="NAME", help="One layer, or the beginning of several.")
@click.option("--epoch", type=click.IntRange(min=1), metavar="N", help="One epoch, with its spread.")
@click.option("--all", "every", is_flag=True, help="In the table, every signal layer by layer, zeros too.")
@click.option("--tag", metavar="TAG", help="Which artifact of the run, where it has several.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table",
              show_default=True, help="How the signals are shown.")  # fmt: skip
@click.option(
    "--runs_root", "--runs-root", metavar="FOLDER", help="Where runs stand; else PROBATUM_RUNS, else ./runs."
)
def show(
    run: str, signal: str | None, layer: str | None, epoch: int | None, every: bool, tag: str | None,
    form: str, runs_root: str | None,
) -> int:  # fmt: skip
    """Show the signals of a run (path, folder name or id) or of an artifact FILE."""
    from probatum._files import strict_json
    from probatum.signals.show import csv_text, show_text, signal_rows

    artifact = _artifact(run, tag, runs_root)
    if form == "table":
        text = show_text(artifact, signal, layer, epoch, every=every, blocks=_can_show_blocks())
        click.echo(text)
        return 0
    rows = signal_rows(artifact, signal, layer, epoch)
    click.echo(strict_json(rows) if form == "json" else csv_text(rows), nl=form == "json")
    return 0


def _added_curves(artifact: Artifact) -> Any:
    """Return the curves that `perturb` added to the run in whose folder an artifact stands; {} where none."""
    from probatum._files import read_json
    from probatum.runs.paths import RunPaths

    seed = (artifact.document.get("provenance") or {}).get("seed")
    path = RunPaths(artifact.path.resolve().parent.parent).perturbations(f"curves_seed{seed}")
    return read_json(path) if path.is_file() else {}


def _artifact(run: str, tag: str | None, runs_root: str | None) -> Artifact:
    """Return the artifact of a file, or of a run by its tag."""
    from probatum._errors import RecordError, UnknownNameError
    from probatum._names import unknown
    from probatum.runs.folder import find_run
    from probatum.runs.folder import runs_root as find_root
    from probatum.signals.reading import read_artifact

    if Path(run).is_file():
        return read_artifact(run)
    paths = find_run(run, find_root(runs_root))
    found = {file.stem: file for file in sorted(paths.instrumentation("any").parent.glob("*.json"))}
    if not found:
        raise RecordError(
            f"{paths.name} has no signals. Train with --instrument_signals, or name an artifact's file."
        )
    if tag is None and len(found) > 1:
        raise click.UsageError(
            f"{paths.name} has several artifacts: choose --tag {' or --tag '.join(found)}."
        )
    if tag is not None and tag not in found:
        raise UnknownNameError(unknown("tag", tag, found))
    return read_artifact(found[tag or next(iter(found))])


def _can_show_blocks() -> bool:
    from probatum.signals.show import BLOCKS

    try:
        BLOCKS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
