"""The recorded code, restored beside the user's tree and never into it."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum._errors import RecordError
from probatum.runs.paths import RunPaths

_COMMIT = re.compile(r"^[0-9a-f]{7,64}$")  # nothing from a record may reach git as an option


@dataclass(frozen=True)
class Code:
    """The code that a reproduction runs."""

    source: Path | None  # folder for PYTHONPATH; None means the running package
    note: str


def package_repository(package: Path | None = None) -> Path | None:
    """Return the git repository that holds the running package, or None where there is none."""
    folder = package or Path(__file__).resolve().parents[1]
    try:
        found = _git(folder, "rev-parse", "--show-toplevel")
        # An installed package may stand in the virtual environment of some other repository.
        tracked = _git(folder, "ls-files", "--", ".") if found.returncode == 0 else found
    except FileNotFoundError:
        return None
    return Path(found.stdout.decode().strip()) if tracked.returncode == 0 and tracked.stdout.strip() else None


@contextmanager
def recorded_code(
    paths: RunPaths, environment: Mapping[str, Any], *, repository: Path | None
) -> Iterator[Code]:
    """Yield the recorded code: the running package where it is the same, else a temporary worktree.

    Raises:
        RecordError: the recorded commit is not in the repository, or the recorded changes do not apply.
    """
    commit, patch = environment.get("git_commit"), _patch(paths)
    if repository is None:
        yield Code(None, "the running package is in no git repository: code identity could not be checked")
    elif not commit:
        yield Code(None, "the record names no commit: code identity could not be checked")
    elif _is_current(repository, str(commit), patch):
        yield Code(None, f"the running code is the recorded code ({str(commit)[:12]})")
    else:
        with tempfile.TemporaryDirectory(prefix="probatum-code-") as temporary:
            tree = Path(temporary) / "tree"
            _check_out(repository, tree, str(commit))
            try:
                _apply(tree, paths, patch)
                yield Code(_source(tree), f"recorded code restored in a worktree ({str(commit)[:12]})")
            finally:
                _git(repository, "worktree", "remove", "--force", str(tree))


def _patch(paths: RunPaths) -> bytes:
    return paths.code_patch.read_bytes() if paths.code_patch.exists() else b""


def _is_current(repository: Path, commit: str, patch: bytes) -> bool:
    """Return whether the repository stands at `commit` with the recorded uncommitted changes."""
    from probatum.runs.environment import capture_environment

    now = capture_environment(code=repository)
    return (
        now.get("git_commit") == commit
        and (now.get("code_patch") or "").strip() == patch.decode("utf-8", "replace").strip()
    )


def _check_out(repository: Path, tree: Path, commit: str) -> None:
    known = (
        _COMMIT.match(commit) and _git(repository, "cat-file", "-e", f"{commit}^{{commit}}").returncode == 0
    )
    if not known:
        raise RecordError(
            f"the recorded commit {commit[:60]!r} is not in {repository.name}. "
            "Fetch it (git fetch --all), or test today's code with --code current."
        )
    added = _git(repository, "worktree", "add", "--detach", str(tree), commit)
    if added.returncode:
        raise RecordError(
            f"git cannot check out {commit[:12]}: {added.stderr.decode(errors='replace').strip()}"
        )


def _apply(tree: Path, paths: RunPaths, patch: bytes) -> None:
    if not patch.strip():
        return
    applied = _git(tree, "apply", "--whitespace=nowarn", str(paths.code_patch.resolve()))
    if applied.returncode:
        raise RecordError(
            f"{paths.code_patch}: the recorded changes do not apply to their commit "
            f"({applied.stderr.decode(errors='replace').strip()}). Test today's code with --code current."
        )


def _source(tree: Path) -> Path:
    return tree / "src" if (tree / "src").is_dir() else tree


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)
