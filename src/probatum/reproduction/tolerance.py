"""When two values of a metric count as the same: the recorded tolerance, and nothing chosen by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from probatum._errors import RecordError
from probatum.runs.metric import MetricDefinition, ToleranceMode

Status = Literal["PASS", "FAIL", "MISSING"]


def is_missing(value: Any) -> bool:
    """Return whether a metric was not measured: absent or null, never zero."""
    return value is None


def is_number(value: Any) -> bool:
    """Return whether `value` is a finite number (a boolean is none).

    Example:
        >>> is_number(0.5), is_number(float("nan")), is_number(True), is_number("0.5")
        (True, False, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def difference(original: float, repro: float) -> Decimal:
    """Return the absolute difference of two numbers as they are written in decimal.

    Binary floats make `0.7002 - 0.7` a little more or less than 0.0002, so that a value on the edge would
    pass or fail by chance. The written decimals are what the tolerance speaks about.

    Example:
        >>> difference(0.7002, 0.7)
        Decimal('0.0002')
    """
    return abs(Decimal(repr(repro)) - Decimal(repr(original)))


def judge(original: Any, repro: Any, tolerance: float) -> Status:
    """Return PASS where both values are finite and differ by at most `tolerance`.

    Args:
        original: The value of the source run.
        repro: The value of the target run.
        tolerance: The largest absolute difference that passes; the edge itself passes.

    Returns:
        MISSING where a value was not measured; FAIL for NaN, infinity, or anything that is no number.

    Example:
        >>> judge(0.7, 0.7002, 0.0002), judge(0.7, 0.70021, 0.0002), judge(None, None, 0.1)
        ('PASS', 'FAIL', 'MISSING')
    """
    if is_missing(original) or is_missing(repro):
        return "MISSING"
    if not (is_number(original) and is_number(repro)):
        return "FAIL"
    return "PASS" if difference(original, repro) <= Decimal(repr(tolerance)) else "FAIL"


def tolerance_mode(config: Mapping[str, Any], where: str) -> ToleranceMode:
    """Return the mode that the record states: strict with mixed precision off, standard with it on.

    Raises:
        RecordError: the record states neither, or contradicts its own parameter `mixed_precision`.
    """
    mode = config.get("tolerance_mode")
    if mode not in ("strict", "standard"):
        raise RecordError(
            f"{where}: expected `tolerance_mode` to be strict or standard, got {mode!r}. "
            "Only a run sealed by `probatum launch` or `probatum train` can be compared."
        )
    mixed = (config.get("parameters") or {}).get("mixed_precision")
    if isinstance(mixed, bool) and mode == "standard" and not mixed:
        raise RecordError(
            f"{where}: `tolerance_mode` is standard although `parameters.mixed_precision` is false. "
            "The record was edited; `probatum verify` names the file."
        )
    return mode


def metric_definitions(config: Mapping[str, Any], where: str) -> tuple[MetricDefinition, ...]:
    """Return the metric definitions sealed in the record, in its order.

    Raises:
        RecordError: there are none, or one is torn, or a tolerance is negative or not finite.
    """
    records = config.get("metrics")
    if not isinstance(records, list) or not records:
        raise RecordError(f"{where}: expected the metric definitions under `metrics`, found none.")
    try:
        definitions = tuple(MetricDefinition.from_record(record) for record in records)
    except TypeError as error:
        raise RecordError(f"{where}: `metrics` is torn or edited ({error}).") from None
    for metric in definitions:
        for tolerance in (metric.strict_tolerance, metric.standard_tolerance):
            if not is_number(tolerance) or tolerance < 0:
                raise RecordError(
                    f"{where}: metrics.{metric.name}: expected a tolerance >= 0, got {tolerance!r}."
                )
    return definitions


def common_mode(source: ToleranceMode, target: ToleranceMode) -> ToleranceMode:
    """Return strict unless both records say standard: a reproduction cannot loosen its own tolerance.

    Example:
        >>> common_mode("standard", "strict")
        'strict'
    """
    return "standard" if source == target == "standard" else "strict"
