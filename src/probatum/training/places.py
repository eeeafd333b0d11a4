"""Which devices a run may ask for, and what a CPU cannot do; without torch, since `launch` asks first."""

from __future__ import annotations

from typing import Any

from probatum._errors import UsageError


def check_places(parameters: Any) -> None:
    """Refuse devices that no machine has, and what a CPU cannot do, before a run folder is made.

    Raises:
        UsageError: a device's name is none, or the strategy or number format needs a CUDA device.
    """
    for name in parameters.devices:
        if name not in ("auto", "cpu"):
            cuda_number(name)
    if set(parameters.devices) == {"cpu"}:
        check_cpu(parameters)


def cuda_number(name: str) -> int:
    """Return the number of the CUDA device called `name`.

    Raises:
        UsageError: the name is that of no device.

    Example:
        >>> cuda_number("1"), cuda_number("cuda:0")
        (1, 0)
    """
    number = name.removeprefix("cuda:")
    if not (number.isascii() and number.isdigit()):
        raise UsageError(f"`devices` must be auto, cpu or CUDA numbers, got {name!r}. Example: --devices 0 1")
    return int(number)


def check_cpu(parameters: Any) -> None:
    """Refuse what a CPU cannot do.

    Raises:
        UsageError: float16 or fully sharded training.
    """
    if parameters.mixed_precision and parameters.amp_dtype == "float16":
        raise UsageError(
            "amp_dtype float16 needs a CUDA device; on a CPU use --amp_dtype bfloat16 or --no_amp."
        )
    if parameters.strategy == "fsdp":
        raise UsageError(
            "strategy fsdp needs CUDA devices; on a CPU use --strategy ddp or --strategy single."
        )
