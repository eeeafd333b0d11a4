"""`probatum compare`: two finished runs, judged within the recorded tolerances."""

from __future__ import annotations

import sys

import click

EXAMPLES = """\b
Examples:
  probatum compare 423891                       (the newest reproduction of this id)
  probatum compare 423891 20260101_120000_gainakt2exp_423891_repro
  probatum compare --compare_only --source_exp 423891 --target_exp 518230 --manifest
  probatum compare 423891 --format json | jq .verdict

Exit code 0: PASS; 1: FAIL or not comparable; 2: usage."""


@click.command(epilog=EXAMPLES)
@click.argument("source", required=False)
@click.argument("target", required=False)
@click.option("--source_exp", "--source-exp", metavar="RUN", help="The original: path, folder name or id.")
@click.option("--target_exp", "--target-exp", metavar="RUN", help="The run that is compared with it.")
@click.option("--compare_only", "--compare-only", is_flag=True, help="Never train; `compare` never does.")
@click.option("--manifest", is_flag=True, help="Write reproduction_manifest.json too.")
@click.option("--strict_schema", "--strict-schema", is_flag=True, help="Refuse another schema_version.")
@click.option(
    "--force", is_flag=True, help="Compare runs that are not comparable; the verdict is never PASS."
)
@click.option(
    "--runs_root", "--runs-root", metavar="FOLDER", help="Where runs stand; else PROBATUM_RUNS, else ./runs."
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="How the outcome is shown.")  # fmt: skip
def command(
    source: str | None, target: str | None, source_exp: str | None, target_exp: str | None,
    compare_only: bool, manifest: bool, strict_schema: bool, force: bool, runs_root: str | None, form: str,
) -> int:  # fmt: skip
    """Compare run SOURCE with TARGET, or with the newest reproduction of SOURCE."""
    from probatum._errors import RecordError
    from probatum.reproduction.compare import compare_runs
    from probatum.reproduction.report import write_report
    from probatum.reproduction.reproduce import check_schema
    from probatum.runs.folder import find_reproductions, find_run
    from probatum.runs.folder import runs_root as find_root

    root = find_root(runs_root)
    first, second = source_exp or source, target_exp or target
    if source_exp and source:
        second, first = target_exp or source, source_exp
    if not first:
        raise click.UsageError("name the original run: `probatum compare 423891`, or --source_exp.")
    original = find_run(first, root)
    if second:
        other = find_run(second, root)
    else:
        found = find_reproductions(original)
        if not found:
            raise RecordError(
                f"no reproduction of {original.name} stands beside it. "
                f"Make one with `probatum reproduce {first}`, or name the run to compare with."
            )
        other = found[-1]
    if original.folder.resolve() == other.folder.resolve():
        raise click.UsageError(f"{original.name} would be compared with itself.")
    comparison = compare_runs(original, other, force=force)
    for record in (comparison.source, comparison.target):
        check_schema(record.config, record.paths, strict_schema=strict_schema, say=_say)
    write_report(comparison, manifest=manifest)
    show(comparison, form)
    return 0 if comparison.verdict == "PASS" else 1


def show(comparison: object, form: str) -> None:
    """Print a comparison as a table or as the report's JSON."""
    from probatum._files import read_json, strict_json
    from probatum.reproduction.compare import Comparison
    from probatum.reproduction.table import can_show_marks, report_text

    if not isinstance(comparison, Comparison):
        raise TypeError(f"expected a Comparison, got {type(comparison).__name__}")
    if form == "json":
        click.echo(strict_json(read_json(comparison.target.paths.reproduction_report)))
    else:
        click.echo(report_text(comparison, marks=can_show_marks(sys.stdout.encoding)))


def _say(line: str) -> None:
    click.echo(line, err=True)
