import json
import runpy
from pathlib import Path

import pytest

from probatum._errors import RecordError
from probatum.reports.landscape_charts import loss_slices, sharpness_curves
from probatum.reports.trajectories import flags_by_epoch, followed, is_constant, loss_shares, values_of
from probatum.signals.reading import read_artifact

stories = runpy.run_path(str(Path(__file__).parents[1] / "signals" / "stories.py"))
ROWS = [{"epoch": 1, "gain": 0.1, "phase": "a", "loss_shares": {"main": 1.0, "lag": None}},
        {"epoch": 2, "gain": 0.2, "phase": "b", "loss_shares": {"main": 0.9, "lag": 0.1}}]  # fmt: skip


def artifact(path, **landscape):
    stories["artifact"](path, epochs=6)
    document = json.loads(path.read_text())
    for record in document["signal_check"]["epochs"]:
        record["landscape"] = landscape
    path.write_text(json.dumps(document))
    return read_artifact(path)


def test_a_slice_of_one_run_shows_epochs_from_the_first_to_the_last(tmp_path):
    own = artifact(tmp_path / "a.json", slice={"alpha": [-1.0, 0.0, 1.0], "loss": [2.0, 1.0, None]})
    rows = loss_slices({"a": own}).to_dict()["data"]["values"]
    assert sorted({row["epoch"] for row in rows}) == [1, 2, 3, 5, 6]
    assert all(row["loss"] is not None for row in rows)


def test_slices_of_two_runs_are_those_of_their_last_epochs(tmp_path):
    cut = {"alpha": [0.0], "loss": [1.0]}
    runs = {name: artifact(tmp_path / f"{name}.json", slice=cut) for name in ("a", "b")}
    chart = loss_slices(runs).to_dict()
    assert [row["run"] for row in chart["data"]["values"]] == ["a", "b"]
    assert chart["title"]["subtitle"][0].startswith("epoch 6;")


def test_sharpness_has_two_standard_errors_around_it(tmp_path):
    own = artifact(tmp_path / "a.json", sharpness=0.5, sharpness_se=0.1, samples=4)
    row = sharpness_curves({"a": own}).to_dict()["data"]["values"][0]
    assert (row["low"], row["high"]) == pytest.approx((0.3, 0.7))


def test_a_landscape_that_was_not_measured_is_said(tmp_path):
    own = artifact(tmp_path / "a.json")
    with pytest.raises(RecordError, match="no slice"):
        loss_slices({"a": own})
    with pytest.raises(RecordError, match="no sharpness"):
        sharpness_curves({"a": own})


def test_a_trajectory_is_every_number_of_its_epochs_by_its_path():
    runs = {"run": {"1": ROWS}}
    assert followed(runs) == ["gain", "loss_shares.main", "loss_shares.lag"]
    assert values_of(runs, "gain") == {"run": {"1": {1: 0.1, 2: 0.2}}}
    assert values_of(runs, "loss_shares.lag") == {"run": {"1": {2: 0.1}}}
    assert is_constant({"run": {"1": {1: 3.0, 2: 3.0}}})


def test_shares_are_means_over_the_seeds_that_state_them():
    other = [{"epoch": 1, "loss_shares": {"main": 0.5}}]
    rows = loss_shares({"run": {"1": ROWS, "2": other}}).to_dict()["data"]["values"]
    assert next(row["share"] for row in rows if row["term"] == "main" and row["epoch"] == 1) == 0.75
    with pytest.raises(RecordError, match="no shares"):
        loss_shares({"run": {"1": [{"epoch": 1, "gain": 1.0}]}})


def test_flags_stand_at_their_epochs_red_ones_first():
    chart = flags_by_epoch([(1, [], ["stable"]), (2, ["dead_units"], [])], "run").to_dict()
    assert chart["encoding"]["y"]["sort"] == ["dead units", "stable"]
    with pytest.raises(RecordError, match="no epoch"):
        flags_by_epoch([(1, [], [])], "run")
