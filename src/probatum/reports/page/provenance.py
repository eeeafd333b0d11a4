"""Where every number comes from: code, data, environment, commands, and the hash of each sealed file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from probatum.analysis.answers import LONGEST
from probatum.analysis.leaderboard import Analysis
from probatum.analysis.table import name_of
from probatum.reports.page.blocks import Block, Cell, Column, Facts, Heading, Section, Table, Text
from probatum.reports.page.run import Run
from probatum.reports.page.subject import Subject
from probatum.runs.lenient import as_map

_ENVIRONMENT = (
    "git_commit", "git_dirty", "code_patch_sha256", "python", "torch_version", "platform", "cpu_model", "cpu_cores",
    "cuda_available", "cuda_version", "deterministic_algorithms",
)  # fmt: skip
_HASHES = {"git_commit", "code_patch_sha256"}
_COMMANDS = {"run_repro_original": "launched by", "reproduce": "reproduce with"}


def build(subject: Subject) -> Section:
    """Return the section: every run of a plan in a table, the runs that are shown in full one by one."""
    section = Section("provenance", "Provenance")
    if subject.analysis is not None:
        section.blocks.append(_runs(subject, subject.analysis))
    for index, run in enumerate(subject.runs, start=1):
        section.blocks += _of_run(run, index)
    return section


def _runs(subject: Subject, analysis: Analysis) -> Table:
    columns = [
        Column("experiment"), Column("seed", True), Column("status"), Column(analysis.metric.column, True),
        Column("started (UTC)"), Column("seconds", True), Column("config_md5"), Column("folder"), Column("note"),
    ]  # fmt: skip
    rows = []
    for group in analysis.groups:
        for record in [*group.runs, *group.others, *group.repeated]:
            value, seconds = record.value(analysis.metric.column), record.duration_seconds
            place = _shown(Path(record.run_root), analysis.results.folder)
            rows.append([
                Cell(name_of(group, analysis, LONGEST)),
                Cell("-" if record.seed is None else str(record.seed), record.seed),
                Cell(record.status, tone="" if record.status == "completed" else "bad"),
                Cell("-" if value is None else f"{value:.6g}", value), Cell(record.start_time[:19] or "-"),
                Cell("-" if seconds is None else f"{seconds:.1f}", seconds),
                Cell(_digest(subject, record.run_root), is_code=True),
                Cell(place, is_code=True), Cell(record.note or "-"),
            ])  # fmt: skip
    caption = f"All {len(rows)} runs"
    return Table("runs", caption, columns, rows, is_filtered=True, is_folded=len(rows) > 40)


def _digest(subject: Subject, place: str) -> str:
    paths = subject.folders.get(place)
    return str(Run(paths).config.get("config_md5") or "-") if paths else "-"


def _of_run(run: Run, index: int) -> list[Block]:
    experiment, environment = run.experiment, run.environment
    items: list[tuple[str, Cell]] = [
        ("run", Cell(run.paths.name, is_code=True)), ("created", Cell(str(experiment.get("created") or "-"))),
        ("status", Cell(run.status)), ("config_md5", Cell(str(run.config.get("config_md5") or "-"), is_code=True)),
        ("SHA-256 of MANIFEST.sha256", Cell(run.manifest_sha256 or "not sealed", is_code=True)),
    ]  # fmt: skip
    items += [
        (name, Cell(_word(environment[name]), is_code=name in _HASHES))
        for name in _ENVIRONMENT
        if environment.get(name) is not None
    ]
    verdict = run.reproduction.get("verdict")
    items.append(("reproduction", Cell(str(verdict) if verdict else "not tried")))
    commands = {name: str(line) for name, line in as_map(run.config.get("commands")).items() if line}
    items += [
        (word, Cell(commands[name], is_code=True)) for name, word in _COMMANDS.items() if name in commands
    ]
    blocks: list[Block] = [Heading(f"Run {run.name}"), Facts(items)]
    explicit = [
        [Cell(name), Cell(line, is_code=True)] for name, line in commands.items() if name not in _COMMANDS
    ]
    if explicit:
        columns = [Column("what"), Column("command")]
        caption = f"Commands of {run.name} with every parameter written out"
        blocks.append(
            Table(f"commands-{index}", caption, columns, explicit, is_sortable=False, is_folded=True)
        )
    files = [own for own in run.data.get("files") or [] if isinstance(own, dict)]
    if files:
        blocks.append(_data_files(files, index, run.name))
    if run.manifest:
        columns = [Column("file"), Column("SHA-256")]
        rows = [[Cell(name, is_code=True), Cell(digest, is_code=True)] for name, digest in run.manifest]
        blocks.append(Table(f"files-{index}", f"Sealed files of {run.name}", columns, rows, is_folded=True))
    notes = [f"Damaged record. {note}" for note in dict.fromkeys(run.notes)]
    return [*blocks, *([Text(notes, "bad")] if notes else [])]


def _data_files(files: list[dict[str, Any]], index: int, name: str) -> Table:
    columns = [
        Column("data file"),
        Column("rows", True),
        Column("bytes", True),
        Column("SHA-256"),
        Column("source"),
    ]
    rows = [
        [
            Cell(str(own.get("name") or "-"), is_code=True),
            *(Cell("-" if own.get(key) is None else str(own[key]), own.get(key)) for key in ("rows", "bytes")),
            Cell(str(own.get("sha256") or "-"), is_code=True), Cell(str(own.get("source") or "-")),
        ]
        for own in files
    ]  # fmt: skip
    return Table(f"data-{index}", f"Input files of {name}", columns, rows)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(_word, value)) if isinstance(value, list) else str(value)


def _shown(place: Path, folder: Path) -> str:
    """Return a run's place below the folder of the report, never where that folder stands on this machine."""
    shown = os.path.relpath(place, folder)
    return place.name if shown.startswith("..") else shown
