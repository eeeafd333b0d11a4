"""How long an explanation takes: two runs of 40 epochs with the signals of 100 layers, in a fresh process.

The runs are recorded here with made-up numbers of the size and shape that the diagnostic profile leaves (about
10 MB of signals a run); nothing is trained. Timed is `probatum explain PARENT CHILD` from its start to its end,
with the start of the interpreter and every import within it, in turns with `python -c pass`. The processor time of
the child process stands beside the wall time, since other work may share the machine. The goal is 2 s.
The result is `benchmarks/results/explain.json`.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measurement import save, spread
from benchmarks.startup import PROBATUM, SOURCE, timed

GOAL_SECONDS = 2.0
BATCHES = 2  # probed an epoch


def make_run(root: Path, title: str, epochs: int, layers: int, scale: float) -> str:
    """Record a run with signals of all layers in every epoch; `scale` multiplies the gradients. Return its name."""
    from probatum.runs.metric import MetricDefinition
    from probatum.runs.recorder import RunRecorder
    from probatum.signals.artifact import ArtifactWriter
    from probatum.signals.history import SnapshotHistory
    from probatum.signals.narrative import tell
    from probatum.signals.snapshot import EpochMetrics

    accuracy = MetricDefinition("val_accuracy", "Accuracy", True, 0.0, 1.0, 2e-4, 2e-3, "", "")
    parameters = {"epochs": epochs, "scale": scale}
    with RunRecorder("explain", parameters, [accuracy], title=title, seed=1, root=root) as run:
        provenance = {"parameters": parameters, "inputs": {}, "code": {}, "seed": 1}
        writer = ArtifactWriter(run.paths.instrumentation("signals"), parameters, provenance=provenance)
        history = SnapshotHistory(run.paths.snapshots("signals"))
        shots: list[Any] = []
        for epoch in range(1, epochs + 1):
            signals = made_up(epoch, layers, scale)
            shots.append(tell(signals, EpochMetrics(epoch, train_loss=1 / epoch, val_loss=1 / epoch), shots))
            writer.append(signals, shots[-1])
            history.append(shots[-1])
            run.epoch({"epoch": epoch, "val_accuracy": 1 - 1 / (epoch + 1)})
    return run.paths.name


def made_up(epoch: int, layers: int, scale: float) -> Any:
    """Return an epoch of signals as a probe with the diagnostic profile leaves them."""
    from probatum.signals.epoch import EpochSignals, Statistic

    draw = random.Random(f"{epoch} {scale}")

    def statistics(**centres: float) -> dict[str, Statistic]:
        return {
            name: Statistic.of([centre * (1 + draw.uniform(-0.1, 0.1)) for _ in range(BATCHES)])
            for name, centre in centres.items()
        }

    names = [f"encoder.layers.{number // 4}.part{number % 4}" for number in range(layers)]
    return EpochSignals(
        epoch,
        gradients={
            name: statistics(norm=scale, mean=0.01, std=0.1, p1=-1.0, p50=0.01, p99=1.0, vanishing_share=0.2,
                             exploding_share=0.0)
            for name in names
        },
        weights={name: statistics(norm=5.0, update_ratio=1e-3) for name in names},
        activations={
            name: statistics(mean=0.03, std=0.11, norm=4.0, saturated_share=0.1, dead_share=0.1) for name in names
        },
        attention={name: statistics(mean=1 / 3, entropy=1.0) for name in names[::4]},
        lag_curves={name: [0.5, 0.3, 0.2] for name in names[::4]},
        totals=statistics(gradient_norm=2.2 * scale, loss=1 / epoch),
        overhead_seconds=0.01,
    )  # fmt: skip


def children_seconds() -> float:
    """Return the processor time of every process that was started here and has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(epochs: int, layers: int, rounds: int) -> dict[str, Any]:
    """Return wall and processor time of an explanation, and of an interpreter that does nothing."""
    with tempfile.TemporaryDirectory(prefix="explain-") as name:
        folder = Path(name)
        root = folder / "runs"
        runs = [
            make_run(root, title, epochs, layers, scale) for title, scale in (("parent", 1.0), ("child", 1.3))
        ]
        size = (root / runs[0] / "instrumentation" / "signals.json").stat().st_size
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PROBATUM_RUNS": str(root)}
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "probatum explain PARENT CHILD": [sys.executable, "-c", PROBATUM, "explain", *runs],
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(rounds + 1):
            for name, command in commands.items():
                before = children_seconds()
                wall = timed(command, environment, folder)
                taken[name].append((wall, children_seconds() - before))
        return {
            "epochs": epochs, "layers": layers, "artifact_bytes": size, "rounds": rounds,
            "goal_seconds": GOAL_SECONDS,
            "commands": {
                name: {"wall_seconds": spread([own[0] for own in values[1:]]),
                       "processor_seconds": spread([own[1] for own in values[1:]])}
                for name, values in taken.items()
            },
            "imports_torch": _imports_torch(commands["probatum explain PARENT CHILD"][3:], environment, folder),
        }  # fmt: skip


def _imports_torch(arguments: Sequence[str], environment: dict[str, str], folder: Path) -> bool:
    code = (
        "import sys\nfrom probatum.cli.main import run\n"
        f"code = run({list(arguments)!r})\nsys.exit(code or 9 * ('torch' in sys.modules))"
    )
    try:
        timed([sys.executable, "-c", code], environment, folder)
    except RuntimeError as error:
        if "ended with 9" in str(error):
            return True
        raise
    return False


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--layers", type=int, default=100)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    result = measure(arguments.epochs, arguments.layers, arguments.rounds)
    path = save("explain", result, load)
    for name, figure in result["commands"].items():
        own, used = figure["wall_seconds"], figure["processor_seconds"]
        print(
            f"{name:30} {own['median']:6.2f} s ({own['lowest']:.2f}-{own['highest']:.2f})  processor "
            f"{used['median']:.2f} s ({used['lowest']:.2f}-{used['highest']:.2f})"
        )
    print(f"imports torch: {result['imports_torch']}")
    print(path)


if __name__ == "__main__":
    main()
