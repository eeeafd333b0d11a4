"""A recorder for any loop: folder, seal, epochs, results, manifest, ledger, catalogue in milliseconds."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from probatum._errors import RecordError, UsageError
from probatum._files import md5_text
from probatum.runs.catalogue import Catalogue
from probatum.runs.config import build_config, overrides_text
from probatum.runs.environment import capture_environment, environment_json, environment_text
from probatum.runs.fields import csv_fields, json_fields
from probatum.runs.files import Encoded, Group, compact_encoder, json_text
from probatum.runs.folder import create_run_folder, runs_root
from probatum.runs.integrity import finish
from probatum.runs.journal import EpochJournal
from probatum.runs.ledger import append_event
from probatum.runs.metric import MetricDefinition
from probatum.runs.results import build_results, summarise_epochs
from probatum.runs.status import Status, status_text, write_status

SHARED = ("environment.txt", "environment.json", "code.patch")  # the same for every run of a process
_encode = compact_encoder()
_SEALED = ("config.json", "overrides_applied.txt", "artifacts/fields.json")


@cache
def _process_environment(pid: int) -> tuple[str, str, str]:
    """Return the environment's two files and the patch, captured once per process."""
    environment = capture_environment()
    return environment_text(environment), environment_json(environment), environment.get("code_patch") or ""


class _ConstantFiles:
    """The files that are the same for every run of a process: written by its first run, linked by the others.

    A link has the content on the disk already. Where the first run's file was touched since, is gone, or
    cannot be linked (another disk, a file system without links), the file is written again.
    """

    def __init__(self, contents: Mapping[str, str]) -> None:
        self.contents = contents
        self._written: dict[str, tuple[str, tuple[int, ...], str]] = {}  # name: path, its state, digest

    def put(self, folder: Path) -> dict[str, str]:
        """Put the files into a run folder and return their digests."""
        missing = [name for name in self.contents if not self._link(name, f"{folder}/{name}")]
        if missing:
            with Group(folder) as group:
                digests = {name: group.add(name, self.contents[name]) for name in missing}
            for name, digest in digests.items():
                path = f"{folder}/{name}"
                self._written[name] = path, _state(path), digest
        return {name: self._written[name][2] for name in self.contents}

    def _link(self, name: str, target: str) -> bool:
        source, state, _ = self._written.get(name, ("", (), ""))
        try:
            if source and _state(source) == state:
                os.link(source, target)
                return True
        except OSError:
            pass
        return False


def _state(path: str) -> tuple[int, ...]:
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@cache
def _constant_files(pid: int) -> _ConstantFiles:
    contents = dict(zip(SHARED, _process_environment(pid), strict=True))
    return _ConstantFiles({name: text for name, text in contents.items() if text})


@dataclass(frozen=True)
class _Definitions:
    """Metric definitions as a record holds them, formatted once for all runs that measure the same."""

    records: list[dict[str, Any]]
    text: Encoded
    fields: dict[str, int]


@lru_cache(maxsize=32)
def _definitions(metrics: tuple[MetricDefinition, ...]) -> _Definitions:
    records = [metric.as_record() for metric in metrics]
    return _Definitions(records, Encoded.block(records), json_fields({"metrics": records}))


@cache
def _catalogue(root: str) -> Catalogue:
    return Catalogue(root)


