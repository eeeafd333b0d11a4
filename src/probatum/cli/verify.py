"""`probatum verify`: find any changed byte in runs and in the ledger."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from probatum.runs.integrity import Finding
    from probatum.runs.ledger import LedgerFault

_EPILOG = """\b
Examples:
  probatum verify 423891                     one run, by id
  probatum verify runs/20260101_120000_x_1   one run, by path
  probatum verify --all --format json        every run and the ledger
  probatum verify --all --expect-head 4f0c…  and that the ledger still holds a head noted earlier
  probatum verify 20260101_120000_x_1.zip    an archive, packed or not; --expect-head takes its seal

Exit code 0: every byte is the one that was written. 1: something was changed, lost or put in.
"""


@click.command("verify", epilog=_EPILOG)
@click.argument("run", required=False)
@click.option("--all", "everything", is_flag=True, help="Verify every run of the root.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", help="What to print."
)
@click.option("--no-ledger", is_flag=True, help="Hold a copied run against its own manifest alone.")
@click.option(
    "--expect-head", metavar="SHA256", help="A ledger head noted earlier, in a report or a git tag."
)
@click.option(
    "--runs-root",
    "--runs_root",
    metavar="FOLDER",
    help="Where run folders stand; else PROBATUM_RUNS, else ./runs.",
)
@click.pass_context
def command(
    ctx: click.Context,
    run: str | None,
    everything: bool,
    form: str,
    no_ledger: bool,
    expect_head: str | None,
    runs_root: str | None,
) -> int:
    """Find any changed byte in runs and in the ledger.

    Names the file and, in JSON and CSV, the field. The ledger's head is printed: kept elsewhere, it proves
    that nobody rewrote the ledger.
    """
    from probatum.runs.folder import find_run, list_run_folders
    from probatum.runs.folder import runs_root as resolve_root
    from probatum.runs.integrity import verify_run
    from probatum.runs.ledger import ledger_head, read_ledger, verify_ledger

    if everything == (run is not None):
        raise click.UsageError("name one RUN, or give --all.")
    if run is not None and (code := _verify_archive(Path(run), form, expect_head)) is not None:
        ctx.exit(code)
    root = resolve_root(runs_root)
    runs = list_run_folders(root) if run is None else [find_run(run, root)]
    home = root if run is None else runs[0].folder.parent
    faults = [] if no_ledger else verify_ledger(home, expected_head=expect_head)
    events = [] if no_ledger else read_ledger(home)
    findings = {paths.name: verify_run(paths, events=events, anchored=not no_ledger) for paths in runs}
    lost = [] if run or no_ledger else _lost(home, events)
    head = None if no_ledger else ledger_head(home)
    click.echo(_render(form, findings, faults, lost, head), nl=False)
    failed = any(finding.level == "failure" for found in findings.values() for finding in found)
    code = 1 if failed or faults or lost else 0
    ctx.exit(code)
    return code


def _verify_archive(path: Path, form: str, expected_seal: str | None) -> int | None:
    """Return the exit code of an archive's check, printed; None where the path is no archive."""
    from probatum.reproduction.archive.store import is_archive

    if not is_archive(path):
        return None
    from probatum.reproduction.archive.verification import verify_archive

    done = verify_archive(path, expected_seal=expected_seal)
    text = _render(form, {path.name: list(done.findings)}, [], [], done.seal)
    if form == "table":
        body = text.splitlines()[:-2]
        text = "\n".join([*body, f"Archive seal {done.seal or 'cannot be read'}"]) + "\n"
    click.echo(text, nl=False)
    return 1 if any(finding.level == "failure" for finding in done.findings) else 0


def _lost(root: Path, events: list[dict[str, Any]]) -> list[str]:
    """Return the completed runs that the ledger knows and the root no longer holds."""
    completed = {event["run"] for event in events if event["event"] == "completed"}
    return sorted(name for name in completed if not (root / name).is_dir())


def _render(
    form: str,
    findings: dict[str, list[Finding]],
    faults: list[LedgerFault],
    lost: list[str],
    head: str | None,
) -> str:
    rows = [{"run": name, **finding.as_record()} for name, found in findings.items() for finding in found]
    rows += [
        _row("", "ledger.jsonl", fault.problem, "Restore the ledger from a copy.", f"line {fault.line}")
        for fault in faults
    ]
    rows += [
        _row(
            name,
            name,
            "the ledger knows this completed run, but its folder is gone",
            "Restore it from a copy.",
        )
        for name in lost
    ]
    if form == "json":
        whole = not any(row["level"] == "failure" for row in rows)
        return (
            json.dumps(
                {"is_whole": whole, "runs": list(findings), "ledger_head": head, "findings": rows}, indent=2
            )
            + "\n"
        )
    if form == "csv":
        stream = io.StringIO()
        writer = csv.DictWriter(
            stream, ["run", "file", "field", "level", "problem", "next_step"], lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(rows)
        return stream.getvalue()
    return _table(findings, rows, head)


def _row(run: str, file: str, problem: str, next_step: str, field: str | None = None) -> dict[str, Any]:
    return {
        "run": run,
        "file": file,
        "field": field,
        "problem": problem,
        "next_step": next_step,
        "level": "failure",
    }


def _table(findings: dict[str, list[Finding]], rows: list[dict[str, Any]], head: str | None) -> str:
    lines = []
    for name, found in findings.items():
        changed = sum(finding.level == "failure" for finding in found)
        lines.append(f"{'WHOLE ' if not changed else 'CHANGED'} {name}")
        lines += [f"  {'note: ' if finding.level == 'note' else ''}{finding}" for finding in found]
    lines += [
        f"CHANGED {row['file']}: {row['problem']}. {row['next_step']}"
        for row in rows
        if row["file"] in {"ledger.jsonl", row["run"]} and row["run"] not in findings
    ]
    whole = sum(not any(f.level == "failure" for f in found) for found in findings.values())
    lines.append(f"{whole} of {len(findings)} runs whole.")
    lines.append(f"Ledger head {head}" if head else "No ledger was read.")
    return "\n".join(lines) + "\n"
