"""`probatum explain`: what a change did, what moved together with it, what to doubt, what to try next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from probatum.reports.explanation.sides import Side

EXAMPLES = """\b
Examples:
  probatum explain 739113 988007
  probatum explain 739113,510747,122950 988007,637671,620281          several runs a side, one per seed
  probatum explain '*_icu_baseline_*' '*_icu_aware_*'                 the same by pattern
  probatum explain outputs/ablations/PLAN/baseline outputs/ablations/PLAN/wide
  probatum explain baseline wide --plan outputs/ablations/PLAN        two experiments of a plan
  probatum explain 739113 988007 --format json | jq '.did.metrics[0]'
  probatum explain 739113 988007 --format html --output explained.html
  probatum explain 739113 988007 --child_yaml experiment_logs/a3.yaml

PARENT and CHILD are runs by path, folder name or 6-digit id, several joined by commas, a pattern with *, or an
experiment of a plan. Read are records alone: no model is loaded. Signals that moved are associated with the
change, never named as its cause.
Exit code 0: explained; 1: no run of a side completed, or a file is torn; 2: usage."""


@click.command("explain", epilog=EXAMPLES)
@click.argument("parent")
@click.argument("child")
@click.option("--plan", metavar="FOLDER", help="The folder of a plan: PARENT and CHILD are its experiments.")
@click.option(
    "--metric", metavar="NAME", help="Judge by this metric instead of the one that was sealed first."
)
@click.option("--tag", metavar="TAG", help="Which artifact of each run, where it has several.")
@click.option("--format", "form", type=click.Choice(["markdown", "json", "html"]), default="markdown",
              show_default=True, help="How the explanation is written.")  # fmt: skip
@click.option("--output", metavar="FILE", help="Write it there instead of printing it.")
@click.option("--child_yaml", "--child-yaml", metavar="FILE",
              help="The child's experiment log; summary and notes are written into it, its comments "
                   "stay.")  # fmt: skip
@click.option(
    "--runs_root", "--runs-root", metavar="FOLDER", help="Where runs stand; else PROBATUM_RUNS, else ./runs."
)
def command(
    parent: str, child: str, plan: str | None, metric: str | None, tag: str | None, form: str, output: str | None,
    child_yaml: str | None, runs_root: str | None,
) -> int:  # fmt: skip
    """Explain what changed from PARENT to CHILD, what it did, what moved with it, and what to doubt."""
    from probatum._collector import collector_paused
    from probatum._files import write_whole
    from probatum.reports.explanation.record import build_explanation
    from probatum.reports.explanation.sides import find_side
    from probatum.runs.folder import runs_root as find_root

    root = find_root(runs_root)
    with collector_paused():  # large artifacts are many small objects, none of them garbage
        first, second = (find_side(own, root, plan=plan, tag=tag) for own in (parent, child))
        record = build_explanation(first, second, root=root, metric=metric)
    is_pair = first.kind == second.kind == "run"
    text = _pair_page(first, second) if form == "html" and is_pair else _text(record, form)
    if child_yaml:
        _write_log(child_yaml, record)
    if output:
        Path(output).parent.mkdir(parents=True, exist_ok=True)
        write_whole(Path(output), text)
        click.echo(output)
    else:
        click.echo(text, nl=False)
    return 0


def _text(record: dict[str, Any], form: str) -> str:
    from probatum._files import strict_json
    from probatum.reports.explanation.markdown import markdown

    if form == "json":
        return strict_json(record) + "\n"
    if form == "markdown":
        return markdown(record)
    from probatum.reports.explanation.html import html_page

    return html_page(record)


def _pair_page(parent: Side, child: Side) -> str:
    """Return the whole report of a pair of runs, charts included, which tells the explanation too."""
    from probatum.reports.page.page import build_page
    from probatum.reports.page.subject import Request, read_subject

    runs = [side.folders[0].folder for side in (parent, child)]
    return build_page(read_subject(Request([str(folder) for folder in runs], runs[0].parent))).html()


def _write_log(path: str, record: dict[str, Any]) -> None:
    from probatum.reports.explanation.markdown import robustness_lines, summary_lines
    from probatum.signals.experiment_log import write_comparison

    write_comparison(path, "\n".join(summary_lines(record)), "\n".join(robustness_lines(record)))
    click.echo(
        f"wrote instrumentation.signal_check.summary and instrumentation.perturbations.notes to {path}",
        err=True,
    )
