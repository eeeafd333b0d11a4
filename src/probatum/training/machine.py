"""Where a seed trains: plain torch on one device, or Lightning Fabric where precision or several devices ask.

Fabric doubles the start-up, so it is imported only for a run that needs it.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from probatum._errors import UsageError
from probatum.training.optimisation import follow_model
from probatum.training.parameters import TrainingParameters
from probatum.training.places import check_cpu, cuda_number


def resolve_devices(names: tuple[str, ...]) -> list[torch.device]:
    """Return the devices called `names`: auto, cpu, or CUDA numbers such as 0 or cuda:0.

    Raises:
        UsageError: a name is no device, or the machine lacks it.
    """
    return [_resolve_device(name) for name in names]


def _resolve_device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    number = cuda_number(name)
    if number >= torch.cuda.device_count():
        raise UsageError(
            f"device cuda:{number} was asked for, but this machine has {torch.cuda.device_count()} CUDA device(s). "
            "Use --devices cpu or --devices auto."
        )
    return torch.device("cuda", number)


class Machine(ABC):
    """What the loop needs of a device: placing, backward, clipping, and who writes the record."""

    device: torch.device
    rank: int = 0
    world_size: int = 1

    @abstractmethod
    def setup(self, model: nn.Module, optimizer: Optimizer) -> tuple[nn.Module, Optimizer]:
        """Return model and optimiser, placed and wrapped."""

    @abstractmethod
    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of `loss`, scaled where the precision asks for it."""

    @abstractmethod
    def clip(self, model: nn.Module, optimizer: Optimizer, max_norm: float) -> None:
        """Scale the gradients, unscaled first, to an L2 norm of at most `max_norm`."""

    @abstractmethod
    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context in which a forward pass runs at the asked precision."""

    @property
    def gradient_scaler(self) -> Any:
        """What the gradients are scaled by between backward and step; None where they are not."""
        return None

    def model_state(self, model: nn.Module, optimizer: Optimizer) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the whole state of model and optimiser, gathered from all ranks."""
        return model.state_dict(), optimizer.state_dict()

    def load_model_state(
        self, model: nn.Module, optimizer: Optimizer, state: dict[str, Any], optimizer_state: dict[str, Any]
    ) -> None:
        """Set what `model_state` returned."""
        model.load_state_dict(state)
        follow_model(optimizer, model)  # loading may have built parameters that appeared during the run
        optimizer.load_state_dict(optimizer_state)

    def wait_for_all(self) -> None:  # noqa: B027 - one process waits for nobody
        """Return when every rank has come here: what rank 0 wrote can then be read."""

    @property
    def is_writer(self) -> bool:
        """Whether this process writes the record."""
        return self.rank == 0


class PlainMachine(Machine):
    """One device, full precision, torch alone."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def setup(self, model: nn.Module, optimizer: Optimizer) -> tuple[nn.Module, Optimizer]:
        """Return model and optimiser as they are: the model was built on the device."""
        return model, optimizer

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of `loss`."""
        loss.backward()

    def clip(self, model: nn.Module, optimizer: Optimizer, max_norm: float) -> None:
        """Scale the gradients to an L2 norm of at most `max_norm`."""
        nn.utils.clip_grad_norm_(model.parameters(), max_norm)

    def autocast(self) -> AbstractContextManager[Any]:
        """Return a context that changes nothing."""
        return nullcontext()


