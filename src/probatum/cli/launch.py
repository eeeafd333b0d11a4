"""`probatum launch`: resolve, make the run folder, execute the explicit command."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from probatum.cli.arguments import StudyCommand, name_and_value

EXAMPLES = """\b
Examples:
  probatum launch gainakt2exp --title quick --epochs 3
  probatum launch gainakt2exp --experiment_title baseline --seeds 21 42 63 --ablation_mode both_lag
  probatum launch gainakt3exp --short_title test --dataset assist2015 --set training.batch_size=32
  probatum launch gainakt2exp --from_config runs/<folder>/config.json --unset alignment_weight
  probatum launch abprop --title paper --preset size=paper
  probatum launch ./my_study.py --title first --dry_run

Every other --name value is a parameter of the study: probatum studies gainakt2exp"""


@click.command(cls=StudyCommand, epilog=EXAMPLES)
@click.argument("study")
@click.option(
    "--title", "--short_title", "--experiment_title", "title", default="run", help="A short name for the run."
)
@click.option("--purpose", default="", help="Why this run is made; kept in the record.")
@click.option(
    "--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override, also by dotted path; repeatable."
)
@click.option("--unset", multiple=True, metavar="KEY", help="Return a parameter to its default; repeatable.")
@click.option(
    "--from_config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Start from the parameters of a config.json or YAML file.",
)
@click.option(
    "--preset", "presets", multiple=True, metavar="NAME=VALUE",
    help="A named set of parameters, such as size=paper; single flags win; repeatable.",
)  # fmt: skip
@click.option("--ablation_mode", metavar="MODE", help="Switches of an ablation at once; single flags win.")
@click.option("--seed", metavar="N", help="One seed: short for --seeds N.")
@click.option("--no_amp", is_flag=True, help="Mixed precision off: short for --mixed_precision false.")
@click.option("--use_amp", is_flag=True, help="Mixed precision on: short for --mixed_precision true.")
@click.option(
    "--reproduce_from", metavar="RUN", help="Clone a run's parameters; further overrides apply on top."
)
@click.option("--strict_schema", is_flag=True, help="With --reproduce_from: refuse another schema version.")
@click.option("--manifest", is_flag=True, help="Write reproduction_manifest.json at the end.")
@click.option(
    "--experiment_dir", type=click.Path(path_type=Path), metavar="FOLDER", help="Use this run folder."
)
@click.option("--force", is_flag=True, help="Allow --experiment_dir to hold files already.")
@click.option(
    "--runs_root", metavar="FOLDER", help="Where run folders stand; else PROBATUM_RUNS, else ./runs."
)
@click.option("--dry_run", is_flag=True, help="Print the overrides and the explicit command; write nothing.")
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Resolve STUDY's parameters, make the run folder, and train."""
    from probatum.runs.folder import runs_root
    from probatum.training.launch import plan_launch

    root = runs_root(options["runs_root"])
    request, reproduction = _request(ctx.obj, options, root)
    plan = plan_launch(request, reproduction=reproduction)
    for name, reason in plan.inert_overrides().items():
        click.echo(f"probatum: --{name} was set but cannot act: {reason}.", err=True)
    if options["dry_run"]:
        click.echo(plan.describe())
        return
    paths = plan.prepare(root, folder=options["experiment_dir"], force=options["force"])
    click.echo(f"run {paths.name}")
    sys.stdout.flush()
    environment = {**os.environ, "EXPERIMENT_DIR": str(paths.folder)}
    arguments = [sys.executable, "-m", "probatum", *plan.explicit_command_words[1:]]
    os.execve(sys.executable, arguments, environment)  # noqa: S606 - no shell; this process becomes the training


def _request(
    parameters: dict[str, list[str]], options: dict[str, Any], root: Path
) -> tuple[Any, dict[str, Any] | None]:
    from probatum.training.launch import LaunchRequest, clone_source

    shortcuts = {
        "seeds": options["seed"],
        "mixed_precision": "false" if options["no_amp"] else "true" if options["use_amp"] else None,
    }
    parameters = {**parameters, **{name: [value] for name, value in shortcuts.items() if value is not None}}
    request = LaunchRequest(
        study_reference=options["study"],
        title=options["title"],
        purpose=options["purpose"],
        options=parameters,
        sets=options["sets"],
        unset=options["unset"],
        from_config=options["from_config"],
        presets=_presets(options),
        argv=("probatum", *sys.argv[1:]),
        manifest=options["manifest"],
    )
    if options["reproduce_from"] is None:
        return request, None
    return clone_source(request, options["reproduce_from"], root, strict_schema=options["strict_schema"])


def _presets(options: dict[str, Any]) -> dict[str, str]:
    chosen = dict(name_and_value(entry, "--preset") for entry in options["presets"])
    return chosen | ({"ablation_mode": options["ablation_mode"]} if options["ablation_mode"] else {})
