"""ConCare reads what it should, and the missing-aware variant differs in the biases of two attentions alone."""

import pytest
import torch
from tests.studies.concare.icu_batches import CHANNELS, STEPS, model_of, small, stays

AWARE = {"missing_aware_extension": True}


@pytest.mark.parametrize("aware", [False, True])
def test_outputs_have_their_shapes_and_attentions_are_distributions(aware):
    model = model_of(small(missing_aware_extension=aware)).eval()
    output = model(stays(5))
    assert output.logits.shape == (5,)
    assert output.context.shape == (5, CHANNELS + 1, 8)
    assert output.time_attention.shape == (5, CHANNELS, STEPS)
    assert output.feature_attention.shape == (5, CHANNELS + 1)
    assert output.decov.shape == ()
    for weights in (output.time_attention, output.feature_attention):
        torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))


def test_the_variants_share_every_weight_but_three_scalars():
    plain, aware = (model_of(small(missing_aware_extension=on)).state_dict() for on in (False, True))
    added = set(aware) - set(plain)
    assert added == {"time_attention.mask_bias", "pooling.mask_scale"}
    assert sum(aware[name].numel() for name in added) == 3
    assert all(torch.equal(aware[name], weight) for name, weight in plain.items())


@pytest.mark.parametrize(
    ("flag", "gone"),
    [
        ("missing_aware_disable_temporal_attention", "time_attention.mask_bias"),
        ("missing_aware_disable_mask_bias", "pooling.mask_scale"),
    ],
)
def test_each_bias_can_be_left_out_alone(flag, gone):
    whole, less = (set(model_of(small(**AWARE, **{flag: off})).state_dict()) for off in (False, True))
    assert whole - less == {gone}


@pytest.mark.parametrize("aware", [False, True])
@pytest.mark.parametrize("field", ["values", "mask", "since", "static", "static_mask"])
def test_both_variants_listen_to_every_input(aware, field):
    model, batch = model_of(small(missing_aware_extension=aware)).eval(), stays(4)
    changed = batch._replace(**{field: getattr(batch, field) + 1})
    assert (model(changed).logits != model(batch).logits).all()


@pytest.mark.parametrize("field", ["targets", "index"])
def test_neither_target_nor_index_is_read(field):
    model, batch = model_of(small(**AWARE)).eval(), stays(4)
    assert torch.equal(
        model(batch._replace(**{field: getattr(batch, field) + 1})).logits, model(batch).logits
    )


def test_hours_after_the_stay_are_not_read():
    model, batch = model_of(small()).eval(), stays(3, lengths=[6, 4, 2])
    noise = batch.values.clone()
    noise[1, 4:], noise[2, 2:] = 9.0, 9.0
    assert torch.equal(model(batch._replace(values=noise)).logits, model(batch).logits)


def test_stays_do_not_see_one_another():
    model, batch = model_of(small(**AWARE)).eval(), stays(6)
    alone = type(batch)(*(tensor[2:3] for tensor in batch))
    torch.testing.assert_close(model(alone).logits[0], model(batch).logits[2])


def test_every_weight_is_trained():
    model = model_of(small(**AWARE)).train()
    output = model(stays(16))
    (output.logits.sum() + output.decov).backward()
    still = [
        name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()
    ]
    assert still == ["pooling.key.bias"] or still == []  # a constant added to every score changes nothing
