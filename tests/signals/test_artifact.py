import json
import runpy
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from probatum._errors import UsageError
from probatum.signals.artifact import ArtifactWriter
from probatum.signals.epoch import EpochSignals, Statistic
from probatum.signals.reading import read_artifact

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stories.py"))))
GOLDEN = Path(__file__).with_name("golden") / "artifact.json"
SCHEMA = json.loads((files("probatum.signals") / "artifact.schema.json").read_text(encoding="utf-8"))
CONFIG = {
    "instrument_signals": True,
    "instrumentation_tag": "a0",
    "instrumentation_mask_rates": [0.0, 0.2, 0.4],
}


def write_golden(path):
    """Write the golden artifact; `python tests/signals/test_artifact.py` does it in place."""
    curves = {
        "missingness_curve": stories.curve([0.847, 0.84, 0.81]),
        "truncation_curve": stories.curve([0.847, 0.82], strengths=(1.0, 0.5), name="keep_ratio"),
    }
    return stories.artifact(
        path, epochs=2, config=CONFIG, provenance={"parameters": {"lr": 0.1}}, perturbations=curves
    )


def test_the_artifact_is_the_golden_file(tmp_path):
    assert write_golden(tmp_path / "a0.json").path.read_text() == GOLDEN.read_text()


def test_the_golden_file_has_the_seeds_keys():
    document = json.loads(GOLDEN.read_text())
    assert document["config"] == CONFIG
    assert document["convergence"]["best_epoch"] == 2
    assert document["convergence"]["best_val_auprc"] == 0.52
    epoch = document["signal_check"]["epochs"][0]
    assert set(epoch["gradient_norms"]["conv1"]) >= {"mean", "std", "min", "max", "n", "se"}
    assert {"mean", "std"} <= set(epoch["activation_stats"]["conv1"])
    assert {"mean", "entropy", "lag_curve"} <= set(epoch["attention_stats"]["attention"])
    assert epoch["hidden_norms"]["conv1"]["n"] == 3
    assert [batch["step"] for batch in epoch["batches"]] == [0, 4, 8]
    point = document["perturbations"]["missingness_curve"][0]
    assert point == {"mask_rate": 0.0, "metrics": {"auroc": 0.847}}


def test_the_golden_file_fits_the_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(GOLDEN.read_text()), SCHEMA)


def test_every_signal_has_a_definition():
    document = json.loads(GOLDEN.read_text())
    told = {"epoch", "missing", "uncovered", "snapshot", "narrative"}
    assert set(document["signal_check"]["epochs"][0]) - told <= set(document["definitions"])


def test_what_was_not_captured_is_null_with_a_reason(tmp_path):
    writer = ArtifactWriter(tmp_path / "a.json", {})
    writer.append(
        EpochSignals(1, missing={"attention: smart.pool": "fused kernel", "gradients": "no backward"})
    )
    document = json.loads(writer.content())
    record = document["signal_check"]["epochs"][0]
    for group in ("attention_stats", "gradient_norms", "activation_stats", "landscape"):
        assert record[group] is None
    assert record["missing"]["attention_stats"] == "fused kernel"
    assert record["missing"]["gradient_norms"] == "no backward"
    assert record["missing"]["landscape"].startswith("not part of this telemetry configuration")
    jsonschema.validate(document, SCHEMA)


def test_nan_becomes_null_with_its_place(tmp_path):
    writer = ArtifactWriter(tmp_path / "a.json", {})
    table = {"fc": {"norm": Statistic.of([float("nan"), 1.0])}}
    writer.append(EpochSignals(1, gradients=table, landscape={"sharpness": float("inf")}))
    record = json.loads(writer.content())["signal_check"]["epochs"][0]
    assert record["gradient_norms"]["fc"]["non_finite"] == 1
    assert record["landscape"]["sharpness"] is None
    assert record["missing"]["landscape.sharpness"] == "came out as NaN or infinite"


def test_the_landscapes_own_reasons_stand_with_the_others(tmp_path):
    writer = ArtifactWriter(tmp_path / "a.json", {})
    land = {"sharpness": 1.0, "trace": None, "missing": {"trace": "curvlinops is not installed"}}
    writer.append(EpochSignals(1, landscape=land))
    record = json.loads(writer.content())["signal_check"]["epochs"][0]
    assert record["landscape"] == {"sharpness": 1.0, "trace": None}
    assert record["missing"]["landscape.trace"] == "curvlinops is not installed"


def test_a_crash_keeps_every_finished_epoch(tmp_path):
    writer = ArtifactWriter(tmp_path / "a.json", {})
    assert read_artifact(writer.path).epochs == []
    for epoch in (1, 2, 3):
        writer.append(stories.signals(epoch))
        assert len(read_artifact(writer.path).epochs) == epoch


def test_a_resumed_run_leaves_the_same_file_as_one_that_never_stopped(tmp_path):
    whole = stories.artifact(tmp_path / "whole.json", epochs=5)
    stopped = stories.artifact(tmp_path / "stopped.json", epochs=3, config={"epochs": 5})
    writer = ArtifactWriter(stopped.path, {"epochs": 5}, mode="resume")
    writer.truncate(2)
    shots = []
    for epoch in (1, 2):
        shots.append(stories.tell(stories.signals(epoch), stories.metrics(epoch), shots))
    for epoch in (3, 4, 5):
        seen = stories.signals(epoch)
        shots.append(stories.tell(seen, stories.metrics(epoch), shots))
        writer.append(seen, shots[-1])
    assert stopped.path.read_bytes() == whole.path.read_bytes()


def test_truncation_takes_the_convergence_back_too(tmp_path):
    path = stories.artifact(tmp_path / "a.json", epochs=4).path
    writer = ArtifactWriter(path, {}, mode="resume")
    writer.truncate(2)
    assert read_artifact(path).document["convergence"]["best_epoch"] == 2
    writer.truncate(0)
    assert read_artifact(path).document["convergence"] is None


def test_curves_survive_a_resume(tmp_path):
    curves = {"missingness_curve": stories.curve([0.8, 0.7, 0.6]), "truncation_curve": []}
    path = stories.artifact(tmp_path / "a.json", perturbations=curves).path
    section = read_artifact(ArtifactWriter(path, {}, mode="resume").path).document["perturbations"]
    assert [point["mask_rate"] for point in section["missingness_curve"]] == [0.0, 0.2, 0.4]
    assert section["truncation_curve"] is None
    assert list(section["missing"]) == ["truncation_curve"]


def test_an_artifact_is_not_written_over_by_chance(tmp_path):
    path = stories.artifact(tmp_path / "a.json").path
    with pytest.raises(UsageError, match=r"exists\. Choose another --instrumentation_tag"):
        ArtifactWriter(path, {})
    ArtifactWriter(path, {}, mode="overwrite")
    assert read_artifact(path).epochs == []


def test_an_epoch_twice_is_refused(tmp_path):
    writer = ArtifactWriter(tmp_path / "a.json", {})
    writer.append(EpochSignals(2))
    with pytest.raises(UsageError, match="after 2, got 2"):
        writer.append(EpochSignals(2))


def test_each_epoch_stands_on_one_line():
    lines = GOLDEN.read_text().splitlines()
    assert sum(line.startswith('{"activation_stats"') for line in lines) == 2


if __name__ == "__main__":
    GOLDEN.unlink(missing_ok=True)
    write_golden(GOLDEN)
