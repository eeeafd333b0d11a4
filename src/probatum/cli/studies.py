"""`probatum studies`: list the studies, or print one study's table of parameters."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import click

EPILOG = """\b
Examples:
  probatum studies
  probatum studies gainakt2exp
  probatum studies gainakt2exp --format json
  probatum studies gainakt2exp --csv parameters.csv
"""


@click.command("studies", epilog=EPILOG)
@click.argument("name", required=False, metavar="[STUDY]")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How the listing is printed.",
)
@click.option(
    "--csv", "csv_path", type=click.Path(path_type=Path), help="Also write STUDY's table to this file."
)
def command(name: str | None, output_format: str, csv_path: Path | None) -> None:
    """List the studies, or the parameters of STUDY with default, type, bounds and unit."""
    from probatum.studies import registry

    if name is None:
        if csv_path is not None:
            raise click.UsageError(
                "--csv writes the table of one study: name it, as in `probatum studies NAME --csv FILE`."
            )
        click.echo(_listing([registry.load(each) for each in registry.names()], output_format), nl=False)
        return
    click.echo(_parameters(registry.load(name), output_format, csv_path), nl=False)


def _listing(studies: list[Any], output_format: str) -> str:
    """Return names and summaries of the studies."""
    rows = [{"name": study.name, "summary": study.summary} for study in studies]
    if output_format == "json":
        return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    if output_format == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, ["name", "summary"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()
    width = max((len(row["name"]) for row in rows), default=0)
    return "".join(f"{row['name']:<{width}}  {row['summary']}\n" for row in rows)


def _parameters(study: Any, output_format: str, csv_path: Path | None) -> str:
    """Return the table of one study's parameters; write it as CSV too where asked."""
    from probatum._files import write_whole
    from probatum.parameters.table import parameter_table, table_csv, table_json, table_markdown

    rows = parameter_table(study.parameters, study.load_defaults())
    if csv_path is not None:
        if not csv_path.parent.is_dir():
            raise click.UsageError(
                f"--csv {csv_path}: the folder {csv_path.parent} does not exist. Make it first."
            )
        write_whole(csv_path, table_csv(rows))
    return {"table": table_markdown, "json": table_json, "csv": table_csv}[output_format](rows)
