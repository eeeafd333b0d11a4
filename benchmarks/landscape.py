"""The loss landscape: what sharpness and the top Hessian eigenvalue cost, beside PyHessian, and how sure they are.

A CNN of 189,490 parameters learns noisy pictures of ten patterns, a tenth of whose labels are wrong; an epoch
is 40 steps with batches of 128. After some epochs, on a fixed held-out batch: sharpness of 64 examples with
its standard error as a share of itself; the top eigenvalue on 128 examples by Probatum and by PyHessian; the
trace by curvlinops with its standard error. A small transformer with fused attention gets the eigenvalue
too; PyHessian, which forces no kernel, is given the math kernel there. What is timed takes turns with blocks
of training steps in shuffled rounds of one process; costs are in epochs of 40 steps of the same round.

Seconds are processor seconds of the one thread, which other processes on the machine disturb least.
PyHessian and curvlinops are not installed with Probatum; without them their figures are named as missing::

    pip install --no-deps pyhessian==0.1 && pip install curvlinops-for-pytorch==3.0.1
    python -m benchmarks.landscape

The result is `benchmarks/results/landscape.json`.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import importlib.util
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.measurement import save, spread
from probatum.signals.config import LossLandscapeConfig
from probatum.signals.curvature import HessianProduct, hessian_trace, math_kernels, top_eigenvalue
from probatum.signals.held_still import held_still
from probatum.signals.landscape import LandscapeSample, measure_landscape

BATCH, STEPS, BLOCK, SAMPLE = 128, 40, 4, 64
EPOCHS = (1, 2, 3, 5)
PAIRS = (5, 7, 10)  # the diagnostic profile's, as many as fit into 0.1 epoch, the research profile's
Batch = tuple[Tensor, Tensor]


def cnn() -> nn.Module:
    """Return the CNN: three convolutions, two linear layers."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
        nn.Flatten(), nn.Linear(512, 184), nn.ReLU(), nn.Linear(184, 10),
    )  # fmt: skip


