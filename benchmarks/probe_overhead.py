"""What a probe costs: epochs with it over epochs without it, beside three other ways to look inside.

    python -m benchmarks.probe_overhead --rounds 5

A convolutional network of 190,000 parameters (and a transformer of 3.3 million), batches of 128, an epoch of 40
training steps and 10 validation batches. Every round trains one epoch of each in turn, in one process, and
divides by the mean of the bare epochs before and after it. Processor time of one thread, so that another load
on the machine counts little. The peers record less:

- `recorder`: two probed steps an epoch as seed 000 describes them: min, max, quantiles, norm of every layer's
  output and the norm of every gradient, each by a host read;
- `tracker`: gradient hooks on every step with one quantile call per percentile, and the sharpness of seed 004:
  noise on all weights, ten validation batches each (`diagnostic`: 5 perturbations);
- `wandb.watch`: histograms of weights and gradients on every step, offline, where wandb is installed.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.measurement import save, spread
from probatum.signals.landscape import LandscapeSample
from probatum.signals.probe import Probe

STEPS, VALIDATION_BATCHES, BATCH = 40, 10, 128
LIMITS = {"standard": 1.02, "diagnostic": 1.10, "research": 1.25}
PERCENTILES = (0.01, 0.25, 0.5, 0.75, 0.99)
Epoch = Callable[[Any], None]


class Network(nn.Module):
    """The small convolutional network: 10 tensors."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 80)
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths))
        self.head = nn.Linear(widths[-1], 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits `(batch, 10)` of images `(batch, 3, 16, 16)`."""
        for layer in self.convolutions:
            x = torch.relu(layer(x))
            x = nn.functional.max_pool2d(x, 2) if x.shape[-1] > 2 else x
        return self.head(x.mean((2, 3)))


class Transformer(nn.Module):
    """A pre-norm encoder of 3.3 million parameters over 16 tokens."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(256, 4, 1024, dropout=0.1, batch_first=True, norm_first=True)
        self.embedding = nn.Linear(3, 256)
        self.encoder = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
        self.head = nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits `(batch, 10)` of images `(batch, 3, 16, 16)` cut into 16 tokens."""
        tokens = x.unfold(2, 4, 4).unfold(3, 4, 4).mean((4, 5)).flatten(2).transpose(1, 2)
        return self.head(self.encoder(self.embedding(tokens)).mean(1))


class Bench:
    """One model, its data, and an epoch that something may watch."""

    def __init__(self, kind: type[nn.Module], batch: int) -> None:
        torch.manual_seed(0)
        generator = torch.Generator().manual_seed(1)
        self.inputs = torch.randn(8, batch, 3, 16, 16, generator=generator)
        self.targets = torch.randint(10, (8, batch), generator=generator)
        self.model = kind()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)

    def epoch(self, watcher: Any) -> None:
        """Train one epoch and validate."""
        self.model.train()
        for step in range(STEPS):
            self.optimizer.zero_grad()
            outputs = self.model(self.inputs[step % 8])
            loss = cross_entropy(outputs, self.targets[step % 8])
            loss.backward()
            watcher.observe(loss.detach(), outputs.detach(), self.targets[step % 8])
            self.optimizer.step()
        self.model.eval()
        with torch.no_grad():
            for step in range(VALIDATION_BATCHES):
                self.model(self.inputs[step % 8])
        watcher.end_epoch(self)

    def sample(self) -> LandscapeSample:
        """Return the fixed sample of the landscape."""
        inputs, targets = self.inputs[0, :64], self.targets[0, :64]  # as many as the workbench's loop takes
        return LandscapeSample(lambda model: cross_entropy(model(inputs), targets), "batch 0", "benchmark")


class Bare:
    """Watches nothing."""

    def observe(self, *_: Any) -> None:
        """See nothing."""

    def end_epoch(self, bench: Bench) -> None:
        """See nothing."""


class Probed:
    """A probe with one of the profiles, everything that it says recorded."""

    def __init__(self, bench: Bench, profile: str) -> None:
        self.probe = Probe(bench.model, profile, steps_per_epoch=STEPS)
        self.observe = self.probe.observe
        self.has_landscape = self.probe.config.loss_landscape.enabled

    def end_epoch(self, bench: Bench) -> None:
        """Take the epoch's signals."""
        self.probe.end_epoch(landscape=bench.sample() if self.has_landscape else None)


class Recorder:
    """Seed 000's way: two probed steps an epoch, a host read for every number."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.step, self.rows = bench, 0, []
        self.handles: list[Any] = []
        self._attach()

    def _attach(self) -> None:
        for module in self.bench.model.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d, nn.LayerNorm)):
                self.handles.append(module.register_forward_hook(self._see))

    def _see(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        values = output.detach().flatten()[: 2**24].float()
        self.rows.append(
            [values.mean().item(), values.std().item(), values.min().item(), values.max().item(),
             *(torch.quantile(values, q).item() for q in (0.05, 0.5, 0.95)), values.norm().item()]
        )  # fmt: skip

    def observe(self, *_: Any) -> None:
        """Read every gradient's norm on the first two steps."""
        if self.step < 2:
            for weight in self.bench.model.parameters():
                if weight.grad is not None:
                    self.rows.append([weight.grad.norm().item()])
        self.step += 1
        if self.step == 2:
            for handle in self.handles:
                handle.remove()

    def end_epoch(self, bench: Bench) -> None:
        """Begin the next epoch."""
        self.step, self.rows, self.handles = 0, [], []
        self._attach()


class Tracker:
    """Seed 004's predecessor: full statistics of every gradient in every step, and an unscaled sharpness."""

    def __init__(self, bench: Bench, perturbations: int) -> None:
        self.perturbations, self.last = perturbations, {}
        for name, weight in bench.model.named_parameters():
            if "weight" in name:
                weight.register_hook(lambda gradient, name=name: self._see(name, gradient))

    def _see(self, name: str, gradient: Tensor) -> None:
        size = gradient.abs().flatten()
        self.last[name] = [
            gradient.norm().item(), gradient.std().item(), gradient.mean().item(),
            (size < 1e-7).float().mean().item(), (size > 1e3).float().mean().item(),
            *(torch.quantile(size[: 2**24], q).item() for q in PERCENTILES),
        ]  # fmt: skip

    def observe(self, *_: Any) -> None:
        """The hooks have seen it."""

    @torch.no_grad()
    def end_epoch(self, bench: Bench) -> None:
        """Perturb every weight and look at ten validation batches, each time."""
        kept = copy.deepcopy(bench.model.state_dict())
        for attempt in range(self.perturbations + 1):
            if attempt:
                for weight in bench.model.parameters():
                    weight.add_(0.01 * torch.randn_like(weight))
            for step in range(VALIDATION_BATCHES):
                cross_entropy(bench.model(bench.inputs[step % 8]), bench.targets[step % 8]).item()
            bench.model.load_state_dict(kept)


@contextmanager
def wandb_watch(bench: Bench) -> Iterator[Any]:
    """Watch by wandb, offline, every step."""
    import wandb

    class Watcher(Bare):
        def observe(self, loss: Tensor, *_: Any) -> None:
            run.log({"loss": loss.item()})

    with tempfile.TemporaryDirectory() as folder:
        run = wandb.init(mode="offline", dir=folder, settings=wandb.Settings(silent=True))
        run.watch(bench.model, log="all", log_freq=1)
        try:
            yield Watcher()
        finally:
            run.finish()


def seconds(bench: Bench, watcher: Any) -> float:
    """Return the processor seconds of one epoch."""
    begin = time.process_time()
    bench.epoch(watcher)
    return time.process_time() - begin


def measure(kind: type[nn.Module], batch: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return the ratio of each watcher's epoch to the bare epochs around it."""
    makers: dict[str, Callable[[Bench], Any]] = {
        **{
            profile: lambda bench, profile=profile: Probed(bench, profile) for profile in ("minimal", *LIMITS)
        },
        "recorder": Recorder,
        "tracker": lambda bench: Tracker(bench, 5),
    }
    bare = Bench(kind, batch)
    watched = {name: (bench := Bench(kind, batch), maker(bench)) for name, maker in makers.items()}
    ratios: dict[str, list[float]] = {name: [] for name in watched}
    seconds(bare, Bare())
    for _ in range(rounds):
        for name, (bench, watcher) in watched.items():
            before = seconds(bare, Bare())
            own = seconds(bench, watcher)
            ratios[name].append(2 * own / (before + seconds(bare, Bare())))
    if importlib.util.find_spec("wandb") is not None:
        bench = Bench(kind, batch)
        with wandb_watch(bench) as watcher:
            pairs = [(seconds(bench, watcher), seconds(bare, Bare())) for _ in range(max(2, rounds // 2))]
        ratios["wandb.watch"] = [own / other for own, other in pairs]
    return {name: spread(values) for name, values in ratios.items()}


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--transformer-rounds", type=int, default=2)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    torch.set_num_threads(1)
    result = {"network": measure(Network, BATCH, options.rounds)}
    if options.transformer_rounds:
        result["transformer"] = measure(Transformer, BATCH // 2, options.transformer_rounds)
    for model, ratios in result.items():
        for name, ratio in ratios.items():
            limit = f"limit {LIMITS[name]:.2f}" if name in LIMITS else ""
            middle, low, high = ratio["median"], ratio["lowest"], ratio["highest"]
            print(f"{model:<12} {name:<12} {middle:.3f} ({low:.3f} to {high:.3f}) {limit}")
    parameters = {
        kind.__name__: sum(w.numel() for w in kind().parameters()) for kind in (Network, Transformer)
    }
    counts = {"parameters": parameters, "steps": STEPS, "rounds": options.rounds}
    print(save("probe_overhead", {"ratios": result, "limits": LIMITS, **counts}, load))


if __name__ == "__main__":
    main()
