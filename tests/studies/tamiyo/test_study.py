"""The study as the workbench sees it: launched, resumed with a seed in any stage, bit for bit."""

import csv
import json
from pathlib import Path

import pytest
import torch

from probatum.studies import registry
from probatum.studies.tamiyo import objective as objective_module
from probatum.studies.tamiyo.gates import Gate
from probatum.studies.tamiyo.network import GrowingNetwork
from probatum.studies.tamiyo.study import Tamiyo
from probatum.training.checkpoint import load_checkpoint
from probatum.training.launch import LaunchRequest, plan_launch
from probatum.training.loop import TrainingLoop
from probatum.training.optimisation import follow_model

SHORT = {
    "epochs": 9, "batch_size": 64, "growth": "fixed", "growth_blueprint": "depthwise", "germinate_after": 1,
    "train_for": 2, "blending_epochs": 4,
}  # fmt: skip


@pytest.fixture
def open_gates(monkeypatch):
    """Let every gate pass, so that few data and epochs walk the whole path."""
    monkeypatch.setattr(Gate, "refusals", lambda self, measured: [])


@pytest.fixture
def prepare(spiral, few):
    def make(**parameters):
        options = {name: [str(value)] for name, value in {**SHORT, **parameters}.items()}
        request = LaunchRequest("tamiyo", "test", "", options, (), (), None, {}, ("probatum",))
        return plan_launch(request).prepare(Path("runs"), folder=None, force=False)

    return make


def stages(paths):
    with paths.metrics_epoch.open() as file:
        return [int(row["seed_stage"]) for row in csv.DictReader(file)]


def test_the_registry_knows_it():
    assert isinstance(registry.load("tamiyo"), Tamiyo)


def test_a_fixed_schedule_walks_the_whole_path_and_the_best_checkpoint_is_evaluated(
    prepare, carry_on, open_gates
):
    paths = prepare()
    carry_on(paths)
    assert stages(paths) == [1, 3, 3, 4, 4, 4, 4, 7, 7]
    state = load_checkpoint(paths.model_last())
    assert "slot.seed.pointwise.weight" in state["model_state_dict"]
    assert len(state["optimizer_state_dict"]["param_groups"]) == 2
    record = json.loads(paths.eval_results.read_text())
    assert record["test_accuracy"] > 0.1
    trajectory = json.loads(paths.seed_trajectory(42).read_text())
    assert [entry["growth"]["fossilized"] for entry in trajectory] == [0] * 7 + [1, 1]
    assert trajectory[0]["growth"]["action"] == "GERMINATE"
    assert {entry["growth"]["isolation_violations"] for entry in trajectory} == {0}


@pytest.mark.parametrize("stop", [1, 2, 3, 5, 8])
def test_a_run_stopped_in_any_stage_goes_on_bit_for_bit(prepare, carry_on, open_gates, monkeypatch, stop):
    whole, stopped = prepare(), prepare()
    carry_on(whole)
    with monkeypatch.context() as patch:
        original = TrainingLoop._run_epoch

        def run_epoch(loop, epoch):
            if epoch > stop:
                raise KeyboardInterrupt
            original(loop, epoch)

        patch.setattr(TrainingLoop, "_run_epoch", run_epoch)
        with pytest.raises(Exception, match="interrupted"):
            carry_on(stopped)
    carry_on(stopped)
    assert stopped.model_last().read_bytes() == whole.model_last().read_bytes()
    assert stopped.model_best().read_bytes() == whole.model_best().read_bytes()
    assert stopped.metrics_epoch.read_bytes() == whole.metrics_epoch.read_bytes()


def test_a_watched_run_agrees_bit_for_bit_and_sees_the_seed(prepare, carry_on, open_gates):
    plain, watched = prepare(), prepare(instrument_signals="true", telemetry_profile="diagnostic")
    carry_on(plain)
    carry_on(watched)
    assert plain.model_best().read_bytes() == watched.model_best().read_bytes()
    assert plain.metrics_epoch.read_bytes() == watched.metrics_epoch.read_bytes()
    assert "slot.seed.pointwise" in watched.instrumentation("signals").read_text()


def test_without_growth_the_slot_stays_empty(prepare, carry_on):
    paths = prepare(growth="none", epochs=2)
    carry_on(paths)
    assert stages(paths) == [1, 1]


def test_the_heuristic_germinates_on_a_plateau_and_culls_what_does_not_help(prepare, carry_on, monkeypatch):
    decide = objective_module.decide
    monkeypatch.setattr(
        objective_module,
        "decide",
        lambda parameters, life, epoch, plateau: decide(parameters, life, epoch, epoch),
    )
    paths = prepare(
        growth="heuristic", plateau_for=2, germinate_after=2, cull_after=2, cull_at=0, advance_at=90
    )
    carry_on(paths)
    reasons = [entry["growth"] for entry in json.loads(paths.seed_trajectory(42).read_text())]
    assert reasons[1]["action"] == "GERMINATE"
    assert "plateau of 2 epochs" in reasons[1]["reason"]
    assert "needs" in reasons[-1]["reason"] or reasons[-1]["culled"] or reasons[-1]["stage"] == "training"


def test_growth_is_refused_where_the_workbench_cannot_follow_it(prepare):
    with pytest.raises(Exception, match="ema_decay"):
        prepare(ema_decay=0.5)


def test_the_optimiser_takes_up_a_seed_and_forgets_it(network):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    network.plant("norm")
    follow_model(optimizer, network)
    assert [len(group["params"]) for group in optimizer.param_groups] == [11, 3]
    network.slot.seed.scale.grad = torch.ones(1)
    optimizer.step()
    network.slot.uproot()
    follow_model(optimizer, network)
    assert [len(group["params"]) for group in optimizer.param_groups] == [11]
    assert len(optimizer.state) == 0
    assert isinstance(network, GrowingNetwork)
