"""`probatum analyze`: did it help: leaderboard, Pareto front and findings of many runs."""

from __future__ import annotations

from pathlib import Path

import click

EXAMPLES = """\b
Examples:
  probatum analyze outputs/ablations
  probatum analyze outputs/ablations --summary-csv summary.csv --summary-json summary.json \\
    --plot loss_chart.png --metric metrics_loss
  probatum analyze outputs/ablations --metric mlm_perplexity --objective mlm_perplexity \\
    --objective cls_f1:max --objective training_seconds --baseline baseline_reference --findings findings.md
  probatum analyze runs --metric val_auc --format json | jq .pareto

RESULTS is a folder of `probatum ablate` or of AbProp's own runner, or one with Probatum run folders. Exit code
0: analysed; 1: no completed run; 2: usage."""
_ROWS = 40  # of the table on the terminal


@click.command("analyze", epilog=EXAMPLES)
@click.argument("folder", metavar="[RESULTS]", required=False)
@click.option("--results", metavar="FOLDER", help="As RESULTS: the older spelling.")
@click.option("--summary-csv", "--summary_csv", metavar="FILE", help="Write one line per run.")
@click.option("--summary-json", "--summary_json", metavar="FILE", help="Write everything that was computed.")
@click.option("--plot", metavar="FILE", help="Draw the Pareto plot: a name that ends with .png or .svg.")
@click.option("--findings", metavar="FILE", help="Write findings.md: the checklist answered by axis.")
@click.option("--metric", metavar="NAME[:min|:max]",
              help="What ranks; else the plan's primary metric, else metrics_loss.")  # fmt: skip
@click.option("--objective", "objectives", metavar="NAME[:min|:max]", multiple=True,
              help="One objective of the front; repeatable. Else the plan's, else metric and time.")  # fmt: skip
@click.option("--baseline", metavar="EXPERIMENT", help="Else the plan's, else baseline_reference.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table",
              show_default=True, help="What to print.")  # fmt: skip
@click.option("--all", "every", is_flag=True, help=f"In the table, more than {_ROWS} experiments.")
def command(
    folder: str | None, results: str | None, summary_csv: str | None, summary_json: str | None,
    plot: str | None, findings: str | None, metric: str | None, objectives: tuple[str, ...],
    baseline: str | None, form: str, every: bool,
) -> int:  # fmt: skip
    """Compare the experiments below RESULTS: leaderboard, tests against the baseline, Pareto front."""
    from probatum._collector import collector_paused

    if bool(folder) == bool(results):
        raise click.UsageError("name one folder with results: `probatum analyze outputs/ablations`.")
    with collector_paused():  # the process ends with the answer
        _answer(
            folder or results or "", summary_csv, summary_json, plot, findings, metric, objectives, baseline,
            form, every,
        )  # fmt: skip
    return 0


def _answer(
    folder: str, summary_csv: str | None, summary_json: str | None, plot: str | None, findings: str | None,
    metric: str | None, objectives: tuple[str, ...], baseline: str | None, form: str, every: bool,
) -> None:  # fmt: skip
    from probatum.analysis import export
    from probatum.analysis.leaderboard import analyse

    analysis = analyse(folder, metric=metric, objectives=objectives, baseline=baseline)
    if summary_csv:
        export.write_csv(analysis, Path(summary_csv))
    if summary_json:
        export.write_json(analysis, Path(summary_json))
    if findings:
        from probatum.analysis.findings import findings_text

        export.write_text(Path(findings), findings_text(analysis))
    if plot:
        from probatum.analysis.chart import write_chart  # charts are slow to load

        write_chart(analysis, Path(plot))
    if form == "json":
        from probatum.runs.files import json_text

        click.echo(json_text(export.as_record(analysis)), nl=False)
    elif form == "csv":
        click.echo(export.csv_text(analysis), nl=False)
    else:
        from probatum.analysis.table import leaderboard_text

        click.echo(leaderboard_text(analysis, None if every else _ROWS), nl=False)
    for path in filter(None, (summary_csv, summary_json, findings, plot)):
        click.echo(f"wrote {path}", err=True)
