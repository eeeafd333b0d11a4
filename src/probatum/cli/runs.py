"""`probatum runs`: list runs, best first if asked."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from probatum.runs.catalogue import CatalogueRow

_EPILOG = """\b
Examples:
  probatum runs                                    every run
  probatum runs --study gainakt2exp --status failed
  probatum runs --metric val_auc --best 5          the five best, direction as the metric defines it
  probatum runs --format csv > runs.csv
  probatum runs --rebuild                          make the index again from the folders
  probatum runs sync --help                        send runs to MLflow
"""
_STATUSES = ["planned", "running", "completed", "failed", "interrupted"]
_COLUMNS = ("id", "status", "study", "title", "created", "seeds")
_METRIC_COLUMNS = ("best", "last", "best_epoch")


class RunsGroup(click.Group):
    """Lists runs; the verbs about runs are imported at their first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs."""
        return ["sync"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb."""
        if cmd_name != "sync":
            return None
        from probatum.cli.runs_sync import command as sync

        return sync


@click.group("runs", cls=RunsGroup, invoke_without_command=True, epilog=_EPILOG)
@click.option("--study", metavar="NAME", help="Only runs of this study.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only runs that stand there.")
@click.option(
    "--metric", metavar="NAME", help="Show a metric at the best and at the last epoch (mean over seeds)."
)
@click.option(
    "--best",
    "count",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only the N best by --metric, best first.",
)
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", help="What to print."
)
@click.option("--rebuild", is_flag=True, help="Throw the index away and make it again from the folders.")
@click.option(
    "--runs-root",
    "--runs_root",
    metavar="FOLDER",
    help="Where run folders stand; else PROBATUM_RUNS, else ./runs.",
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    study: str | None,
    status: str | None,
    metric: str | None,
    count: int | None,
    form: str,
    rebuild: bool,
    runs_root: str | None,
) -> int:
    """List runs, best first if asked.

    Which value of a metric is better stands in the runs' own definitions of it.
    """
    if ctx.invoked_subcommand:
        return 0
    from probatum.runs.catalogue import Catalogue
    from probatum.runs.folder import runs_root as resolve_root

    if count and not metric:
        raise click.UsageError("--best N needs --metric NAME.")
    root = resolve_root(runs_root)
    if not root.is_dir():
        click.echo(
            _empty(
                form,
                f"No runs: {root} does not exist. Start one with `probatum launch STUDY`, "
                "or name another folder with --runs-root.",
            ),
            nl=False,
        )
        return 0
    catalogue = Catalogue(root)
    try:
        if rebuild:
            click.echo(f"Indexed {catalogue.rebuild()} runs.", err=form != "table")
        catalogue.refresh()
        if metric and count:
            rows = catalogue.best(metric, count, study=study, status=status)
        else:
            rows = catalogue.list(study=study, status=status, metric=metric)
    finally:
        catalogue.close()
    if not rows:
        asked = study or status
        click.echo(
            _empty(
                form,
                "No run fits. `probatum runs` alone lists all."
                if asked
                else f"No runs in {root}. Start one with `probatum launch STUDY`.",
            ),
            nl=False,
        )
        return 0
    click.echo(_render(form, rows, metric), nl=False)
    return 0


def _empty(form: str, sentence: str) -> str:
    return {"json": "[]\n", "csv": "name," + ",".join(_COLUMNS) + "\n"}.get(form, sentence + "\n")


def _render(form: str, rows: Sequence[CatalogueRow], metric: str | None) -> str:
    records = [row.as_record() for row in rows]
    if metric is None:
        for record in records:
            for key in ("metric", *_METRIC_COLUMNS):
                del record[key]
    if form == "json":
        return json.dumps(records, indent=2) + "\n"
    if form == "csv":
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        return stream.getvalue()
    return _table(records, metric)


def _table(records: list[dict[str, Any]], metric: str | None) -> str:
    columns = [*_COLUMNS, *(_METRIC_COLUMNS if metric else ())]
    titles = {"best": metric or "", "last": "at last epoch", "best_epoch": "best epoch"}
    table = [[titles.get(column, column) for column in columns]]
    table += [[_cell(record[column]) for column in columns] for record in records]
    widths = [max(len(line[index]) for line in table) for index in range(len(columns))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    notes = [f"{record['id'] or record['name']}: {record['note']}" for record in records if record["note"]]
    return "\n".join([*lines, *notes, f"{len(records)} run{'s' if len(records) != 1 else ''}."]) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}" if value != int(value) or abs(value) < 1 else f"{value:g}"
    text = str(value)
    return (text if len(text) <= 40 else text[:37] + "...").encode("ascii", "replace").decode()
