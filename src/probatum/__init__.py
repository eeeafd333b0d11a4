"""A workbench for people who change a PyTorch model and must defend the change.

Names are imported at their first use, so that `import probatum` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from probatum._errors import ProbatumError
    from probatum.parameters import Parameters, parameter
    from probatum.runs.metric import MetricDefinition
    from probatum.signals.config import TelemetryConfig
    from probatum.signals.landscape import LandscapeSample
    from probatum.signals.probe import Probe
    from probatum.training.parameters import TrainingParameters
    from probatum.training.study import Loss, Objective, Study, StudyData

_HOME = {
    "LandscapeSample": "probatum.signals.landscape",
    "Loss": "probatum.training.study",
    "MetricDefinition": "probatum.runs.metric",
    "Objective": "probatum.training.study",
    "Parameters": "probatum.parameters",
    "ProbatumError": "probatum._errors",
    "Probe": "probatum.signals.probe",
    "Study": "probatum.training.study",
    "StudyData": "probatum.training.study",
    "TelemetryConfig": "probatum.signals.config",
    "TrainingParameters": "probatum.training.parameters",
    "parameter": "probatum.parameters",
}

__all__ = [
    "LandscapeSample",
    "Loss",
    "MetricDefinition",
    "Objective",
    "Parameters",
    "ProbatumError",
    "Probe",
    "Study",
    "StudyData",
    "TelemetryConfig",
    "TrainingParameters",
    "parameter",
]


def __getattr__(name: str) -> Any:
    """Return a public name, imported now."""
    if name not in _HOME:
        raise AttributeError(f"module 'probatum' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOME[name]), name)
