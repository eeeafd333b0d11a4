"""A run as a Process Run Crate: one folder or zip that says by itself what was run, on what, and what came out.

    ro-crate-metadata.json     the run, described in JSON-LD (RO-Crate 1.1, Process Run Crate 0.5)
    ARCHIVE.sha256             the checksum of every other file; its own hash is the archive's seal
    ledger_excerpt.jsonl       the ledger's lines about the run
    <run>/                     the run folder, without the weights that were left out
    reproductions/<run>/       the report of every reproduction that stood beside the run

The data of the run are named by their checksums and do not come along.

Source: Leo et al. 2024, Recording provenance of workflow runs with RO-Crate; w3id.org/ro/wfrun/process/0.5.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from probatum._files import sha256_file, strict_json
from probatum.reproduction.archive.claims import Claims
from probatum.reproduction.archive.contents import EXCERPT, RunContents, Weights, collect
from probatum.reproduction.archive.metadata import crate_metadata
from probatum.reproduction.archive.store import (
    CHECKSUMS,
    METADATA,
    Content,
    check_output,
    write_folder,
    write_zip,
)
from probatum.runs.paths import RunPaths


@dataclass(frozen=True)
class WrittenArchive:
    """What was written."""

    path: Path
    seal: str  # SHA-256 of the archive's list of checksums: noted elsewhere, it proves the whole
    files: int
    left_out: tuple[str, ...]
    verdicts: tuple[str, ...]  # of the reproductions that the archive tells of


def write_archive(
    paths: RunPaths,
    output: Path | None = None,
    *,
    weights: Weights = "best",
    claims: Claims | None = None,
    anchored: bool = True,
) -> WrittenArchive:
    """Return what was written: the run's archive, the same bytes every time.

    Args:
        paths: The run folder.
        output: A new `.zip`, or a new folder; `<run>.zip` where None.
        weights: Which checkpoints come along.
        claims: Author, licence and citation.
        anchored: Whether the ledger must know the run; False for a copied folder.

    Raises:
        UsageError: something stands at `output`.
        RecordError: the run is not over, or was changed since it was recorded.
    """
    target = Path(f"{paths.name}.zip") if output is None else output
    check_output(target)
    run = collect(paths, weights=weights, anchored=anchored)
    contents = archive_files(run, claims or Claims())
    (write_zip if target.suffix == ".zip" else write_folder)(target, contents)
    listed = contents[CHECKSUMS]
    return WrittenArchive(
        path=target,
        seal=hashlib.sha256(listed).hexdigest() if isinstance(listed, bytes) else "",
        files=len(contents),
        left_out=run.left_out,
        verdicts=tuple(str(found.report["verdict"]) for found in run.reproductions),
    )


def archive_files(run: RunContents, claims: Claims) -> dict[str, Content]:
    """Return every file of the archive by its name in it."""
    files: dict[str, Content] = {run.archived_name(name): path for name, path in run.files.items()}
    if run.ledger:
        files[EXCERPT] = run.ledger
    for found in run.reproductions:
        if found.name != run.paths.name:  # its own report is among its files
            files[f"reproductions/{found.name}/{found.file.name}"] = found.file
    digests = {name: _sha256(content) for name, content in files.items()}
    sizes = {name: _size(content) for name, content in files.items()}
    metadata = (strict_json(crate_metadata(run, claims, digests, sizes)) + "\n").encode()
    digests[METADATA] = _sha256(metadata)
    listed = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    return {**files, METADATA: metadata, CHECKSUMS: listed.encode()}


def _sha256(content: Content) -> str:
    return sha256_file(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()


def _size(content: Content) -> int:
    return content.stat().st_size if isinstance(content, Path) else len(content)
