"""A run that is stopped anywhere is continued bit for bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from probatum._errors import RunInterruptedError
from probatum.cli.main import run
from probatum.runs.folder import list_run_folders
from probatum.runs.integrity import verify_run
from probatum.runs.paths import RunPaths
from probatum.runs.status import read_status
from probatum.runs.volatile import stable_digests

HOOK = """
import os, signal
import {module} as module
count = 0
original = module.{name}
def killed(*words, **named):
    global count
    count += 1
    if count == {call}:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*words, **named)
module.{name} = killed
"""
MOMENTS = {  # the function at whose n-th call the process is killed
    "before anything is sealed": ("probatum.training.carry_out", "seal", 1),
    "between the best and the last checkpoint": ("probatum.training.loop", "save_checkpoint", 4),
    "in the middle of an epoch": ("torch.nn.utils", "clip_grad_norm_", 5),
    "between training and evaluation": ("probatum.training.run", "_evaluate_best", 1),
    "between the last write and the manifest": ("probatum.training.carry_out", "close", 1),
    "between the ledger and the final status": ("probatum.runs.integrity", "append_event", 2),
}

RARE = (
    "before anything is sealed",
    "between the last write and the manifest",
    "between training and evaluation",
)


def _killed_at(probatum, paths, moment):
    module, name, call = MOMENTS[moment]
    before = HOOK.format(module=module, name=name, call=call)
    if moment == "between the ledger and the final status":  # killed after the call, not before it
        before = before.replace("    if count", "    result = original(*words, **named)\n    if count", 1)
        before = before.replace("return original(*words, **named)", "return result")
    return probatum("resume", paths.folder, before=before)


@pytest.mark.parametrize(
    "moment",
    [pytest.param(m, marks=[pytest.mark.slow] if m in RARE else []) for m in MOMENTS],
)
def test_a_run_killed_at_a_chosen_moment_ends_as_if_it_had_not_been(
    moment, train, prepare, carry_on, probatum
):
    whole, paths = train(), prepare()
    assert _killed_at(probatum, paths, moment).code == -signal.SIGKILL
    assert read_status(paths).status in {"interrupted", "planned"}
    carry_on(paths)
    assert stable_digests(paths) == stable_digests(whole)
    assert verify_run(paths) == []
    assert not list(paths.folder.rglob(".*.part"))


def test_a_run_killed_twice_in_training_ends_as_if_it_had_not_been(train, prepare, carry_on, probatum):
    whole, paths = train(patience=2, ema_decay=0.9), prepare(patience=2, ema_decay=0.9)
    for moment in ("in the middle of an epoch", "between training and evaluation"):
        assert _killed_at(probatum, paths, moment).code == -signal.SIGKILL
    carry_on(paths)
    assert stable_digests(paths) == stable_digests(whole)


def test_a_person_who_interrupts_is_told_how_to_go_on(prepare, carry_on, monkeypatch):
    paths = prepare()
    monkeypatch.setattr("probatum.training.loop.TrainingLoop._validate", _interrupt)
    with pytest.raises(RunInterruptedError, match=r"probatum resume \d{6}"):
        carry_on(paths)
    assert read_status(paths).status == "interrupted"
    assert "KeyboardInterrupt" in paths.stdout.read_text()


def test_a_finished_run_is_not_resumed(train, capsys):
    paths = train()
    assert run(["resume", str(paths.folder)]) == 2
    assert "is completed; nothing is left to do" in capsys.readouterr().err


def test_a_launch_killed_before_its_configuration_is_named_as_that(spiral, capsys):
    (spiral / "runs" / "20260101_000000_spiral_x_123456").mkdir(parents=True)
    assert run(["resume", "123456"]) == 1
    assert "launch again" in capsys.readouterr().err


def test_sealed_parameters_cannot_be_edited_before_resuming(prepare, carry_on, monkeypatch, capsys):
    paths = prepare()
    with monkeypatch.context() as patch:
        patch.setattr("probatum.training.loop.TrainingLoop._validate", _interrupt)
        with pytest.raises(RunInterruptedError):
            carry_on(paths)
    config = json.loads(paths.config.read_text())
    config["parameters"]["epochs"] = 2
    paths.config.write_text(json.dumps(config))
    assert run(["resume", str(paths.folder)]) == 1
    assert "sealed" in capsys.readouterr().err


@pytest.mark.slow
def test_twenty_five_kills_at_random_times_leave_no_trace(train, spiral):
    delays, kills, finished, unprepared = random.Random(20), 0, 0, 0
    whole = stable_digests(train(epochs=100, points=400))
    launch = ["launch", "./spiral_study.py", "--epochs", "100", "--points", "400", "--hidden", "8"]
    started = time.monotonic()
    assert _run_for(None, [*launch, "--runs_root", "timed"]) == 0
    life = time.monotonic() - started  # the kills spread over it, however busy the machine is
    while kills < 25:
        root = Path(f"root_{kills}_{finished}")  # one run each
        words = [*launch, "--runs_root", str(root)]
        while _run_for(life * delays.uniform(0.2, 1.05) if kills < 25 else None, words) == -signal.SIGKILL:
            kills += 1
            folder = next(root.glob("2*"), None)
            if folder is None or not (folder / "config.json").exists():
                unprepared += 1  # nothing was decided yet: a person launches again
                assert folder is None or run(["resume", str(folder)]) == 1
                break
            if read_status(RunPaths(folder)).status == "completed":
                break  # killed after its last act
            words = ["resume", str(folder), "--runs_root", str(root)]
        for paths in list_run_folders(root):
            assert read_status(paths).status == "completed"
            assert stable_digests(paths) == whole
            assert verify_run(paths) == []
            finished += 1
    assert finished > 0
    print(f"{kills} kills, {finished} runs finished, {unprepared} killed before their configuration")


def _run_for(seconds, words):
    process = subprocess.Popen(
        [sys.executable, "-m", "probatum", *words], stdout=subprocess.DEVNULL, env=os.environ
    )
    started = time.monotonic()
    while process.poll() is None and (seconds is None or time.monotonic() - started < seconds):
        time.sleep(0.02)
    process.kill()
    return process.wait()


def _interrupt(*_words):
    raise KeyboardInterrupt
