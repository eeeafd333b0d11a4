"""Three weighted losses, against losses computed by hand."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from probatum.studies.abprop.masking import corrupted
from probatum.studies.abprop.objective import AbPropObjective


@pytest.fixture
def objective_of(tiny_data):
    """Return a function that gives an objective with changed parameters."""
    parameters, data = tiny_data

    def make(**changes):
        torch.manual_seed(1)
        return AbPropObjective(parameters.model_copy(update=changes), data.facts["rate_names"])

    return make


@pytest.fixture
def batch(tiny_data):
    return tiny_data[1].splits["train"].gather(np.arange(6))


def test_parts_are_the_weighted_losses(tiny_model, objective_of, batch):
    objective = objective_of(mlm_weight=2.0, cls_weight=3.0, reg_weight=0.5)
    draws = torch.Generator().set_state(objective.generator.get_state())
    loss = objective(tiny_model, batch)
    masked = corrupted(batch, objective.probability, draws)
    output = tiny_model(batch._replace(tokens=masked.tokens), masked.places)
    real = batch.regions >= 0
    expected = {
        "mlm": 2 * cross_entropy(output.residue_logits, masked.targets),
        "cls": 3 * cross_entropy(output.cdr_logits[real], (batch.regions[real] > 0).long()),
        "reg": 0.5 * ((output.rates - batch.rates) ** 2).mean(),
    }
    for task, value in expected.items():
        torch.testing.assert_close(loss.parts[task], value)
    torch.testing.assert_close(loss.total, torch.stack(list(expected.values())).sum())
    assert loss.scores is not None
    assert loss.count == 6
    assert len(loss.scores) == int(real.sum())


def test_a_task_of_weight_zero_teaches_nothing(tiny_model, objective_of, batch):
    loss = objective_of(cls_weight=0.0, reg_weight=0.0)(tiny_model, batch)
    loss.total.backward()
    assert set(loss.parts) == {"mlm"}
    assert loss.scores is None
    assert tiny_model.cdr_head.weight.grad is None
    assert tiny_model.rate_head.weight.grad is None


def test_every_task_weighs_before_anything_is_learned(tiny_model, objective_of, batch):
    parts = objective_of()(tiny_model, batch).parts
    assert all(float(part.detach()) > 0.3 for part in parts.values())


def test_the_reported_steps_are_first_last_and_every_interval(tiny_model, objective_of, batch):
    objective = objective_of(report_interval=3)
    objective.start_epoch(1)
    for _ in range(7):
        objective(tiny_model, batch)
    objective.end_epoch(1, {})
    told = objective.trajectory()
    assert [report["step"] for report in told["steps"]] == [1, 3, 6, 7]
    assert set(told["steps"][0]) == {
        "step", "loss", "mlm_perplexity", "cls_accuracy", "cls_f1", "reg_mse", "reg_r2", "reg_spearman",
    }  # fmt: skip
    assert sum(told["loss_shares"].values()) == pytest.approx(1)


def test_it_continues_exactly_from_its_state(tiny_model, objective_of, batch):
    one, other = objective_of(), objective_of()
    one(tiny_model, batch)
    other.generator.manual_seed(99)
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(tiny_model, batch).total, other(tiny_model, batch).total)
    assert one.step == other.step == 2


def test_the_loss_of_a_fixed_sample_leaves_the_objective_alone(tiny_model, objective_of, batch):
    objective = objective_of()
    before = objective.generator.get_state()
    first, second = (objective.sample_loss(tiny_model, batch) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(before, objective.generator.get_state())
    assert objective.step == 0
