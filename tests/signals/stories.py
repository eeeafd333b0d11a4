"""Epochs with known answers, for the tests of what is told about signals; loaded with `runpy`."""

import random

from probatum.signals.artifact import ArtifactWriter
from probatum.signals.epoch import EpochSignals, ProbedBatch, Statistic
from probatum.signals.narrative import tell
from probatum.signals.reading import read_artifact
from probatum.signals.snapshot import EpochMetrics, PrimaryMetric, Snapshot

LAYERS = ("conv1", "block.fc")


def statistics(**values):
    """Return one statistic per name from the values of the probed batches."""
    return {name: Statistic.of(list(batches)) for name, batches in values.items()}


def signals(epoch, *, scale=1.0, spread=0.1, batches=3, seed=0, lag=(0.5, 0.3, 0.2)):
    """Return an epoch of two layers and one attention module; `scale` moves the gradients only."""
    draw = random.Random(f"{seed} {epoch}")

    def around(value):
        return [value * (1 + spread * draw.uniform(-1, 1)) for _ in range(batches)]

    norms = {name: [scale * value for value in around(1.0 + index)] for index, name in enumerate(LAYERS)}
    losses = around(1.0 / epoch)
    return EpochSignals(
        epoch,
        gradients={
            name: statistics(norm=own, std=around(0.1), vanishing_share=[0.0] * batches)
            for name, own in norms.items()
        },
        weights={name: statistics(norm=around(5.0), update_ratio=around(1e-3)) for name in LAYERS},
        activations={"conv1": statistics(mean=around(0.03), std=around(0.11), norm=around(4.0))},
        attention={"attention": statistics(mean=around(1 / 3), entropy=around(1.0))},
        lag_curves={"attention": list(lag)},
        totals=statistics(gradient_norm=around(2.2 * scale), loss=losses),
        batches=[ProbedBatch(4 * index, 1, losses[index], 2.2 * scale) for index in range(batches)],
        missing={"landscape": "not asked for"},
        uncovered=["scale"],
        overhead_seconds=0.01 * epoch,
    )


def metrics(epoch, **changes):
    """Return the scalars of an ordinary epoch."""
    values = {
        "train_loss": 0.9 / epoch,
        "val_loss": 1.0 / epoch,
        "primary": PrimaryMetric("val_auprc", 0.5 + 0.01 * epoch, True),
        **changes,
    }
    return EpochMetrics(epoch, **values)


def artifact(path, *, epochs=4, config=None, provenance=None, perturbations=None, told=metrics, **changes):
    """Write an artifact and return it as it is read back."""
    writer = ArtifactWriter(path, config or {"epochs": epochs}, provenance=provenance)
    shots: list[Snapshot] = []
    for epoch in range(1, epochs + 1):
        seen = signals(epoch, **changes)
        shots.append(tell(seen, told(epoch), shots))
        writer.append(seen, shots[-1])
    if perturbations:
        writer.set_perturbations(perturbations)
    return read_artifact(path)


def curve(values, *, half_width=None, strengths=(0.0, 0.2, 0.4), name="mask_rate"):
    """Return the points of a robustness curve of one metric."""
    points = []
    for strength, value in zip(strengths, values, strict=True):
        point = {name: strength, "metrics": {"auroc": value}}
        if half_width is not None:
            point["interval"] = {"auroc": [value - half_width, value + half_width]}
        points.append(point)
    return points
