"""The tables of packs, from the files that the benchmarks wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.cells import spread, table

_READERS = {
    "columns": "`PackReader.batches`, in order",
    "columns_shuffled": "`PackReader.batches`, shuffled episodes",
    "document": "`json.load` and assembly",
}


def packs(result: Mapping[str, Any]) -> str:
    """Return seconds and memory of every way to read a pack for training."""
    rows = [
        [
            f"{setting['features']}",
            f"{setting['episodes']:,}",
            label,
            spread(setting["seconds"][name], 2),
            spread(setting["times_as_fast"].get(name), 1, "x"),
            spread(setting["mib"][name], 0),
        ]
        for setting in result["settings"]
        for name, label in _READERS.items()
        if name in setting["seconds"]
    ]
    head = ["features", "episodes", "reader", "seconds", "times as fast", "memory, MiB"]
    equal = all(setting["is_equal"] for setting in result["settings"])
    sizes = "; ".join(map(_size, result["settings"]))
    said = (
        f"Synthetic episodes of {result['epochs']} epochs, read whole, 64 at a time; all readers "
        f"{'agree' if equal else 'DISAGREE'} on the sums of values, masks and actions. Median (range) of "
        f"{result['rounds']} rounds that took turns; memory beyond that of the interpreter. {sizes}. The document "
        "of the last setting was not measured: it would not fit beside other work.\n"
    )
    return f"{said}\n{table(head, rows)}"


def _size(setting: Mapping[str, Any]) -> str:
    document = f", a document of {setting['document_mib']:.0f} MiB" if "document_mib" in setting else ""
    columns = f"{setting['columns_mib']:.0f} MiB of columns"
    return f"{setting['features']} features, {setting['episodes']:,} episodes: {columns}{document}"
