"""What a comparison reads from a run folder, with clear messages where a file is torn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from probatum._errors import RecordError
from probatum._files import read_json
from probatum.reproduction.tolerance import metric_definitions, tolerance_mode
from probatum.runs.metric import MetricDefinition, ToleranceMode
from probatum.runs.paths import RunPaths

# Where results.json keeps a metric at its top level, in the spelling of the first records.
FLAT_KEYS = {
    "val_auc": ("best_val_auc", "best_epoch_auc"),
    "val_accuracy": ("best_val_accuracy",),
    "mastery_correlation": ("best_mastery_corr",),
    "gain_correlation": ("best_gain_corr",),
}
ABSENT = object()  # the key is not there at all: not the same as a recorded null


@dataclass(frozen=True)
class RunRecord:
    """The parsed files of one run."""

    paths: RunPaths
    config: dict[str, Any]
    results: dict[str, Any] | None  # None where the file is missing: every metric is then MISSING
    environment: dict[str, Any]
    data: dict[str, Any] | None
    metrics: tuple[MetricDefinition, ...]
    mode: ToleranceMode

    @property
    def seeds(self) -> list[Any]:
        """The seeds that the record promises."""
        return list((self.config.get("seeds") or {}).get("all") or [])

    @property
    def not_applicable(self) -> dict[str, str]:
        """The metrics that the record declares its parameters cannot have, each with the reason."""
        return dict(self.config.get("not_applicable") or {})

    @property
    def config_md5(self) -> str | None:
        """The digest of what determines the result."""
        return self.config.get("config_md5")

    def finished_seeds(self) -> list[Any] | None:
        """Return the seeds that the results cover, or None where nothing says so."""
        return None if self.results is None else self.results.get("seeds")

    def values(self, metric: str) -> list[Any]:
        """Return the metric's best-epoch value of every seed, in the order of the record."""
        if self.results is None:
            return [ABSENT]
        return [value_of(result, metric) for result in self.per_seed()]

    def per_seed(self) -> list[Mapping[str, Any]]:
        """Return one results block per seed; a single seed's block is the file itself."""
        if self.results is None:
            return []
        blocks = self.results.get("per_seed")
        return blocks if isinstance(blocks, list) and blocks else [self.results]


def value_of(result: Any, metric: str) -> Any:
    """Return a metric's value at the best epoch from one results block, or `ABSENT`.

    Example:
        >>> value_of({"metrics": {"val_auc": {"best_epoch": 3, "best": 0.71, "last": 0.7}}}, "val_auc")
        0.71
    """
    if not isinstance(result, Mapping):
        return ABSENT
    block = (result.get("metrics") or {}).get(metric)
    if isinstance(block, Mapping) and "best" in block:
        return block["best"]
    for key in FLAT_KEYS.get(metric, ()):
        if key in result:
            return result[key]
    return ABSENT


def read_record(paths: RunPaths) -> RunRecord:
    """Return the record of a run.

    Raises:
        RecordError: the folder has no whole `config.json`, or another file is torn.
    """
    config = _mapping(paths.config)
    return RunRecord(
        paths=paths,
        config=config,
        results=_if_there(paths.results, _mapping),
        environment=_if_there(paths.environment_json, _mapping) or {},
        data=_if_there(paths.data, _mapping),
        metrics=metric_definitions(config, str(paths.config)),
        mode=tolerance_mode(config, str(paths.config)),
    )


def _mapping(path: Any) -> dict[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict):
        raise RecordError(f"{path}: expected a JSON object, got {type(content).__name__}.")
    return content


def _if_there(path: Any, read: Callable[[Any], dict[str, Any]]) -> dict[str, Any] | None:
    return read(path) if path.exists() else None
