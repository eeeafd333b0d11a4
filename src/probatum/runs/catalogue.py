"""The catalogue: an SQLite index over the run folders, a cache that is made again from them when damaged."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import wraps
from itertools import chain
from pathlib import Path
from typing import Any

from probatum._errors import ComparisonError, RecordError, UnknownNameError
from probatum._names import unknown
from probatum.runs.folder import run_id
from probatum.runs.lenient import as_map, read_leniently
from probatum.runs.paths import RunPaths
from probatum.runs.status import read_status

CATALOGUE_NAME = ".catalogue.sqlite"
_VERSION = 3  # raised when the tables change: an older index is thrown away
_WAIT_SECONDS = 60.0  # how long a writer waits for the others
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS runs (
  name TEXT PRIMARY KEY, id TEXT, study TEXT, title TEXT, status TEXT, note TEXT, created TEXT,
  config_md5 TEXT,
  seeds INTEGER, stamp INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS metrics (
  run TEXT, seed INTEGER, name TEXT, best REAL, last REAL, best_epoch REAL, score REAL,
  higher_is_better INTEGER);
CREATE INDEX IF NOT EXISTS metrics_by_score ON metrics (name, score DESC, higher_is_better)
  WHERE seed IS NULL;
CREATE INDEX IF NOT EXISTS metrics_by_run ON metrics (run);
PRAGMA user_version = {_VERSION};
"""
_ROWS_PER_STATEMENT = 100  # one statement for many rows; older SQLite allows 999 values in one
_COLUMNS = "name, id, study, title, status, note, created, config_md5, seeds"


@dataclass(frozen=True)
class CatalogueRow:
    """One run as listings show it."""

    name: str
    id: str | None
    study: str
    title: str
    status: str
    note: str
    created: str
    config_md5: str
    seeds: int
    metric: str | None = None
    best: float | None = None
    last: float | None = None
    best_epoch: float | None = None

    def as_record(self) -> dict[str, Any]:
        """Return the row as plain values."""
        return asdict(self)


def _rebuilt_when_damaged(method: Callable[..., Any]) -> Callable[..., Any]:
    """Throw a damaged index away, make it again from the folders, and repeat the call once."""

    @wraps(method)
    def call(self: Catalogue, *arguments: Any, **options: Any) -> Any:
        try:
            return method(self, *arguments, **options)
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise RecordError(
                    f"{self.path}: other processes held the index for {_WAIT_SECONDS:.0f} s. Try again."
                ) from None
        except sqlite3.DatabaseError:
            pass
        self._discard()
        self._fill()
        return method(self, *arguments, **options)

    return call


