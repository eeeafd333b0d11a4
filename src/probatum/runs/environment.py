"""What a run ran on: interpreter, machine, packages, code; variables only from an allow-list."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from probatum.runs.files import Group, json_text
from probatum.runs.paths import RunPaths

VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_LAUNCH_BLOCKING",
    "NVIDIA_TF32_OVERRIDE",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ENABLE_MPS_FALLBACK",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "MKL_CBWR",
    "KMP_DETERMINISTIC_REDUCTION",
)
_TEXT_KEYS = (
    "python",
    "platform",
    "cpu_model",
    "cpu_cores",
    "cuda_available",
    "torch_version",
    "cuda_version",
    "cudnn_version",
    "git_commit",
    "git_branch",
    "git_dirty",
)
_LARGEST_UNTRACKED = 1_000_000  # bytes of one untracked source file that still goes into the patch
_SOURCE = (".py", ".yaml", ".yml", ".toml", ".cfg", ".sh")


def capture_environment(
    extra: Mapping[str, Any] | None = None, *, code: Path | str | None = None
) -> dict[str, Any]:
    """Return what this process runs on.

    Interpreter, machine and packages are read once per process; the state of the code each time.

    Args:
        extra: Facts that only torch knows: `torch_version`, `cuda_available`, `cuda_version`,
            `cudnn_version`, determinism switches. Anything else is kept too.
        code: A file or folder of the code whose git state counts; the working folder where None.

    Returns:
        Flat facts; `packages` and `variables` are maps; `code_patch` holds the uncommitted changes and
        goes into a file of its own. What is not known here is absent or None.
    """
    variables = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    return {
        **_machine(),
        "packages": dict(_packages()),
        "variables": variables,
        **_code(Path(code or ".")),
        **(extra or {}),
    }


@cache
def _machine() -> dict[str, Any]:
    return {
        "python": sys.version.split()[0],
        "python_implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "cpu_model": _cpu_model(),
        "cpu_cores": os.cpu_count(),
    }


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()


@cache
def _packages() -> tuple[tuple[str, str], ...]:
    """Return name and version of every installed package, read from the folders' names where possible."""
    found: dict[str, str] = {}
    for folder in filter(None, sys.path):
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            stem, dot, _ = name.rpartition(".dist-info")
            if dot and "-" in stem:
                package, _, version = stem.rpartition("-")
                found.setdefault(re.sub(r"[-_.]+", "-", package).lower(), version)
    return tuple(sorted(found.items()))


def _code(start: Path) -> dict[str, Any]:
    """Return the commit, branch and uncommitted changes; says so where there is no git or no repository."""
    folder = start if start.is_dir() else start.parent
    status = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=all", "-z")
    if isinstance(status, str):
        return {"git": status}
    facts, dirty, untracked = _read_status(status.decode("utf-8", "surrogateescape"))
    patch = (
        _patch(folder, untracked, has_commit=facts["git_commit"] is not None) if dirty or untracked else b""
    )
    text = patch.decode("utf-8", "replace")
    digest = {"code_patch_sha256": hashlib.sha256(text.encode()).hexdigest()} if text else {}
    return {**facts, "git_dirty": bool(dirty or untracked), **digest, "code_patch": text, **_remote(folder)}


def _read_status(text: str) -> tuple[dict[str, Any], bool, list[str]]:
    facts: dict[str, Any] = {"git_commit": None, "git_branch": None}
    dirty, untracked = False, []
    for entry in text.split("\0"):
        if entry.startswith("# branch.oid "):
            commit = entry.split(" ", 2)[2]
            facts["git_commit"] = None if commit == "(initial)" else commit
        elif entry.startswith("# branch.head "):
            facts["git_branch"] = entry.split(" ", 2)[2]
        elif entry.startswith("? "):
            if entry.endswith(_SOURCE):
                untracked.append(entry[2:])
        elif entry[:2] in {"1 ", "2 ", "u "}:
            dirty = True
    return facts, dirty, untracked


