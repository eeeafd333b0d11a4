import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from probatum.signals.epoch import EpochSignals, Statistic
from probatum.signals.epoch_numbers import plateau_length, take_snapshot
from probatum.signals.snapshot import EpochMetrics, PrimaryMetric, Snapshot

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stories.py"))))


def run(*metrics):
    shots: list[Snapshot] = []
    for epoch, own in enumerate(metrics, start=1):
        shots.append(take_snapshot(EpochSignals(epoch), EpochMetrics(epoch, **own), shots))
    return shots


def test_the_plateau_includes_the_current_epoch():
    shots = run(*({"val_loss": loss} for loss in (1.0, 0.5, 0.501, 0.499)))
    assert [shot.plateau_length for shot in shots] == [1, 1, 2, 3]


def test_the_plateau_is_relative_to_the_runs_own_loss():
    assert plateau_length([1000.0, 500.0, 501.0, 499.0]) == 3
    assert plateau_length([1e-3, 5e-4, 4e-4, 3e-4]) == 1


def test_a_slow_drift_is_no_plateau_forever():
    assert plateau_length([1.0 - 0.006 * step for step in range(20)]) == 2


def test_the_gap_is_validation_minus_training():
    shot = run({"train_loss": 0.4, "val_loss": 0.5})[0]
    assert shot.train_val_gap == pytest.approx(0.1)
    assert shot.relative_gap == pytest.approx(0.25)


def test_a_loss_of_nan_is_absent_and_counted():
    shot = run({"train_loss": float("nan"), "val_loss": 0.5})[0]
    assert shot.train_loss is None
    assert shot.train_val_gap is None
    assert shot.non_finite == {"train_loss": 1}


def test_nan_gradients_are_counted_and_make_the_health_poor():
    bad = EpochSignals(1, gradients={"fc": {"norm": Statistic.of([float("nan")] * 2)}})
    shot = take_snapshot(bad, EpochMetrics(1))
    assert shot.non_finite == {"gradients.fc": 2}
    assert shot.gradient_health is not None
    assert shot.gradient_health["score"] == 0.0


def test_counted_nan_elements_are_found_though_every_norm_is_finite():
    table = {"norm": Statistic.of([1.0, 1.0]), "nan_count": Statistic.of([0.0, 3.0])}
    shot = take_snapshot(EpochSignals(1, gradients={"fc": table}), EpochMetrics(1))
    assert shot.non_finite == {"gradients.fc": 3}
    assert shot.gradient_stats["fc"]["non_finite_share"] == 0.5


def test_the_best_epoch_follows_the_metrics_direction_and_ties_keep_the_earlier():
    higher = run(*({"primary": PrimaryMetric("val_auc", value, True)} for value in (0.7, 0.8, 0.8)))
    lower = run(*({"primary": PrimaryMetric("val_rmse", value, False)} for value in (0.7, 0.8, 0.6)))
    assert (higher[-1].best_epoch, higher[-1].epochs_since_best) == (2, 1)
    assert (lower[-1].best_epoch, lower[-1].best_primary) == (3, 0.6)


def test_without_a_primary_metric_the_accuracy_decides_and_else_the_loss():
    assert run({"val_accuracy": 0.5, "val_loss": 1.0})[0].primary == {
        "name": "val_accuracy",
        "value": 0.5,
        "higher_is_better": True,
    }
    assert (run({"val_loss": 1.0})[0].primary or {})["name"] == "val_loss"
    assert run({})[0].primary is None


def test_the_observations_plateau_counter_is_the_accuracys():
    shots = run(*({"val_accuracy": value, "accuracy_upper": 100.0} for value in (50, 50.4, 50.6, 51.2)))
    assert [shot.plateau_epochs for shot in shots] == [0, 1, 2, 0]


def test_class_variance_is_the_population_variance():
    values = [0.9, 0.5, 0.7]
    shot = take_snapshot(
        EpochSignals(1, per_class={"accuracy": values, "counts": [5, 50, 20]}), EpochMetrics(1)
    )
    assert shot.class_variance == pytest.approx(np.var(values))
    assert shot.class_range == pytest.approx(0.4)
    assert shot.class_count_ratio == 10


def test_signals_and_metrics_of_different_epochs_are_refused():
    with pytest.raises(ValueError, match="signals of 1 and metrics of 2"):
        take_snapshot(EpochSignals(1), EpochMetrics(2))


def test_loss_noise_is_the_probes_own_or_the_spread_of_the_losses():
    own = EpochSignals(1, totals={"loss_noise": Statistic.of([0.3]), "loss": Statistic.of([1.0, 2.0])})
    spread = EpochSignals(1, totals={"loss": Statistic.of([1.0, 2.0])})
    assert take_snapshot(own, EpochMetrics(1)).loss_noise == 0.3
    assert take_snapshot(spread, EpochMetrics(1)).loss_noise == pytest.approx(np.std([1.0, 2.0], ddof=1))
