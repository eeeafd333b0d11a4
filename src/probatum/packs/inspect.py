"""A pack at a glance: quick statistics, health with verdicts, columns, size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probatum.packs.health import health, worst
from probatum.packs.reader import PackReader

_UNITS = ("bytes", "KiB", "MiB", "GiB")


def inspection(reader: PackReader) -> dict[str, Any]:
    """Return what `packs inspect` shows, as strict JSON takes it."""
    checks = health(reader)
    schema, head = reader.header["feature_schema"], reader.header
    return {
        "pack_id": head["pack_id"],
        "created_at": head["created_at"],
        "study": head["environment"].get("study"),
        "profile": head["telemetry_config"].get("profile_name"),
        "quick_stats": reader.quick_stats,
        "features": {name: len(members) for name, members in schema.items() if name != "_index"},
        "feature_count": len(reader.feature_names),
        "actions": list(reader.actions),
        "health": {"verdict": worst(checks), "checks": [check._asdict() for check in checks]},
        "columns": {
            name: {"dtype": column.dtype.str, "width": list(column.width), "bytes": _size(reader, name)}
            for name, column in reader.columns.items()
        },
        "rows": int(reader.episode_offsets[-1]),
        "bytes": sum(path.stat().st_size for path in reader.paths.folder.rglob("*") if path.is_file()),
    }


def inspection_text(found: Mapping[str, Any]) -> str:
    """Return an inspection for the terminal, in plain ASCII."""
    stats, health_found = found["quick_stats"], found["health"]
    counts = f"{stats['episodes']} episodes, {stats['decisions']} decisions"
    head = f"{found['pack_id']}: {counts}, {size(found['bytes'])}"
    features = " + ".join(f"{count} {name}" for name, count in found["features"].items())
    told = [
        ("created", found["created_at"]),
        ("study", found["study"] or "not stated"),
        ("profile", found["profile"] or "not stated"),
        ("features", f"{found['feature_count']} ({features})"),
        ("actions", _counts(stats["action_distribution"])),
        ("final accuracy", _range(stats["accuracy_range"])),
        ("seeds", f"{_counts(stats['seeds'])}; success rate {_rate(stats['seed_success_rate'])}"),
        ("outcomes", _counts(stats["outcomes"])),
        ("policies", _counts(stats["behaviour_policies"])),
        ("causes", _counts(stats["causes"])),
    ]
    checks = [
        [check["verdict"], check["name"], f"{check['value']:.3g}", check["meaning"]]
        for check in health_found["checks"]
    ]
    columns = [
        [name, each["dtype"], " x ".join(map(str, [found["rows"], *each["width"]])), size(each["bytes"])]
        for name, each in found["columns"].items()
    ]
    parts = [head, _aligned(told), f"Health: {health_found['verdict'] if checks else 'nothing to check yet'}"]
    parts += [_aligned(checks)] if checks else []
    return "\n\n".join([*parts, "Columns", _aligned(columns)])


def size(count: int) -> str:
    """Return a number of bytes for people.

    Example:
        >>> size(512), size(3 * 1024 * 1024)
        ('512 bytes', '3.0 MiB')
    """
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{count} bytes" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def _size(reader: PackReader, name: str) -> int:
    path = reader.paths.column(name)
    return path.stat().st_size if path.exists() else 0


def _counts(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {count}" for name, count in ordered) or "none"


def _range(found: Sequence[float] | None) -> str:
    return "not measured" if found is None else f"{found[0]:.1f}% to {found[1]:.1f}%"


def _rate(value: float | None) -> str:
    return "not defined (none created)" if value is None else f"{value:.2f}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