class Patches(nn.Module):
    """A transformer encoder over the rows of a picture, with fused attention."""

    def __init__(self) -> None:
        """Build two layers of width 64."""
        super().__init__()
        self.embed = nn.Linear(96, 64)
        layer = nn.TransformerEncoderLayer(64, 4, 128, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(64, 10)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits `(batch, 10)`."""
        rows = pictures.transpose(1, 2).flatten(2)  # (batch, 32, 96)
        return self.head(self.encoder(self.embed(rows)).mean(1))


class Pictures:
    """Ten patterns under noise, a tenth of whose labels are wrong."""

    def __init__(self, seed: int) -> None:
        """Draw the patterns."""
        self.draw = torch.Generator().manual_seed(seed)
        self.patterns = torch.randn(10, 3, 8, 8, generator=self.draw)

    def batch(self) -> Batch:
        """Return the next 128 pictures and labels."""
        true = torch.randint(0, 10, (BATCH,), generator=self.draw)
        clean = nn.functional.interpolate(self.patterns[true], scale_factor=4)
        pictures = 0.35 * clean + torch.randn(clean.shape, generator=self.draw)
        wrong = torch.rand(BATCH, generator=self.draw) < 0.1
        return pictures, torch.where(wrong, torch.randint(0, 10, (BATCH,), generator=self.draw), true)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> None:
    """Take one training step."""
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(batch[0]), batch[1]).backward()
    optimizer.step()


def step_block(model: nn.Module, batch: Batch) -> Callable[[], None]:
    """Return a block of training steps on a copy of the model."""
    own = copy.deepcopy(model).train()
    optimizer = torch.optim.SGD(own.parameters(), 1e-4, momentum=0.9)

    def block() -> None:
        for _ in range(BLOCK):
            train(own, optimizer, batch)

    return block


def pyhessian_eigenvalue(model: nn.Module, batch: Batch, tolerance: float, most: int = 100) -> float:
    """Return PyHessian's top eigenvalue on a copy of the model."""
    kind = importlib.import_module("pyhessian").hessian
    with math_kernels():
        found = kind(copy.deepcopy(model), nn.functional.cross_entropy, data=batch, cuda=False)
        return found.eigenvalues(maxIter=most, tol=tolerance, top_n=1)[0][0]


def in_epochs(
    tasks: dict[str, Callable[[], Any]], rounds: int
) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Return each task's cost in epochs of training steps, in shuffled rounds, and what it returned."""
    costs: dict[str, list[float]] = {name: [] for name in tasks if name != "steps"}
    values: dict[str, list[Any]] = {name: [] for name in costs}
    for number in range(rounds):
        order = list(tasks)
        random.Random(number).shuffle(order)
        seconds = {}
        for name in order:
            start = time.process_time()
            value = tasks[name]()
            seconds[name] = time.process_time() - start
            if name in values:
                values[name].append(value)
        for name, taken in costs.items():
            taken.append(seconds[name] / (seconds["steps"] / BLOCK * STEPS))
    return {name: spread(taken) for name, taken in costs.items()}, values


def at_state(model: nn.Module, held_out: Batch, batch: Batch, rounds: int, have: set[str]) -> dict[str, Any]:
    """Return costs, values and errors at the model's present weights."""
    small = LandscapeSample.of(
        nn.functional.cross_entropy, held_out[0][:SAMPLE], held_out[1][:SAMPLE], "held out"
    )
    large = LandscapeSample.of(nn.functional.cross_entropy, *held_out, "held out")
    seeds = iter(range(10_000))

    def sharpness(pairs: int) -> Callable[[], Any]:
        setting = LossLandscapeConfig(enabled=True, perturbation_samples=pairs)
        return lambda: measure_landscape(model, small, setting, seed=next(seeds))

    def ours() -> Any:
        with held_still(model), math_kernels():
            return top_eigenvalue(HessianProduct(model, large.loss), seed=next(seeds))

    def trace() -> Any:
        with held_still(model) as generators, math_kernels():
            generators.seed(next(seeds))
            return hessian_trace(HessianProduct(model, large.loss))

    tasks: dict[str, Callable[[], Any]] = {"steps": step_block(model, batch), "eigenvalue": ours}
    tasks |= {f"sharpness_{pairs}": sharpness(pairs) for pairs in PAIRS}
    if "pyhessian" in have:
        tasks["pyhessian_eigenvalue"] = lambda: pyhessian_eigenvalue(model, held_out, 1e-3)
    if "curvlinops" in have:
        tasks["trace"] = trace
    costs, values = in_epochs(tasks, rounds)
    return {"epochs": costs, **summary(values), **reference(model, held_out, values, have)}


def summary(values: dict[str, list[Any]]) -> dict[str, Any]:
    """Return the figures of the measurements themselves."""
    found: dict[str, Any] = {}
    for pairs in PAIRS:
        rows = values[f"sharpness_{pairs}"]
        found[f"sharpness_{pairs}"] = spread([row["sharpness"] for row in rows])
        shares = [row["sharpness_se"] / abs(row["sharpness"]) for row in rows]
        found[f"sharpness_{pairs}_relative_se"] = spread(shares)
    found["eigenvalue"] = spread([top.value for top in values["eigenvalue"]])
    found["products"] = spread([top.products for top in values["eigenvalue"]])
    if "trace" in values:
        found["trace"] = [{"value": each.value, "se": each.se} for each in values["trace"]]
    return found


def reference(model: nn.Module, batch: Batch, values: dict[str, list[Any]], have: set[str]) -> dict[str, Any]:
    """Return how far the eigenvalues lie from PyHessian's, as timed and with a tolerance of 1e-5."""
    if "pyhessian" not in have:
        return {}
    theirs = values["pyhessian_eigenvalue"]
    strict = pyhessian_eigenvalue(model, batch, 1e-5)
    own = [top.value for top in values["eigenvalue"]]
    return {
        "pyhessian": spread(theirs),
        "pyhessian_strict": strict,
        "off_pyhessian": spread([abs(a / b - 1) for a, b in zip(own, theirs, strict=True)]),
        "off_strict": spread([abs(value / strict - 1) for value in own]),
        "pyhessian_off_strict": spread([abs(value / strict - 1) for value in theirs]),
    }


def states(
    model: nn.Module, rate: float, epochs: tuple[int, ...], rounds: int, have: set[str]
) -> dict[str, Any]:
    """Return the figures after each of some epochs of training."""
    pictures = Pictures(1)
    held_out = pictures.batch()
    optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.9)
    found = {}
    for epoch in range(1, max(epochs) + 1):
        for _ in range(STEPS):
            train(model.train(), optimizer, pictures.batch())
        if epoch in epochs:
            found[f"epoch {epoch}"] = at_state(model, held_out, pictures.batch(), rounds, have)
            tell(f"epoch {epoch}", found[f"epoch {epoch}"])
    return found


def tell(name: str, figure: dict[str, Any]) -> None:
    """Print the figures of one state."""
    costs = {key: round(cost["median"], 3) for key, cost in figure["epochs"].items()}
    errors = [round(figure[f"sharpness_{pairs}_relative_se"]["median"], 3) for pairs in PAIRS]
    off = figure.get("off_strict", {}).get("median")
    print(
        f"{name}: epochs {costs}; relative se at {PAIRS} pairs {errors}; off strict PyHessian {off}",
        flush=True,
    )


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, help="another file than results/landscape.json")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    torch.set_num_threads(1)
    torch.manual_seed(0)
    peers = ("pyhessian", "curvlinops")
    have = {name for name in peers if importlib.util.find_spec(name)}
    models = {
        "cnn": states(cnn(), 0.05, EPOCHS, arguments.rounds, have),
        "transformer": states(Patches(), 0.02, (2,), arguments.rounds, have),
    }
    setting = {
        "batch": BATCH, "steps_per_epoch": STEPS, "sharpness_examples": SAMPLE, "rounds": arguments.rounds,
        "threads": 1, "scale": 0.01, "trace_probes": 10, "torch": torch.__version__,
        "parameters": {"cnn": sum(p.numel() for p in cnn().parameters()),
                       "transformer": sum(p.numel() for p in Patches().parameters())},
    }  # fmt: skip
    result = {"setting": setting, "models": models, "missing": sorted(set(peers) - have)}
    print(save("landscape", result, load, arguments.output))


if __name__ == "__main__":
    main()
