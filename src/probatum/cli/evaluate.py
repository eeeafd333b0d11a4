"""`probatum evaluate`: the best checkpoint's metrics on every split."""

from __future__ import annotations

import json
from typing import Any

import click

from probatum.cli.arguments import StudyCommand

EXAMPLES = """\b
Examples:
  probatum evaluate 123456
  probatum evaluate 123456 --format json
  jq -r .commands.eval_explicit runs/<folder>/config.json | sh      (every parameter stated)"""


@click.command(cls=StudyCommand, epilog=EXAMPLES)
@click.argument("run_or_study")
@click.option("--run_dir", metavar="RUN", help="The run, where a study and all its parameters are stated.")
@click.option(
    "--runs_root", metavar="FOLDER", help="Where run folders stand; else PROBATUM_RUNS, else ./runs."
)
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", help="What to print."
)
@click.pass_context
def command(ctx: click.Context, /, run_or_study: str, run_dir: str | None, **options: Any) -> int:
    """Evaluate a finished run's best checkpoint on train, validation and test.

    The weights are rebuilt from the run's own record; parameters that are stated must agree with it.
    """
    from probatum.runs.folder import find_run, runs_root
    from probatum.runs.integrity import amend
    from probatum.training.launch import plan_explicit
    from probatum.training.recorded import check_against_record, load_recorded_run

    if run_dir is None and ctx.obj:
        raise click.UsageError(
            f"--{next(iter(ctx.obj))} needs --run_dir RUN; without it only a run is named."
        )
    paths = find_run(run_dir or run_or_study, runs_root(options["runs_root"]))
    if run_dir is not None:
        check_against_record(plan_explicit(run_or_study, ctx.obj, title="", argv=()), paths)
    from probatum.training.evaluation import evaluate_run, write_evaluation

    run = load_recorded_run(paths)
    evaluations = evaluate_run(run)
    amend(paths, write_evaluation(run, evaluations))
    click.echo(json.dumps(evaluations, indent=2) if options["form"] == "json" else _table(evaluations))
    return 0


def _table(evaluations: dict[int, dict[str, dict[str, float | None]]]) -> str:
    lines = [f"{'seed':>6} {'metric':<36} {'train':>9} {'valid':>9} {'test':>9}"]
    for seed, splits in evaluations.items():
        for name in splits["train"]:
            values = " ".join(_cell(splits[split].get(name)) for split in ("train", "valid", "test"))
            lines.append(f"{seed:>6} {name:<36} {values}")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return f"{'-':>9}" if value is None else f"{value:>9.4f}"
