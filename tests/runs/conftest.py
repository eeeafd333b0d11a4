"""Finished runs to look at and to damage."""

from __future__ import annotations

import pytest

from probatum.runs.metric import MetricDefinition
from probatum.runs.paths import RunPaths
from probatum.runs.recorder import RunRecorder

AUC = MetricDefinition(
    "val_auc", "Best Val AUC", True, 0.0, 1.0, 0.0002, 0.002, "", "Area under the ROC curve"
)
LOSS = MetricDefinition("val_loss", "Val Loss", False, 0.0, None, 0.0002, 0.002, "", "Cross entropy")


def _record_run(root, value=0.7, *, study="toy", title="quick", epochs=3) -> RunPaths:
    """Return a finished run whose metric at the best epoch is `value`."""
    recorder = RunRecorder(
        study, {"learning_rate": 0.01, "epochs": epochs}, [AUC, LOSS], title=title, root=root
    )
    for epoch in range(1, epochs + 1):
        recorder.epoch({"epoch": epoch, "val_auc": value - (epochs - epoch) / 100, "val_loss": 1 / epoch})
    recorder.finish()
    return recorder.paths


@pytest.fixture
def run(tmp_path) -> RunPaths:
    """Return a finished run in a root of its own."""
    return _record_run(tmp_path / "runs")


@pytest.fixture
def record_run():
    """Return the function that records a small run into a root."""
    return _record_run


@pytest.fixture
def metrics():
    """Return two metrics of opposite directions."""
    return AUC, LOSS
