"""A model that is held still while its surroundings are measured, and left as it was found."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn


class Generators:
    """The states of torch's global generators on some devices, as they were when this was made.

    `rewind` before each evaluation gives a loss that draws random numbers the same draws every time.
    """

    def __init__(self, devices: set[torch.device]) -> None:
        """Remember the generator of the CPU and of every CUDA device among `devices`."""
        self.cuda = sorted({device.index or 0 for device in devices if device.type == "cuda"})
        self.state = torch.get_rng_state()
        self.cuda_states = [torch.cuda.get_rng_state(index) for index in self.cuda]

    def rewind(self) -> None:
        """Set every generator back to its state."""
        torch.set_rng_state(self.state)
        for index, state in zip(self.cuda, self.cuda_states, strict=True):
            torch.cuda.set_rng_state(state, index)

    def seed(self, seed: int) -> None:
        """Seed the same generators; `torch.manual_seed` would also touch devices that are not rewound."""
        torch.default_generator.manual_seed(seed)
        for index in self.cuda:
            torch.cuda.default_generators[index].manual_seed(seed)


def devices_of(model: nn.Module) -> set[torch.device]:
    """Return the devices that hold the model's parameters and buffers."""
    return {tensor.device for tensor in (*model.parameters(), *model.buffers())}


@contextmanager
def held_still(model: nn.Module) -> Iterator[Generators]:
    """Hold a model in eval mode without autocast; afterwards, also after an exception, it is as it was.

    Restored bit for bit: parameters, buffers (by identity and by value), the mode of every module, torch's
    global generators. A compiled model runs uncompiled meanwhile: its kernels have no second derivative, and
    compiling anew for eval mode would cost more than the measurement.

    Example:
        >>> model = nn.BatchNorm1d(2)
        >>> with held_still(model):
        ...     model.training
        False
        >>> model.training
        True
    """
    modes = [(module, module.training) for module in model.modules()]
    parameters = list(model.parameters())
    values = [parameter.detach().clone() for parameter in parameters]
    buffers = [
        (module, name, buffer, None if buffer is None else buffer.detach().clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()
    ]
    devices = devices_of(model)
    generators = Generators(devices)
    with ExitStack() as stack:
        for kind in {device.type for device in devices}:
            stack.enter_context(torch.autocast(kind, enabled=False))
        if "torch._dynamo" in sys.modules:  # otherwise nothing is compiled, and its import takes seconds
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        try:
            model.eval()
            yield generators
        finally:
            put(parameters, values)
            for module, name, buffer, value in buffers:
                module._buffers[name] = buffer
                if buffer is not None and value is not None:
                    with torch.no_grad():
                        buffer.copy_(value)
            for module, mode in modes:
                module.training = mode
            generators.rewind()


@torch.no_grad()
def put(parameters: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    """Give the parameters these values, in place."""
    for parameter, value in zip(parameters, values, strict=True):
        parameter.copy_(value)
