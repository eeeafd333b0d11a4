"""What else differs between two runs, by name: configuration, environment, data, code, metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from probatum._files import sha256_file
from probatum.reproduction.record import RunRecord

CODE_KEYS = frozenset(
    {"git", "git_commit", "git_branch", "git_dirty", "git_remote", "code_patch_sha256", "study_files"}
)  # reported under code, not environment
# Where and when a run happened, never what it computed with.
PLACE_KEYS = frozenset(
    {"captured_at", "timestamp", "created", "host", "hostname", "pid", "cwd", "executable"}
)


@dataclass(frozen=True)
class Difference:
    """One field that two records state differently; None where one does not state it."""

    field: str
    source: Any
    target: Any

    def __str__(self) -> str:
        """Return `field: source -> target`."""
        return f"{self.field}: {_brief(self.source)} -> {_brief(self.target)}"


def differing(source: Any, target: Any, prefix: str = "") -> list[Difference]:
    """Return every leaf at which two JSON values differ, by dotted path.

    Example:
        >>> [str(d) for d in differing({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}})]
        ['a.c: 2 -> 3']
    """
    return list(_walk(source, target, prefix))


def _walk(source: Any, target: Any, prefix: str) -> Iterator[Difference]:
    if isinstance(source, Mapping) and isinstance(target, Mapping):
        for key in sorted(source.keys() | target.keys(), key=str):
            yield from _walk(source.get(key), target.get(key), f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(source, list) and isinstance(target, list) and len(source) == len(target):
        for index, (one, other) in enumerate(zip(source, target, strict=True)):
            yield from _walk(one, other, f"{prefix}[{index}]")
    elif repr(source) != repr(target):  # repr: 1 and 1.0 and true are written differently
        yield Difference(prefix, source, target)


def environment_differences(source: RunRecord, target: RunRecord) -> list[Difference]:
    """Return what differs between the recorded environments: interpreter, packages, devices, switches."""
    ignored = CODE_KEYS | PLACE_KEYS
    return [
        found
        for found in differing(source.environment, target.environment)
        if found.field.split(".")[0] not in ignored and found.field.split(".")[-1] not in ignored
    ]


def code_differences(source: RunRecord, target: RunRecord) -> list[Difference]:
    """Return what differs between the recorded code: the commit, uncommitted changes, a study's own files."""
    found = [
        Difference(key, source.environment.get(key), target.environment.get(key))
        for key in ("git_commit",)
        if source.environment.get(key) != target.environment.get(key)
    ]
    patches = [_digest(record.paths.code_patch) for record in (source, target)]
    if patches[0] != patches[1]:
        found.append(Difference("code.patch", *patches))
    own, other = (record.environment.get("study_files") for record in (source, target))
    return found + (differing(own, other, "study_files") if own and other else [])


def data_differences(source: RunRecord, target: RunRecord) -> list[Difference]:
    """Return what differs between the recorded data: names, checksums, row counts, splits."""
    volatile = {"path", "folder", "root", "recorded_at", "seconds"}
    return [
        found
        for found in differing(source.data, target.data)
        if found.field.rsplit(".", 1)[-1] not in volatile
    ]


def config_differences(source: RunRecord, target: RunRecord) -> list[Difference]:
    """Return the parameters that differ, those of the runtime category left out: they decide no result."""
    runtime = set((source.config.get("types") or {}).get("runtime", ()))
    return [
        found
        for found in differing(source.config.get("parameters"), target.config.get("parameters"), "parameters")
        if found.field.split(".")[1:2] and found.field.split(".")[1].split("[")[0] not in runtime
    ]


def metric_differences(source: RunRecord, target: RunRecord) -> list[Difference]:
    """Return what differs between the sealed metric definitions, by metric name, and in what does not apply."""
    one, other = (
        {metric.name: metric.as_record() for metric in record.metrics} for record in (source, target)
    )
    absent = differing(source.not_applicable, target.not_applicable, "not_applicable")
    return differing(one, other, "metrics") + absent


def _digest(path: Any) -> str | None:
    return sha256_file(path) if path.exists() else None


def _brief(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:28]}...{text[-28:]}"
