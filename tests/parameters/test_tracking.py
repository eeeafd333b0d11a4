import copy
import pickle

import pytest

from probatum.parameters import Parameters, ReadLog, parameter


class Small(Parameters):
    epochs: int = parameter("training", "passes over the data")
    patience: int = parameter("training", "epochs without progress")


SMALL = Small(epochs=3, patience=1)


def test_reads_and_missing_names_are_recorded():
    log = ReadLog()
    view = log.track(SMALL)
    assert view.epochs == 3
    assert not hasattr(view, "epoch")
    assert (log.read, log.missing, log.unread(SMALL)) == ({"epochs"}, {"epoch"}, ["patience"])


def test_the_view_is_frozen_and_passes_for_the_parameters():
    view = ReadLog().track(SMALL)
    assert isinstance(view, Small)
    assert view == SMALL
    with pytest.raises(AttributeError, match="frozen"):
        view.epochs = 4  # pyright: ignore


def test_copies_and_pickles_are_the_plain_parameters():
    view = ReadLog().track(SMALL)
    assert pickle.loads(pickle.dumps(view)) == SMALL
    assert copy.deepcopy(view) == SMALL


def test_recording_the_whole_set_is_no_read():
    log = ReadLog()
    view = log.track(SMALL)
    assert dict(view) == view.model_dump() == {"epochs": 3, "patience": 1}
    assert log.read == set()
