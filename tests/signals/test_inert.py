import json
import runpy
from pathlib import Path
from types import SimpleNamespace

from probatum.signals.inert import likeness
from probatum.signals.reading import Artifact

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stories.py"))))


def pair(tmp_path, change=None, **child):
    parent = stories.artifact(tmp_path / "parent.json")
    other = stories.artifact(tmp_path / "child.json", **child)
    document = json.loads(json.dumps(other.document))
    if change:
        change(document)
    return parent, Artifact(other.path, document)


def test_runs_that_measured_the_same_are_bit_identical(tmp_path):
    found = likeness(*pair(tmp_path))
    assert found.verdict == "bit-identical"
    assert found.values > 300
    assert found.is_alike


def test_the_probes_own_cost_is_no_measurement(tmp_path):
    def slower(document):
        for record in document["signal_check"]["epochs"]:
            record["overhead_seconds"] *= 2

    assert likeness(*pair(tmp_path, slower)).verdict == "bit-identical"


def test_rounding_is_within_tolerance(tmp_path):
    def round_off(document):
        document["signal_check"]["epochs"][2]["gradient_norms"]["conv1"]["mean"] *= 1 + 1e-7

    found = likeness(*pair(tmp_path, round_off))
    assert found.verdict == "within tolerance"
    assert found.first_difference == "epoch 3.gradient_norms.conv1.mean"


def test_one_epoch_that_differs_late_is_enough(tmp_path):
    def late(document):
        document["signal_check"]["epochs"][3]["gradient_norms"]["conv1"]["mean"] *= 1.01

    found = likeness(*pair(tmp_path, late))
    assert (found.verdict, found.differing) == ("different", 1)
    assert found.first_difference == found.largest_at == "epoch 4.gradient_norms.conv1.mean"


def test_a_run_with_more_epochs_is_not_the_same(tmp_path):
    found = likeness(*pair(tmp_path, epochs=5))
    assert found.verdict == "different"
    assert found.only_in_one > 0


def test_too_few_measurements_say_nothing(tmp_path):
    parent = stories.artifact(tmp_path / "a.json", epochs=0)
    assert likeness(parent, parent).verdict == "too little measured"
