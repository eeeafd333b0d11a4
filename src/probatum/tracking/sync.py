"""Sends what a store does not have yet: however often it is called, it never sends a thing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probatum._errors import TrackingError
from probatum.tracking.address import Address
from probatum.tracking.content import Artifact, Point, RunContent
from probatum.tracking.sources import Source
from probatum.tracking.state import Sent, alone, digest, points_digest, read_sent, write_sent

if TYPE_CHECKING:
    from probatum.tracking.mlflow_store import MlflowStore

SENT, UNCHANGED, NOT_BEGUN, FAILED, DELETED = "sent", "unchanged", "not begun", "failed", "deleted there"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one run in one pass; the counts are those of this pass."""

    run: str
    action: str
    status: str | None = None
    run_id: str | None = None
    points: int = 0
    files: int = 0
    error: str | None = None

    def as_record(self) -> dict[str, Any]:
        """Return the result as plain JSON."""
        return asdict(self)


def open_mlflow(address: Address) -> MlflowStore:
    """Return the store at an address; MLflow is imported here."""
    from probatum.tracking.mlflow_store import MlflowStore

    return MlflowStore(address)


class Sync:
    """Brings a store up to date with run folders. The store is opened when there is something to send.

    Args:
        address: The store.
        experiment: The experiment in the store; by default the plan's or the study's name.
        choice: Which files go along: `records`, `all` or `none`.
        opener: What opens the store.
        again: Look at every run anew, whatever is remembered: for a store that was emptied.
    """

    def __init__(
        self,
        address: Address,
        experiment: str | None = None,
        choice: str = "records",
        opener: Callable[[Address], Any] = open_mlflow,
        *,
        again: bool = False,
    ) -> None:
        self.address, self.experiment, self.choice, self._opener = address, experiment, choice, opener
        self._store: Any = None
        self._seen: dict[Path, str] = {}  # runs as they were at the last pass
        self._ended: dict[Path, int] = {}  # those that are there in full, by the time of their record
        self._forgets = again or bool(address.file and not address.file.exists())

    def open(self) -> MlflowStore:
        """Return the store, opened at the first call.

        Raises:
            TrackingError: it does not answer.
        """
        if self._store is None:
            self._refuse_if_down()
            self._store = self._opener(self.address)
        return self._store

    def run(self, sources: Iterable[Source]) -> Iterator[Result]:
        """Send what is missing, and yield what became of each run. One that the store refuses stops no other.

        Raises:
            TrackingError: the store does not answer (any more).
        """
        for source in sources:
            try:
                yield self._sync(source)
            except TrackingError as error:
                self._refuse_if_down()
                yield Result(source.name, FAILED, error=str(error))
        self._forgets = False

    def missing(self, sources: Iterable[Source]) -> list[str]:
        """Return the runs that the store does not have as they are now; asks the files alone."""
        return [
            source.name
            for source in sources
            if self._signature(source) != self._sent(source).signature and source.read("none") is not None
        ]

    def _refuse_if_down(self) -> None:
        complaint = self.address.complaint()
        if complaint:
            raise TrackingError(f"MLflow at {self.address.shown} does not answer: {complaint}.")

    def _label(self, source: Source) -> str:
        named = self.address.label(source.root)
        return f"{named} {self.experiment}" if self.experiment else named

    def _sent(self, source: Source) -> Sent:
        return Sent() if self._forgets else read_sent(source.state, self._label(source))

    def _signature(self, source: Source) -> str:
        return f"{source.signature()} {self.choice}"

    def _sync(self, source: Source) -> Result:
        changed = source.changed_ns()
        if self._ended.get(source.folder) == changed:
            return Result(source.name, UNCHANGED)
        signature = self._signature(source)
        sent = self._sent(source)
        if sent.signature == signature:
            self._ended[source.folder] = changed
        if sent.signature == signature or self._seen.get(source.folder) == signature:
            return Result(source.name, UNCHANGED, run_id=sent.run_id or None)
        with alone(source.folder):
            content = source.read(self.choice)
            result = self._bring(source, content.until_now(), signature) if content else None
        self._seen[source.folder] = signature
        return result or Result(source.name, NOT_BEGUN)

    def _bring(self, source: Source, content: RunContent, signature: str) -> Result:
        store, sent = self.open(), self._sent(source)  # read again: another process may have been quicker
        if sent.signature == signature:
            return Result(source.name, UNCHANGED, content.status, sent.run_id)
        earlier = sent.run_id if sent.key and sent.key != content.key else ""
        experiment = store.experiment(self.experiment or content.experiment)
        found = store.find(experiment, content.key)
        if found and found[1]:
            return Result(source.name, DELETED, content.status, found[0])
        if found is None or found[0] != sent.run_id:
            sent = Sent(key=content.key)
        if found is None:
            sent.run_id = store.create(experiment, content.key, content.name, content.start_ms, content.tags)
            sent.tags = digest(dict(content.tags))
        else:
            sent.run_id = found[0]
        sent.ending = sent.ending or ["running", None]
        try:
            points, files = _send(store, content, sent, is_new=found is None)
            if earlier and earlier != sent.run_id:
                store.replace(earlier, sent.run_id)
            sent.signature = signature if content.is_ended else ""
        finally:
            write_sent(source.state, self._label(source), sent)
        return Result(source.name, SENT, content.status, sent.run_id, points, files)


def _send(store: MlflowStore, content: RunContent, sent: Sent, *, is_new: bool) -> tuple[int, int]:
    """Send what differs and note it in `sent` step by step; return the numbers of points and files."""
    parameters, tags = digest(dict(content.parameters)), digest(dict(content.tags))
    points = new_points(content, sent)
    store.send(
        sent.run_id,
        content.parameters if parameters != sent.parameters else {},
        content.tags if tags != sent.tags else {},
        points,
        content.series,
        is_new=is_new,
    )
    sent.parameters, sent.tags = parameters, tags
    sent.series = {name: [len(each), points_digest(each)] for name, each in content.series.items()}
    files = new_files(content, sent)
    for file in files:
        store.send_artifact(sent.run_id, file)
        sent.artifacts[file.name] = list(file.state)
    if (ending := [content.status, content.end_ms]) != sent.ending:
        store.end(sent.run_id, content.status, content.end_ms)
        sent.ending = ending
    return sum(map(len, points.values())), len(files)


def new_points(content: RunContent, sent: Sent) -> dict[str, tuple[Point, ...]]:
    """Return the points that were not sent, by metric; all of a series whose beginning is another now."""
    found = {}
    for name, points in content.series.items():
        count, told = sent.series.get(name, (0, ""))
        is_longer = count and points_digest(points[:count]) == told
        new = points[count:] if is_longer else points
        if new:
            found[name] = new
    return found


def new_files(content: RunContent, sent: Sent) -> list[Artifact]:
    """Return the files that were not sent, or were changed since."""
    return [file for file in content.artifacts if sent.artifacts.get(file.name) != list(file.state)]
