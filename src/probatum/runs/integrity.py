"""Sealing a run before its first step, closing it at its end, and finding what was changed since.

Three kinds of files stand in a finished run:

- stable ones: in `MANIFEST.sha256`, whose hash is in the ledger; nothing may change, come or go;
- later ones (`LATER`): evaluations, comparisons and reports, written again by their verbs; their hashes are
  in the ledger alone, and `amend` records a new one;
- annotated ones (`ANNOTATED`): people write in them; a change is shown as a note.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from probatum._errors import RecordError
from probatum._files import read_json, sha256_file
from probatum.runs.fields import changed_fields, fields_of
from probatum.runs.files import Group, json_text, put
from probatum.runs.ledger import append_event, read_ledger
from probatum.runs.paths import RunPaths
from probatum.runs.status import read_status, status_text

SEALED = ("config.json", "data.json", "overrides_applied.txt")
ANNOTATED = ("experiment_log.yaml",)
LATER = (
    "eval_results.json",
    "config_eval.json",
    "metrics_epoch_eval.csv",
    "reproduction_report.json",
    "reproduction_manifest.json",
    "report*",
    "reports/*",
    "brief*",
    "perturbations/*",
    "ro-crate-*",
)
_WITH_FIELDS = ("config.json", "data.json", "results.json", "results_multi_seed.json", "metrics_epoch.csv")


@dataclass(frozen=True)
class Finding:
    """One thing about a run's files that is not as recorded."""

    file: str
    field: str | None  # in JSON the dotted key, in CSV the line and column
    problem: str
    next_step: str
    level: Literal["failure", "note"] = "failure"

    def __str__(self) -> str:
        """Return the finding as one line."""
        place = f"{self.file}: {self.field}" if self.field else self.file
        return f"{place}: {self.problem}. {self.next_step}".rstrip()

    def as_record(self) -> dict[str, Any]:
        """Return the finding as plain values."""
        return asdict(self)


def seal(paths: RunPaths, *, resumed: bool = False) -> str:
    """Record in the ledger what was decided before the first step, and return the ledger's head.

    Args:
        paths: A folder that holds `config.json`, and `data.json` and `overrides_applied.txt` where known.
        resumed: The run was sealed before: its files must still be the sealed ones.

    Raises:
        RecordError: `config.json` is missing, or a resumed run's sealed files were changed.
    """
    if not paths.config.exists():
        raise RecordError(f"{paths.config}: expected the configuration before the seal, found none.")
    digests = {name: sha256_file(paths.folder / name) for name in SEALED if (paths.folder / name).is_file()}
    if resumed:
        changed = [str(finding) for finding in _verify_sealed(paths, _events(paths))]
        if changed:
            raise RecordError("a sealed run cannot go on with other files:\n  " + "\n  ".join(changed))
        return append_event(paths.folder.parent, "resumed", paths.name, files=digests)
    paths.artifacts.mkdir(exist_ok=True)
    digests["artifacts/fields.json"] = put(paths.fields, json_text(_measure(paths)))
    return append_event(paths.folder.parent, "sealed", paths.name, files=digests)


def close(paths: RunPaths, **details: Any) -> str:
    """Write the manifest, record it in the ledger, set the status to completed; return the ledger's head.

    The last act of a run: nothing may be written into its stable files afterwards, `stdout.log` included.

    Args:
        paths: The run folder.
        details: What `status.json` says besides, for people.
    """
    paths.artifacts.mkdir(exist_ok=True)
    put(paths.fields, json_text(_measure(paths)))
    status = status_text("completed", **details)
    digests = {name: sha256_file(paths.folder / name) for name in _stable_names(paths)}
    digests[paths.status.name] = hashlib.sha256(status.encode()).hexdigest()
    others = [*ANNOTATED, *_matching(paths, LATER)]
    found = {name: sha256_file(paths.folder / name) for name in others if (paths.folder / name).is_file()}
    with Group(paths.folder) as group:
        return finish(paths, group, digests, status, found)


def finish(
    paths: RunPaths, group: Group, digests: Mapping[str, str], status: str, others: Mapping[str, str]
) -> str:
    """Write manifest, ledger line and final status from known digests; return the ledger's head.

    The order matters: once the ledger says completed, the manifest stands on the disk; the status comes last.
    """
    lines = "".join([f"{digests[name]}  {name}\n" for name in sorted(digests)])
    manifest = group.add(paths.manifest.name, lines)
    with Group(paths.folder) as last:
        last.add(paths.status.name, status)
        group.flush()
        group.commit()
        return append_event(
            paths.folder.parent, "completed", paths.name, manifest=manifest, others=dict(others)
        )


