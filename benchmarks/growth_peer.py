"""The old generator's loop, written from its description, on the host and the data that the new one has.

What it does in every epoch (tamiyo.md, sections 1, 3, 5, 8 and 9): train by the seed's stage; on every batch, in a
hook on each of the 7 weights, norm, deviation, mean, two shares and one quantile after the other, each read at
once; validate with a loop over the classes; training metrics of 10 batches in evaluation mode; sharpness from 5
perturbations by 10 batches, with the weights cloned; the heuristic's rules. Its defects that save work are kept: a
seed "in training" is bypassed and the host stands still. It is spared what its data loaders cost, and hooks on a
seed, which it did not see. Nothing of it is copied.
"""

from __future__ import annotations

import statistics
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from probatum.studies.tamiyo.blueprints import BLUEPRINTS
from probatum.studies.tamiyo.images import load_images
from probatum.studies.tamiyo.lifecycle import alpha_at
from probatum.studies.tamiyo.network import GrowingNetwork
from probatum.studies.tamiyo.stages import Stage

BATCH = 128
PERCENTILES = (1, 25, 50, 75, 99)
PERTURBATIONS, SCALE, BATCHES_READ = 5, 0.01, 10
Batches = list[tuple[Tensor, Tensor]]


class Tracker:
    """Statistics of every weight's gradient on every batch; a snapshot keeps the last."""

    def __init__(self, network: GrowingNetwork) -> None:
        self.found: dict[str, dict[str, float]] = {}
        for name, weight in network.named_parameters():
            if "weight" in name:
                weight.register_hook(partial(self._read, name))

    def _read(self, name: str, gradient: Tensor) -> None:
        gradient = gradient.detach()
        sizes = gradient.abs()
        own = {"norm": gradient.norm().item(), "std": gradient.std().item(), "mean": gradient.mean().item()}
        own["vanishing_pct"] = (sizes < 1e-7).float().mean().item()
        own["exploding_pct"] = (sizes > 1e3).float().mean().item()
        for percentile in PERCENTILES:
            own[f"p{percentile}"] = torch.quantile(sizes.flatten(), percentile / 100).item()
        self.found[name] = own

    def health(self) -> dict[str, float]:
        """Return the epoch's health."""
        norms = [own["norm"] for own in self.found.values()]
        vanishing = sum(own["vanishing_pct"] > 0.5 for own in self.found.values())
        exploding = sum(own["exploding_pct"] > 0.01 for own in self.found.values())
        overall, variance = statistics.fmean(norms), statistics.pvariance(norms)
        score = 1 - 0.2 * vanishing - 0.3 * exploding - 0.1 * (variance > 10)
        return {"overall": overall, "variance": variance, "score": min(max(score, 0.0), 1.0)}


def episode(seed: int, epochs: int) -> dict[str, Any]:
    """Return one episode of the old loop with the diagnostic profile."""
    torch.manual_seed(seed)
    data: Any = load_images("digits")
    network = GrowingNetwork(data.facts["in_channels"], data.facts["classes"])
    tracker, slot = Tracker(network), network.slot
    host = torch.optim.SGD(network.host.parameters(), lr=0.01, momentum=0.9)
    seeds: torch.optim.Optimizer | None = None
    record: list[dict[str, Any]] = []
    life: dict[str, Any] = {
        "in_stage": 0,
        "start": 0.0,
        "initial": 0.0,
        "created": 0,
        "plateau": 0,
        "previous": 0.0,
    }
    for epoch in range(1, epochs + 1):
        if slot.stage == Stage.GERMINATED:
            slot.stage, life["in_stage"], life["start"] = Stage.TRAINING, 0, life["previous"]
            seeds = torch.optim.SGD(slot.seed_parameters(), lr=0.01, momentum=0.9)
        if slot.stage == Stage.BLENDING:
            slot.alpha = alpha_at(life["in_stage"])
        _train(network, _shuffled(data.splits["train"]), host, seeds)
        validation = _batches(data.splits["valid"])
        loss, accuracy, by_class = _evaluate(network, validation)
        train_loss, train_accuracy, _ = _evaluate(network, _shuffled(data.splits["train"])[:BATCHES_READ])
        found = {
            "epoch": epoch, "val_loss": loss, "val_accuracy": accuracy, "train_loss": train_loss,
            "train_accuracy": train_accuracy, "per_class": by_class,
            "class_variance": statistics.pvariance(by_class),
            "gradients": dict(tracker.found), "health": tracker.health(),
            "sharpness": _sharpness(network, validation[:BATCHES_READ]),
            "weight_norms": {n: w.detach().norm().item() for n, w in network.named_parameters() if "weight" in n},
        }  # fmt: skip
        life["in_stage"] += 1
        life["plateau"] = life["plateau"] + 1 if accuracy - life["previous"] < 0.5 else 0
        life["previous"] = accuracy
        record.append({**found, "action": _decide(network, life, epoch)})
    return {"epochs": record, "final_accuracy": record[-1]["val_accuracy"]}


