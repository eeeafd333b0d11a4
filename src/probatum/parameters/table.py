"""The generated table of a study's parameters, as CSV, Markdown or JSON.

Source: seed 002 "Parameters" (`parameters.csv`); the columns of the recovered 63-row file plus the unit.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from probatum._files import strict_json
from probatum.parameters.model import Parameters, field_specs
from probatum.parameters.values import to_text

CSV_COLUMNS = ("name", "default", "category", "unit", "description")


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One parameter as text; `unit` and `bounds` are empty where there is none."""

    name: str
    default: str
    category: str
    unit: str
    description: str
    type: str
    bounds: str


def parameter_table(parameters_class: type[Parameters], defaults: Parameters) -> tuple[ParameterRow, ...]:
    """Return one row for every parameter, in the order of declaration.

    Example:
        >>> from probatum.parameters.model import parameter
        >>> class Small(Parameters):
        ...     epochs: int = parameter("training", "passes over the data", unit="epochs", ge=1)
        >>> parameter_table(Small, Small(epochs=3))[0].bounds
        '>= 1'
    """
    return tuple(
        ParameterRow(
            name=spec.name,
            default=to_text(spec, getattr(defaults, spec.name)),
            category=spec.category,
            unit=spec.unit or "",
            description=spec.description,
            type=spec.type_name,
            bounds=", ".join(spec.bounds),
        )
        for spec in field_specs(parameters_class).values()
    )


def table_csv(rows: Sequence[ParameterRow]) -> str:
    """Return `parameters.csv`: exactly name, default, category, unit, description."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows([getattr(row, column) for column in CSV_COLUMNS] for row in rows)
    return text.getvalue()


def table_markdown(rows: Sequence[ParameterRow]) -> str:
    """Return the table for the documentation, with type and bounds."""
    lines = [
        "| Parameter | Default | Type | Bounds | Unit | Category | Description |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (row.name, row.default, row.type, row.bounds, row.unit, row.category, row.description)
        lines.append("| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def table_json(rows: Sequence[ParameterRow]) -> str:
    """Return the rows as JSON, with type and bounds."""
    return strict_json([asdict(row) for row in rows]) + "\n"