def _patch(folder: Path, untracked: list[str], *, has_commit: bool) -> bytes:
    changed = _git(folder, "diff", "--binary", "HEAD", "--") if has_commit else b""
    parts = [changed if isinstance(changed, bytes) else b""]
    top = _git(folder, "rev-parse", "--show-toplevel")
    root = Path(os.fsdecode(top).strip()) if isinstance(top, bytes) else folder
    parts += [_as_new_file(name, root / name) for name in sorted(untracked)]
    return b"".join(parts)


def _as_new_file(name: str, path: Path) -> bytes:
    """Return the patch that makes an untracked source file; none of a large or unreadable one."""
    try:
        if path.is_symlink() or path.stat().st_size > _LARGEST_UNTRACKED:
            return b""
        content = path.read_bytes()
    except OSError:
        return b""
    lines = content.splitlines(keepends=True)
    if not lines or b"\0" in content:
        return b""
    end = b"" if lines[-1].endswith(b"\n") else b"\n\\ No newline at end of file\n"
    head = f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n"
    head += f"@@ -0,0 +1,{len(lines)} @@\n"
    return head.encode("utf-8", "surrogateescape") + b"".join([b"+" + line for line in lines]) + end


def _remote(folder: Path) -> dict[str, str]:
    url = _git(folder, "config", "--get", "remote.origin.url")
    text = url.decode("utf-8", "replace").strip() if isinstance(url, bytes) else ""
    return {"git_remote": without_credentials(text)} if text else {}


def without_credentials(url: str) -> str:
    """Return a remote's address without user, password, token or query.

    Example:
        >>> without_credentials("https://me:token@example.org/a.git?key=1")
        'https://example.org/a.git'
    """
    address = re.sub(r"[?#].*$", "", url)
    scheme, mark, rest = address.rpartition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}{mark}{place.rpartition('@')[2]}{slash}{path}"


def _git(folder: Path, *arguments: str) -> bytes | str:
    """Return what git prints, or the reason why it cannot."""
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "-c", "core.quotepath=off", "-C", str(folder), *arguments],
            capture_output=True,
            timeout=20,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
    except FileNotFoundError:
        return "absent: git is not installed"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"absent: git could not be run ({type(error).__name__})"
    return done.stdout if done.returncode == 0 else "absent: not a git repository"


def environment_text(environment: Mapping[str, Any]) -> str:
    """Return the environment as `key: value` lines, the best known first."""
    flat = {
        key: value for key, value in environment.items() if key not in {"packages", "variables", "code_patch"}
    }
    ordered = [*_TEXT_KEYS, *sorted(set(flat) - set(_TEXT_KEYS))]
    lines = [f"{key}: {_word(flat.get(key))}" for key in ordered]
    lines += [f"{name}: {value}" for name, value in sorted(environment.get("variables", {}).items())]
    return "\n".join(lines) + "\n"


def environment_json(environment: Mapping[str, Any]) -> str:
    """Return the content of `environment.json`: everything but the patch, which is a file of its own."""
    kept = {key: value for key, value in environment.items() if key != "code_patch"}
    return json_text({"schema_version": 3, **kept})


def _word(value: Any) -> str:
    return "unknown" if value is None else str(value).replace("\n", " ")


def write_environment(paths: RunPaths, environment: Mapping[str, Any]) -> dict[str, str]:
    """Write `environment.txt`, `environment.json` and, if any, `code.patch`; return their hashes."""
    with Group(paths.folder) as group:
        digests = {
            paths.environment_text.name: group.add(
                paths.environment_text.name, environment_text(environment)
            ),
            paths.environment_json.name: group.add(
                paths.environment_json.name, environment_json(environment)
            ),
        }
        if environment.get("code_patch"):
            digests[paths.code_patch.name] = group.add(paths.code_patch.name, environment["code_patch"])
    return digests
