"""A pack as one file: the seed's one JSON document, or one row per observation as CSV or Parquet.

Every form is written episode by episode, to a temporary file that takes the name when it is whole.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from probatum._errors import MissingExtraError, UsageError
from probatum._files import strict_json
from probatum.packs.columns import NOTHING
from probatum.packs.reader import PackReader
from probatum.packs.rewards import COMPONENTS

TOGETHER = 64  # episodes in memory, and in a row group of a Parquet file
Table = dict[str, list[Any]]


def export(reader: PackReader, form: str, out: Path | str) -> Path:
    """Write a pack as one file and return it.

    Args:
        reader: The pack.
        form: json, csv or parquet.
        out: The file; one that is there is replaced.

    Raises:
        UsageError: the form is unknown, or `out` is a folder or stands in none.
        MissingExtraError: Parquet needs pyarrow.
    """
    path = Path(out)
    if form not in FORMS:
        raise UsageError(f"expected one of {', '.join(FORMS)}, got {form!r}.")
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"{path}: expected a file in a folder that exists.")
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    try:
        FORMS[form](reader, Path(temporary))
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def write_document(reader: PackReader, path: Path) -> None:
    """Write the seed's one document: the head of the pack with `episodes` at its end."""
    head = {**reader.header, "quick_stats": reader.quick_stats}
    text = strict_json(head, indent=None)
    with path.open("wb") as file:
        file.write(text[:-1].encode() + b', "episodes": [')
        for number in range(len(reader)):
            file.write((b",\n" if number else b"\n") + reader.line(number).rstrip(b"\n"))
        file.write(b"\n]}\n")


def write_csv(reader: PackReader, path: Path) -> None:
    """Write one row per observation; a feature that was not measured is empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, table in enumerate(tables(reader)):
            if number == 0:
                writer.writerow(table)
            writer.writerows(zip(*table.values(), strict=True))


def write_parquet(reader: PackReader, path: Path) -> None:
    """Write one row per observation, a row group for every `TOGETHER` episodes; null where not measured.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError:
        raise MissingExtraError("Parquet needs pyarrow: pip install 'probatum[parquet]'") from None
    types = {"text": pyarrow.string(), "integer": pyarrow.int64(), "number": pyarrow.float32()}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in column_kinds(reader).items()])
    head = strict_json({**reader.header, "quick_stats": reader.quick_stats}, indent=None)
    schema = schema.with_metadata({"probatum.pack": head})
    with parquet.ParquetWriter(path, schema) as writer:
        for table in tables(reader):
            writer.write_table(pyarrow.table(table, schema=schema))


def tables(reader: PackReader) -> Iterator[Table]:
    """Yield the rows of `TOGETHER` episodes at a time, by column; None where there is no value.

    A pack without episodes yields one table without rows.
    """
    shorts = reader.summaries
    for start in range(0, max(len(reader), 1), TOGETHER):
        batch = reader.batch(range(start, min(start + TOGETHER, len(reader))))
        owners = [shorts[number] for number in batch.episode.tolist()]
        table: Table = {
            name: [owner[name] for owner in owners] for name in ("episode_id", "policy", "cause", "seed")
        }
        table["epoch"] = batch.epochs.tolist()
        for name in ("actions", "greedy"):
            table[_NAMED[name]] = [
                None if index == NOTHING else reader.actions[index] for index in batch.column(name).tolist()
            ]
        table["good"] = [None if value == NOTHING else value for value in batch.good.tolist()]
        table["done"] = batch.done.tolist()
        table |= {name: batch.rewards[:, each].tolist() for each, name in enumerate(COMPONENTS)}
        for each, name in enumerate(reader.actions):
            table[f"allowed_{name}"] = batch.allowed[:, each].tolist()
        for each, name in enumerate(reader.actions):
            table[f"probability_{name}"] = batch.probabilities[:, each].tolist()
        known = batch.observations.astype(object)
        known[batch.mask == 0] = None
        table |= {
            f"feature_{name}": known[:, each].tolist() for each, name in enumerate(reader.feature_names)
        }
        yield table


def column_kinds(reader: PackReader) -> dict[str, str]:
    """Return text, integer or number for every column of `tables`."""
    kinds = dict.fromkeys(("episode_id", "policy", "cause"), "text") | dict.fromkeys(
        ("seed", "epoch"), "integer"
    )
    kinds |= dict.fromkeys(_NAMED.values(), "text") | dict.fromkeys(("good", "done"), "integer")
    kinds |= dict.fromkeys(COMPONENTS, "number")
    kinds |= {f"allowed_{name}": "integer" for name in reader.actions}
    kinds |= {f"probability_{name}": "number" for name in reader.actions}
    return kinds | {f"feature_{name}": "number" for name in reader.feature_names}


_NAMED = {"actions": "action", "greedy": "greedy_action"}
FORMS: dict[str, Callable[[PackReader, Path], None]] = {
    "json": write_document,
    "csv": write_csv,
    "parquet": write_parquet,
}
