"""MLflow as a store of runs: the only module that imports it.

It works through a client of its own, with the address given: no active run and no global address is touched,
so that a training script which logs to MLflow itself is never disturbed.
"""

from __future__ import annotations

import logging
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from probatum._errors import MissingExtraError, TrackingError
from probatum.tracking.address import Address
from probatum.tracking.content import Artifact, Point
from probatum.tracking.secrets import without_credentials

RUN_KEY = "probatum.run_key"  # found again by this tag, whatever was forgotten here
SUCCESSOR = "probatum.replaced_by"
_ENTITIES, _PAIRS = 1000, 100  # the most that MLflow takes in one request
_NAME, _PARAMETER, _TAG = 250, 6000, 8000  # the longest that it takes, in characters
_REFUSED = re.compile(r"[^\w\-. /:]", re.ASCII)
_STATUSES = {"running": "RUNNING", "completed": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
_SETTINGS = {  # for this process, where the user has not decided otherwise
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}
_LARGEST_REDACTED = 1024**2


class MlflowStore:
    """An MLflow server or database.

    Raises:
        MissingExtraError: MLflow is not installed.
        TrackingError: the store cannot be opened.
    """

    def __init__(self, address: Address) -> None:
        """Import MLflow and open the store."""
        self.address = address
        self._mlflow = _import()
        self._experiments: dict[str, str] = {}
        with self._translated():
            self._client = self._mlflow.MlflowClient(tracking_uri=address.uri)

    def experiment(self, name: str) -> str:
        """Return the id of an experiment, made where there is none.

        Raises:
            TrackingError: the store does not answer, or somebody deleted the experiment.
        """
        if name not in self._experiments:
            with self._translated():
                self._experiments[name] = self._find_experiment(name) or self._make_experiment(name)
        return self._experiments[name]

    def _make_experiment(self, name: str) -> str:
        try:
            return self._client.create_experiment(name, artifact_location=self.address.artifacts)
        except self._mlflow.MlflowException:
            found = self._find_experiment(name)  # another process was quicker
            if found is None:
                raise
            return found

    def _find_experiment(self, name: str) -> str | None:
        found = self._client.get_experiment_by_name(name)
        if found is not None and found.lifecycle_stage == "deleted":
            raise TrackingError(
                f"experiment {name!r} was deleted in MLflow. Restore it there, or give --experiment NAME."
            )
        return found.experiment_id if found else None

    def find(self, experiment: str, key: str) -> tuple[str, bool] | None:
        """Return the id of the run with a key, and whether it is in MLflow's bin; None where there is none."""
        with self._translated():
            found = self._client.search_runs(
                [experiment], f"tags.`{RUN_KEY}` = '{key}'", run_view_type=3, max_results=10
            )  # 3: active and deleted ones
        runs = sorted(found, key=lambda run: run.info.lifecycle_stage != "active")
        return (runs[0].info.run_id, runs[0].info.lifecycle_stage != "active") if runs else None

    def create(self, experiment: str, key: str, name: str, start_ms: int, tags: Mapping[str, str]) -> str:
        """Return the id of a new run, which has its tags at once."""
        own = {RUN_KEY: key, "mlflow.source.name": "probatum", "mlflow.source.type": "LOCAL"}
        named = clean_names(tags)
        told = {named[name]: shortened(value, _TAG) for name, value in tags.items()}
        with self._translated():
            made = self._client.create_run(experiment, start_ms, {**told, **own}, name)
        return made.info.run_id

    def send(
        self,
        run_id: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        series: Mapping[str, Sequence[Point]],
        names: Iterable[str],
        *,
        is_new: bool,
    ) -> None:
        """Send what is new of a run, in as few requests as MLflow takes.

        A tag that is there gets the new value; a parameter that is there stays, since MLflow never changes one;
        a point that is there is not doubled.

        Args:
            run_id: The run.
            parameters: The parameters to send.
            tags: The tags to send.
            series: The points to send, by metric.
            names: Every metric of the run: two whose names MLflow would take for one stay two.
            is_new: Whether the run was made just now and so has no parameters.
        """
        with self._translated():
            known = {} if is_new or not parameters else self._client.get_run(run_id).data.params
            waiting = (
                self._pairs("Param", parameters, _PARAMETER, known),
                self._pairs("RunTag", tags, _TAG, {}),
                self._metrics(series, names),
            )
            for params, tags_part, metrics in _batches(*waiting):
                self._client.log_batch(run_id, metrics=metrics, params=params, tags=tags_part)

    def _pairs(
        self, kind: str, values: Mapping[str, str], longest: int, known: Mapping[str, str]
    ) -> list[Any]:
        make, named = getattr(self._mlflow.entities, kind), clean_names(values)
        return [
            make(named[name], shortened(value, longest))
            for name, value in values.items()
            if named[name] not in known
        ]

    def _metrics(self, series: Mapping[str, Sequence[Point]], names: Iterable[str]) -> list[Any]:
        make, named = self._mlflow.entities.Metric, clean_names(names)
        return [
            make(named[name], point.value, point.time_ms, point.step)
            for name, points in series.items()
            for point in points
        ]

    def send_artifact(self, run_id: str, artifact: Artifact) -> None:
        """Send a file; a small text that holds an address with credentials goes without them."""
        folder = posixpath.dirname(artifact.name) or None
        try:
            text = _redacted(artifact)
            with self._translated():
                if text is not None:
                    self._client.log_text(run_id, text, artifact.name)
                else:
                    self._client.log_artifact(run_id, str(artifact.path), folder)
        except FileNotFoundError:
            return  # cleared away meanwhile

    def end(self, run_id: str, status: str, end_ms: int | None) -> None:
        """Set where the run stands."""
        with self._translated():
            if status == "running":
                self._client.update_run(run_id, status="RUNNING")
            else:
                self._client.set_terminated(run_id, _STATUSES[status], end_ms)

    def replace(self, run_id: str, successor: str) -> None:
        """Put a run that another attempt replaces into MLflow's bin; a person can restore it from there."""
        with self._translated():
            found = self._client.get_run(run_id)
            if found.info.lifecycle_stage == "active":
                self._client.set_tag(run_id, SUCCESSOR, successor)
                self._client.delete_run(run_id)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what MLflow and its parts raise into one error, without credentials."""
        try:
            yield
        except (TrackingError, FileNotFoundError):
            raise
        except Exception as error:
            told = without_credentials(str(error)).strip().splitlines() or [type(error).__name__]
            raise TrackingError(told[0][:500]) from None


def clean_names(names: Iterable[str]) -> dict[str, str]:
    """Return names as MLflow takes them; two that would become one are told apart by a number.

    Example:
        >>> clean_names(["loss", "acc@1", "acc#1", "/a//b"])
        {'loss': 'loss', 'acc@1': 'acc_1', 'acc#1': 'acc_1_2', '/a//b': 'a/b'}
    """
    names = list(names)
    found: dict[str, str] = {}
    taken = {name for name in names if _cleaned(name) == name}
    for name in names:
        clean = base = _cleaned(name)
        number = 2
        while clean != name and clean in taken:
            clean = f"{base}_{number}"
            number += 1
        taken.add(clean)
        found[name] = clean
    return found


def _cleaned(name: str) -> str:
    plain = posixpath.normpath(_REFUSED.sub("_", name).strip("/") or "_")
    return re.sub(r"^\.+", "_", plain)[: _NAME - 4]  # room for a number


def shortened(text: str, longest: int) -> str:
    """Return a text that MLflow takes; a longer one ends with `...`.

    Example:
        >>> shortened("abcdefgh", 6)
        'abc...'
    """
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _redacted(artifact: Artifact) -> str | None:
    if artifact.state[0] > _LARGEST_REDACTED:
        return None
    try:
        text = artifact.path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
    plain = without_credentials(text)
    return None if plain == text else plain


def _batches(
    params: list[Any], tags: list[Any], metrics: list[Any]
) -> Iterator[tuple[list[Any], list[Any], list[Any]]]:
    """Yield what goes together in one request: at most 100 parameters, 100 tags, and 1000 things in all."""
    while params or tags or metrics:
        room = _ENTITIES - len(params[:_PAIRS]) - len(tags[:_PAIRS])
        yield params[:_PAIRS], tags[:_PAIRS], metrics[:room]
        params, tags, metrics = params[_PAIRS:], tags[_PAIRS:], metrics[room:]


def _import() -> Any:
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # a new database tells its whole history otherwise
    try:
        import mlflow  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise MissingExtraError(
            "MLflow is not installed. Install it: pip install 'probatum[mlflow]'"
        ) from error
    return mlflow
