"""`probatum ablate`: carry out a plan of experiments."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from probatum.cli.arguments import name_and_value
from probatum.cli.sweep_arguments import SweepCommand

EXAMPLES = """\b
Examples:
  probatum ablate --plan configs/ablations/plan.yaml --dry-run
  probatum ablate configs/ablations/plan.yaml --skip-existing --jobs 2    (also: go on after a stop)
  probatum ablate plan.yaml --filter model_tiny model_large --max-steps 50
  probatum ablate plan.yaml --set train.learning_rate=1e-4 --timeout 3600 --retries 1
  probatum ablate plan.yaml --instrument_signals --instrumentation_dir signals
  probatum ablate plan.yaml --engine slurm --engine-option partition=gpu --engine-option gpus_per_run=1
  probatum ablate plan.yaml --mlflow http://127.0.0.1:5000
  probatum ablate plan.yaml --detach
  probatum ablate plan.yaml --status

The plan, with its baseline and primary metric, is sealed in the ledger before the first run."""


@click.command(cls=SweepCommand, epilog=EXAMPLES)
@click.argument("plan_file", metavar="[PLAN]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--plan", "plan_option", type=click.Path(path_type=Path), metavar="FILE", help="The plan; or PLAN."
)
@click.option("--dry-run", "--dry_run", is_flag=True, help="Print the resolved differences; write nothing.")
@click.option(
    "--filter", "filters", multiple=True, metavar="NAME...", help="Only these experiments; patterns work."
)
@click.option(
    "--skip-existing", "--skip_existing", is_flag=True, help="Skip runs completed with the same hash."
)
@click.option("--max-runs", "--max_runs", type=click.IntRange(0), metavar="N", help="Start N runs at most.")
@click.option(
    "--jobs", type=click.IntRange(1), metavar="N", help="Runs at a time; one per device if not given."
)
@click.option(
    "--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Longest time of a run."
)
@click.option("--retries", type=click.IntRange(0), default=0, show_default=True, help="After a failure.")
@click.option(
    "--fail-fast/--carry-on", "fail_fast", default=False, help="Stop at the first failure, or go on."
)
@click.option("--engine", default="local", show_default=True, metavar="NAME", help="Where runs execute.")
@click.option(
    "--engine-option", "--engine_option", "engine_options", multiple=True, metavar="NAME=VALUE",
    help="An option of the engine, such as partition=gpu; repeatable.",
)  # fmt: skip
@click.option(
    "--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override in every experiment; repeatable."
)
@click.option("--max-steps", "--max_steps", type=click.IntRange(1), help="Short for --set train.max_steps=N.")
@click.option(
    "--rule", "rules", multiple=True, metavar="NAME=RULE", help="As the plan's `rules`; repeatable."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Instead of the plan's base_output_dir.",
)
@click.option(
    "--runs_root", "--runs-root", type=click.Path(path_type=Path), metavar="FOLDER",
    help="Where a study's run folders stand; else PROBATUM_RUNS, else ./runs.",
)  # fmt: skip
@click.option(
    "--mlflow", is_flag=False, flag_value="", default=None, metavar="[URI]",
    help="Send runs to MLflow meanwhile; without URI to MLFLOW_TRACKING_URI or mlflow.db beside the plan.",
)  # fmt: skip
@click.option("--no-mlflow", "--no_mlflow", is_flag=True, help="Send nothing, whatever is configured.")
@click.option("--schema", is_flag=True, help="Print the grammar of a plan as JSON Schema.")
@click.option("--status", is_flag=True, help="Tell how far the plan is.")
@click.option("--detach", is_flag=True, help="Leave the runner behind and return at once.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", help="Of --status.")
def command(plan_file: Path | None, plan_option: Path | None, **options: Any) -> int:
    """Carry out the experiments of PLAN, each in a folder of its own with all that it was told.

    What was interrupted goes on where it can; a failed run shows its last lines; Ctrl-C loses nothing.
    The flags of `launch` for signals (--instrument_signals and the rest) act on every run of a study.
    """
    if options["schema"]:
        from probatum.ablations.plan.schema import SCHEMA_PATH

        click.echo(SCHEMA_PATH.read_text(encoding="utf-8"), nl=False)
        return 0
    from probatum.ablations import PlanOptions, load_plan

    path = plan_file or plan_option
    if path is None or (plan_file and plan_option):
        raise click.UsageError("give one plan: probatum ablate PLAN, or --plan FILE.")
    sets = tuple(options["sets"])
    if options["max_steps"] is not None:
        sets += (f"train.max_steps={options['max_steps']}",)
    asked = PlanOptions(
        tuple(options["filters"]), sets, tuple(options["rules"]), options["output"], options["runs_root"]
    )
    plan = load_plan(path, asked)
    if options["status"]:
        return _status(plan, options["form"])
    if options["dry_run"]:
        from probatum.ablations import describe_plan

        for line in describe_plan(plan, skip_existing=options["skip_existing"], max_runs=options["max_runs"]):
            click.echo(line)
        return 0
    return _detach(plan, path) if options["detach"] else _run(plan, options)


def _status(plan: Any, form: str) -> int:
    from probatum.ablations import plan_status

    status = plan_status(plan)
    click.echo(json.dumps(status.as_record(), indent=2) if form == "json" else "\n".join(status.lines()))
    return 0


def _detach(plan: Any, path: Path) -> int:
    from probatum.ablations.runner.detach import detach
    from probatum.ablations.runner.folder import PlanFolder

    words = [word for word in sys.argv[1:] if word != "--detach"]
    process, log = detach(PlanFolder(plan.folder), words)
    click.echo(f"process {process} carries the plan out; it prints to {log}")
    click.echo(f"probatum ablate --status {path} tells how far it is")
    return 0


def _run(plan: Any, options: dict[str, Any]) -> int:
    from probatum.ablations import SweepOptions, make_engine, run_plan
    from probatum.analysis.reader import remember
    from probatum.tracking.during import tracked, wanted_address

    address = None if options["no_mlflow"] else wanted_address(plan, options["mlflow"], _say)
    for note in plan.notes:
        click.echo(f"note: {note}", err=True)
    for accommodation in plan.accommodations:
        click.echo(f"note: {accommodation.written} -> {accommodation.used}: {accommodation.reason}", err=True)
    how = SweepOptions(
        skip_existing=options["skip_existing"],
        max_runs=options["max_runs"],
        timeout_seconds=options["timeout"],
        retries=options["retries"],
        fail_fast=options["fail_fast"],
    )
    words = dict(name_and_value(word, "--engine-option") for word in options["engine_options"])
    with tracked(plan.folder, address, _say):
        with make_engine(options["engine"], options["jobs"], words) as engine:
            result = run_plan(plan, engine, how, _say)
        click.echo(f"{plan.name}: {result.line()}")
    remember(plan.folder)  # so that `analyze` finds its reading done
    return 3 if result.failed or result.interrupted else 0


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()
