"""The objective: parts sum to the total, every term has a gradient, padding has none, state resumes."""

import json
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from probatum.studies.gainakt.batch import SequenceBatch, TracingOutput
from probatum.studies.gainakt.objective import PredictionObjective, TracingObjective

CONCEPTS = 4
PARAMETERS = {
    "epochs": 12, "enhanced_constraints": True,
    "non_negative_loss_weight": 0.1, "monotonicity_loss_weight": 0.1,
    "mastery_performance_loss_weight": 0.8, "gain_performance_loss_weight": 0.8, "sparsity_loss_weight": 0.2,
    "consistency_loss_weight": 0.3, "warmup_constraint_epochs": 8, "enable_cosine_perf_schedule": False,
    "enable_alignment_loss": True, "alignment_weight": 0.25, "alignment_warmup_epochs": 8,
    "adaptive_alignment": True, "alignment_min_correlation": 0.05, "alignment_share_cap": 0.08,
    "alignment_share_decay_factor": 0.7, "use_residual_alignment": True, "alignment_residual_window": 5,
    "enable_global_alignment_pass": True, "enable_retention_loss": True, "retention_delta": 0.005,
    "retention_weight": 0.14, "enable_lag_gain_loss": True, "lag_gain_weight": 0.06, "lag_max_lag": 3,
    "lag_l1_weight": 0.5, "lag_l2_weight": 0.3, "lag_l3_weight": 0.2, "consistency_rebalance_epoch": 8,
    "consistency_rebalance_threshold": 0.1, "consistency_rebalance_new_weight": 0.2, "variance_floor": 0.0001,
    "variance_floor_patience": 3, "variance_floor_reduce_factor": 0.5, "freeze_sparsity": False,
}  # fmt: skip
CONSTRAINTS = (
    "non_negative",
    "monotonicity",
    "mastery_performance",
    "gain_performance",
    "sparsity",
    "consistency",
)
PARTS = ("main", *CONSTRAINTS, "alignment", "lag", "retention")


class Free(nn.Module):
    """Returns weights as its outputs, so that a gradient shows which output a term reads."""

    def __init__(self, length):
        super().__init__()
        torch.manual_seed(3)
        self.logits = nn.Parameter(torch.randn(3, length))
        self.mastery = nn.Parameter(torch.rand(3, length, CONCEPTS))
        self.gains = nn.Parameter(torch.rand(3, length, CONCEPTS) - 0.3)  # some are negative

    def forward(self, batch):
        return TracingOutput(self.logits, self.mastery, self.gains)


class OnlyLogits(Free):
    """A model without heads."""

    def forward(self, batch):
        return TracingOutput(self.logits, None, None)


def objective(*, practised_only=False, **changes):
    found = TracingObjective(SimpleNamespace(**{**PARAMETERS, **changes}), practised_only=practised_only)
    found.start_epoch(8)
    return found


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    lengths = torch.tensor([12, 9, 6])
    real = torch.arange(12) < lengths[:, None]
    concepts = torch.randint(2, (3, 12), generator=generator) * real
    responses = torch.randint(2, (3, 12), generator=generator) * real
    return SequenceBatch.from_windows(concepts, responses, lengths, torch.arange(3), torch.arange(3))


def with_other_padding(batch):
    """Return the batch whose padded steps hold other contents."""
    pad = ~batch.mask
    return batch._replace(
        concepts=torch.where(pad, 3, batch.concepts), responses=torch.where(pad, 1, batch.responses),
        next_concepts=torch.where(pad, 2, batch.next_concepts),
        next_responses=torch.where(pad, 1, batch.next_responses),
    )  # fmt: skip


def primed(**changes):
    """Return an objective that has a peak to defend."""
    found = objective(**changes)
    found.state.peak = found.state.global_correlation = 0.9
    return found


@pytest.mark.parametrize("practised_only", [False, True])
def test_the_parts_are_named_and_sum_to_the_total(practised_only, batch):
    loss = primed(practised_only=practised_only)(Free(11), batch)
    assert tuple(loss.parts) == PARTS
    torch.testing.assert_close(loss.total, torch.stack(list(loss.parts.values())).sum())
    assert loss.count == int(batch.mask.sum()) == len(loss.scores) == len(loss.targets)


@pytest.mark.parametrize("practised_only", [False, True])
@pytest.mark.parametrize("name", PARTS)
def test_every_term_has_a_gradient_and_none_from_padding(name, practised_only, batch):
    model = Free(11)
    part = primed(practised_only=practised_only)(model, batch).parts[name]
    found = torch.autograd.grad(part, list(model.parameters()), allow_unused=True)
    gradients = [gradient for gradient in found if gradient is not None]
    assert sum(gradient.abs().sum() for gradient in gradients) > 0
    for gradient in gradients:
        assert gradient.isfinite().all()
        assert (gradient[~batch.mask] == 0).all()


def test_the_contents_of_padding_change_nothing(batch):
    first, second = (primed()(Free(11), given).parts for given in (batch, with_other_padding(batch)))
    assert {name: float(part.detach()) for name, part in first.items()} == {
        name: float(part.detach()) for name, part in second.items()
    }


