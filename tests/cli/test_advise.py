import json

import pytest
from click.testing import CliRunner

from probatum._errors import RecordError, UnknownNameError
from probatum._files import strict_json
from probatum.cli.advise import command
from probatum.runs.folder import create_run_folder
from probatum.signals.epoch import EpochSignals, Statistic
from probatum.signals.narrative import tell
from probatum.signals.snapshot import EpochMetrics


def call(*words, fails=None):
    result = CliRunner().invoke(command, [str(word) for word in words])
    if fails:
        assert isinstance(result.exception, fails), result.output
        return str(result.exception)
    assert not result.exception, result.output
    return result.stdout


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = create_run_folder(tmp_path / "runs", "dkt", "quick", run_id="123456")
    metric = {"name": "val_auc", "higher_is_better": True, "upper": 1.0}
    config = {"metrics": [metric], "experiment": {"study": "dkt"}, "seeds": {"all": [7]}}
    paths.config.write_text(json.dumps(config))
    return paths


def write_epochs(paths, rows):
    lines = ["seed,epoch,train_loss,val_loss,val_auc"]
    lines += [f"7,{number},{train},{val},{auc}" for number, (train, val, auc) in enumerate(rows, start=1)]
    paths.metrics_epoch.write_text("\n".join(lines) + "\n")


def write_signals(paths, vanishing):
    shots = []
    for epoch in range(1, 9):
        share = Statistic.of([vanishing])
        signals = EpochSignals(
            epoch, gradients={"conv1": {"norm": Statistic.of([0.1]), "vanishing_share": share}}
        )
        shots.append(
            tell(signals, EpochMetrics(epoch, train_loss=2.3, val_loss=2.3, val_accuracy=0.1), shots)
        )
    paths.instrumentation_folder.mkdir()
    text = "".join(strict_json(shot.as_record(), indent=None) + "\n" for shot in shots)
    paths.snapshots("a0").write_text(text)


def advised(*words):
    return json.loads(call("123456", "--format", "json", *words))["trainings"][0]


def test_a_plateau_with_vanishing_gradients_is_told_with_numbers_and_remedy(run):
    write_signals(run, vanishing=0.9)
    found = advised()
    assert found["symptom"]["name"] == "plateau"
    first = found["causes"][0]
    assert (first["cause"], first["certainty"]) == ("vanishing_gradients", "likely")
    assert "conv1" in first["evidence"][0]
    assert "0.9" in first["evidence"][0]
    text = call("123456")
    assert "likely: vanishing gradients" in text
    assert "try: normalise gradients" in text


def test_a_plateau_with_healthy_gradients_suggests_capacity(run):
    write_signals(run, vanishing=0.0)
    found = advised()
    assert [own["cause"] for own in found["causes"]] == ["underfitting"]
    assert found["causes"][0]["certainty"] == "likely"


def test_without_signals_the_answer_says_what_was_not_seen_and_how_to_see_it(run):
    write_epochs(run, [(0.7, 0.7, 0.5)] * 6)
    found = advised()
    assert found["symptom"]["name"] == "plateau"
    assert not found["has_signals"]
    assert {"gradients", "sharpness", "classes"} <= {own["signal"] for own in found["not_seen"]}
    text = call("123456")
    assert "probatum launch dkt --instrument_signals" in text
    assert "possible: underfitting" in text


def test_divergence_and_overfitting_are_seen_in_the_epoch_file_alone(run):
    write_epochs(run, [(0.7, 0.7, 0.5), (0.6, 0.6, 0.6), (0.9, 0.9, 0.5)])
    assert advised()["symptom"]["name"] == "divergence"
    write_epochs(run, [(0.7 - 0.1 * n, 0.7 + 0.1 * n, 0.6) for n in range(6)])
    found = advised()
    assert found["symptom"]["name"] == "overfitting"
    assert found["causes"][0]["cause"] == "overfitting"


def test_a_loss_of_nan_is_a_divergence(run):
    write_epochs(run, [(0.7, 0.7, 0.5), ("nan", "nan", "")])
    found = advised()
    assert found["symptom"]["name"] == "divergence"
    assert found["causes"][0]["cause"] == "non_finite_values"


def test_a_run_that_improves_is_left_in_peace(run):
    write_epochs(run, [(0.7 - 0.05 * n, 0.7 - 0.05 * n, 0.5 + 0.05 * n) for n in range(6)])
    found = advised()
    assert found["symptom"]["name"] == "improving"
    assert found["causes"] == []


def test_each_seed_is_advised(run):
    rows = ["seed,epoch,train_loss,val_loss,val_auc"]
    rows += [f"{seed},{epoch},0.7,0.7,0.5" for seed in (7, 8) for epoch in (1, 2, 3)]
    run.metrics_epoch.write_text("\n".join(rows) + "\n")
    found = json.loads(call("123456", "--format", "json"))
    assert [own["seed"] for own in found["trainings"]] == [7, 8]


def test_a_run_without_epochs_and_an_unknown_tag_are_answered(run):
    assert "no finished epoch" in call("123456", fails=RecordError)
    write_signals(run, vanishing=0.0)
    assert "a0" in call("123456", "--tag", "a1", fails=UnknownNameError)
