"""What a study gives to the workbench: parameters, data, model, objective, metrics.

The loop, seeding, resume, precision, devices, checkpoints and records are the workbench's. This module
imports no torch, so that launching, listing and comparing start fast; a study imports it in its methods.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from probatum.runs.metric import MetricDefinition

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from probatum.packs.environment import Environment
    from probatum.perturbations.task import PerturbationTask
    from probatum.runs.paths import RunPaths
    from probatum.training.parameters import TrainingParameters

Metrics = dict[str, float | None]  # a value that could not be measured is None, never 0


@dataclass(frozen=True)
class Loss:
    """What an objective returns for one batch.

    The parts sum to the total. `scores` and `targets` (1-D, detached) are the predictions of the batch, for
    the training metrics of the epoch.
    """

    total: Tensor
    parts: dict[str, Tensor]
    scores: Tensor | None
    targets: Tensor | None
    count: int  # units (interactions, samples) in the batch, for the rate


class Batch(Protocol):
    """One batch: anything that can move to a device."""

    def to(self, device: torch.device | str) -> Any:
        """Return the batch on `device`."""
        ...


class Split(Protocol):
    """A named part of the data."""

    @property
    def count(self) -> int:
        """The number of samples."""
        ...

    def batches(self, batch_size: int, generator: torch.Generator) -> Iterator[Any]:
        """Yield one epoch's batches in an order drawn from `generator` alone."""
        ...

    def evaluation_batches(self, batch_size: int) -> Iterator[Any]:
        """Yield every sample once, always in the same order."""
        ...


@runtime_checkable
class SteppedSplit(Split, Protocol):
    """A split that decides itself how many batches an epoch has; others have ceil(count / batch_size)."""

    def steps_per_epoch(self, batch_size: int) -> int:
        """Return the number of batches of an epoch."""
        ...


@dataclass(frozen=True)
class StudyData:
    """The splits of a study's data and what is recorded about them."""

    splits: Mapping[str, Split]  # "train", "valid", "test"
    record: dict[str, Any]  # data.json: name, source, files with checksums, digests of the splits
    facts: dict[str, Any] = field(default_factory=dict)  # what the model must know, e.g. num_concepts


