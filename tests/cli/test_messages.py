"""What the command line answers to mistakes, word for word.

`PROBATUM_UPDATE_SNAPSHOTS=1 pytest tests/cli/test_messages.py -p no:xdist` writes `messages.json` again.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import click
import pytest

from probatum.cli import launch
from probatum.cli.main import run

SNAPSHOT = Path(__file__).with_name("messages.json")
UPDATE = os.environ.get("PROBATUM_UPDATE_SNAPSHOTS") == "1"
CASES = {
    "wrong verb": "lunch gainakt2exp",
    "wrong study": "launch gainakt2ex",
    "no such study file": "launch ./nothing.py",
    "file without a study": "launch ./empty.py",
    "unknown parameter": "launch ./spiral_study.py --epoch 3",
    "unknown parameter in set": "launch ./spiral_study.py --set training.epoch=3",
    "wrong block in set": "launch ./spiral_study.py --set data.epochs=3",
    "no value in set": "launch ./spiral_study.py --set epochs",
    "out of bounds": "launch ./spiral_study.py --epochs 0 --dropout 1.5",
    "not a number": "launch ./spiral_study.py --learning_rate fast",
    "not finite": "launch ./spiral_study.py --learning_rate nan",
    "none of the choices": "launch ./spiral_study.py --optimizer Adan",
    "given twice": "launch ./spiral_study.py --epochs 3 --epochs 4",
    "wrong device": "launch ./spiral_study.py --devices tpu",
    "sharded on a CPU": "launch ./spiral_study.py --strategy fsdp",
    "float16 on a CPU": "launch ./spiral_study.py --use_amp --amp_dtype float16",
    "unknown mode": "launch gainakt2exp --ablation_mode alin",
    "no ablations": "launch ./spiral_study.py --ablation_mode align",
    "unknown dataset": "launch gainakt2exp --dataset assist2051",
    "data that are not there": "launch gainakt2exp --dataset assist2015",
    "missing file to start from": "launch ./spiral_study.py --from_config nothing.json",
    "source that is not there": "launch ./spiral_study.py --reproduce_from 999999",
    "missing parameters": "train ./spiral_study.py --epochs 3",
    "unknown run": "resume 999999",
    "torn configuration": "resume torn_run_000000_spiral_111111",
    "nothing prepared": "resume 222222",
    "parameters without a run": "evaluate ./spiral_study.py --epochs 3",
    "unknown run to evaluate": "evaluate 999999",
}


@pytest.fixture
def place(spiral, carry_on, monkeypatch):
    """Return a working folder with a torn run, an unprepared one and a file without a study.

    A launch that is accepted goes on in this process.
    """

    def execve(program, words, environment):
        monkeypatch.setenv("EXPERIMENT_DIR", environment["EXPERIMENT_DIR"])
        raise click.exceptions.Exit(run(words[3:]))

    monkeypatch.setattr(launch.os, "execve", execve)
    torn = spiral / "runs" / "torn_run_000000_spiral_111111"
    torn.mkdir(parents=True)
    (torn / "config.json").write_text('{"experiment": {')
    (spiral / "runs" / "20260101_000000_spiral_x_222222").mkdir()
    (spiral / "empty.py").write_text("")
    return spiral


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_answered_word_for_word(case, place, capsys):
    code = run(CASES[case].split())
    shown = capsys.readouterr()
    text = re.sub(re.escape(str(place)), "<folder>", shown.err).rstrip("\n")
    text = re.sub(r"\d{8}_\d{6}_gainakt2exp_run_\d{6}", "<run>", text)
    answer = {"command": f"probatum {CASES[case]}", "exit_code": code, "message": text.split("\n")}
    recorded = json.loads(SNAPSHOT.read_text()) if SNAPSHOT.exists() else {}
    if UPDATE:
        SNAPSHOT.write_text(json.dumps({**recorded, case: answer}, indent=2, ensure_ascii=False) + "\n")
    else:
        assert answer == recorded[case]
    assert "Traceback" not in shown.out + shown.err
    assert code != 0


def test_the_snapshot_holds_no_case_that_is_gone():
    assert json.loads(SNAPSHOT.read_text()).keys() == CASES.keys()


def test_a_finished_run_cannot_be_resumed(train, capsys):
    assert run(["resume", train(epochs=1).name]) == 2
    assert capsys.readouterr().err.endswith("is completed; nothing is left to do.\n")