class FabricMachine(Machine):
    """Mixed precision, DDP and FSDP by Lightning Fabric."""

    def __init__(self, parameters: TrainingParameters, devices: list[torch.device]) -> None:
        from lightning_fabric import Fabric

        accelerator = devices[0].type
        several = parameters.strategy != "single"
        self.strategy = parameters.strategy
        self.fabric = Fabric(
            accelerator=accelerator,
            devices=_fabric_devices(devices if several else devices[:1]),
            strategy=parameters.strategy if several else "auto",
            precision=_precision(parameters, accelerator),
            plugins=_environment(),
        )
        self.fabric.launch()
        self.device = self.fabric.device
        self.rank = self.fabric.global_rank
        self.world_size = self.fabric.world_size

    def setup(self, model: nn.Module, optimizer: Optimizer) -> tuple[nn.Module, Optimizer]:
        """Return model and optimiser wrapped by Fabric."""
        return self.fabric.setup(model, optimizer)

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of `loss`, scaled in float16."""
        self.fabric.backward(loss)

    def clip(self, model: nn.Module, optimizer: Optimizer, max_norm: float) -> None:
        """Unscale the gradients, then scale them to an L2 norm of at most `max_norm`."""
        self.fabric.clip_gradients(model, optimizer, max_norm=max_norm, error_if_nonfinite=False)

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context of the asked precision."""
        return self.fabric.autocast()

    @property
    def gradient_scaler(self) -> Any:
        """The scaler of float16; None at other precisions."""
        return getattr(self.fabric._precision, "scaler", None)

    def wait_for_all(self) -> None:
        """Return when every rank has come here."""
        self.fabric.barrier()

    def model_state(self, model: nn.Module, optimizer: Optimizer) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the whole state, gathered where it is sharded."""
        if self.strategy != "fsdp":
            return _unwrapped(model).state_dict(), optimizer.state_dict()
        from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict

        options = StateDictOptions(full_state_dict=True, cpu_offload=True)
        return get_state_dict(_unwrapped(model), _inner(optimizer), options=options)

    def load_model_state(
        self, model: nn.Module, optimizer: Optimizer, state: dict[str, Any], optimizer_state: dict[str, Any]
    ) -> None:
        """Set a whole state, spread where it is sharded."""
        if self.strategy != "fsdp":
            _unwrapped(model).load_state_dict(state)
            optimizer.load_state_dict(optimizer_state)
            return
        from torch.distributed.checkpoint.state_dict import StateDictOptions, set_state_dict

        set_state_dict(
            _unwrapped(model),
            _inner(optimizer),
            model_state_dict=state,
            optim_state_dict=optimizer_state,
            options=StateDictOptions(full_state_dict=True),
        )


def make_machine(parameters: TrainingParameters, devices: list[torch.device]) -> Machine:
    """Return the machine that `parameters` ask for.

    Raises:
        UsageError: float16 or fully sharded training without a CUDA device.
    """
    if devices[0].type == "cpu":
        check_cpu(parameters)
    if parameters.strategy == "single" and not parameters.mixed_precision:
        return PlainMachine(devices[0])
    return FabricMachine(parameters, devices)


def _precision(parameters: TrainingParameters, accelerator: str) -> Any:
    if not parameters.mixed_precision:
        return "32-true"
    return "16-mixed" if parameters.amp_dtype == "float16" else "bf16-mixed"


def _environment() -> list[Any]:
    """Return who starts the processes of a run: torchrun or srun where they did, else Fabric itself.

    Left alone, Fabric takes any Slurm job for one in which srun starts every process; a run of an ablation is one
    task that starts its own.
    """
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    is_started_by_another = TorchElasticEnvironment.detect() or int(os.environ.get("SLURM_NTASKS", "1")) > 1
    return [] if is_started_by_another else [LightningEnvironment()]


def _fabric_devices(devices: list[torch.device]) -> list[int] | int:
    if devices[0].type == "cpu":
        return len(devices)
    return [device.index or 0 for device in devices]


def _unwrapped(model: Any) -> nn.Module:
    inner = model.module if hasattr(model, "module") else model  # Fabric's wrapper
    return inner.module if hasattr(inner, "module") else inner  # DDP's wrapper


def _inner(optimizer: Any) -> Optimizer:
    return getattr(optimizer, "optimizer")  # noqa: B009 - Fabric's wrapper is not typed as having one