class Objective(ABC):
    """What is minimised: the total loss and its named parts, with schedules that move once an epoch."""

    def start_epoch(self, epoch: int) -> None:  # noqa: B027 - a plain objective has no schedule
        """Prepare epoch `epoch`, counted from 1."""

    def restructure(self, model: nn.Module) -> None:  # noqa: B027
        """Change the model's structure before an epoch, after `start_epoch`.

        The optimiser follows: it takes up parameters that appeared and forgets those that are gone. A model that
        does this builds its structure again while a state dict is loaded into it.
        """

    @abstractmethod
    def __call__(self, model: nn.Module, batch: Any) -> Loss:
        """Return the loss of `batch`."""

    def end_epoch(self, epoch: int, validation: Metrics) -> None:  # noqa: B027
        """See the epoch's validation metrics: schedules may react."""

    def selectable(self, epoch: int) -> bool:
        """Return whether `epoch` may be chosen as the best one; an epoch of pretraining may not."""
        return True

    def learning_rate_factor(self, epoch: int) -> float:
        """Return the factor on the learning rate in `epoch`."""
        return 1.0

    def sample_loss(self, model: nn.Module, batch: Any) -> Tensor:
        """Return the mean loss of a fixed batch for the loss landscape, without any effect on the objective.

        A study that leaves this as it is has no loss landscape measured.
        """
        raise NotImplementedError

    def trajectory(self) -> dict[str, Any]:
        """Return the objective's part of the epoch's trajectory entry."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return plain numbers from which `load_state_dict` continues exactly."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:  # noqa: B027
        """Continue from what `state_dict` returned."""


class Study(ABC):
    """A training program that the workbench can carry out, record and reproduce."""

    name: ClassVar[str]
    summary: ClassVar[str]  # one line
    parameters: ClassVar[type[TrainingParameters]]
    defaults_path: ClassVar[Path]
    defaults_section: ClassVar[str | None] = None
    metrics: ClassVar[tuple[MetricDefinition, ...]]  # sealed in the record; all are epoch columns
    primary_metric: ClassVar[str]  # chooses the best epoch, on validation
    epoch_columns: ClassVar[tuple[str, ...]]  # of metrics_epoch.csv after seed, epoch and train_loss
    unit: ClassVar[str] = "samples"  # what the rate counts
    presets: ClassVar[
        Mapping[str, Mapping[str, Mapping[str, Any]]]
    ] = {}  # {"ablation_mode": {mode: switches}}

    def load_defaults(self) -> TrainingParameters:
        """Return the study's defaults, read from its one `defaults.yaml`."""
        from probatum.parameters import load_defaults

        return load_defaults(self.parameters, self.defaults_path, self.defaults_section)

    def metric(self, name: str) -> MetricDefinition:
        """Return the definition of metric `name`."""
        return next(metric for metric in self.metrics if metric.name == name)

    def inapplicable_metrics(self, parameters: Any) -> Mapping[str, str]:
        """Return the metrics that a run of `parameters` cannot have, each with the reason."""
        return {}

    def inert_parameters(self, parameters: Any) -> Mapping[str, str]:
        """Return the parameters that cannot act beside the others, each with the reason."""
        return {}

    @abstractmethod
    def load_data(self, parameters: Any) -> StudyData:
        """Return the splits; nothing here may depend on the training seed."""

    @abstractmethod
    def build_model(self, parameters: Any, data: Any) -> nn.Module:
        """Return a fresh model; its weights are drawn from torch's global generator, already seeded."""

    @abstractmethod
    def build_objective(self, parameters: Any, data: Any) -> Objective:
        """Return the objective."""

    @abstractmethod
    def training_metrics(self, scores: Tensor, targets: Tensor) -> Metrics:
        """Return the metrics of an epoch's training predictions (one score and target per unit)."""

    @abstractmethod
    def evaluate(
        self, model: nn.Module, split: str, parameters: Any, data: Any, device: torch.device, *, final: bool
    ) -> Metrics:
        """Return the metrics of `model` on a split in one sweep, named without prefix (`auc`, ...).

        `final` marks the evaluation of the finished run, which may look at more than every epoch does.
        """

    def perturbation_task(
        self,
        model: nn.Module,
        split: str,
        parameters: Any,
        data: Any,
        device: torch.device,
        *,
        samples: int | None,
    ) -> PerturbationTask | None:
        """Return the raw observations of a split and what scores them; None where inputs cannot be damaged.

        `samples` is the largest number of samples to use, chosen by a fixed rule; None asks for all.
        """
        return None

    def growth_environment(
        self, parameters: Any, *, runs: int, profile: str, diagnosis: bool = False
    ) -> Environment | None:
        """Return runs that a policy can intervene in; None where the study offers none.

        Args:
            parameters: The study's; `epochs` is the budget of an episode.
            runs: The largest number of runs side by side; `reset` may be given fewer.
            profile: The telemetry profile of the observations.
            diagnosis: Whether the actions that mend hidden causes are offered as well.
        """
        return None

    def epoch_row(self, training: Metrics, validation: Metrics, objective: Objective) -> dict[str, Any]:
        """Return the epoch's values by column of `epoch_columns`."""
        return {**training, **{f"val_{name}": value for name, value in validation.items()}}

    def trajectory(self, row: Mapping[str, Any], validation: Metrics, objective: Objective) -> dict[str, Any]:
        """Return the epoch's trajectory entry, without `epoch`."""
        return objective.trajectory()

    def evaluation_record(self, metrics: Mapping[str, Metrics]) -> dict[str, Any]:
        """Return the keys of `eval_results.json` from each split's metrics."""
        return {
            f"{split}_{name}": value for split, values in metrics.items() for name, value in values.items()
        }

    def write_logs(self, paths: RunPaths, seed: int, *, several: bool) -> None:
        """Write what else a finished seed leaves in `paths.logs`, such as a log in another program's format."""
        return

    def results_record(
        self,
        history: list[dict[str, Any]],
        trajectory: list[dict[str, Any]],
        best_epoch: int,
        evaluation: Mapping[str, Metrics],
    ) -> dict[str, Any]:
        """Return the study's own keys of one seed's results."""
        return {}
