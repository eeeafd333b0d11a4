"""Leave a runner behind: in its own session, its output in a file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from probatum.ablations.runner.folder import PlanFolder


def detach(folder: PlanFolder, words: Sequence[str]) -> tuple[int, Path]:
    """Start `probatum WORDS...` on its own, and return its process number and the file it prints to."""
    folder.make()
    with folder.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "probatum", *words],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    process.returncode = 0  # it outlives this process on purpose, and nobody here waits for it
    return process.pid, folder.log
