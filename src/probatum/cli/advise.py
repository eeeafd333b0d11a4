"""`probatum advise`: what probably ails a run, and what to try."""

from __future__ import annotations

import click

EXAMPLES = """\b
Examples:
  probatum advise 423891
  probatum advise runs/20260101_120000_concare_a0_423891 --format json | jq '.trainings[0].causes[0]'
  probatum advise 423891 --tag a0

Read are the snapshots of a run with signals (--instrument_signals), of every tag; of another run the epoch file
alone, which shows plateau, divergence and overfitting and hides most causes: the answer then says what was not
seen. Exit code 0: advised; 1: the run has no finished epoch, or a file is torn; 2: usage."""


@click.command("advise", epilog=EXAMPLES)
@click.argument("run", metavar="RUN")
@click.option("--tag", metavar="TAG", help="Only the signals under this tag.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="How the advice is shown.")  # fmt: skip
@click.option(
    "--runs_root", "--runs-root", metavar="FOLDER", help="Where runs stand; else PROBATUM_RUNS, else ./runs."
)
def command(run: str, tag: str | None, form: str, runs_root: str | None) -> int:
    """Name the likely cause of a plateau or divergence of RUN (path, folder name or id), with the evidence."""
    from probatum._files import read_json, strict_json
    from probatum.policies.advisor import advice_text, advise
    from probatum.policies.run_snapshots import run_snapshots
    from probatum.runs.folder import find_run
    from probatum.runs.folder import runs_root as find_root

    paths = find_run(run, find_root(runs_root))
    trainings = [
        {"seed": own.seed, "source": own.source, **advise(own.shots, has_signals=own.has_signals)}
        for own in run_snapshots(paths, tag)
    ]
    config = read_json(paths.config) if paths.config.exists() else {}
    study = (config.get("experiment") or {}).get("study") if isinstance(config, dict) else None
    if form == "json":
        click.echo(strict_json({"run": paths.name, "trainings": trainings}))
    else:
        click.echo(advice_text(paths.name, trainings, study))
    return 0
