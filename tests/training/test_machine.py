from __future__ import annotations

import json

import pytest
import torch

from probatum._errors import UsageError
from probatum.training.checkpoint import load_checkpoint
from probatum.training.machine import PlainMachine, _environment, resolve_devices


def test_mixed_precision_on_a_cpu_trains_in_bfloat16_and_keeps_full_weights(probatum, spiral):
    words = ("--epochs", 1, "--points", 64, "--mixed_precision", "true", "--runs_root", "runs")
    done = probatum("launch", "./spiral_study.py", *words)
    assert done.code == 0, done.err
    folder = next((spiral / "runs").glob("2*"))
    weights = load_checkpoint(folder / "model_best.pth")["model_state_dict"]
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    assert json.loads((folder / "config.json").read_text())["tolerance_mode"] == "standard"


@pytest.mark.slow
def test_data_parallel_training_on_two_processes_leaves_weights_that_evaluate(probatum, spiral):
    words = ("--epochs", 2, "--strategy", "ddp", "--devices", "cpu", "cpu", "--runs_root", "runs")
    done = probatum("launch", "./spiral_study.py", *words)
    assert done.code == 0, done.err
    assert "Starting with 2 processes" in done.out
    assert "found none" not in done.out
    folder = next((spiral / "runs").glob("2*"))
    assert probatum("evaluate", folder).code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [("--mixed_precision", "true"), ("--strategy", "ddp", "--devices", "cpu", "cpu")]
)
def test_the_built_in_study_trains_through_fabric(words, probatum):
    done = probatum("launch", "gainakt2exp", "--epochs", 1, "--runs_root", "runs", *words)
    assert done.code == 0, done.err
    assert "found none" not in done.out


def test_names_of_devices_are_resolved():
    assert resolve_devices(("cpu",)) == [torch.device("cpu")]


@pytest.mark.parametrize(("name", "words"), [("tpu", "auto, cpu or CUDA"), ("cuda:99", "this machine has")])
def test_a_device_that_is_not_there_is_refused(name, words):
    with pytest.raises(UsageError, match=words):
        resolve_devices((name,))


def test_full_precision_on_one_device_needs_no_fabric():
    machine = PlainMachine(torch.device("cpu"))
    model = torch.nn.Linear(1, 1)
    assert machine.setup(model, torch.optim.SGD(model.parameters()))[0] is model
    assert machine.is_writer
    machine.wait_for_all()


def test_gradients_are_scaled_by_nobody_on_a_cpu():
    from types import SimpleNamespace

    from probatum.training.machine import FabricMachine

    assert PlainMachine(torch.device("cpu")).gradient_scaler is None
    parameters = SimpleNamespace(strategy="single", mixed_precision=True, amp_dtype="bfloat16")
    assert FabricMachine(parameters, [torch.device("cpu")]).gradient_scaler is None  # type: ignore[arg-type]


@pytest.mark.parametrize(("tasks", "starts_its_own"), [(None, True), ("1", True), ("4", False)])
def test_a_single_task_of_a_batch_system_starts_its_own_processes(monkeypatch, tasks, starts_its_own):
    monkeypatch.delenv("SLURM_NTASKS", raising=False)
    if tasks:
        monkeypatch.setenv("SLURM_NTASKS", tasks)
    assert bool(_environment()) is starts_its_own