class RunRecorder:
    """Records one run of one seed: made before the first step, told every epoch, finished at the end.

    Files are hashed in memory as they are written; nothing is read back. A killed process leaves every file
    whole. The ledger's lines are flushed at once, and everything a run keeps before its line of completion; the
    configuration of a run that a power loss ends within half a minute of its start may be lost with it.

    Args:
        study: What the run belongs to.
        parameters: Every parameter, flat, plain JSON values.
        metrics: The metrics with their directions; the first one chooses the best epoch.
        title: A short title.
        seed: The seed.
        columns: Epoch columns besides the metrics.
        root: The runs' root, as `runs_root` takes it.
        purpose: Why the run was made.

    Raises:
        UsageError: there is no metric, or the root cannot be written.
        RecordError: a parameter is not finite.

    Example:
        Runs stand in `./runs`::

            with RunRecorder("toy", {"lr": 0.1}, [accuracy]) as run:
                for epoch in range(1, 11):
                    run.epoch({"epoch": epoch, "accuracy": train_one_epoch()})
    """

    def __init__(
        self,
        study: str,
        parameters: Mapping[str, Any],
        metrics: Sequence[MetricDefinition],
        *,
        title: str = "",
        seed: int = 0,
        columns: Sequence[str] = (),
        root: Path | str | None = None,
        purpose: str = "",
    ) -> None:
        if not metrics:
            raise UsageError(
                "a run needs at least one metric, the first one chooses the best epoch; got none."
            )
        self.metrics, self.seed = tuple(metrics), seed
        self.paths = create_run_folder(runs_root(root), study, title)
        try:
            self._begin(study, dict(parameters), title, purpose)
        except BaseException:
            os.rmdir(self.paths.folder)  # nothing is written before the configuration is known to be good
            raise
        names = ["seed", "epoch", *columns, *(metric.name for metric in metrics)]
        self._columns = tuple(dict.fromkeys(names))
        self._journal = EpochJournal(self.paths.metrics_epoch, self._columns)
        self._rows: list[dict[str, Any]] = []
        self._cells: list[Sequence[str]] = [self._columns]

    def _begin(self, study: str, parameters: dict[str, Any], title: str, purpose: str) -> None:
        definitions = _definitions(self.metrics)
        identity = _identity(study, parameters)
        self.config = build_config(
            study=study,
            paths=self.paths,
            title=title,
            purpose=purpose,
            defaults=parameters,
            parameters=parameters,
            overrides={},
            categories={"training": list(parameters)},
            metrics=definitions.records,
            commands={},
            seeds=[self.seed],
            md5=md5_text(identity),
            config_md5=identity,
            tolerance_mode="strict",
        )
        own = {name: value for name, value in self.config.items() if name != "metrics"}
        same = Encoded.block(parameters)  # one map, in three places
        blocks = dict.fromkeys(("training", "defaults", "parameters"), same)
        text = json_text({**own, **blocks, "metrics": definitions.text})
        fields = {**json_fields(own), **definitions.fields}
        self._fields: dict[str, Any] = {"config.json": Encoded.block(fields)}
        paths, created = self.paths, self.config["experiment"]["created"]
        os.mkdir(paths.artifacts)
        files = {
            "config.json": text,
            "overrides_applied.txt": overrides_text(paths.name, (), timestamp=created),
            "artifacts/fields.json": json_text(self._fields),
        }
        self._digests = _constant_files(os.getpid()).put(paths.folder)
        with Group(paths.folder, durable=False) as group:  # `finish` flushes what stays
            self._digests |= {name: group.add(name, content) for name, content in files.items()}
            group.add("status.json", status_text("running"))
        sealed = {name: self._digests[name] for name in _SEALED}
        append_event(paths.folder.parent, "sealed", paths.name, files=sealed)

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Append one epoch: `epoch`, the metrics, and the announced columns; None is not measured."""
        full = {"seed": self.seed, **row}
        self._cells.append(self._journal.append(full))
        self._rows.append(full)

    def finish(self, **details: Any) -> dict[str, Any]:
        """Write results, manifest, ledger, status and catalogue; return the results.

        Raises:
            RecordError: no epoch was recorded, or a result is not finite.
        """
        paths, metrics = self.paths, self.config["metrics"]
        seed = {"seed": self.seed, **summarise_epochs(self._rows, metrics, self.metrics[0].name)}
        status = status_text("completed", **details)
        results = build_results(
            experiment_name=paths.name, config_md5=self.config["config_md5"], per_seed=[seed]
        )
        rows = self._journal.content()
        self._digests["metrics_epoch.csv"] = hashlib.sha256(rows.encode()).hexdigest()
        self._fields |= {
            "results.json": json_fields(results),
            "metrics_epoch.csv": csv_fields(rows, self._cells),
        }
        with Group(paths.folder) as group:
            self._digests["results.json"] = group.add("results.json", json_text(results))
            self._digests["artifacts/fields.json"] = group.add(
                "artifacts/fields.json", json_text(self._fields)
            )
            self._digests["status.json"] = hashlib.sha256(status.encode()).hexdigest()
            self._journal.close()
            for name in ("config.json", "overrides_applied.txt"):
                _flush(f"{paths.folder}/{name}")
            finish(paths, group, self._digests, status, {})
        _catalogue(str(paths.folder.parent)).record(
            paths, config=self.config, status="completed", results=results
        )
        return results

    def __enter__(self) -> RunRecorder:
        """Return the recorder."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Finish the run; after an error it reads as failed, after an interruption as interrupted."""
        if error is not None:
            self._stop(error)
            return
        try:
            self.finish()
        except BaseException as failure:
            self._stop(failure)
            raise

    def _stop(self, error: BaseException) -> None:
        """Record that the run ended early, and the epochs that it leaves, in its status and in the ledger.

        What prevents that, such as a full disk, must not hide the error that ended the run.
        """
        was_stopped = isinstance(error, KeyboardInterrupt | SystemExit)
        status: Status = "interrupted" if was_stopped else "failed"
        with contextlib.suppress(OSError, RecordError):
            rows = self._journal.content()
            self._journal.close()
            write_status(self.paths, status, error=f"{type(error).__name__}: {error}")
            files = {self.paths.metrics_epoch.name: hashlib.sha256(rows.encode()).hexdigest()}
            append_event(self.paths.folder.parent, status, self.paths.name, files=files)


def _flush(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _identity(study: str, parameters: dict[str, Any]) -> str:
    """Return the MD5 of study and parameters; none where one is no JSON, which `build_config` then names."""
    try:
        return md5_text(_encode([study, parameters]))
    except (ValueError, TypeError):
        return ""
