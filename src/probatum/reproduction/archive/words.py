"""What each file of an archive is, in the words of `RunPaths`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from probatum.reproduction.archive.contents import EXCERPT
from probatum.runs.paths import RunPaths


def meaning(name: str) -> str:
    """Return what a run's file is, in the words of `RunPaths`.

    Example:
        >>> meaning("status.json"), meaning("model_last_seed7.pth")[:30]
        ('Where the run stands.', 'The whole training state after')
    """
    if name == EXCERPT:
        return (
            "The ledger's lines about the run: when it was sealed and closed, with the hash of its manifest."
        )
    if name.startswith("reproductions/"):
        return "What a reproduction of the run found."
    paths = RunPaths(Path("run"))
    general = re.sub(r"seed\d+", "seed0", name)
    for member in vars(RunPaths).values():
        if isinstance(member, property) and member.fget is not None:
            found, document = getattr(paths, member.fget.__name__), inspect.getdoc(member.fget)
            if isinstance(found, Path) and found.as_posix() == f"run/{general}":
                return document or ""
    for path, method in _numbered(paths):
        if path.as_posix() == f"run/{general}":
            return inspect.getdoc(method) or ""
    return f"A file of the run's {Path(name).parent.as_posix()}." if "/" in name else "A file of the run."


def _numbered(paths: RunPaths) -> list[tuple[Path, Any]]:
    of_seed = (paths.rng, paths.seed_epochs, paths.seed_result, paths.seed_trajectory, paths.seed_timing)
    named = [(method(0), method) for method in of_seed]
    for method in (paths.model_best, paths.model_last):
        named += [(method(), method), (method(0, several=True), method)]
    return named
