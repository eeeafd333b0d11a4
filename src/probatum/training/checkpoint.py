"""Checkpoints: written whole, the same bytes for the same state, loaded without unpickling code."""

from __future__ import annotations

import io
import pickle
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from probatum._errors import RecordError
from probatum._files import write_whole


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` so that a killed run leaves the old file or the new one, and equal states equal bytes."""
    buffer = io.BytesIO()  # a named file would put its temporary name into the archive
    torch.save(canonical(state), buffer)
    write_whole(path, buffer.getvalue())


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return the state that `save_checkpoint` wrote, on the CPU.

    Raises:
        RecordError: the file is missing, torn, or holds more than tensors and plain values.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise RecordError(
            f"{path}: expected a checkpoint, found none. `probatum runs` shows how far the run came."
        ) from None
    except pickle.UnpicklingError as error:
        raise RecordError(
            f"{path}: expected tensors and plain values only, got something that runs code when loaded "
            f"({str(error).splitlines()[0]}). Probatum does not load it."
        ) from None
    except (RuntimeError, EOFError, OSError) as error:
        raise RecordError(
            f"{path}: expected a whole checkpoint, got a torn or edited file ({error})."
        ) from None


def canonical(value: Any) -> Any:
    """Return a copy of nested state whose pickled bytes depend on its content alone.

    Pickle writes a repeated *object* once and refers to it later, so that a state that was loaded (new string
    objects) and the same state that was built here (shared ones) would differ in bytes. Strings are interned,
    containers rebuilt, and tensors copied into storages of their own.
    """
    if isinstance(value, Tensor):
        return value.detach().cpu().contiguous().clone()
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, dict):
        return {canonical(key): canonical(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(item) for item in value]
    return value
