import pytest

from probatum._errors import RecordError, UsageError
from probatum.signals.history import SnapshotHistory, read_history
from probatum.signals.snapshot import Snapshot


def filled(path, epochs, length=5):
    history = SnapshotHistory(path, length)
    for epoch in range(1, epochs + 1):
        history.append(Snapshot(epoch, val_loss=1.0 / epoch))
    return history


def test_the_history_is_complete_on_disk_and_bounded_in_memory(tmp_path):
    history = filled(tmp_path / "a" / "h.jsonl", 25)
    assert [shot.epoch for shot in history] == list(range(1, 26))
    assert [shot.epoch for shot in history.recent] == [21, 22, 23, 24, 25]
    assert len(history) == 25


def test_a_new_process_goes_on_where_the_old_one_stood(tmp_path):
    old = filled(tmp_path / "h.jsonl", 7)
    new = SnapshotHistory(tmp_path / "h.jsonl", 5)
    assert new.recent == old.recent
    new.append(Snapshot(8))
    assert len(list(new)) == 8


def test_a_torn_last_line_is_cut(tmp_path):
    path = tmp_path / "h.jsonl"
    filled(path, 3)
    path.write_bytes(path.read_bytes()[:-7])
    assert [shot.epoch for shot in SnapshotHistory(path, 5)] == [1, 2]
    assert path.read_bytes().endswith(b"\n")


def test_truncate_forgets_the_epochs_after_the_checkpoint(tmp_path):
    history = filled(tmp_path / "h.jsonl", 7)
    history.truncate(3)
    assert [shot.epoch for shot in history.recent] == [1, 2, 3]
    history.append(Snapshot(4))
    assert [shot.epoch for shot in read_history(tmp_path / "h.jsonl")] == [1, 2, 3, 4]


def test_an_epoch_twice_is_refused_and_told_how_to_go_on():
    history = filled(None, 3)
    with pytest.raises(UsageError, match=r"after 3, got 3. Call truncate\(2\)"):
        history.append(Snapshot(3))


def test_an_edited_line_is_named(tmp_path):
    path = tmp_path / "h.jsonl"
    filled(path, 3)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], '{"epoch": 2, "val_los": 1}', lines[2], ""]))
    with pytest.raises(RecordError, match=r"line 2 is no snapshot.*Did you mean 'val_loss'"):
        list(read_history(path))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RecordError, match="found no file"):
        list(read_history(tmp_path / "h.jsonl"))


def test_a_layer_with_a_strange_name_does_not_break_a_line(tmp_path):
    history = SnapshotHistory(tmp_path / "h.jsonl", 5)
    history.append(Snapshot(1, weight_norms={"a\u2028b\n": 1.0}))
    assert next(iter(read_history(tmp_path / "h.jsonl"))).weight_norms == {"a\u2028b\n": 1.0}


def test_a_history_length_of_zero_is_refused():
    with pytest.raises(UsageError, match="at least 1, got 0"):
        SnapshotHistory(None, 0)
