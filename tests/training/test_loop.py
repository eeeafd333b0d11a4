from __future__ import annotations

import csv
import json

import pytest
import torch
from torch import nn

from probatum._errors import RunFailedError
from probatum.training.checkpoint import load_checkpoint
from probatum.training.loop import TrainingLoop
from probatum.training.machine import PlainMachine

SCORES = [0.5, 0.7, 0.7, 0.6, 0.4, 0.9]


@pytest.fixture
def scripted(monkeypatch):
    """Let validation give a script of accuracies, one an epoch."""

    def use(scores):
        values = iter(scores)
        monkeypatch.setattr(TrainingLoop, "_validate", lambda loop: {"loss": 0.5, "accuracy": next(values)})

    return use


def _result(paths):
    return json.loads(paths.seed_result(42).read_text())


def test_training_stops_when_patience_is_used_up(train, scripted):
    scripted(SCORES)
    assert _result(train(epochs=6, patience=2))["last_epoch"] == 4


def test_patience_of_zero_never_stops_early(train, scripted):
    scripted(SCORES)
    assert _result(train(epochs=6, patience=0))["last_epoch"] == 6


def test_the_earliest_of_equal_epochs_is_the_best(train, scripted):
    scripted(SCORES)
    paths = train(epochs=4)
    assert _result(paths)["best_epoch"] == 2
    assert load_checkpoint(paths.model_best())["epoch"] == 2


def test_an_epoch_that_could_not_be_measured_is_never_better(train, scripted):
    scripted([None, 0.4, None])
    assert _result(train(epochs=3))["best_epoch"] == 2


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step(prepare, carry_on, monkeypatch):
    paths, calls = prepare(batch_size=16), []
    step = TrainingLoop._step

    def poisoned(loop, batch):
        calls.append(1)
        if len(calls) == 7:  # four steps an epoch
            batch.inputs[:] = torch.nan
        return step(loop, batch)

    monkeypatch.setattr(TrainingLoop, "_step", poisoned)
    with pytest.raises(RunFailedError, match="epoch 2, step 3 of 4") as failure:
        carry_on(paths)
    assert failure.value.exit_code == 3
    assert load_checkpoint(paths.model_last())["epoch"] == 1


def test_gradients_are_clipped_to_the_largest_norm(train, monkeypatch):
    norms = []
    clip = PlainMachine.clip

    def watched(machine, model, optimizer, max_norm):
        clip(machine, model, optimizer, max_norm)
        norms.append(float(torch.stack([p.grad.norm() for p in model.parameters()]).norm()))

    monkeypatch.setattr(PlainMachine, "clip", watched)
    train(gradient_clip=0.01, epochs=1)
    assert norms
    assert max(norms) <= 0.01 * (1 + 1e-4)


def test_a_clip_of_zero_leaves_the_gradients_alone(train, monkeypatch):
    monkeypatch.setattr(nn.utils, "clip_grad_norm_", lambda *_: pytest.fail("clipped"))
    train(gradient_clip=0, epochs=1)


def test_averaged_weights_are_the_ones_that_are_evaluated_and_kept(train):
    paths = train(ema_decay=0.9, epochs=1)
    last, best = load_checkpoint(paths.model_last()), load_checkpoint(paths.model_best())
    average = {name.removeprefix("module."): value for name, value in last["average_state_dict"].items()}
    for name, value in best["model_state_dict"].items():
        assert torch.equal(value, average[name])
        assert not torch.equal(value, last["model_state_dict"][name])


def test_every_epoch_has_a_row_in_the_declared_columns(train):
    paths = train()
    with paths.metrics_epoch.open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["seed", "epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy"]
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]


def test_results_say_which_parameters_were_missing_and_which_were_never_read(train):
    results = json.loads(train(epochs=1).results.read_text())
    assert results["parameter_check"]["missing_params"] == []
    assert {"log_head_stats", "amp_dtype"} <= set(results["parameter_check"]["unread_params"])
    assert "learning_rate" not in results["parameter_check"]["unread_params"]
