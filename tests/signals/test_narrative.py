import runpy
from pathlib import Path
from types import SimpleNamespace

from probatum.signals.epoch import EpochSignals
from probatum.signals.narrative import narrate, tell
from probatum.signals.snapshot import EpochMetrics, Snapshot

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stories.py"))))


def run(*losses, **changes):
    shots: list[Snapshot] = []
    for epoch, loss in enumerate(losses, start=1):
        shots.append(tell(EpochSignals(epoch, **changes), EpochMetrics(epoch, val_loss=loss), shots))
    return shots


def test_the_seeds_sample_is_told_in_its_words():
    shot = Snapshot(4, val_loss=0.482, plateau_length=4, gradient_health={"score": 0.95})
    assert narrate(shot) == "Loss plateaued for 4 epochs at ~0.482 | Gradient health good"


def test_nothing_to_say_is_training_normally():
    assert run(0.5)[0].narrative == "Training normally"


def test_the_second_epoch_already_looks_back():
    assert run(0.5, 0.4)[1].narrative == "Validation loss improving (0.5 -> 0.4)"
    assert run(0.4, 0.5)[1].narrative == "Validation loss degrading (0.4 -> 0.5)"


def test_a_plateau_is_told_and_flagged_in_the_same_epoch():
    shot = run(0.5, 0.5, 0.5)[-1]
    assert shot.narrative == "Loss plateaued for 3 epochs at ~0.5"
    assert shot.red_flags == ("sustained_plateau",)


def test_vanishing_layers_are_counted_and_named():
    table = stories.statistics(vanishing_share=[0.9, 0.9])
    shot = run(0.5, gradients={name: table for name in ("a", "b")})[0]
    assert "2 layers vanishing (a, b)" in shot.narrative
    assert "vanishing_gradients" in shot.red_flags


def test_the_worst_and_best_class_are_named():
    shot = Snapshot(1, per_class_accuracy={"cat": 0.2, "dog": 0.9, "owl": None}, class_range=0.7)
    assert narrate(shot) == "Class imbalance (worst: cat at 20%, best: dog at 90%)"


def test_other_flags_are_told_once_with_the_number_of_targets():
    shot = run(float("nan"), gradients={"a": stories.statistics(norm=[float("nan")])})[0]
    assert "NaN or infinity in val_loss (1 values) (and 1 more)" in shot.narrative


def test_a_flag_of_one_epoch_appears_once_though_many_layers_raise_it():
    table = stories.statistics(dead_share=[0.9])
    shot = run(0.5, activations={name: table for name in "abc"})[0]
    assert shot.red_flags == ("dead_units",)
    assert len(shot.findings) == 3