class Catalogue:
    """The index of one runs' root; the connection stays open between calls.

    Args:
        root: The runs' root.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self.path = self.root / CATALOGUE_NAME
        self._connection: sqlite3.Connection | None = None
        self._owner = 0

    @_rebuilt_when_damaged
    def record(
        self,
        paths: RunPaths,
        *,
        config: Mapping[str, Any] | None = None,
        status: str | None = None,
        results: Mapping[str, Any] | None = None,
    ) -> None:
        """Put one run into the index, from its files or from what the caller has just written into them."""
        self._write([_entry(paths, config, status, results)])

    def rebuild(self) -> int:
        """Throw the index away, make it again from the folders, and return the number of runs."""
        self._discard()
        return self._fill()

    @_rebuilt_when_damaged
    def refresh(self) -> None:
        """Take in folders that are new or changed, and drop those that are gone."""
        known = dict(self._open().execute("SELECT name, stamp FROM runs").fetchall())
        alive = {
            row[0]
            for row in self._open().execute("SELECT name FROM runs WHERE status IN ('running', 'planned')")
        }
        found = dict(_stamps(self.root))
        new = [name for name, stamp in found.items() if known.get(name) != stamp or name in alive]
        self._write(
            [_entry(RunPaths(self.root / name)) for name in new], gone=[n for n in known if n not in found]
        )

    @_rebuilt_when_damaged
    def list(
        self, *, study: str | None = None, status: str | None = None, metric: str | None = None
    ) -> list[CatalogueRow]:
        """Return the runs, newest name last; with `metric` its values at the best and at the last epoch."""
        query = (
            f"SELECT {_COLUMNS} FROM runs WHERE (?1 IS NULL OR study = ?1) "  # noqa: S608 - our own columns
            "AND (?2 IS NULL OR status = ?2) ORDER BY name"
        )
        rows = self._open().execute(query, (study, status)).fetchall()
        if metric is None:
            return [CatalogueRow(*row) for row in rows]
        self._direction(metric)
        values = self._open().execute(
            "SELECT run, best, last, best_epoch FROM metrics WHERE name = ? AND seed IS NULL", (metric,)
        )
        by_run = {run: rest for run, *rest in values}
        full: Any = [(*row, metric, *by_run.get(row[0], (None, None, None))) for row in rows]
        return [CatalogueRow(*row) for row in full]

    @_rebuilt_when_damaged
    def best(
        self, metric: str, n: int = 1, *, study: str | None = None, status: str | None = None
    ) -> list[CatalogueRow]:
        """Return the `n` best runs by a metric's value at their best epoch (the mean over their seeds).

        The direction is the one that the runs' own definitions of the metric give.

        Raises:
            UnknownNameError: no run has the metric.
            ComparisonError: the runs define the metric with opposite directions.
        """
        self._direction(metric)
        columns = ", ".join(f"runs.{column}" for column in _COLUMNS.split(", "))
        query = (
            f"SELECT {columns}, metrics.name, best, last, best_epoch "  # noqa: S608 - our own columns
            "FROM metrics JOIN runs ON runs.name = metrics.run "
            "WHERE metrics.name = ?1 AND seed IS NULL AND score IS NOT NULL AND (?2 IS NULL OR study = ?2) "
            "AND (?3 IS NULL OR status = ?3) ORDER BY score DESC LIMIT ?4"
        )
        return [CatalogueRow(*row) for row in self._open().execute(query, (metric, study, status, n))]

    @_rebuilt_when_damaged
    def metric_names(self) -> list[str]:
        """Return the names of all metrics of all runs."""
        return [row[0] for row in self._open().execute("SELECT DISTINCT name FROM metrics ORDER BY name")]

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        if self._connection is not None and self._owner == os.getpid():
            self._connection.close()
        self._connection = None

    def _direction(self, metric: str) -> bool:
        found = (
            self._open()
            .execute(
                "SELECT min(higher_is_better), max(higher_is_better) FROM metrics "
                "WHERE name = ? AND seed IS NULL",
                (metric,),
            )
            .fetchone()
        )
        if found[0] is None:
            raise UnknownNameError(unknown("metric", metric, self.metric_names()))
        if found[0] != found[1]:
            raise ComparisonError(
                f"runs define {metric!r} with opposite directions; choose one study with --study."
            )
        return bool(found[0])

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._owner != os.getpid():  # a connection must not cross a fork
            self._connection, self._owner = self._connect(), os.getpid()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        self.root.mkdir(parents=True, exist_ok=True)
        fresh = not self.path.exists()
        connection = sqlite3.connect(
            self.path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in {0, _VERSION}:
                raise sqlite3.DatabaseError(f"version {version}")
            connection.execute(
                "PRAGMA synchronous = NORMAL"
            )  # a cache: no flush per run, only per checkpoint
            connection.execute("PRAGMA wal_autocheckpoint = 4000")
            if version == 0:
                _make_tables(connection)
        except BaseException:
            connection.close()
            raise
        if fresh:
            entries = [_entry(RunPaths(self.root / name)) for name, _ in _stamps(self.root)]
            _insert(connection, entries, [], keep=True)
        return connection

    def _write(self, entries: list[_Entry], gone: list[str] | None = None) -> None:
        if entries or gone:
            _insert(self._open(), entries, gone or [])

    def _fill(self) -> int:
        entries = [_entry(RunPaths(self.root / name)) for name, _ in _stamps(self.root)]
        self._write(entries)
        return len(entries)

    def _discard(self) -> None:
        self.close()
        for ending in ("", "-wal", "-shm"):
            with suppress(OSError):
                os.unlink(f"{self.path}{ending}")


_Entry = tuple[tuple[Any, ...], list[tuple[Any, ...]]]


def _make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables, once among processes that start together."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in filter(str.strip, _SCHEMA.split(";")):
        connection.execute(statement)
    connection.execute("COMMIT")


def _insert(
    connection: sqlite3.Connection, entries: list[_Entry], gone: list[str], *, keep: bool = False
) -> None:
    """Write runs in one transaction; with `keep` those that others recorded meanwhile stay."""
    connection.execute(
        "BEGIN IMMEDIATE"
    )  # takes the write lock at once: waits its turn instead of failing midway
    try:
        for name in gone:
            connection.execute("DELETE FROM runs WHERE name = ?", (name,))
            connection.execute("DELETE FROM metrics WHERE run = ?", (name,))
        for run, metrics in entries:
            if keep and connection.execute("SELECT 1 FROM runs WHERE name = ?", (run[0],)).fetchone():
                continue
            connection.execute("DELETE FROM metrics WHERE run = ?", (run[0],))
            connection.execute("INSERT OR REPLACE INTO runs VALUES (?,?,?,?,?,?,?,?,?,?)", run)
            for start in range(0, len(metrics), _ROWS_PER_STATEMENT):
                rows = metrics[start : start + _ROWS_PER_STATEMENT]
                marks = ",".join(["(?,?,?,?,?,?,?,?)"] * len(rows))
                connection.execute(f"INSERT INTO metrics VALUES {marks}", [*chain.from_iterable(rows)])  # noqa: S608
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _stamps(root: Path) -> list[tuple[str, int]]:
    """Return every run folder's name with the time of its status: one look per folder."""
    found = []
    if root.is_dir():
        for entry in os.scandir(root):
            if entry.name[0] != "." and entry.is_dir():
                stamp = _stamp(entry.path)
                if stamp or os.path.exists(RunPaths(Path(entry.path)).config):
                    found.append((entry.name, stamp))
    return found


