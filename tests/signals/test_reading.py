import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum._errors import RecordError, UsageError
from probatum.signals.reading import pick, read_artifact

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stories.py"))))
GOLDEN = Path(__file__).with_name("golden") / "artifact.json"


def refused(tmp_path, content, match):
    path = tmp_path / "a.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(RecordError, match=match) as caught:
        read_artifact(path)
    assert "a.json" in str(caught.value)


def changed(**changes):
    return {**json.loads(GOLDEN.read_text()), **changes}


def test_a_torn_file_is_named_torn(tmp_path):
    refused(tmp_path, GOLDEN.read_text()[:500], "torn or edited")


def test_a_foreign_file_is_told_what_was_expected(tmp_path):
    refused(tmp_path, {"epochs": 3}, "lacks config, convergence, signal_check, perturbations")
    refused(tmp_path, "[1, 2]", "expected an instrumentation artifact")


def test_a_file_without_a_version_is_an_older_programs(tmp_path):
    old = changed()
    del old["schema_version"]
    refused(tmp_path, old, "expected schema_version 1, got None: written by an older program")


def test_a_file_of_the_future_is_refused(tmp_path):
    refused(tmp_path, changed(schema_version=2), "by a newer program")


def test_epochs_out_of_order_are_named(tmp_path):
    refused(
        tmp_path,
        changed(signal_check={"epochs": [{"epoch": 2}, {"epoch": 1}]}),
        r"epochs\[1\].*after 2, got 1",
    )
    refused(tmp_path, changed(signal_check={"epochs": 3}), "expected a list in signal_check.epochs")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RecordError, match="found none"):
        read_artifact(tmp_path / "a.json")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_file_cut_anywhere_is_refused_and_never_half_read(tmp_path_factory, data):
    content = GOLDEN.read_bytes()
    path = tmp_path_factory.mktemp("cut") / "a.json"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 3))])
    with pytest.raises(RecordError):
        read_artifact(path)


def test_the_series_are_the_epochs_statistics():
    artifact = read_artifact(GOLDEN)
    series = artifact.series()
    seen = stories.signals(2)
    assert series["gradient_norms"]["block.fc"][2] == seen.gradients["block.fc"]["norm"]
    assert series["weights.update_ratio"]["conv1"][2] == seen.weights["conv1"]["update_ratio"]
    flat, own = series["activation_stats.std"]["conv1"][2], seen.activations["conv1"]["std"]
    assert (flat.mean, flat.std, flat.se, flat.n) == (own.mean, own.std, own.se, own.n)
    assert series["scalars.val_auprc"]["run"][1].mean == 0.51
    assert artifact.lag_curves() == {"attention": {1: [0.5, 0.3, 0.2], 2: [0.5, 0.3, 0.2]}}


def test_a_strange_signal_names_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'gradient_norms'"):
        pick("gradient_norm", read_artifact(GOLDEN).series(), "signal")
