from __future__ import annotations

import pickle

import pytest
import torch

from probatum._errors import RecordError
from probatum.training.checkpoint import load_checkpoint, save_checkpoint

STATE = {
    "epoch": 3,
    "weights": {"a": torch.arange(4.0), "b": torch.ones(2, 2).t()},
    "rows": [{"a": 1.5, "b": None}],
}


def test_a_loaded_state_is_saved_in_the_same_bytes(tmp_path):
    one, other = tmp_path / "one.pth", tmp_path / "other.pth"
    save_checkpoint(one, STATE)
    save_checkpoint(other, load_checkpoint(one))
    assert one.read_bytes() == other.read_bytes()


def test_sharing_a_storage_does_not_show_in_the_bytes(tmp_path):
    base = torch.arange(6.0)
    save_checkpoint(tmp_path / "views", {"a": base[:3], "b": base[:3]})
    save_checkpoint(tmp_path / "copies", {"a": base[:3].clone(), "b": base[:3].clone()})
    assert (tmp_path / "views").read_bytes() == (tmp_path / "copies").read_bytes()


def test_a_checkpoint_that_runs_code_is_not_loaded(tmp_path):
    torch.save({"model_state_dict": Planted(tmp_path / "ran")}, tmp_path / "model.pth")
    with pytest.raises(RecordError, match="runs code"):
        load_checkpoint(tmp_path / "model.pth")
    assert not (tmp_path / "ran").exists()


def test_a_plain_pickle_that_runs_code_is_not_loaded(tmp_path):
    (tmp_path / "model.pth").write_bytes(pickle.dumps(Planted(tmp_path / "ran"), protocol=2))
    with pytest.raises(RecordError):
        load_checkpoint(tmp_path / "model.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, -1])
def test_a_torn_checkpoint_is_named(tmp_path, keep):
    path = tmp_path / "model.pth"
    save_checkpoint(path, STATE)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(RecordError, match=r"model\.pth"):
        load_checkpoint(path)


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(RecordError, match="found none"):
        load_checkpoint(tmp_path / "model.pth")


class Planted:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))