def _stamp(folder: str) -> int:
    try:
        return os.stat(f"{folder}/status.json").st_mtime_ns
    except OSError:
        return 0


def _entry(
    paths: RunPaths,
    config: Mapping[str, Any] | None = None,
    status: str | None = None,
    results: Mapping[str, Any] | None = None,
) -> _Entry:
    """Return the rows of a run; whatever is damaged leaves a row with a note, never an error."""
    stamp, notes = _stamp(str(paths.folder)), []
    config = config if config is not None else read_leniently(paths.config, notes)
    if status is None:
        status = _status(paths, notes)
    if results is None:
        results = read_leniently(paths.results, notes) if paths.results.exists() else {}
    experiment = as_map(config.get("experiment"))
    run = (
        paths.name,
        run_id(paths.name),
        str(experiment.get("study", "")),
        str(experiment.get("short_title", "")),
        status,
        "; ".join(notes),
        str(experiment.get("created", "")),
        str(config.get("config_md5", "")),
        len(as_map(config.get("seeds")).get("all") or []),
        stamp,
    )
    definitions = config.get("metrics")
    directions = (
        {m["name"]: bool(m.get("higher_is_better")) for m in definitions if "name" in m}
        if isinstance(definitions, list)
        else {}
    )
    several = results.get("per_seed") or []
    rows = _metric_rows(paths.name, None, results, directions)
    for result in several if isinstance(several, list) else []:
        rows += _metric_rows(paths.name, result.get("seed"), result, directions)
    return run, rows


def _metric_rows(
    run: str, seed: int | None, result: Mapping[str, Any], directions: Mapping[str, bool]
) -> list[tuple[Any, ...]]:
    rows = []
    metrics = as_map(result.get("metrics"))
    for name, higher in directions.items():
        value = metrics.get(name)
        if isinstance(value, dict):
            best = value.get("best")
            score = best if higher or best is None else -best
            rows.append(
                (run, seed, name, best, value.get("last"), value.get("best_epoch"), score, int(higher))
            )
    return rows


def _status(paths: RunPaths, notes: list[str]) -> str:
    try:
        record = read_status(paths)
    except RecordError as error:
        notes.append(str(error))
        return "interrupted"
    notes += filter(None, [record.note])
    return record.status
