"""The whole model: its size, its heads, and what each may see."""

import numpy as np
import pytest
import torch

from probatum._errors import ParameterError
from probatum.parameters import resolve
from probatum.studies.abprop.model import build_abprop
from probatum.studies.abprop.presets import SIZES
from probatum.studies.abprop.study import AbProp

NOWHERE = torch.empty(0, dtype=torch.int64)


def count(model):
    return sum(weight.numel() for weight in model.parameters())


def test_the_published_size_has_the_published_number_of_weights():
    defaults = AbProp().load_defaults()
    paper = defaults.model_copy(update=dict(SIZES["paper"]))
    assert count(build_abprop(paper, 5)) == 5_730_464


def test_the_default_size_is_the_one_that_the_defaults_file_states():
    study = AbProp()
    defaults = study.load_defaults()
    stated = study.defaults_path.read_text(encoding="utf-8")
    assert f"{count(build_abprop(defaults, 10)):,} weights" in stated


@pytest.mark.parametrize(("d_model", "valid"), [(256, "2, 4, 8, 16"), (512, "2, 4, 8, 16")])
def test_heads_that_do_not_divide_the_width_are_refused_with_those_that_do(d_model, valid):
    study = AbProp()
    with pytest.raises(ParameterError, match=rf"must divide d_model \({d_model}\), got 6.*{valid}"):
        resolve(study.parameters, study.load_defaults(), options={"d_model": str(d_model), "nhead": "6"})


def test_a_model_that_learns_nothing_is_refused(parameters_of):
    with pytest.raises(ParameterError, match="are all 0"):
        parameters_of(mlm_weight=0, cls_weight=0, reg_weight=0)


def test_outputs_have_their_shapes(tiny_model, split_of):
    batch = split_of("ACDEF", "ACD").gather(np.array([0, 1]))
    output = tiny_model(batch, torch.tensor([1, 2, 9]))
    assert output.hidden.shape == (2, 7, 16)
    assert output.residue_logits.shape == (3, 25)
    assert output.cdr_logits.shape == (2, 7, 2)
    assert output.rates.shape == (2, 10)


def test_the_residue_head_is_tied_to_the_token_embedding(tiny_model):
    assert tiny_model.residue_head.weight is tiny_model.encoder.token_embedding.weight


def test_padding_and_other_sequences_change_nothing(tiny_model, split_of):
    split = split_of("ACDEFGH", "ACD")
    tiny_model.eval()
    alone = tiny_model(split.gather(np.array([1])), NOWHERE)
    among = tiny_model(split.gather(np.array([0, 1])), NOWHERE)
    torch.testing.assert_close(among.hidden[1, :5], alone.hidden[0])
    torch.testing.assert_close(among.rates[1], alone.rates[0])


def test_every_residue_sees_both_sides(tiny_model, split_of):
    tiny_model.eval()
    one, other = (
        tiny_model(split_of(text).gather(np.array([0])), NOWHERE).hidden for text in ("ACDEF", "ACWEF")
    )
    assert ((one - other).abs().amax(-1) > 1e-6).all()


def test_regions_and_rates_are_never_read_as_inputs(tiny_model, split_of):
    batch = split_of("ACDEF").gather(np.array([0]))
    tiny_model.eval()
    moved = batch._replace(rates=batch.rates + 1, regions=torch.where(batch.regions >= 0, 2, batch.regions))
    assert torch.equal(tiny_model(batch, NOWHERE).rates, tiny_model(moved, NOWHERE).rates)
    assert torch.equal(tiny_model(batch, NOWHERE).cdr_logits, tiny_model(moved, NOWHERE).cdr_logits)


def test_gradient_checkpointing_gives_the_same_gradients(parameters_of, split_of):
    batch = split_of("ACDEFGH", "ACD").gather(np.array([0, 1]))
    gradients = []
    for on in (False, True):
        torch.manual_seed(3)
        model = build_abprop(parameters_of(gradient_checkpointing=on, dropout=0.2, num_layers=2), 10).train()
        output = model(batch, torch.tensor([1, 2]))
        (output.residue_logits.sum() + output.cdr_logits.sum() + output.rates.sum()).backward()
        gradients.append([weight.grad for weight in model.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)
