from __future__ import annotations

import numpy as np
import pytest
import torch

from probatum.studies.gainakt.batch import SequenceBatch, TracingOutput
from probatum.studies.gainakt.batching import Split
from probatum.studies.gainakt.histories import Histories
from probatum.studies.gainakt.perturbation import tracing_task
from probatum.studies.gainakt.protocol import windows_of


class Recorder(torch.nn.Module):
    """Answers with the share of right answers so far, and keeps what it was shown."""

    def __init__(self):
        super().__init__()
        self.seen: list[SequenceBatch] = []

    def forward(self, batch: SequenceBatch) -> TracingOutput:
        self.seen.append(batch)
        steps = torch.arange(1, batch.responses.shape[1] + 1)
        share = batch.responses.float().cumsum(1) / steps
        return TracingOutput(torch.logit(share.clamp(0.01, 0.99)), None, None)


@pytest.fixture
def split():
    histories = Histories.from_names(
        [["1", "2", "3", "1"], ["2", "3", "2"], ["3", "1", "2"]],
        [[1, 0, 1, 1], [0, 0, 0], [1, 1, 0]],
        ["x", "y", "z"],
    )
    return Split(windows_of(histories, np.arange(3), seq_len=200, min_length=3), bucket_batches=1)


@pytest.fixture
def model():
    return Recorder()


@pytest.fixture
def task(model, split):
    return tracing_task(model, split, split, torch.device("cpu"))


def test_the_observations_are_the_answers_before_the_last(task):
    assert task.values[0, :, 0].tolist() == [1.0, 0.0, 1.0]
    assert np.isnan(task.values[1, 2, 0])
    assert task.targets.tolist() == [1, 0, 0]
    assert task.lengths.tolist() == [3, 2, 2]


def test_untouched_histories_are_scored_at_their_last_step(task):
    scores = task.predict(task.values.copy())
    assert scores == pytest.approx([2 / 3, 0.01, 0.99], abs=1e-6)


def test_a_dropped_answer_leaves_the_history_and_the_rest_closes_up(task, model):
    values = task.values.copy()
    values[0, 1, 0] = np.nan  # the wrong answer of the first window
    assert task.predict(values)[0] == pytest.approx(0.99, abs=1e-6)
    shown = next(batch for batch in model.seen if 0 in batch.windows.tolist())
    row = shown.windows.tolist().index(0)
    assert shown.concepts[row, :2].tolist() == [0, 2]
    assert shown.next_concepts[row, 1] == 0  # the concept that is asked stays


def test_an_empty_history_is_scored_with_the_share_of_right_answers_in_training(task, split):
    values = np.full_like(task.values, np.nan)
    assert task.predict(values) == pytest.approx([0.5] * 3)


def test_the_answer_that_is_asked_is_never_shown(task, model):
    task.predict(task.values.copy())
    for batch in model.seen:
        for row, window in enumerate(batch.windows.tolist()):
            history = task.lengths[window]
            assert batch.responses[row, history:].sum() == 0


def test_a_sample_of_the_windows_is_the_same_ones_always(split):
    assert split.sampled(2).windows.students.tolist() == split.sampled(2).windows.students.tolist() == [0, 2]
    assert split.sampled(None) is split
