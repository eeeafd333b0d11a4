"""The leak check itself: it passes a sound model and catches each kind of planted leak."""

import pytest
import torch
from tests.studies.leak import assert_listens, assert_no_leak, leaks
from torch import nn
from torch.nn.functional import one_hot

from probatum.studies.gainakt.batch import SequenceBatch, TracingOutput

CONCEPTS = 4


@pytest.fixture
def batch() -> SequenceBatch:
    generator = torch.Generator().manual_seed(1)
    concepts = torch.randint(CONCEPTS, (3, 7), generator=generator)
    responses = torch.randint(2, (3, 7), generator=generator)
    lengths = torch.tensor([7, 5, 3])
    real = torch.arange(7) < lengths[:, None]
    return SequenceBatch.from_windows(
        concepts * real, responses * real, lengths, torch.arange(3), torch.arange(3)
    )


class Counting(nn.Module):
    """A sound model: the share of right answers per concept so far, and the chosen leak on top."""

    def __init__(self, leak: str = "") -> None:
        super().__init__()
        self.leak = leak
        self.dropout = nn.Dropout(0.5)

    def forward(self, batch: SequenceBatch) -> TracingOutput:
        seen = one_hot(batch.concepts, CONCEPTS).float()
        mastery = (seen * batch.responses[..., None]).cumsum(1) / 10  # (batch, length, concepts)
        logits = mastery.gather(-1, batch.next_concepts[..., None])[..., 0] + self.dropout(torch.ones(1))
        if self.leak == "target":
            logits = logits + 0.1 * batch.next_responses
        if self.leak == "future mean":
            logits = logits + batch.responses.float().mean(1, keepdim=True)
        if self.leak == "next concept in mastery":
            mastery = mastery + 0.1 * one_hot(batch.next_concepts, CONCEPTS)
        if self.leak == "later concept":
            logits = logits + batch.next_concepts.roll(-1, dims=1)
        if self.leak == "batch":
            logits = logits + batch.responses.float().mean(0, keepdim=True)
        if self.leak == "padding":
            logits = logits + torch.where(batch.mask, 0, batch.responses).sum(1, keepdim=True)
        return TracingOutput(logits, mastery, None)


def test_a_causal_model_passes(batch):
    assert_no_leak(Counting(), batch, concept_count=CONCEPTS)
    assert_listens(Counting(), batch)


@pytest.mark.parametrize(
    ("leak", "told"),
    [
        ("target", "logits up to step 0 .* a later response"),
        ("future mean", "logits up to step 0 .* a later response"),
        ("next concept in mastery", "mastery up to step 0 .* the concept asked next"),
        ("later concept", "logits up to step 0 .* a concept after the one asked next"),
        ("batch", "another student of the batch"),
        ("padding", "the padding"),
    ],
)
def test_each_planted_leak_is_caught_and_named(batch, leak, told):
    with pytest.raises(AssertionError, match=told):
        assert_no_leak(Counting(leak), batch, concept_count=CONCEPTS)


def test_a_nan_counts_as_a_leak(batch):
    def broken(given: SequenceBatch) -> TracingOutput:
        return TracingOutput(torch.full(given.mask.shape, torch.nan), None, None)

    assert leaks(broken, batch, concept_count=CONCEPTS, tolerance=1e-6)


def test_a_model_that_ignores_the_history_is_told_so(batch):
    def deaf(given: SequenceBatch) -> TracingOutput:
        return TracingOutput(given.next_concepts.float(), None, None)

    assert_no_leak(deaf, batch, concept_count=CONCEPTS)
    with pytest.raises(AssertionError, match="ignores the history"):
        assert_listens(deaf, batch)


def test_the_check_leaves_the_training_mode_as_it_was(batch):
    model = Counting().train()
    assert_no_leak(model, batch, concept_count=CONCEPTS)
    assert model.training
