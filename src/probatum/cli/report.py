"""`probatum report`: one file that a reader can open anywhere."""

from __future__ import annotations

from pathlib import Path

import click

EXAMPLES = """\b
Examples:
  probatum report 423891
  probatum report 423891 518230 --output child.html       (a parent and its child)
  probatum report outputs/ablations/my_plan --metric val_auc --figures figures
  probatum report 423891 --format json | jq .sections

The file holds everything that it shows: it works offline, asks nothing of any server, and may be sent to anyone
who may see the runs. Exit code 0: written; 1: a record is torn or empty; 2: usage."""


@click.command("report", epilog=EXAMPLES)
@click.argument("references", metavar="RUN|PLAN|PAIR...", nargs=-1, required=True)
@click.option("--output", metavar="FILE", default="report.html", show_default=True, help="The file to write.")
@click.option("--figures", "figures", metavar="FOLDER", help="Write every chart as PNG and SVG too.")
@click.option("--title", metavar="TEXT", help="The heading; else made of the runs' titles.")
@click.option("--open", "opens", is_flag=True, help="Open the file in the browser.")
@click.option("--metric", metavar="NAME[:min|:max]", help="What ranks a plan's experiments.")
@click.option("--objective", "objectives", metavar="NAME[:min|:max]", multiple=True,
              help="One objective of the Pareto front; repeatable.")  # fmt: skip
@click.option("--baseline", metavar="EXPERIMENT", help="What a plan's experiments are compared with.")
@click.option(
    "--runs_root", "--runs-root", metavar="FOLDER", help="Where runs stand; else PROBATUM_RUNS, else ./runs."
)
@click.option("--format", "form", type=click.Choice(["html", "json"]), default="html", show_default=True,
              help="The file, or its content as JSON on the terminal.")  # fmt: skip
def command(
    references: tuple[str, ...], output: str, figures: str | None, title: str | None, opens: bool,
    metric: str | None, objectives: tuple[str, ...], baseline: str | None, runs_root: str | None, form: str,
) -> int:  # fmt: skip
    """Report on one run, on a parent and its child (two runs), or on a plan's folder.

    RUN is a path, a folder name or a 6-digit id. More than two runs, or a folder, are ranked on a leaderboard.
    """
    from probatum.reports.page.output import page_record, write_page
    from probatum.reports.page.page import build_page
    from probatum.reports.page.subject import Request, read_subject
    from probatum.runs.folder import runs_root as find_root

    request = Request(references, find_root(runs_root), metric, objectives, baseline)
    page = build_page(read_subject(request), title)
    if form == "json":
        from probatum._files import strict_json

        click.echo(strict_json(page_record(page)))
    else:
        path = write_page(page, Path(output))
        click.echo(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB, {len(page.figures)} charts)")
    if figures:
        from probatum.reports.figures import write_figures

        written = write_figures(page.figures, figures)
        click.echo(f"wrote {len(written)} figures into {figures}", err=form == "json")
    if opens and form == "html":
        click.launch(str(Path(output).resolve()))
    return 0
