from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from probatum.studies.abprop.batching import AntibodySplit
from probatum.studies.abprop.stream import SteppedSplit
from probatum.studies.abprop.tokenizer import encode
from probatum.training.study import SteppedSplit as Stepped


@pytest.fixture
def split():
    return AntibodySplit([encode("ACDE")] * 10, [np.zeros(4)] * 10, np.zeros((10, 5)), 8)


def rows(split, steps, batch_size=4):
    generator = torch.Generator().manual_seed(1)
    return [batch.index.tolist() for batch in SteppedSplit(split, steps).batches(batch_size, generator)]


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_an_epoch_has_the_steps_that_were_asked_for(split, steps):
    assert len(rows(split, steps)) == steps


def test_a_long_epoch_makes_several_passes(split):
    seen = Counter(row for batch in rows(split, 6) for row in batch)
    assert seen == dict.fromkeys(range(10), 2)


def test_the_loop_knows_how_many_steps_there_are(split):
    assert isinstance(SteppedSplit(split, 7), Stepped)
    assert not isinstance(split, Stepped)
    assert SteppedSplit(split, 7).steps_per_epoch(4) == 7
