"""Two runs compared: metric by metric, epoch by epoch, byte by byte, and what else differs."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from probatum._errors import ComparisonError
from probatum.reproduction import differences
from probatum.reproduction.bitwise import first_difference
from probatum.reproduction.differences import Difference
from probatum.reproduction.epochs import EpochComparison, compare_epochs
from probatum.reproduction.hashes import normalized_config_hash, raw_md5, stable_md5
from probatum.reproduction.record import ABSENT, RunRecord, read_record
from probatum.reproduction.tolerance import Status, common_mode, difference, is_number, judge
from probatum.runs.metric import MetricDefinition, ToleranceMode
from probatum.runs.paths import RunPaths

Verdict = Literal["PASS", "FAIL", "NOT COMPARABLE"]
LABELS = {  # the rows that come first, as the seed names them
    "val_auc": "Best Val AUC",
    "val_accuracy": "Best Val Accuracy",
    "mastery_correlation": "Mastery Correlation",
    "gain_correlation": "Gain Correlation",
}


@dataclass(frozen=True)
class Row:
    """One metric of both runs; with several seeds the means, and the largest difference at any seed."""

    name: str
    metric: str  # the label
    original: float | None
    repro: float | None
    diff: float | None  # None where a value is missing or no number
    tolerance: float
    status: Status
    is_exact: bool
    is_measured: bool  # False where neither run has a value
    seed_diffs: dict[str, float | None]


@dataclass(frozen=True)
class Hashes:
    """The hashes of one run."""

    config_md5: str | None
    normalized_config_hash: str
    results_md5: str | None  # of the values alone: can match
    results_raw_md5: str | None  # of the bytes, with their times: never matches


@dataclass(frozen=True)
class Comparison:
    """The outcome of comparing a run (`source`) with another (`target`)."""

    source: RunRecord
    target: RunRecord
    rows: tuple[Row, ...]
    verdict: Verdict
    comparable: bool
    reasons: tuple[str, ...]  # why the verdict is not PASS, one sentence each
    notes: tuple[str, ...]  # what a reader must know although it decides nothing
    mode: ToleranceMode
    source_hashes: Hashes
    target_hashes: Hashes
    epochs: EpochComparison | None
    bitwise: bool
    first_difference: str | None
    config_differences: tuple[Difference, ...]
    environment_differences: tuple[Difference, ...]
    data_differences: tuple[Difference, ...]
    code_differences: tuple[Difference, ...]

    @property
    def config_md5_match(self) -> bool:
        """Whether both records state the same configuration."""
        return _match(self.source_hashes.config_md5, self.target_hashes.config_md5)

    @property
    def results_md5_match(self) -> bool:
        """Whether both runs have the same results, times left out."""
        return _match(self.source_hashes.results_md5, self.target_hashes.results_md5)

    @property
    def within_tolerance(self) -> bool:
        """Whether every declared metric passes."""
        return self.comparable and _rows_pass(self.rows)


def compare_runs(source: RunPaths, target: RunPaths, *, force: bool = False) -> Comparison:
    """Return the comparison of two finished runs within the recorded tolerances.

    Args:
        source: The original.
        target: The reproduction.
        force: Compare runs whose data, metric definitions or seeds differ; the verdict is then never PASS.

    Raises:
        ComparisonError: the runs are not comparable and `force` is not given.
        RecordError: a record is missing or torn.
    """
    one, other = read_record(source), read_record(target)
    obstacles = _obstacles(one, other)
    if obstacles and not force:
        listed = "\n  ".join(obstacles)
        raise ComparisonError(
            f"{source.name} and {target.name} are not comparable:\n  {listed}\n"
            "--force compares them all the same; the verdict is then never PASS."
        )
    mode = common_mode(one.mode, other.mode)
    rows = tuple(_row(metric, one, other, mode) for metric in _ordered(one.metrics))
    hashes = tuple(_hashes(record) for record in (one, other))
    config = tuple(differences.config_differences(one, other))
    reasons = tuple(obstacles) + _reasons(one, other, rows, config)
    broken = first_difference(source, target)
    return Comparison(
        source=one, target=other, rows=rows, mode=mode, comparable=not obstacles, reasons=reasons,
        verdict="NOT COMPARABLE" if obstacles else "FAIL" if reasons else "PASS",
        notes=_notes(one, other),
        source_hashes=hashes[0], target_hashes=hashes[1],
        epochs=compare_epochs(source.metrics_epoch, target.metrics_epoch),
        bitwise=broken is None, first_difference=broken,
        config_differences=config,
        environment_differences=tuple(differences.environment_differences(one, other)),
        data_differences=tuple(differences.data_differences(one, other)),
        code_differences=tuple(differences.code_differences(one, other)),
    )  # fmt: skip


def _obstacles(source: RunRecord, target: RunRecord) -> list[str]:
    """Return why two runs cannot be compared: other data, other metrics, or other seeds."""
    found = [f"data: {item}" for item in differences.data_differences(source, target)]
    if source.data is None and target.data is None:
        found.append("data: neither run recorded its data; their checksums cannot be compared")
    found += [f"metric definition: {item}" for item in differences.metric_differences(source, target)]
    if source.seeds != target.seeds or not source.seeds:
        found.append(f"seeds: {source.seeds} -> {target.seeds}")
    return found


def _ordered(metrics: tuple[MetricDefinition, ...]) -> list[MetricDefinition]:
    first = list(LABELS)
    return sorted(
        metrics, key=lambda metric: first.index(metric.name) if metric.name in first else len(first)
    )


def _row(metric: MetricDefinition, source: RunRecord, target: RunRecord, mode: ToleranceMode) -> Row:
    one, other = source.values(metric.name), target.values(metric.name)
    length = max(len(one), len(other))
    pairs = list(zip(*(values + [ABSENT] * (length - len(values)) for values in (one, other)), strict=True))
    pairs = [(_known(first), _known(second)) for first, second in pairs]
    tolerance = metric.tolerance(mode)
    diffs = [float(difference(*pair)) if all(map(is_number, pair)) else None for pair in pairs]
    known = [diff for diff in diffs if diff is not None]
    labels = source.seeds if len(source.seeds) == length else range(1, length + 1)
    return Row(
        name=metric.name, metric=LABELS.get(metric.name, metric.label),
        original=_mean([first for first, _ in pairs]), repro=_mean([second for _, second in pairs]),
        diff=max(known) if len(known) == length else None,
        tolerance=tolerance, status=_worst([judge(*pair, tolerance) for pair in pairs]),
        is_exact=len(known) == length and not any(known),
        is_measured=any(value is not None for value in (*one, *other)),
        seed_diffs=dict(zip(map(str, labels), diffs, strict=True)),
    )  # fmt: skip


def _known(value: Any) -> Any:
    return None if value is ABSENT else value


def _mean(values: list[Any]) -> float | None:
    return fmean(values) if values and all(is_number(value) for value in values) else None


def _worst(found: list[Status]) -> Status:
    return "FAIL" if "FAIL" in found else "MISSING" if "MISSING" in found or not found else "PASS"


def _hashes(record: RunRecord) -> Hashes:
    return Hashes(
        config_md5=record.config_md5,
        normalized_config_hash=normalized_config_hash(record.config),
        results_md5=None if record.results is None else stable_md5(record.results),
        results_raw_md5=raw_md5(record.paths.results),
    )


def _match(one: str | None, other: str | None) -> bool:
    return one is not None and one == other


def _rows_pass(rows: tuple[Row, ...]) -> bool:
    """Return whether every metric that the records declare passes: one that neither run has does not."""
    return all(row.status == "PASS" for row in rows)


def _reasons(
    source: RunRecord, target: RunRecord, rows: tuple[Row, ...], config: tuple[Difference, ...]
) -> tuple[str, ...]:
    found = []
    if not _match(source.config_md5, target.config_md5):
        named = "; ".join(map(str, config[:3])) or "the records disagree on nothing else"
        found.append(f"configuration differs (config_md5): {named}")
    for record in (source, target):
        if record.config.get("missing_params"):
            found.append(
                f"{record.paths.name}: missing_params is not empty: {record.config['missing_params']}"
            )
        if record.results is None:
            found.append(f"{record.paths.name}: results.json is missing; did the run finish?")
        elif record.finished_seeds() not in (None, record.seeds):
            found.append(
                f"{record.paths.name}: results cover seeds {record.finished_seeds()}, not {record.seeds}"
            )
        elif len(record.per_seed()) != len(record.seeds) and len(record.seeds) > 1:
            found.append(
                f"{record.paths.name}: results hold {len(record.per_seed())} of {len(record.seeds)} seeds"
            )
    return tuple(found + [_row_reason(row) for row in rows if row.status != "PASS"])


def _row_reason(row: Row) -> str:
    if not row.is_measured:
        return f"{row.metric}: measured in neither run, although both records declare it"
    if row.status == "MISSING":
        return f"{row.metric}: missing in {'one run' if row.original != row.repro else 'both runs'}"
    if row.diff is None:
        return f"{row.metric}: not a finite number"
    return f"{row.metric}: differs by {row.diff:.6g}, tolerance {row.tolerance:g}"


def _notes(source: RunRecord, target: RunRecord) -> tuple[str, ...]:
    found = [
        f"{LABELS.get(name, name)}: not applicable in either run ({reason})"
        for name, reason in sorted(source.not_applicable.items())
        if target.not_applicable.get(name) == reason
    ]
    versions = [record.config.get("schema_version") for record in (source, target)]
    if versions[0] != versions[1]:
        found.append(f"schema_version differs: {versions[0]} -> {versions[1]}; a claim must say so")
    if source.mode != target.mode:
        found.append(f"tolerance_mode differs: {source.mode} -> {target.mode}; strict was used")
    if len(source.seeds) > 1:
        found.append("values are means over the seeds; the difference is the largest at any one seed")
    return tuple(found)
