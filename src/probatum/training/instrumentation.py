"""A probe on the loop's model, and the artifact that keeps what it saw.

Nothing of `signals` is imported unless a run asks for it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from probatum._errors import UsageError
from probatum.parameters import INSTRUMENTATION_CATEGORY, field_specs, flat
from probatum.runs.folder import run_id
from probatum.runs.metric import MetricDefinition
from probatum.runs.paths import RunPaths
from probatum.training.machine import Machine

if TYPE_CHECKING:
    from probatum.perturbations.curves import Curve
    from probatum.training.study import Loss

LandscapeSource = Callable[[], tuple[str, Callable[[nn.Module], Tensor]] | None]


class Watch:
    """What the loop tells of a training; as it stands here, nobody listens and nothing is kept."""

    def observe(self, loss: Loss) -> None:
        """See a step after its backward pass, before clipping."""

    def end_epoch(self, row: Mapping[str, Any], metric: MetricDefinition, landscape: LandscapeSource) -> None:
        """See the epoch's metrics; what was seen is on the disk when this returns."""

    def state_dict(self) -> dict[str, Any]:
        """Return plain numbers from which `load_state_dict` continues exactly."""
        return {}

    def load_state_dict(self, state: dict[str, Any], epoch: int) -> None:
        """Continue after `epoch`."""

    def close(self) -> None:
        """Let go of the model."""

    def add_curves(self, curves: list[Curve] | None, reason: str) -> None:
        """Keep the robustness curves of the finished training, or the reason why there are none."""


class Watched(Watch):
    """A probe, its snapshots and its artifact; nothing of it changes a number of the training."""

    def __init__(
        self,
        parameters: Any,
        model: nn.Module,
        machine: Machine,
        steps: int,
        paths: RunPaths,
        tag: str,
        seed: int,
    ) -> None:
        from probatum.signals.artifact import ArtifactWriter
        from probatum.signals.config import load_config
        from probatum.signals.history import SnapshotHistory
        from probatum.signals.probe import Probe

        chosen = load_config(parameters.telemetry_profile)
        config = chosen.model_copy(update={"probe_batches": parameters.instrumentation_probe_batches})
        self.config, self.model, self.seed = config, model, seed
        self.probe = Probe(
            model, config, seed=seed, steps_per_epoch=steps, grad_scale=machine.gradient_scaler
        )
        self.epoch = 0
        self.steps = steps
        self.copy_to = parameters.instrumentation_dir
        self.history = SnapshotHistory(paths.snapshots(tag), config.history_length)
        values = flat(parameters)
        told = {name: values[name] for name in flags(parameters)}
        self.writer = ArtifactWriter(
            paths.instrumentation(tag),
            {**told, "telemetry": config.model_dump(mode="json")},
            provenance=provenance(parameters, paths, seed),
            taken=self.probe.taken,
            mode="resume",
        )

    def observe(self, loss: Loss) -> None:
        """See a step after its backward pass, before clipping."""
        self.probe.observe(loss.total.detach(), loss.scores, loss.targets)

    def end_epoch(
        self,
        row: Mapping[str, Any],
        metric: MetricDefinition,
        landscape: LandscapeSource,
    ) -> None:
        """Write the epoch's signals, snapshot and narrative."""
        from probatum.signals.narrative import tell
        from probatum.signals.snapshot import EpochMetrics, PrimaryMetric

        if self.writer.last_epoch > self.epoch:
            self._forget_after(self.epoch)  # of an attempt that ended before its first checkpoint
        self.epoch += 1
        signals = self.probe.end_epoch(landscape=self._sample(landscape))
        metrics = EpochMetrics(
            epoch=self.epoch,
            train_loss=row["train_loss"],
            val_loss=row.get("val_loss"),
            val_accuracy=row.get("val_accuracy"),
            train_accuracy=row.get("train_accuracy"),
            primary=PrimaryMetric(metric.name, row[metric.name], metric.higher_is_better),
            global_step=self.epoch * self.steps,
        )
        snapshot = tell(signals, metrics, self.history.recent)
        self.history.append(snapshot)
        self.writer.append(signals, snapshot)

    def state_dict(self) -> dict[str, Any]:
        """Return the probe's place; what it saw is in the artifact."""
        return {"probe": self.probe.state_dict(), "epoch": self.epoch}

    def load_state_dict(self, state: dict[str, Any], epoch: int) -> None:
        """Continue after `epoch`, forgetting what the artifact holds of a later one."""
        self._forget_after(epoch)
        self.probe.load_state_dict(state["probe"])
        self.epoch = epoch

    def _forget_after(self, epoch: int) -> None:
        self.history.truncate(epoch)
        self.writer.truncate(epoch)

    def close(self) -> None:
        """Let go of the model."""
        self.probe.close()

    def add_curves(self, curves: list[Curve] | None, reason: str) -> None:
        """Write the robustness curves, or why there are none; copy the artifact where a person asked for it."""
        from probatum.perturbations.record import curves_record

        missing = dict.fromkeys(("missingness_curve", "truncation_curve"), reason)
        self.writer.set_perturbations({"missing": missing} if curves is None else curves_record(curves))
        if self.copy_to is not None:
            _copy(self.writer.path, Path(self.copy_to))

    def _sample(self, landscape: LandscapeSource) -> Any:
        """Return the fixed sample of the loss landscape; None where it is not wanted or not offered."""
        if not self.config.loss_landscape.enabled:
            return None
        from probatum.signals.landscape import LandscapeSample

        offered = landscape()
        if offered is None:
            return None
        name, loss = offered
        return LandscapeSample(loss, name, "evaluation mode, the weights that are trained")


