"""The knowledge-tracing studies as the workbench sees them."""

from __future__ import annotations

import pytest
import torch
from tests.studies.leak import assert_listens, assert_no_leak

from probatum.parameters import flat, resolve
from probatum.studies import registry
from probatum.studies.gainakt.ablation_modes import ABLATION_MODES
from probatum.training.machine import PlainMachine
from probatum.training.study import StudyData

TRACING = ("gainakt2exp", "gainakt3exp", "dkt", "plain")
SEED_002_KEYS = {
    "epoch", "mastery_correlation", "gain_correlation", "warmup_scale", "alignment_corr_mastery",
    "alignment_corr_gain", "global_alignment_mastery_corr", "global_alignment_gain_corr",
    "effective_alignment_weight", "peak_mastery_corr", "retention_loss_value", "mean_lag_corr", "lag_corr_count",
    "consistency_loss_weight_current", "sparsity_loss_weight_current", "loss_shares", "mean_mastery_variance",
    "min_mastery_variance", "max_mastery_variance", "per_lag_correlations",
}  # fmt: skip


def small(name: str, **changes: str):
    """Return a study, parameters small enough for a test, and its data."""
    study = registry.load(name)
    options = {
        "simulated_students": "60",
        "simulated_concepts": "6",
        "d_model": "16",
        "d_ff": "16",
        **changes,
    }
    parameters = resolve(study.parameters, study.load_defaults(), options=options).parameters
    return study, parameters, study.load_data(parameters)


def trained_once(study, parameters, data: StudyData):
    """Return one epoch's loss, validation and trajectory entry, without a run folder."""
    torch.manual_seed(0)
    model = study.build_model(parameters, data)
    objective = study.build_objective(parameters, data)
    objective.start_epoch(1)
    loss = objective(model, next(iter(data.splits["train"].batches(16, torch.Generator().manual_seed(0)))))
    loss.total.backward()
    model.eval()
    with torch.inference_mode():
        validation = study.evaluate(
            model, "valid", parameters, data, PlainMachine(torch.device("cpu")).device, final=False
        )
    objective.end_epoch(1, validation)
    row = study.epoch_row({"train_loss": float(loss.total.detach()), "train_auc": 0.5}, validation, objective)
    return loss, validation, row, {"epoch": 1, **study.trajectory(row, validation, objective)}


@pytest.mark.parametrize("name", TRACING)
def test_no_study_sees_the_future(name: str) -> None:
    study, parameters, data = small(name)
    model = study.build_model(parameters, data).eval()
    batch = next(data.splits["valid"].evaluation_batches(6))
    assert_no_leak(model, batch, concept_count=data.facts["num_concepts"])
    assert_listens(model, batch)


@pytest.mark.parametrize("name", ["gainakt2exp", "gainakt3exp"])
def test_the_trajectory_has_every_key_of_the_seed(name: str) -> None:
    *_, entry = trained_once(*small(name))
    assert entry.keys() >= SEED_002_KEYS
    assert entry["loss_shares"].keys() == {"main", "constraint_total", "alignment", "lag", "retention"}


@pytest.mark.parametrize("name", ["gainakt2exp", "gainakt3exp"])
def test_every_epoch_column_is_measured_or_none(name: str) -> None:
    study, parameters, data = small(name)
    _, _, row, _ = trained_once(study, parameters, data)
    assert set(study.epoch_columns) <= row.keys()
    assert row["true_mastery_correlation"] is not None


def test_head_statistics_are_recorded_only_when_asked_for() -> None:
    *_, silent = trained_once(*small("gainakt2exp"))
    *_, told = trained_once(*small("gainakt2exp", log_head_stats="true"))
    assert "head_stats" not in silent
    assert told["head_stats"]["mastery_variance"] > 0


@pytest.mark.parametrize("mode", ABLATION_MODES)
def test_an_ablation_mode_changes_exactly_its_switches(mode: str) -> None:
    study = registry.load("gainakt2exp")
    defaults = study.load_defaults()
    sets = [f"{name}={str(value).lower()}" for name, value in ABLATION_MODES[mode].items()]
    changed = flat(resolve(study.parameters, defaults, sets=sets).parameters)
    different = {name: value for name, value in changed.items() if value != flat(defaults)[name]}
    assert different == {n: v for n, v in ABLATION_MODES[mode].items() if v != flat(defaults)[n]}


def test_without_constraints_the_total_is_the_cross_entropy() -> None:
    loss, *_ = trained_once(*small("gainakt2exp", enhanced_constraints="false"))
    assert torch.equal(loss.total, loss.parts["main"])


@pytest.mark.slow
def test_the_full_size_of_the_seed_trains_a_step() -> None:
    full = {
        "d_model": "512", "n_heads": "8", "num_encoder_blocks": "6", "d_ff": "1024", "front": "none",
        "use_practice_features": "false", "attention_decay": "none", "prediction_reads": "blocks",
        "norm_first": "false", "simulated_concepts": "100", "simulated_students": "60",
    }  # fmt: skip
    study, parameters, data = small("gainakt2exp", **full)
    assert sum(p.numel() for p in study.build_model(parameters, data).parameters()) == 14_658_761
    trained_once(study, parameters, data)
