"""`probatum reproduce`: a recorded experiment again, with a verdict."""

from __future__ import annotations

import sys
from typing import Any

import click

EXAMPLES = """\b
Examples:
  probatum reproduce 423891
  probatum reproduce --repro_experiment_id 423891 --manifest
  probatum reproduce runs/20260101_120000_gainakt2exp_baseline_423891 --code current

Exit code 0: PASS; 1: FAIL, or the record was edited; 2: usage; 3: the run failed."""


@click.command(epilog=EXAMPLES)
@click.argument("run", required=False)
@click.option(
    "--repro_experiment_id", "--repro-experiment-id", metavar="ID", help="The run, as the seed spells it."
)
@click.option("--manifest", is_flag=True, help="Write reproduction_manifest.json too.")
@click.option("--strict_schema", "--strict-schema", is_flag=True, help="Refuse another schema_version.")
@click.option("--code", type=click.Choice(["recorded", "current"]), default="recorded", show_default=True,
              help="Restore the recorded code where it differs, or test today's.")  # fmt: skip
@click.option(
    "--runs_root", "--runs-root", metavar="FOLDER", help="Where runs stand; else PROBATUM_RUNS, else ./runs."
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="How the outcome is shown.")  # fmt: skip
def command(
    run: str | None, repro_experiment_id: str | None, manifest: bool, strict_schema: bool, code: Any,
    runs_root: str | None, form: str,
) -> int:  # fmt: skip
    """Run the recorded experiment RUN again, compare, and say PASS or FAIL."""
    from probatum.cli.compare import show
    from probatum.reproduction.reproduce import reproduce
    from probatum.runs.folder import find_run
    from probatum.runs.folder import runs_root as find_root

    reference = run or repro_experiment_id
    if not reference or (run and repro_experiment_id):
        raise click.UsageError("name one run: `probatum reproduce 423891`, or --repro_experiment_id 423891.")
    original = find_run(reference, find_root(runs_root))

    def say(line: str) -> None:
        click.echo(line, err=form == "json")
        sys.stdout.flush()

    comparison = reproduce(
        original, root=runs_root, code=code, manifest=manifest, strict_schema=strict_schema, say=say,
        output=2 if form == "json" else None,  # the answer alone stands on standard output
    )  # fmt: skip
    show(comparison, form)
    return 0 if comparison.verdict == "PASS" else 1
