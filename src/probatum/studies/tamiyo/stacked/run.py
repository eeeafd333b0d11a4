"""One of the runs that train side by side: what is its own and is no stacked tensor."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor

from probatum.signals.narrative import tell
from probatum.signals.schedule import ProbeSchedule
from probatum.signals.snapshot import EpochMetrics, Snapshot
from probatum.studies.tamiyo.blueprints import build_seed
from probatum.studies.tamiyo.causes import imbalanced_rows
from probatum.studies.tamiyo.host import INJECTION_CHANNELS
from probatum.studies.tamiyo.randomness import drawn_from
from probatum.studies.tamiyo.single_run import ACCURACY_UPPER, SingleRun
from probatum.studies.tamiyo.stacked.network import Stacked
from probatum.studies.tamiyo.stages import Stage


class StackedRun(SingleRun):
    """A single run whose network is a row of a stack; what it may do and what it tells are the single run's."""

    def __init__(self, single: SingleRun) -> None:
        """Take over a run that has not begun."""
        self.__dict__.update(single.__dict__)
        labels: Tensor = self.data.splits["train"].labels  # pyright: ignore[reportAttributeAccessIssue]
        seed, is_imbalanced = self.settings.seed, self.cause.is_imbalanced
        self.rows = imbalanced_rows(labels, seed) if is_imbalanced else torch.arange(len(labels))
        self.probed = ProbeSchedule(single.probe.seed, self.telemetry.probe_batches, self.steps)
        self.seed: Stacked | None = None  # of one row
        self.directions: dict[str, Any] = {}  # what the landscape drew
        single.close()

    def first_host(self) -> Stacked:
        """Return the host's first weights as a stack of one."""
        return stack_of_one(self.network.host)

    @property
    def learning_rate(self) -> float:
        """The learning rate now."""
        return self._learning_rate()

    @property
    def batch_rows(self) -> list[Tensor]:
        """The coming epoch's batches as rows of the training split; the order's generator moves."""
        chosen = torch.randperm(len(self.rows), generator=self.order)
        return list(self.rows[chosen].split(self.parameters.batch_size))

    def start_epoch(self) -> None:
        """Take the steps that nobody decides."""
        self.lifecycle.start_epoch()
        self._follow_lifecycle()
        self.epoch += 1

    def conclude(
        self, signals: Any, metrics: dict[str, Any], seed_accuracy: float, noted: tuple[int, int]
    ) -> None:
        """Note what the epoch gave: isolation violations and values that are not finite are `noted`."""
        self.lifecycle.end_epoch(seed_accuracy, *noted)
        told = EpochMetrics(
            epoch=self.epoch, global_step=self.epoch * self.steps, accuracy_upper=ACCURACY_UPPER, **metrics
        )
        snapshot: Snapshot = tell(signals, told, self.recent)
        self.recent = (*self.recent, snapshot)[-self.lookback :]
        self.facts = self._facts(seed_accuracy, metrics["val_accuracy"])

    def fork(self) -> StackedRun:
        """Return an exact copy that shares nothing that changes."""
        twin = copy.copy(self)
        twin.lifecycle, twin.mending = copy.deepcopy(self.lifecycle), copy.copy(self.mending)
        twin.order, twin.noise = self.order.clone_state(), self.noise.clone_state()
        twin.seed = None if self.seed is None else self.seed.rows(torch.tensor([0]))
        twin.directions = dict(self.directions)
        return twin

    def close(self) -> None:
        """Hold nothing that must be let go of."""

    def _germinate(self, blueprint: str) -> None:
        self.lifecycle.germinate(blueprint, self.recent[-1].val_accuracy or 0.0)
        with drawn_from(self.settings.seed, f"seed {self.lifecycle.created}"):
            self.seed = stack_of_one(build_seed(blueprint, INJECTION_CHANNELS))

    def _follow_lifecycle(self) -> None:
        if not self.lifecycle.has_seed:
            self.seed = None

    def _parameters_added(self) -> int:
        if self.seed is None or not self.is_in_place:
            return 0
        return sum(own[0].numel() for own in self.seed.weights.values())

    @property
    def is_in_place(self) -> bool:
        """Whether the network hears its seed."""
        return self.lifecycle.stage in (Stage.BLENDING, Stage.FOSSILIZED)


def stack_of_one(module: torch.nn.Module) -> Stacked:
    """Return a module's weights and running statistics with an axis of one run in front."""
    weights = {name: weight.detach()[None].clone() for name, weight in module.named_parameters()}
    buffers = {name: own[None].clone() for name, own in module.named_buffers() if own.is_floating_point()}
    return Stacked(weights, buffers)