def test_without_constraints_it_is_cross_entropy_to_the_bit(batch):
    model = Free(11)
    off = objective(enhanced_constraints=False)(model, batch)
    alone = PredictionObjective()(model, batch)
    assert tuple(off.parts) == ("main",)
    assert torch.equal(off.total, alone.total)
    expected = nn.functional.binary_cross_entropy_with_logits(
        model.logits[batch.mask], batch.next_responses[batch.mask].float()
    )
    torch.testing.assert_close(alone.total, expected)


def test_a_model_without_heads_is_trained_on_cross_entropy(batch):
    assert tuple(objective()(OnlyLogits(11), batch).parts) == ("main",)


@pytest.mark.parametrize("answer", [0, 1])
def test_a_batch_with_one_kind_of_answer_is_finite(answer, batch):
    same = batch._replace(
        responses=torch.full_like(batch.responses, answer),
        next_responses=torch.full_like(batch.next_responses, answer),
    )
    model = Free(11)
    loss = primed()(model, same)
    loss.total.backward()
    assert loss.total.isfinite()
    assert all(weights.grad.isfinite().all() for weights in model.parameters())


def test_the_warm_up_reaches_full_weight_in_its_last_epoch():
    found = objective()
    scales = []
    for epoch in range(1, 13):
        found.start_epoch(epoch)
        scales.append(found.warmup_scale)
    assert scales == [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_the_effective_alignment_weight_of_the_seeds_sample_row(batch):
    found = objective(alignment_weight=0.15)
    found.start_epoch(2)
    found(Free(11), batch)
    found.end_epoch(2, {"global_alignment_mastery_corr": 0.1})
    assert found.trajectory()["effective_alignment_weight"] == pytest.approx(0.0375)


def test_the_peak_is_the_highest_global_correlation():
    found = objective()
    for epoch, value in enumerate((0.1, 0.3, 0.2), 1):
        found.end_epoch(epoch, {"global_alignment_mastery_corr": value})
    assert found.trajectory()["peak_mastery_corr"] == 0.3


def test_a_low_correlation_lowers_the_consistency_weight_for_good():
    found = objective()
    found.end_epoch(7, {"global_alignment_mastery_corr": 0.01})
    assert found.state.consistency_weight == 0.3  # not before its epoch
    found.end_epoch(8, {"global_alignment_mastery_corr": 0.01})
    found.end_epoch(9, {"global_alignment_mastery_corr": 0.9})
    assert found.state.consistency_weight == 0.2


@pytest.mark.parametrize(("freeze", "expected"), [(False, [0.2, 0.2, 0.1, 0.05]), (True, [0.2] * 4)])
def test_the_variance_floor_counts_epochs_not_batches(freeze, expected, batch):
    found = objective(freeze_sparsity=freeze)
    flat = Free(11)
    flat.mastery.data.fill_(0.5)
    weights = []
    for epoch in range(1, 5):
        found.start_epoch(epoch)
        for _ in range(5):
            found(flat, batch)
        found.end_epoch(epoch, {})
        weights.append(found.state.sparsity_weight)
    assert weights == expected


def test_collapsed_mastery_is_not_aligned(batch):
    flat = Free(11)
    flat.mastery.data.fill_(0.5)
    assert float(objective()(flat, batch).parts["alignment"].detach()) == 0


@pytest.mark.parametrize(
    ("switch", "part"),
    [
        ("enable_alignment_loss", "alignment"),
        ("enable_lag_gain_loss", "lag"),
        ("enable_retention_loss", "retention"),
    ],
)
def test_a_switch_removes_its_part_and_no_other(switch, part, batch):
    parts = tuple(primed(**{switch: False})(Free(11), batch).parts)
    assert parts == tuple(name for name in PARTS if name != part)


def test_the_trajectory_has_the_seeds_keys_and_shares_of_one(batch):
    found = primed()
    found(Free(11), batch)
    found.end_epoch(8, {"global_alignment_mastery_corr": 0.1})
    entry = found.trajectory()
    shares = entry["loss_shares"]
    assert set(shares) == {"main", "constraint_total", "alignment", "lag", "retention"}
    assert shares["main"] + shares["constraint_total"] == pytest.approx(1)
    assert [row["lag"] for row in entry["per_lag_correlations"]] == [1, 2, 3]
    assert {
        "warmup_scale", "alignment_corr_mastery", "alignment_corr_gain", "effective_alignment_weight",
        "peak_mastery_corr", "retention_loss_value", "mean_lag_corr", "lag_corr_count",
        "consistency_loss_weight_current", "sparsity_loss_weight_current", "loss_shares",
        "per_lag_correlations",
        "mean_mastery_variance", "min_mastery_variance", "max_mastery_variance",
    } == set(entry)  # fmt: skip
    json.dumps(entry, allow_nan=False)


def test_it_resumes_exactly_from_plain_json(batch):
    found = primed()
    found(Free(11), batch)
    found.end_epoch(8, {"global_alignment_mastery_corr": 0.1})
    other = objective()
    other.load_state_dict(json.loads(json.dumps(found.state_dict())))
    assert other.trajectory() == found.trajectory()
    for each in (found, other):
        each.start_epoch(9)
    assert float(found(Free(11), batch).total.detach()) == float(other(Free(11), batch).total.detach())
