import math

from probatum.signals.epoch import EpochSignals, Statistic
from probatum.signals.sinks.scalars import scalars_of


def signals(**fields):
    return EpochSignals(3, **fields)


def test_a_statistic_gives_its_mean_under_signal_layer_and_name():
    found = scalars_of(signals(gradients={"fc": {"norm": Statistic.of([1.0, 3.0])}}))
    assert found == {"gradients/fc/norm": 2.0}


def test_what_is_not_finite_or_not_measured_is_absent():
    found = scalars_of(
        signals(totals={"loss": Statistic.of([math.nan])}, per_class={"accuracy": [0.5, None]}),
        {"val_loss": math.inf, "note": "text"},
    )
    assert found == {"per_class/accuracy/0": 0.5}


def test_curves_and_matrices_are_no_scalars():
    found = scalars_of(
        signals(
            lag_curves={"layer": [0.5, 0.5]},
            per_class={"confusion": [[1, 0], [0, 1]]},
            landscape={"sharpness": 0.1, "slice": {"alpha": [0.0], "loss": [1.0]}, "batch_id": "a"},
        )
    )
    assert found == {"landscape/sharpness": 0.1}
