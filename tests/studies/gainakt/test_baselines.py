"""The baselines see no later step, and return logits alone."""

import pytest
import torch
from tests.studies.leak import assert_listens, assert_no_leak

from probatum.studies.gainakt.baselines import DKT, PlainTransformer
from probatum.studies.gainakt.batch import SequenceBatch


def baselines():
    torch.manual_seed(0)
    shape = {"num_c": 5, "d_model": 8, "d_ff": 8, "dropout": 0.1}
    return {
        "dkt": DKT(**shape),
        "plain": PlainTransformer(**shape, seq_len=12, n_heads=2, num_encoder_blocks=2),
    }


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    lengths = torch.tensor([8, 5, 4])
    real = torch.arange(8) < lengths[:, None]
    concepts = torch.randint(5, (3, 8), generator=generator) * real
    responses = torch.randint(2, (3, 8), generator=generator) * real
    return SequenceBatch.from_windows(concepts, responses, lengths, torch.arange(3), torch.arange(3))


@pytest.mark.parametrize("name", ["dkt", "plain"])
def test_a_baseline_sees_no_later_step_and_uses_history(name, batch):
    model = baselines()[name].eval()
    assert_no_leak(model, batch, concept_count=5, tolerance=1e-5)
    assert_listens(model, batch)


@pytest.mark.parametrize("name", ["dkt", "plain"])
def test_a_baseline_returns_logits_alone(name, batch):
    output = baselines()[name](batch)
    assert output.logits.shape == batch.mask.shape
    assert output.mastery is None
    assert output.gains is None
