"""The 27 numbers of the original: finite always."""

import math

from probatum.packs.environment import Observed
from probatum.signals.features import BASE
from probatum.signals.snapshot import Snapshot
from probatum.studies.tamiyo.v1_features import v1_features


def observed(*shots, slot=None):
    return Observed(shots[-1].epoch, shots[-1], shots[-5:], slot or {}, {}, (True,), 5)


def test_what_is_missing_or_infinite_has_a_stand_in_and_all_is_finite():
    values = dict(zip(BASE, v1_features(observed(Snapshot(1), Snapshot(2))), strict=True))
    assert all(math.isfinite(value) for value in values.values())
    assert (values["train_loss"], values["best_val_loss"], values["val_loss_history_4"]) == (10.0, 10.0, 10.0)
    assert (values["loss_delta"], values["accuracy_delta"], values["val_loss_history_0"]) == (0.0, 0.0, 0.0)


def test_losses_and_deltas_are_clipped_and_steps_are_not():
    shots = Snapshot(1, val_loss=500.0), Snapshot(2, val_loss=2.0, global_step=9000)
    values = dict(zip(BASE, v1_features(observed(*shots)), strict=True))
    assert (values["val_loss_history_3"], values["loss_delta"], values["global_step"]) == (
        100.0,
        100.0,
        9000.0,
    )


def test_the_best_validation_loss_is_real():
    values = dict(zip(BASE, v1_features(observed(Snapshot(3, best_val_loss=0.25))), strict=True))
    assert values["best_val_loss"] == 0.25


def test_the_slot_is_passed_on():
    slot = {"seed_stage": 4.0, "seed_alpha": 0.5, "available_slots": 0.0}
    values = dict(zip(BASE, v1_features(observed(Snapshot(3), slot=slot)), strict=True))
    assert (values["seed_stage"], values["seed_alpha"], values["has_active_seed"]) == (4.0, 0.5, 0.0)
