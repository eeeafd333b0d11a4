"""Semantic metrics: equal to a plain loop, undefined where they must be, and honest about nulls."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from probatum.studies.gainakt.batch import TracingOutput
from probatum.studies.gainakt.batching import Split
from probatum.studies.gainakt.histories import Histories
from probatum.studies.gainakt.protocol import windows_of
from probatum.studies.gainakt.semantics import DESCRIPTIONS, Semantics, SemanticSettings, prediction_metrics
from probatum.studies.gainakt.simulate import CLASSROOM, simulate

SETTINGS = SemanticSettings(
    max_semantic_students=20,
    alignment_global_students=30,
    min_steps=3,
    violation_tolerance=1e-6,
    bootstrap_resamples=200,
    confidence_level=0.95,
)
CONCEPTS = 5


def windows(histories, seq_len=15):
    students = np.arange(histories.student_count)
    return Split(windows_of(histories, students, seq_len=seq_len, min_length=3), bucket_batches=4)


@pytest.fixture(scope="module")
def learners():
    return simulate(students=60, concepts=CONCEPTS, seed=4, model=CLASSROOM)


@pytest.fixture(scope="module")
def prepared(learners):
    return windows(learners)


def random_model(batch):
    """Noise that depends on the window and the step alone, so that a loop can repeat it."""
    rows = [torch.Generator().manual_seed(int(window)) for window in batch.windows]
    noise = torch.stack([torch.rand(20, CONCEPTS, generator=row) for row in rows])[:, : batch.mask.shape[1]]
    return TracingOutput(noise[..., 0] - 0.5, noise, noise.square())


def sweep(prepared, model, settings=SETTINGS, batch_size=7):
    semantics = Semantics(prepared, settings)
    collector = semantics.collector()
    for batch in prepared.evaluation_batches(batch_size):
        collector.add(batch, model(batch))
    return semantics, collector.collected()


def oracle(prepared):
    """Return a model that knows the true mastery."""
    truth = torch.from_numpy(prepared.windows.histories.truth.mastery).float()

    def model(batch):
        steps = prepared.starts[batch.windows][:, None] + torch.arange(batch.mask.shape[1])
        mastery = truth[torch.where(batch.mask, steps, 0)]
        return TracingOutput(mastery.gather(-1, batch.next_concepts[..., None])[..., 0], mastery, None)

    return model


def test_every_metric_is_described_and_given(prepared):
    semantics, collected = sweep(prepared, random_model)
    assert semantics.metrics(collected).keys() == DESCRIPTIONS.keys()


def loop_correlations(prepared, pick):
    """Return r per student by the definition, with plain loops."""
    histories, cut = prepared.windows.histories, prepared.windows
    curves: dict[int, tuple[list, list]] = {}
    for window in range(prepared.count):
        rows = torch.rand(20, CONCEPTS, generator=torch.Generator().manual_seed(window))
        x, y = curves.setdefault(int(cut.students[window]), ([], []))
        for step in range(cut.lengths[window] - 1):
            asked = cut.starts[window] + step + 1
            x.append(float(pick(rows[step])[histories.concepts[asked]]))
            y.append(int(histories.responses[asked]))
    return {
        student: np.corrcoef(x, y)[0, 1] if len(x) >= 3 and len(set(y)) > 1 else np.nan
        for student, (x, y) in curves.items()
    }


@pytest.mark.parametrize(
    ("name", "pick"),
    [("mastery_correlation", lambda row: row), ("gain_correlation", lambda row: row.square())],
)
def test_a_correlation_equals_a_plain_loop_over_students(prepared, name, pick):
    settings = replace(SETTINGS, max_semantic_students=1000)
    semantics, collected = sweep(prepared, random_model, settings)
    expected = np.nanmean(list(loop_correlations(prepared, pick).values()))
    assert semantics.metrics(collected)[name] == pytest.approx(expected, abs=1e-6)


def test_the_sample_bounds_the_students_that_are_looked_at(prepared):
    semantics, collected = sweep(prepared, random_model)
    each = loop_correlations(prepared, lambda row: row)
    expected = np.nanmean([each[int(student)] for student in semantics.facts.students[semantics.sample]])
    assert len(semantics.sample) == 20
    assert semantics.metrics(collected)["mastery_correlation"] == pytest.approx(expected, abs=1e-6)


def test_the_size_and_order_of_the_batches_do_not_matter(prepared):
    semantics, collected = sweep(prepared, random_model, batch_size=1)
    _, other = sweep(prepared, random_model, batch_size=50)
    one, two = semantics.metrics(collected), semantics.metrics(other)
    assert one == pytest.approx({k: v for k, v in two.items()}, rel=1e-12)


def test_violations_are_shares_of_steps_and_concepts_and_padding_does_not_count():
    histories = Histories.from_names(
        [["1", "2", "1", "2"], ["1", "2", "1"]], [[1, 0, 1, 0], [1, 0, 1]], ["a", "b"]
    )
    prepared = windows(histories)

    def model(batch):
        mastery = torch.tensor([0.5, 0.4, 0.6])[: batch.mask.shape[1], None].repeat(2, 1, 2)
        mastery[:, 2] = 7.0  # real for the first student, padding for the second
        gains = torch.where(batch.mask, 0.1, -1.0)[..., None].repeat(1, 1, 2)
        return TracingOutput(mastery[..., 0], mastery, gains)

    semantics, collected = sweep(prepared, model)
    metrics = semantics.metrics(collected)
    assert metrics["monotonicity_violation_rate"] == pytest.approx(4 / 6)  # 2 + 1 pairs of steps, 2 concepts
    assert metrics["bounds_violation_rate"] == pytest.approx(2 / 10)
    assert metrics["negative_gain_rate"] == 0.0


def test_rounding_within_the_tolerance_is_no_violation(prepared):
    def model(batch):
        step = torch.arange(batch.mask.shape[1])
        mastery = (1 + 5e-7 * (-1.0) ** step)[:, None].expand(*batch.mask.shape, CONCEPTS)
        return TracingOutput(mastery[..., 0], mastery, mastery - 1)

    semantics, collected = sweep(prepared, model)
    metrics = semantics.metrics(collected)
    assert [
        metrics[f"{name}_rate"] for name in ("bounds_violation", "monotonicity_violation", "negative_gain")
    ] == [0.0] * 3


def test_a_baseline_without_heads_has_no_semantics_but_predictions(prepared):
    semantics, collected = sweep(
        prepared, lambda batch: TracingOutput(torch.zeros(batch.mask.shape), None, None)
    )
    metrics = semantics.metrics(collected)
    assert all(
        value is None for name, value in metrics.items() if "step_null" not in name and "practice" not in name
    )
    assert prediction_metrics(collected)["auc"] == 0.5


def test_constant_mastery_has_no_correlation_rather_than_zero(prepared):
    def model(batch):
        flat = torch.full((*batch.mask.shape, CONCEPTS), 0.3)
        return TracingOutput(flat[..., 0], flat, flat)

    semantics, collected = sweep(prepared, model)
    metrics = semantics.metrics(collected)
    for name in ("mastery_correlation", "mastery_ci_low", "gain_correlation", "true_mastery_correlation"):
        assert metrics[name] is None
    assert metrics["mean_mastery_variance"] == pytest.approx(0, abs=1e-12)


def test_nan_outputs_give_none_and_count_as_out_of_bounds(prepared):
    def model(batch):
        broken = torch.full((*batch.mask.shape, CONCEPTS), torch.nan)
        return TracingOutput(broken[..., 0], broken, broken)

    semantics, collected = sweep(prepared, model)
    metrics = semantics.metrics(collected)
    assert metrics["bounds_violation_rate"] == 1.0
    assert metrics["mastery_correlation"] is None
    assert metrics["max_mastery_variance"] is None
    assert prediction_metrics(collected)["auc"] is None


def test_the_true_mastery_is_recovered_by_the_truth_and_beats_every_null(prepared):
    settings = replace(SETTINGS, max_semantic_students=1000)
    semantics, collected = sweep(prepared, oracle(prepared), settings)
    metrics = semantics.metrics(collected)
    assert metrics["true_mastery_correlation"] == pytest.approx(1, abs=1e-6)
    assert metrics["true_mastery_correlation_pooled"] == pytest.approx(1, abs=1e-6)
    for null in ("step_null_corr", "practice_null_corr", "mastery_shuffled_null_corr"):
        assert metrics["mastery_correlation"] > metrics[null] + 0.05


def test_a_ramp_that_knows_nothing_is_shown_up_by_its_nulls():
    """A monotone ramp correlates when success drifts upward; the step index does just as well."""
    draw = np.random.default_rng(1)
    answers = [(draw.random(30) < np.linspace(0.4, 0.9, 30)).astype(int).tolist() for _ in range(150)]
    prepared = windows(
        Histories.from_names([["1"] * 30] * 150, answers, [str(i) for i in range(150)]), seq_len=30
    )

    def ramp(batch):
        mastery = torch.linspace(0, 1, batch.mask.shape[1])[:, None].expand(*batch.mask.shape, 1)
        return TracingOutput(mastery[..., 0], mastery, None)

    settings = replace(SETTINGS, max_semantic_students=1000)
    semantics, collected = sweep(prepared, ramp, settings)
    metrics = semantics.metrics(collected)
    assert metrics["mastery_correlation"] > 0.2
    assert metrics["step_null_corr"] == pytest.approx(metrics["mastery_correlation"], abs=1e-4)
    assert metrics["mastery_shuffled_null_corr"] == pytest.approx(metrics["mastery_correlation"], abs=1e-4)


def test_variances_are_taken_per_concept_over_the_sampled_steps(prepared):
    settings = replace(SETTINGS, max_semantic_students=1000)
    semantics, collected = sweep(prepared, random_model, settings)
    rows = [
        torch.rand(20, CONCEPTS, generator=torch.Generator().manual_seed(w)) for w in range(prepared.count)
    ]
    steps = prepared.windows.lengths - 1
    eligible = set(semantics.facts.students[semantics.sample].tolist())
    kept = [
        row[:n] for row, n, s in zip(rows, steps, prepared.windows.students, strict=True) if s in eligible
    ]
    variance = torch.cat(kept).double().var(0, correction=0)
    metrics = semantics.metrics(collected)
    assert metrics["mean_mastery_variance"] == pytest.approx(float(variance.mean()), rel=1e-6)
    assert metrics["min_mastery_variance"] == pytest.approx(float(variance.min()), rel=1e-6)
    assert metrics["max_mastery_variance"] == pytest.approx(float(variance.max()), rel=1e-6)


def test_the_interval_holds_the_correlation(prepared):
    semantics, collected = sweep(prepared, oracle(prepared))
    metrics = semantics.metrics(collected)
    assert metrics["mastery_ci_low"] < metrics["mastery_correlation"] < metrics["mastery_ci_high"]


def test_next_attempt_correlations_are_means_over_concepts(prepared):
    semantics, collected = sweep(prepared, random_model)
    facts = collected.facts
    expected = []
    for concept in range(CONCEPTS):
        mine = facts.concepts == concept
        expected.append(np.corrcoef(collected.mastery[mine], facts.responses[mine])[0, 1])
    assert semantics.metrics(collected)["mastery_next_attempt_corr"] == pytest.approx(
        np.mean(expected), abs=1e-6
    )


def test_a_sweep_that_leaves_windows_out_is_refused(prepared):
    collector = Semantics(prepared, SETTINGS).collector()
    batch = next(prepared.evaluation_batches(4))
    collector.add(batch, random_model(batch))
    with pytest.raises(ValueError, match="expected every window of the split once"):
        collector.collected()


def test_predictions_are_scored_against_the_oracle(prepared):
    _, collected = sweep(prepared, random_model)
    found = prediction_metrics(collected)
    assert found["auc"] < found["oracle_auc"]
    assert found["loss"] > 0
