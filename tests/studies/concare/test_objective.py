"""The objective: its parts, its phases, its teacher, and a resume that is exact."""

import copy

import pytest
import torch
from tests.studies.concare.icu_batches import model_of, small, stays
from torch.nn import functional

from probatum.studies.concare.objective import ConCareObjective
from probatum.studies.concare.teacher import Teacher
from probatum.studies.concare.thinning import thinned
from probatum.training.checkpoint import load_checkpoint, save_checkpoint

AWARE = {"missing_aware_extension": True}
PHASES = AWARE | {"missing_aware_pretrain_epochs": 2, "missing_aware_freeze_epochs": 1}


def objective(epoch=1, seed=7, **changes):
    torch.manual_seed(seed)
    made = ConCareObjective(small(**changes))
    made.start_epoch(epoch)
    return made


def test_the_main_part_is_binary_cross_entropy_and_scores_are_probabilities():
    model, batch = model_of(small()).eval(), stays()
    loss = objective()(model, batch)
    logits = model(batch).logits.detach()
    expected = functional.binary_cross_entropy(torch.sigmoid(logits), batch.targets)
    torch.testing.assert_close(loss.parts["main"].detach(), expected)
    torch.testing.assert_close(loss.scores, torch.sigmoid(logits))
    assert loss.count == len(batch.targets)


@pytest.mark.parametrize(
    "changes", [{}, AWARE, AWARE | {"missing_aware_aux_weight": 0.3}, PHASES, {"decov_weight": 0.0}]
)
@pytest.mark.parametrize("epoch", [1, 5])
def test_parts_sum_to_the_total(changes, epoch):
    loss = objective(epoch, **changes)(model_of(small(**changes)), stays())
    torch.testing.assert_close(sum(loss.parts.values()), loss.total)


@pytest.mark.parametrize(("epoch", "ramp"), [(1, 0.1), (5, 0.5), (10, 1.0), (30, 1.0)])
def test_decorrelation_warms_up_linearly(epoch, ramp):
    model, batch = model_of(small()).eval(), stays()
    loss = objective(epoch, decov_weight=0.2, decov_warmup_epochs=10)(model, batch)
    torch.testing.assert_close(loss.parts["decov"], 0.2 * ramp * model(batch).decov)


def test_pretraining_comes_first_at_its_own_rate_and_is_never_the_best_epoch():
    made = objective(**PHASES, missing_aware_pretrain_lr=0.002, learning_rate=0.001)
    assert [made.selectable(epoch) for epoch in (1, 2, 3)] == [False, False, True]
    assert [made.learning_rate_factor(epoch) for epoch in (1, 2, 3)] == [2.0, 2.0, 1.0]
    assert list(made(model_of(small(**PHASES)), stays()).parts) == ["auxiliary"]


def test_in_the_freeze_window_the_head_alone_has_gradients():
    model, made = model_of(small(**PHASES)), objective(3, **PHASES)
    made(model, stays()).total.backward()
    assert {name.split(".")[0] for name, weight in model.named_parameters() if weight.grad is not None} == {
        "head"
    }
    made.start_epoch(4)
    made(model, stays()).total.backward()
    assert all(weight.requires_grad for weight in model.parameters())


def test_the_latent_loss_is_the_distance_from_the_teacher_weighted_by_what_was_removed():
    changes = AWARE | {"missing_aware_aux_weight": 1.0, "missing_aware_ema_decay": 0.5}
    model, made, batch = model_of(small(**changes)).eval(), objective(**changes), stays()
    draw = torch.Generator().manual_seed(0)
    draw.set_state(made.generator.get_state())
    found = made(model, batch).parts["auxiliary"]
    less = thinned(batch, lowest=0.2, highest=0.8, generator=draw)
    distance = (model(less.batch).context - model(batch).context).abs().mean(-1)[:, :-1]
    expected = (distance * less.removed_share).sum() / less.removed_share.sum()
    torch.testing.assert_close(found, expected)


def test_the_auxiliary_loss_is_the_same_in_training_mode_for_its_teacher_has_no_dropout():
    changes = AWARE | {"missing_aware_aux_weight": 1.0}
    parts = []
    for train in (True, False):
        model = model_of(small(**changes)).train(train)
        parts.append(objective(**changes)(model, stays()).parts["auxiliary"])
    torch.testing.assert_close(*parts)


def test_the_teacher_is_an_exponential_average_without_gradient():
    model, teacher = model_of(small()), Teacher(0.9)
    teacher.follow(model)
    start = copy.deepcopy(model.state_dict())
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(1)
    teacher.follow(model)
    for name, weight in teacher.model.named_parameters():
        torch.testing.assert_close(weight, start[name] + 0.1)
        assert not weight.requires_grad
    assert not teacher.model.training
    assert not teacher.context(stays()).requires_grad


def test_without_the_extension_there_is_no_teacher_and_no_draw():
    made = objective(missing_aware_aux_weight=0.5, missing_aware_pretrain_epochs=3)
    before = made.generator.get_state()
    loss = made(model_of(small()), stays())
    assert set(loss.parts) == {"main", "decov"}
    assert torch.equal(made.generator.get_state(), before)


def train(model, made, optimizer, epochs):
    for epoch in epochs:
        made.start_epoch(epoch)
        for seed in range(3):
            optimizer.zero_grad()
            made(model, stays(seed=10 * epoch + seed)).total.backward()
            optimizer.step()
        made.end_epoch(epoch, {})


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_a_resume_is_exact_in_every_phase(tmp_path, stop):
    changes = PHASES | {"missing_aware_aux_weight": 0.3, "keep_prob": 1.0, "attention_dropout": 0.0}
    whole, made = model_of(small(**changes)), objective(**changes)
    optimizer = torch.optim.Adam(whole.parameters(), 0.01)
    train(whole, made, optimizer, range(1, stop + 1))
    save_checkpoint(
        tmp_path / "last.pth",
        {"model": whole.state_dict(), "optimizer": optimizer.state_dict(), "objective": made.state_dict()},
    )
    train(whole, made, optimizer, range(stop + 1, 6))

    state = load_checkpoint(tmp_path / "last.pth")
    again, later = model_of(small(**changes), seed=99), objective(seed=99, **changes)
    second = torch.optim.Adam(again.parameters(), 0.01)
    again.load_state_dict(state["model"])
    second.load_state_dict(state["optimizer"])
    later.load_state_dict(state["objective"])
    train(again, later, second, range(stop + 1, 6))
    for name, weight in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight), name


def test_trajectory_names_the_phase_and_the_shares():
    made, model = objective(**PHASES), model_of(small(**PHASES))
    phases = []
    for epoch in (1, 2, 3, 4):
        made.start_epoch(epoch)
        made(model, stays())
        made.end_epoch(epoch, {})
        phases.append(made.trajectory()["phase"])
    assert phases == ["pretraining", "pretraining", "frozen", "training"]
    shares = made.trajectory()["loss_shares"]
    assert sum(value for value in shares.values() if value is not None) == pytest.approx(1.0)


def test_the_landscape_sample_loss_moves_nothing():
    changes = AWARE | {"missing_aware_aux_weight": 0.3}
    made, model = objective(**changes), model_of(small(**changes)).eval()
    before = copy.deepcopy(made.state_dict())
    made.sample_loss(model, stays())
    after = made.state_dict()
    assert torch.equal(before.pop("generator"), after.pop("generator"))
    assert before == after
