"""The comparison as people read it: the seed's table, and the verdict with what else differs.

Source: seed 002, section 4.
"""

from __future__ import annotations

from collections.abc import Iterable

from probatum.reproduction.compare import Comparison, Row
from probatum.reproduction.differences import Difference

_COLUMNS = "{:<26}{:<14}{:<14}{:<14}{:<8}"
_MARKS = {"PASS": "✅", "FAIL": "❌", "MISSING": "❌"}
_LISTED = 8


def can_show_marks(encoding: str | None) -> bool:
    """Return whether a terminal of this encoding shows the seed's status marks.

    Example:
        >>> can_show_marks("utf-8"), can_show_marks("ascii"), can_show_marks(None)
        (True, False, False)
    """
    try:
        "".join(_MARKS.values()).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def table(rows: Iterable[Row], *, marks: bool) -> str:
    """Return the seed's table: four decimals, a line of 100 dashes, one row per metric."""
    lines = [_COLUMNS.format("Metric", "Original", "Repro", "Diff", "Status"), "-" * 100]
    for row in rows:
        cells = (_four(row.original), _four(row.repro), _four(row.diff))
        status = f"{_MARKS[row.status]} {row.status}" if marks else row.status
        lines.append(_COLUMNS.format(row.metric, *cells, status).rstrip())
    return "\n".join(lines)


def _four(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def report_text(comparison: Comparison, *, marks: bool = False) -> str:
    """Return the table, the verdict, and what else a person must know."""
    source, target = comparison.source.paths.name, comparison.target.paths.name
    lines = [f"Original: {source}", f"Repro:    {target}", "", table(comparison.rows, marks=marks), ""]
    lines.append(f"{comparison.verdict} ({comparison.mode} tolerances, from the record)")
    lines += [f"  {reason}" for reason in comparison.reasons]
    lines += [f"  note: {note}" for note in comparison.notes]
    lines.append(_bytes_line(comparison))
    epochs = comparison.epochs
    if epochs and not epochs.is_identical:
        lines.append(
            f"epochs: {epochs.differing_cells} of {epochs.compared_cells} cells differ; largest deviation "
            f"{epochs.largest_deviation:.3g} ({epochs.largest_at}); first: {epochs.first_difference}"
        )
    lines.append(f"config_md5: {'match' if comparison.config_md5_match else 'MISMATCH'}")
    lines.append(f"results_md5: {'match' if comparison.results_md5_match else 'mismatch'}")
    lines += _elsewhere(comparison)
    return "\n".join(lines)


def _bytes_line(comparison: Comparison) -> str:
    if comparison.bitwise:
        return "bit for bit: identical (results, epochs, checkpoints)"
    return f"bit for bit: no; first difference {comparison.first_difference}"


def _elsewhere(comparison: Comparison) -> list[str]:
    """Return what differs beside the results: the first place to look where the configuration matches."""
    groups: dict[str, tuple[Difference, ...]] = {
        "environment": comparison.environment_differences,
        "data": comparison.data_differences,
        "code": comparison.code_differences,
    }
    lines = []
    for name, found in groups.items():
        lines += [f"{name}: {item}" for item in found[:_LISTED]]
        if len(found) > _LISTED:
            lines.append(f"{name}: and {len(found) - _LISTED} more in reproduction_report.json")
    if not any(groups.values()) and not comparison.bitwise and comparison.config_md5_match:
        lines.append(
            "environment, data and code are recorded as identical: the run itself is not deterministic"
        )
    return lines