def amend(paths: RunPaths, files: Iterable[Path | str]) -> str:
    """Record the new content of files that a finished run may gain (`LATER`); return the ledger's head.

    Raises:
        RecordError: a file is not one of those, or is missing.
    """
    names = [_inside(paths, Path(file)) for file in files]
    wrong = [name for name in names if not _matches(name, LATER) or not (paths.folder / name).is_file()]
    if wrong:
        raise RecordError(
            f"{', '.join(wrong)}: only evaluations, comparisons and reports can be added to a finished run."
        )
    return append_event(
        paths.folder.parent, "amended", paths.name, others={n: sha256_file(paths.folder / n) for n in names}
    )


def _inside(paths: RunPaths, file: Path) -> str:
    return (file.relative_to(paths.folder) if file.is_relative_to(paths.folder) else file).as_posix()


def _measure(paths: RunPaths) -> dict[str, Any]:
    return {name: fields_of(paths.folder / name) for name in _WITH_FIELDS if (paths.folder / name).is_file()}


def _names(paths: RunPaths) -> Iterator[str]:
    """Yield every file of the folder; what is still being written (hidden, `.part`) is none."""
    for file in sorted(paths.folder.rglob("*")):
        name = file.relative_to(paths.folder).as_posix()
        if (file.is_file() or file.is_symlink()) and not (
            file.name.startswith(".") and file.name.endswith(".part")
        ):
            yield name


def _stable_names(paths: RunPaths) -> list[str]:
    apart = (*ANNOTATED, *LATER, paths.manifest.name, paths.status.name)
    return [name for name in _names(paths) if not _matches(name, apart)]


def _matching(paths: RunPaths, patterns: tuple[str, ...]) -> list[str]:
    return [name for name in _names(paths) if _matches(name, patterns)]


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def verify_run(
    paths: RunPaths, *, events: list[dict[str, Any]] | None = None, anchored: bool = True
) -> list[Finding]:
    """Return everything that differs from the record; empty when each byte is the one that was written.

    Args:
        paths: The run folder.
        events: The lines of the ledger where they were read already.
        anchored: Whether the ledger must know the run. A copied folder without its ledger can only be held
            against its own manifest, which proves nothing against someone who edits both.

    Raises:
        RecordError: the folder is missing or the ledger cannot be read.
    """
    if not paths.folder.is_dir():
        raise RecordError(f"{paths.folder}: expected a run folder, found none.")
    known = _events(paths, events) if anchored else []
    if anchored and not known and not paths.manifest.exists() and not _claims_completion(paths):
        return [_unfinished(paths)]
    if anchored and not known:
        return [*_verify_manifest(paths, []), _unknown_run(paths)]
    finished = any(event["event"] == "completed" for event in known) or paths.manifest.exists()
    findings = [*_verify_sealed(paths, known), *_verify_stopped(paths, known)]
    if finished:
        findings += _verify_manifest(paths, known)
    else:
        findings.append(_unfinished(paths))
    return list({(finding.file, finding.field, finding.level): finding for finding in findings}.values())