def _train(network: GrowingNetwork, batches: Batches, host: Any, seeds: Any) -> None:
    """Train by the seed's stage; "in training" nothing steps but the seed, which has no gradient."""
    network.train()
    stage = network.slot.stage
    for images, labels in batches:
        host.zero_grad()
        if seeds is not None:
            seeds.zero_grad()
        cross_entropy(network(images), labels).backward()
        if stage != Stage.TRAINING:
            host.step()
        if seeds is not None:
            seeds.step()


@torch.no_grad()
def _evaluate(network: nn.Module, batches: Batches) -> tuple[float, float, list[float]]:
    network.eval()
    loss, right, total = 0.0, 0, 0
    hits, counts = [0] * 10, [0] * 10
    for images, labels in batches:
        logits = network(images)
        loss += cross_entropy(logits, labels).item()
        predicted = logits.argmax(1)
        right += (predicted == labels).sum().item()
        total += len(labels)
        for label in range(10):
            mine = labels == label
            hits[label] += int((predicted[mine] == label).sum())
            counts[label] += int(mine.sum())
    by_class = [100 * hit / max(count, 1) for hit, count in zip(hits, counts, strict=True)]
    return loss / len(batches), 100 * right / total, by_class


@torch.no_grad()
def _sharpness(network: nn.Module, batches: Batches) -> float:
    network.eval()
    kept = {name: value.clone() for name, value in network.state_dict().items() if isinstance(value, Tensor)}

    def loss() -> float:
        return statistics.fmean(cross_entropy(network(x), y).item() for x, y in batches)

    base, changes = loss(), []
    for _ in range(PERTURBATIONS):
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight) * SCALE)
        changes.append(abs(loss() - base) / SCALE)
        network.load_state_dict(kept)
    return statistics.fmean(changes)


def _decide(network: GrowingNetwork, life: dict[str, Any], epoch: int) -> str:
    """Carry the rules out and return what was done."""
    slot, gain = network.slot, life["previous"] - life["start"]
    if slot.seed is None:
        if epoch < 5 or life["plateau"] < 3:
            return "WAIT"
        network.plant(list(BLUEPRINTS)[life["created"] % len(BLUEPRINTS)])
        life["initial"] = life["start"] = life["previous"]
        life["created"], life["in_stage"] = life["created"] + 1, 0
        return "GERMINATE"
    if slot.stage == Stage.TRAINING and life["in_stage"] >= 3 and gain >= 1.0:
        slot.stage, life["in_stage"], life["start"] = Stage.BLENDING, 0, life["previous"]
        return "ADVANCE"
    worthless = slot.stage == Stage.TRAINING and life["in_stage"] >= 5 and gain < -2.0
    blended = slot.stage == Stage.BLENDING and life["in_stage"] >= 5
    if blended and life["previous"] > life["initial"]:
        slot.stage, slot.alpha = Stage.FOSSILIZED, 1.0
        return "ADVANCE"
    if worthless or blended:
        slot.uproot()
        slot.stage, life["in_stage"] = Stage.DORMANT, 0
        return "CULL"
    return "WAIT"


def _shuffled(split: Any) -> Batches:
    return [(split.images[rows], split.labels[rows]) for rows in torch.randperm(split.count).split(BATCH)]


def _batches(split: Any) -> Batches:
    return list(zip(split.images.split(BATCH), split.labels.split(BATCH), strict=True))
