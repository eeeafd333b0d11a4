"""An archive held against its own checksums, the run's sealed manifest and the ledger's lines about it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from probatum._errors import RecordError
from probatum.reproduction.archive.contents import EXCERPT, LEFT_OUT
from probatum.reproduction.archive.store import CHECKSUMS, METADATA, Archive
from probatum.runs.integrity import ANNOTATED, Finding
from probatum.runs.ledger import parse_line
from probatum.runs.paths import RunPaths

_COPY = "Take another copy of the archive."


@dataclass(frozen=True)
class Verification:
    """What was found."""

    seal: str | None  # SHA-256 of the list of checksums; None where it cannot be read
    findings: tuple[Finding, ...]


def verify_archive(path: Path, *, expected_seal: str | None = None) -> Verification:
    """Return every difference between an archive, a folder or a zip, and what was written.

    Args:
        path: The archive.
        expected_seal: A seal noted when the archive was made; without one, who edits the archive and all its
            checksums is not found out.

    Raises:
        RecordError: it cannot be read at all.
    """
    with Archive(path) as archive:
        names = archive.names()
        try:
            text = archive.read(CHECKSUMS)
        except RecordError as error:
            return Verification(None, (Finding(CHECKSUMS, None, _problem(error, CHECKSUMS), _COPY),))
        seal = hashlib.sha256(text).hexdigest()
        found = {name: _digest(archive, name) for name in dict.fromkeys(names)}
        findings = [*_against_list(names, found, text), *_seal(seal, expected_seal)]
        run = _run_name(names)
        findings += _against_run(archive, run, found) if run else [_no_run()]
        findings += [] if _has_failed(findings) else _container(archive)
    unique = {(finding.file, finding.field, finding.level): finding for finding in reversed(findings)}
    return Verification(seal, tuple(reversed(unique.values())))


def _digest(archive: Archive, name: str) -> str | RecordError:
    try:
        return archive.digest(name)
    except RecordError as error:
        return error


def _problem(error: RecordError, name: str) -> str:
    return str(error).removeprefix(f"{name}: ")


def _parse(text: bytes, file: str) -> tuple[dict[str, str], list[Finding]]:
    digests, bad = {}, []
    for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), start=1):
        digest, separator, name = line.partition("  ")
        if separator and name and len(digest) == 64:
            digests[name] = digest
        else:
            bad.append(Finding(file, f"line {number}", "is no `sha256  name` line", _COPY))
    whole = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()
    if not bad and text != whole:
        bad.append(Finding(file, None, "is not as it was written", _COPY))
    return digests, bad


def _against_list(names: list[str], found: dict[str, str | RecordError], text: bytes) -> list[Finding]:
    listed, findings = _parse(text, CHECKSUMS)
    for name, digest in listed.items():
        actual = found.get(name)
        if actual is None:
            findings.append(Finding(name, None, "is missing from the archive", _COPY))
        elif isinstance(actual, RecordError):
            findings.append(Finding(name, None, _problem(actual, name), _COPY))
        elif actual != digest:
            findings.append(Finding(name, None, "was changed since the archive was made", _COPY))
    findings += [
        Finding(name, None, "stands twice in the zip", _COPY) for name, n in Counter(names).items() if n > 1
    ]
    extra = (name for name in found if name not in listed and name != CHECKSUMS)
    return findings + [Finding(name, None, "is not part of the archive", "Move it out.") for name in extra]


def _seal(seal: str, expected: str | None) -> list[Finding]:
    if expected is None or expected == seal:
        return []
    return [Finding(CHECKSUMS, None, f"the seal is not the expected {expected}", "This is another archive.")]


def _run_name(names: list[str]) -> str | None:
    """Return the folder of the run: the one that holds a configuration."""
    config = RunPaths(Path("run")).config.name
    return next((parts[0] for n in names if len(parts := n.split("/")) == 2 and parts[1] == config), None)


def _no_run() -> Finding:
    return Finding("config.json", None, "no folder of the archive holds a run", _COPY)


def _against_run(archive: Archive, run: str, found: dict[str, str | RecordError]) -> list[Finding]:
    """Return what differs from the manifest that the run was closed with, and from the ledger."""
    paths = RunPaths(Path(run))
    manifest = paths.manifest.as_posix()
    if manifest not in found:
        return [
            Finding(
                manifest, None, "the run was never closed: only the archive's own checksums hold", "", "note"
            )
        ]
    if isinstance(found[manifest], RecordError):
        return []  # told already
    digests, findings = _parse(archive.read(manifest), manifest)
    recorded = {f"{run}/{name}": digest for name, digest in digests.items()}
    findings += _against_manifest(recorded, found)
    return findings + _against_ledger(archive, paths, found)


def _against_manifest(recorded: dict[str, str], found: dict[str, str | RecordError]) -> list[Finding]:
    findings = []
    for name, digest in recorded.items():
        if name in found and found[name] != digest:
            findings.append(Finding(name, None, "was changed (is in the run's manifest)", _COPY))
        elif name not in found and _is_weights(name):
            problem = f"was left out of the archive; its SHA-256 is {digest}"
            findings.append(Finding(name, None, problem, "", "note"))
        elif name not in found:
            findings.append(Finding(name, None, "is missing (is in the run's manifest)", _COPY))
    return findings


def _is_weights(name: str) -> bool:
    return any(fnmatchcase(name.rpartition("/")[2], pattern) for pattern in LEFT_OUT["none"])


def _against_ledger(archive: Archive, paths: RunPaths, found: dict[str, str | RecordError]) -> list[Finding]:
    if EXCERPT not in found:
        return [Finding(EXCERPT, None, "the archive was made without the ledger", "", "note")]
    if isinstance(found[EXCERPT], RecordError):
        return []
    records, findings, others = [], [], {}
    for number, line in enumerate(archive.read(EXCERPT).rstrip(b"\n").split(b"\n"), start=1):
        record = parse_line(line)
        if record is None:
            findings.append(Finding(EXCERPT, f"line {number}", "is not what the ledger said", _COPY))
        else:
            records.append(record)
            others |= record.get("others", {})
    closing = next((r for r in reversed(records) if r["event"] == "completed"), None)
    if closing and closing.get("manifest") != found[paths.manifest.as_posix()]:
        problem = "is not the manifest that the ledger recorded"
        findings.append(Finding(paths.manifest.as_posix(), None, problem, _COPY))
    for name, digest in others.items():
        actual = found.get(f"{paths.name}/{name}")
        if actual is not None and actual != digest and name not in ANNOTATED:
            findings.append(Finding(f"{paths.name}/{name}", None, "was changed (is in the ledger)", _COPY))
    return findings


def _has_failed(findings: list[Finding]) -> bool:
    return any(finding.level == "failure" for finding in findings)


def _container(archive: Archive) -> list[Finding]:
    """Return what is wrong outside every file: the metadata's form, and the zip's own directory."""
    findings = []
    try:
        json.loads(archive.read(METADATA))
    except (RecordError, ValueError) as error:
        findings.append(Finding(METADATA, None, f"is no JSON ({error})", _COPY))
    if not archive.is_as_written():
        findings.append(
            Finding(
                archive.path.name,
                None,
                "every file is whole, but the zip is not as it was written: bytes between its files were "
                "changed, or it was packed again",
                "Where it was packed again, unpack it and verify the folder.",
            )
        )
    return findings