def _events(paths: RunPaths, events: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    return [
        event
        for event in (events if events is not None else read_ledger(paths.folder.parent))
        if event["run"] == paths.name
    ]


def _claims_completion(paths: RunPaths) -> bool:
    """Return whether the status says completed, or cannot be read and so might."""
    try:
        return read_status(paths).is_finished
    except RecordError:
        return True


def _unknown_run(paths: RunPaths) -> Finding:
    return Finding(
        paths.ledger.name,
        None,
        f"the ledger does not know {paths.name}: its files may have been replaced together",
        "Bring the ledger.jsonl of its runs' root along, or give --no-ledger to check the manifest alone.",
    )


def _unfinished(paths: RunPaths) -> Finding:
    try:
        word = read_status(paths).status
    except RecordError as error:
        return Finding(
            paths.status.name,
            None,
            str(error),
            "The run itself may be whole: `probatum resume` writes it again.",
        )
    return Finding(
        "MANIFEST.sha256",
        None,
        f"the run is {word}: only what was sealed before its first step is checked",
        "",
        "note",
    )


def _verify_sealed(paths: RunPaths, events: list[dict[str, Any]]) -> list[Finding]:
    seals = [event for event in events if event["event"] == "sealed"]
    if not seals:
        return []
    recorded = seals[-1].get("files", {})
    findings: list[Finding] = []
    for name in SEALED:
        if name in recorded:
            findings += _compare(paths, name, recorded[name], "was sealed before the first step")
    return findings


def _verify_stopped(paths: RunPaths, events: list[dict[str, Any]]) -> list[Finding]:
    """Return what was changed in a run that ended early and was not taken up again."""
    if not events or events[-1]["event"] not in {"failed", "interrupted"}:
        return []
    return [
        finding
        for name, digest in events[-1].get("files", {}).items()
        for finding in _compare(paths, name, digest, "was recorded when the run ended early")
    ]


def _verify_manifest(paths: RunPaths, events: list[dict[str, Any]]) -> list[Finding]:
    closing = next((event for event in reversed(events) if event["event"] == "completed"), None)
    findings: list[Finding] = []
    if not paths.manifest.exists():
        return [
            Finding(
                paths.manifest.name,
                None,
                "is missing although the run is completed",
                "Restore it from a copy; the ledger holds its hash.",
            )
        ]
    if closing and sha256_file(paths.manifest) != closing.get("manifest"):
        findings.append(
            Finding(
                paths.manifest.name,
                None,
                "is not the manifest that the ledger recorded",
                "Restore it from a copy; until then no file is vouched for.",
            )
        )
    digests, bad_lines = _read_manifest(paths)
    findings += [
        Finding(paths.manifest.name, f"line {number}", "is no `sha256  name` line", "Restore it from a copy.")
        for number in bad_lines
    ]
    for name, digest in digests.items():
        findings += _compare(paths, name, digest, "is in the manifest")
    for name in _stable_names(paths):
        if name not in digests:
            findings.append(
                Finding(name, None, "is not part of the finished run", "Move it out of the run folder.")
            )
    if paths.status.name not in digests:
        findings.append(
            Finding(paths.status.name, None, "is not in the manifest", "Restore the manifest from a copy.")
        )
    return findings + (_verify_others(paths, events) if closing else [])


def _read_manifest(paths: RunPaths) -> tuple[dict[str, str], list[int]]:
    digests: dict[str, str] = {}
    bad: list[int] = []
    text = paths.manifest.read_bytes().decode("utf-8", "replace")
    for number, line in enumerate(
        text.split("\n")[:-1] if text.endswith("\n") else text.split("\n"), start=1
    ):
        digest, separator, name = line.partition("  ")
        inside = name and not name.startswith("/") and ".." not in name.split("/") and "\0" not in name
        if separator and inside and len(digest) == 64:
            digests[name] = digest
        else:
            bad.append(number)
    return digests, bad


def _verify_others(paths: RunPaths, events: list[dict[str, Any]]) -> list[Finding]:
    recorded: dict[str, str] = {}
    for event in events:
        recorded |= event.get("others", {})
    findings: list[Finding] = []
    for name, digest in recorded.items():
        if name in ANNOTATED:
            findings += [
                Finding(f.file, None, "was annotated since the run ended", "", "note")
                for f in _compare(paths, name, digest, "")
            ]
        else:
            findings += _compare(paths, name, digest, "was recorded when its verb wrote it")
    unrecorded = [name for name in _matching(paths, LATER) if name not in recorded]
    return findings + [
        Finding(
            name,
            None,
            "was written after the run and is not in the ledger",
            "Nothing vouches for it.",
            "note",
        )
        for name in unrecorded
    ]


def _compare(paths: RunPaths, name: str, digest: str, origin: str) -> list[Finding]:
    path = paths.folder / name
    if not path.is_file():
        return [Finding(name, None, f"is missing ({origin})", "Restore it from a copy.")]
    try:
        if sha256_file(path) == digest:
            return []
    except OSError as error:
        return [Finding(name, None, f"cannot be read ({error.strerror})", "Check its permissions.")]
    fields = changed_fields(path, _recorded_fields(paths).get(name))
    problem = f"was changed ({origin})"
    return [Finding(name, field, problem, "Restore it from a copy.") for field in fields[:20] or [None]]


def _recorded_fields(paths: RunPaths) -> dict[str, Any]:
    try:
        recorded = read_json(paths.fields)
    except RecordError:
        return {}
    return recorded if isinstance(recorded, dict) else {}
