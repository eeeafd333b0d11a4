import runpy
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from probatum._errors import RecordError, UnknownNameError
from probatum.packs.encoded import encode
from probatum.packs.reader import PackReader
from probatum.packs.record import episode_record
from probatum.packs.rewards import rewards
from probatum.packs.writer import PackWriter

fakes = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fakes.py"))))

RECORDS = [fakes.record(0), fakes.grown(1), fakes.record(2, accuracies=(30.0, 40.0, 50.0)), fakes.grown(3)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs") / "pack"
    with PackWriter(folder, fakes.header()) as writer:
        for record in RECORDS:
            writer.append(encode(record, fakes.SCHEMA))
    return PackReader(folder)


def test_an_episode_is_read_by_itself(reader):
    assert reader.episode(2) == episode_record(RECORDS[2], fakes.SCHEMA)


def test_episodes_come_one_by_one_in_order(reader):
    assert [each["episode_id"] for each in reader.iterate()] == [record.episode_id for record in RECORDS]


@pytest.mark.parametrize("number", [-1, 4])
def test_an_episode_that_is_not_there_is_said(reader, number):
    with pytest.raises(IndexError, match="the pack has 4 episodes"):
        reader.episode(number)


def test_an_episode_is_found_by_id_and_by_number(reader):
    assert (reader.number("episode_0002"), reader.number("2")) == (2, 2)
    with pytest.raises(UnknownNameError, match="episode_0002"):
        reader.number("episode_002")


def test_rows_are_one_per_observation(reader):
    assert reader.episode_offsets.tolist() == [0, 8, 18, 21, 31]
    assert reader.observations.shape == (31, 27)


def test_observations_are_those_of_the_schema(reader):
    shots = RECORDS[1].observations
    for row, observed in enumerate(shots, start=8):
        vector = fakes.SCHEMA.vector(observed.recent, observed.slot)
        assert np.array_equal(reader.observations[row], np.float32(vector.values))
        assert np.array_equal(reader.mask[row], vector.mask)


def test_the_last_row_of_an_episode_decides_nothing(reader):
    last = reader.episode_offsets[1:] - 1
    assert (reader.actions_taken[last] == -1).all()
    assert (reader.good[last] == -1).all()
    assert (reader.actions_taken[:] == -1).sum() == 4


def test_learning_ends_at_the_last_decision(reader):
    ends = reader.episode_offsets[1:]
    assert np.flatnonzero(reader.done).tolist() == sorted([*(ends - 1), *(ends - 2)])


def test_actions_probabilities_and_rewards_are_those_of_the_record(reader):
    start = reader.episode_offsets[1]
    assert reader.actions_taken[start + 4] == fakes.ACTIONS.index("GERMINATE_NORM")
    assert reader.probabilities[start + 4, 3] == np.float32(0.93)
    assert np.allclose(reader.rewards[start : start + 9], rewards(RECORDS[1]))
    assert reader.epochs[start : start + 10].tolist() == list(range(1, 11))


def test_batches_hold_what_the_mapped_columns_hold(reader):
    seen = np.concatenate([batch.observations for batch in reader.batches(size=3)])
    assert np.array_equal(seen, reader.observations)


def test_batches_follow_the_order_asked_for(reader):
    (batch,) = reader.batches([3, 0, 1], size=8)
    rows = [*range(21, 31), *range(8), *range(8, 18)]
    assert np.array_equal(batch.observations, reader.observations[rows])
    assert batch.episode.tolist() == [3] * 10 + [0] * 8 + [1] * 10


def test_the_row_after_a_decision_is_the_next_observation(reader):
    (batch,) = reader.batches([1])
    assert (batch.epochs[batch.decisions + 1] == batch.epochs[batch.decisions] + 1).all()


def test_a_reader_sees_a_pack_that_is_being_written(tmp_path):
    with PackWriter(tmp_path / "pack", fakes.header()) as writer:
        writer.append(fakes.episode(0))
        reader = PackReader(tmp_path / "pack")
        writer.append(fakes.episode(1))
        assert (len(reader), len(reader.observations)) == (1, 8)
        assert reader.quick_stats["episodes"] == 1
        assert [each["episode_id"] for each in reader.summaries] == ["episode_0000"]


def test_a_pack_without_episodes_can_be_read(tmp_path):
    PackWriter(tmp_path / "pack", fakes.header()).close()
    reader = PackReader(tmp_path / "pack")
    assert (len(reader), reader.observations.shape, list(reader.batches())) == (0, (0, 27), [])


def test_a_folder_without_a_pack_is_said(tmp_path):
    with pytest.raises(RecordError, match="expected a pack, found no pack"):
        PackReader(tmp_path)


def test_a_pack_of_another_version_is_said(tmp_path):
    (tmp_path / "pack.json").write_text('{"metadata": {"num_episodes": 3}}')
    with pytest.raises(RecordError, match="expected schema_version 2, got None"):
        PackReader(tmp_path)


def test_a_column_that_nobody_asks_for_is_not_read(tmp_path):
    with PackWriter(tmp_path / "pack", fakes.header()) as writer:
        writer.append(fakes.episode())
    reader = PackReader(tmp_path / "pack")
    (batch,) = reader.batches()
    reader.paths.column("probabilities").unlink()
    assert batch.observations.shape == (8, 27)
    with pytest.raises(FileNotFoundError):
        batch.column("probabilities")


def test_a_column_that_was_cut_while_it_was_read_is_said(tmp_path):
    with PackWriter(tmp_path / "pack", fakes.header()) as writer:
        writer.append(fakes.episode())
    (batch,) = PackReader(tmp_path / "pack").batches()
    path = tmp_path / "pack" / "columns" / "mask.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RecordError, match=r"mask\.bin: expected 8 rows"):
        batch.column("mask")


def test_memory_holds_a_batch_whatever_the_size_of_the_pack(tmp_path):
    with PackWriter(tmp_path / "pack", fakes.header(), sync=False) as writer:
        for number in range(96):
            writer.append(fakes.episode(number, accuracies=(30.0,) * 25))
    reader = PackReader(tmp_path / "pack")
    assert peak(reader, range(96)) < 2.5 * peak(
        reader, range(8)
    )  # the batch before lives until the next is there


def peak(reader, episodes):
    """Return the highest number of bytes while some episodes are read, eight at a time."""
    tracemalloc.start()
    for batch in reader.batches(episodes, size=8):
        assert batch.observations.any()
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return highest
