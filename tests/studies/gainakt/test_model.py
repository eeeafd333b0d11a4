"""GainAKT: the published parameter counts, no leak, bounded outputs, and what each switch adds."""

import pytest
import torch
from tests.studies.leak import assert_listens, assert_no_leak

from probatum.studies.gainakt.batch import SequenceBatch
from probatum.studies.gainakt.model import GainAKT2Exp, GainAKT3Exp

CONCEPTS = 5
PUBLISHED = {
    "num_c": 100, "seq_len": 200, "d_model": 512, "n_heads": 8, "num_encoder_blocks": 6, "d_ff": 1024,
    "dropout": 0.2, "emb_type": "qid", "norm_first": False, "use_mastery_head": True, "use_gain_head": True,
    "intrinsic_gain_attention": False, "enable_head_normalization": False, "use_skill_difficulty": False,
    "use_student_speed": False, "num_students": 10, "attention_decay": "none", "front": "none",
    "prediction_reads": "blocks",
    "use_practice_features": False, "link_mastery_to_prediction": False,
}  # fmt: skip
SMALL = {
    **PUBLISHED,
    "num_c": CONCEPTS,
    "seq_len": 12,
    "d_model": 8,
    "n_heads": 2,
    "num_encoder_blocks": 2,
    "d_ff": 8,
}
THRESHOLDS = {"mastery_threshold_init": 0.85, "threshold_temperature": 0.1}
VARIANTS = {
    "published": {},
    "intrinsic": {"intrinsic_gain_attention": True},
    "pre-norm, alibi": {"norm_first": True, "attention_decay": "alibi"},
    "lstm, learned decay": {"front": "lstm", "attention_decay": "learned"},
    "gru, read by the head": {"front": "gru", "prediction_reads": "front"},
    "conv": {"front": "conv"},
    "practice features, link": {"use_practice_features": True, "link_mastery_to_prediction": True},
    "difficulty, speed, normalised heads": {
        "use_skill_difficulty": True, "use_student_speed": True, "enable_head_normalization": True,
    },
    "no blocks": {"num_encoder_blocks": 0, "front": "lstm"},
}  # fmt: skip


def count(model):
    return sum(weights.numel() for weights in model.parameters())


def build(kind, **changes):
    torch.manual_seed(0)
    architecture = {**SMALL, **changes}
    return GainAKT2Exp(**architecture) if kind == 2 else GainAKT3Exp(**THRESHOLDS, **architecture)


def stirred(model):
    """Return the model in evaluation mode with no weight at zero: blocks that start as identities act."""
    for weights in model.parameters():
        weights.data += 0.2 * torch.randn_like(weights)
    return model.eval()


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    lengths = torch.tensor([9, 7, 4])
    real = torch.arange(9) < lengths[:, None]
    concepts = torch.randint(CONCEPTS, (3, 9), generator=generator) * real
    responses = torch.randint(2, (3, 9), generator=generator) * real
    return SequenceBatch.from_windows(concepts, responses, lengths, torch.arange(3), torch.arange(3))


def test_gainakt2exp_has_the_published_parameter_count():
    assert count(GainAKT2Exp(**PUBLISHED)) == 14_658_761


def test_intrinsic_mode_has_the_published_parameter_count():
    assert count(GainAKT2Exp(**{**PUBLISHED, "intrinsic_gain_attention": True})) == 12_738_265


def test_gainakt3exp_has_the_parameter_count_of_the_fact_sheet():
    shape = {"d_model": 256, "n_heads": 4, "num_encoder_blocks": 4, "d_ff": 512}
    assert count(GainAKT3Exp(**THRESHOLDS, **{**PUBLISHED, **shape})) == 2_735_405


@pytest.mark.parametrize("kind", [2, 3])
@pytest.mark.parametrize("name", VARIANTS)
def test_nothing_sees_what_it_must_not(kind, name, batch):
    model = stirred(build(kind, **VARIANTS[name]))
    assert_no_leak(model, batch, concept_count=CONCEPTS, tolerance=1e-5)
    assert_listens(model, batch)


@pytest.mark.parametrize("kind", [2, 3])
@pytest.mark.parametrize("name", VARIANTS)
def test_mastery_is_bounded_and_never_falls_and_gains_are_never_negative(kind, name, batch):
    output = stirred(build(kind, **VARIANTS[name]))(batch)
    assert (output.gains >= 0).all()
    assert (output.mastery >= 0).all()
    assert (output.mastery <= 1).all()
    assert (output.mastery.diff(dim=1) >= -1e-6).all()


def test_only_the_practised_concept_moves_in_gainakt3exp(batch):
    mastery = stirred(build(3))(batch).mastery
    moved = mastery.diff(dim=1).abs() > 1e-6
    practised = torch.nn.functional.one_hot(batch.concepts[:, 1:], CONCEPTS).bool()
    assert not (moved & ~practised).any()
    assert (moved & practised).any()


def test_heads_that_are_off_give_no_output(batch):
    without_mastery = build(2, use_mastery_head=False)(batch)
    assert without_mastery.mastery is None
    assert without_mastery.gains is not None
    without_gains = build(2, use_gain_head=False)(batch)
    assert without_gains.mastery is None
    assert without_gains.gains is None


def test_every_weight_is_trained_by_the_prediction_when_mastery_is_linked(batch):
    model = build(3, link_mastery_to_prediction=True, use_practice_features=True, front="lstm")
    model(batch).logits.mul(batch.mask).sum().backward()
    untrained = [name for name, weights in model.named_parameters() if weights.grad is None]
    assert untrained == []
    assert (model.thresholds.grad != 0).any()


def test_mastery_leaves_the_prediction_alone_unless_linked(batch):
    model = build(2).eval()
    before = model(batch).logits
    model.gain_head.linear.bias.data += 3.0
    assert torch.equal(model(batch).logits, before)


def test_a_pre_norm_block_starts_as_the_identity(batch):
    model = build(2, norm_first=True, dropout=0.0)
    context, value = torch.randn(3, 8, 8), torch.randn(3, 8, 8)
    with torch.no_grad():
        after, _, _ = model.blocks[0](context, value)
        bias = model.blocks[0].attention.output.bias + model.blocks[0].feed_forward[-2].bias
    torch.testing.assert_close(after, context + bias)


def test_another_embedding_kind_is_refused_by_name():
    with pytest.raises(ValueError, match="'qid', the only kind there is, got 'qidaction'"):
        build(2, emb_type="qidaction")
