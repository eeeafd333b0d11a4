"""One seed's training in a process of its own: `python -m probatum.training.worker FOLDER SEED DEVICE...`."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from pathlib import Path

from probatum._errors import ProbatumError
from probatum.runs.paths import RunPaths


def main(arguments: list[str]) -> int:
    """Train the seed and return the exit code."""
    from probatum.parameters import ReadLog
    from probatum.training.recorded import load_recorded_run
    from probatum.training.run import train_seed

    folder, seed, *devices = arguments
    try:
        run = load_recorded_run(RunPaths(Path(folder)))
        train_seed(run, int(seed), tuple(devices), several=len(run.parameters.seeds) > 1, log=ReadLog())
    except ProbatumError as error:
        print(error, flush=True)
        return error.exit_code
    except OSError as error:
        print(f"{error.strerror or error} ({error.filename or 'while writing the record'})", flush=True)
        return 3
    except Exception:
        # Not left to the interpreter: its shutdown would wait for the thread that blocks in a read.
        traceback.print_exc(file=sys.stdout)
        return 3
    return 0


def _leave_with_parent() -> None:
    """End this process when the one that started it is gone, so that no orphan writes into a resumed run."""
    while os.read(0, 4096):  # not sys.stdin: its lock would be held when the interpreter shuts down
        pass
    os._exit(3)


if __name__ == "__main__":
    if "LOCAL_RANK" not in os.environ:  # ranks that a strategy started are ended by it
        threading.Thread(target=_leave_with_parent, daemon=True).start()
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # the watching thread blocks in a read; there is nothing left to clean up