def watch(
    parameters: Any,
    model: nn.Module,
    machine: Machine,
    steps: int,
    paths: RunPaths,
    seed: int,
    *,
    several: bool,
) -> Watch:
    """Return what watches a seed's training: a probe where the run asks for one, on the writing rank.

    Raises:
        UsageError: the training is sharded, so that no process sees a whole gradient.
    """
    if not parameters.instrument_signals:
        return Watch()
    if parameters.strategy == "fsdp":
        raise UsageError(
            "instrument_signals cannot be combined with strategy fsdp: each process holds a part of every "
            "gradient. Use --strategy ddp, or leave the probe out."
        )
    if not machine.is_writer:
        return Watch()
    tag = seed_tag(parameters, seed, several=several)
    return Watched(parameters, model, machine, steps, paths, tag, seed)


def _copy(artifact: Path, folder: Path) -> None:
    """Copy an artifact into a person's folder; another run's file of that name stays, and the run's id is added."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / artifact.name
    if target.exists() and target.read_bytes() != artifact.read_bytes():
        target = folder / f"{artifact.stem}_{run_id(artifact.parents[1].name)}.json"
    shutil.copyfile(artifact, target)
    print(f"signals copied to {target}", flush=True)


def seed_tag(parameters: Any, seed: int, *, several: bool) -> str:
    """Return the tag of a seed's signals."""
    tag = parameters.instrumentation_tag
    return f"{tag}_seed{seed}" if several else tag


def provenance(parameters: Any, paths: RunPaths, seed: int) -> dict[str, Any]:
    """Return what `signals compare` asks first: parameters, inputs and code of the run."""
    from probatum._files import read_json

    watching = flags(parameters)
    environment = read_json(paths.environment_json) if paths.environment_json.exists() else {}
    data = read_json(paths.data) if paths.data.exists() else {}
    return {
        "parameters": {name: value for name, value in flat(parameters).items() if name not in watching},
        "inputs": {"files": data.get("files"), "splits": data.get("splits")},
        "code": {
            key: environment.get(key)
            for key in ("git_commit", "git_dirty", "code_patch_sha256")
            if key in environment
        },
        "seed": seed,
    }


def flags(parameters: Any) -> set[str]:
    """Return the names of the instrumentation parameters."""
    specs = field_specs(parameters.__class__)
    return {name for name, spec in specs.items() if spec.category == INSTRUMENTATION_CATEGORY}
