import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum.signals.epoch import EpochSignals
from probatum.signals.epoch_numbers import take_snapshot
from probatum.signals.snapshot import EpochMetrics, Snapshot

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stories.py"))))


def test_what_was_not_measured_is_absent_from_the_record():
    record = take_snapshot(EpochSignals(1), EpochMetrics(1)).as_record()
    assert set(record) == {
        "epoch", "train_loss", "val_loss", "val_accuracy", "train_val_gap", "narrative", "red_flags",
        "opportunities",
    }  # fmt: skip


def test_a_record_reads_back_as_the_same_snapshot():
    shots = []
    for epoch in range(1, 5):
        shots.append(stories.tell(stories.signals(epoch), stories.metrics(epoch), shots))
    record = json.loads(json.dumps(shots[-1].as_record(), allow_nan=False))
    assert Snapshot.from_record(record) == shots[-1]


def test_a_strange_key_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'sharpness'"):
        Snapshot.from_record({"epoch": 1, "sharpnes": 2.0})
