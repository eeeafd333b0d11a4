"""A probed training, told: the probe's signals through snapshot, artifact, features and page."""

import json
from importlib.resources import files

import jsonschema
import pytest
import torch
from torch import nn

from probatum._files import read_json
from probatum.signals.artifact import ArtifactWriter
from probatum.signals.config import load_profile
from probatum.signals.features import feature_schema
from probatum.signals.history import SnapshotHistory
from probatum.signals.landscape import LandscapeSample
from probatum.signals.narrative import tell
from probatum.signals.probe import Probe
from probatum.signals.reading import read_artifact
from probatum.signals.show import show_text
from probatum.signals.snapshot import EpochMetrics

SCHEMA = json.loads((files("probatum.signals") / "artifact.schema.json").read_text(encoding="utf-8"))
CLASSES, STEPS, EPOCHS = 3, 6, 2


def told(profile, folder):
    """Train a small classifier under a probe and return the writer and the history."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(64, 5, generator=generator)
    targets = torch.randint(CLASSES, (64,), generator=generator)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, CLASSES))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    config = load_profile(profile)
    sample = LandscapeSample(
        lambda net: nn.functional.cross_entropy(net(inputs), targets), "all 64 examples", "fixed"
    )
    history = SnapshotHistory(folder / "history.jsonl", config.history_length)
    with Probe(model, config, steps_per_epoch=STEPS) as probe:
        writer = ArtifactWriter(folder / "a.json", {"profile": profile}, taken=probe.taken)
        for epoch in range(1, EPOCHS + 1):
            for _ in range(STEPS):
                optimizer.zero_grad()
                outputs = model(inputs)
                loss = nn.functional.cross_entropy(outputs, targets)
                loss.backward()
                probe.observe(loss, outputs, targets)
                optimizer.step()
            signals = probe.end_epoch(model(inputs).detach(), targets, landscape=sample)
            metrics = EpochMetrics(
                epoch, train_loss=loss.item(), val_loss=loss.item() + 0.01, val_accuracy=0.4
            )
            history.append(tell(signals, metrics, history.recent))
            writer.append(signals, history.recent[-1])
    return writer, history, config, signals


@pytest.mark.parametrize("profile", ["minimal", "standard", "diagnostic", "research"])
def test_every_profile_is_told_from_end_to_end(profile, tmp_path):
    writer, history, config, signals = told(profile, tmp_path)
    jsonschema.validate(read_json(writer.path), SCHEMA)
    assert len(history) == EPOCHS
    assert list(history) == history.recent
    schema = feature_schema(
        config,
        list(signals.gradients),
        CLASSES,
        activation_layers=list(signals.activations),
        heads=list(signals.heads),
    )
    vector = schema.vector(history.recent)
    unmeasured = {name for name, known in zip(schema.names, vector.mask, strict=True) if not known}
    extra = {name for name in unmeasured if name not in schema.groups["base"]}
    assert not {name for name in extra if not name.startswith(("saturated", "activation_"))}, extra
    assert "scalars.val_loss" in show_text(read_artifact(writer.path))


def test_what_the_profile_measures_stands_in_the_artifact(tmp_path):
    writer, *_ = told("research", tmp_path)
    record = read_artifact(writer.path).epochs[-1]
    for group in ("gradient_norms", "gradient_stats", "weights", "activation_stats", "hidden_norms", "per_class",
                  "landscape", "histograms", "totals", "heads"):  # fmt: skip
        assert record[group], group
    assert record["attention_stats"] is None
    assert record["missing"]["attention_stats"]
    assert len(record["batches"]) == 2
