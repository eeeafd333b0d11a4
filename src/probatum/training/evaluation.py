"""The best checkpoint's metrics on every split: validation chose it, test reports it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from probatum._errors import RecordError
from probatum.training.checkpoint import load_checkpoint
from probatum.training.machine import Machine
from probatum.training.study import Metrics, Study, StudyData


def evaluate_checkpoint(
    study: Study, parameters: Any, checkpoint: Path, data: StudyData, machine: Machine
) -> dict[str, Metrics]:
    """Return the metrics of a checkpoint's weights by split.

    Raises:
        RecordError: the checkpoint is missing, torn, or its weights do not fit the recorded parameters.
    """
    state = load_checkpoint(checkpoint)
    model = study.build_model(parameters, data).to(machine.device)
    try:
        model.load_state_dict(state["model_state_dict"])
    except (RuntimeError, KeyError) as error:
        raise RecordError(
            f"{checkpoint}: the weights do not fit the recorded parameters. "
            f"Was config.json edited? `probatum verify` says.\n{error}"
        ) from None
    model.eval()
    with torch.inference_mode(), machine.autocast():
        return {
            split: study.evaluate(model, split, parameters, data, machine.device, final=True) for split in data.splits
        }
