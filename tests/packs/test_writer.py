import runpy
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from probatum._errors import RecordError, UsageError
from probatum.packs.encoded import encode
from probatum.packs.header import PackHeader
from probatum.packs.paths import PackPaths
from probatum.packs.reader import PackReader
from probatum.packs.validate import validate
from probatum.packs.writer import PackWriter

fakes = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fakes.py"))))


def files(paths):
    """Return the files that grow, in the order in which an episode is written into them."""
    columns = [paths.column(name) for name in fakes.episode().arrays]
    return [*columns, paths.episodes, paths.listing, paths.index]


def write(folder, *episodes, **options):
    with PackWriter(folder, fakes.header(), **options) as writer:
        for episode in episodes:
            writer.append(episode)
    return PackPaths(Path(folder))


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    """A pack with one episode, and the same with two."""
    folder = tmp_path_factory.mktemp("packs")
    write(folder / "one", fakes.episode(0))
    write(folder / "two", fakes.episode(0), fakes.episode(1))
    return folder


def test_a_pack_is_continued_where_it_stopped(tmp_path):
    write(tmp_path / "pack", fakes.episode(0))
    with PackWriter(tmp_path / "pack", fakes.header()) as writer:
        assert writer.episode_ids == {"episode_0000"}
        writer.append(fakes.episode(1))
    assert [each["episode_id"] for each in PackReader(tmp_path / "pack").iterate()] == [
        "episode_0000", "episode_0001"
    ]  # fmt: skip


def killed_at(stages, folder, count):
    """Make a pack of whose second episode the first `count` bytes reached the disk; return what was left."""
    shutil.copytree(stages / "one", folder)
    one, two, here = (files(PackPaths(path)) for path in (stages / "one", stages / "two", folder))
    for before, after, path in zip(one, two, here, strict=True):
        new = after.read_bytes()[before.stat().st_size :]
        with path.open("ab") as file:
            file.write(new[:count])
        count = max(0, count - len(new))
    return count


def steps(stages):
    """Return how many bytes of the second episode go into each file."""
    one, two = (files(PackPaths(stages / name)) for name in ("one", "two"))
    return [after.stat().st_size - before.stat().st_size for before, after in zip(one, two, strict=True)]


def test_a_kill_at_any_byte_loses_that_episode_alone(stages, tmp_path):
    ends = np.cumsum(steps(stages))
    total = int(ends[-1])
    around = {int(end) + shift for end in ends for shift in (-1, 0, 1)}
    around |= set(np.random.default_rng(0).integers(0, total, 40).tolist()) | set(range(total - 60, total, 6))
    for count in sorted(each for each in around if 0 <= each < total):
        folder = tmp_path / str(count)
        killed_at(stages, folder, count)
        assert len(PackReader(folder)) == 1, count
        assert validate(folder).is_valid, count
        with PackWriter(folder, fakes.header(), sync=False) as writer:
            assert writer.episode_ids == {"episode_0000"}, count
            writer.append(fakes.episode(1))
        found, wanted = PackPaths(folder), PackPaths(stages / "two")
        for mine, theirs in zip(files(found), files(wanted), strict=True):
            assert mine.read_bytes() == theirs.read_bytes(), (count, mine.name)
        shutil.rmtree(folder)


def test_a_kill_after_the_index_entry_loses_nothing(stages, tmp_path):
    killed_at(stages, tmp_path / "pack", sum(steps(stages)))
    with PackWriter(tmp_path / "pack", fakes.header()) as writer:
        assert len(writer) == 2


@pytest.mark.parametrize("victim", range(13))
def test_a_file_that_lost_its_last_bytes_with_the_power_loses_that_episode_alone(stages, tmp_path, victim):
    shutil.copytree(stages / "two", tmp_path / "pack")
    path = files(PackPaths(tmp_path / "pack"))[victim]
    path.write_bytes(path.read_bytes()[:-1])
    with PackWriter(tmp_path / "pack", fakes.header()) as writer:
        assert writer.episode_ids == {"episode_0000"}
        writer.append(fakes.episode(1))
    assert validate(tmp_path / "pack").mistakes == []


def test_a_file_of_the_right_length_with_zeros_loses_that_episode_alone(stages, tmp_path):
    shutil.copytree(stages / "two", tmp_path / "pack")
    path = PackPaths(tmp_path / "pack").column("observations")
    content = path.read_bytes()
    path.write_bytes(content[:-400] + bytes(400))
    with PackWriter(tmp_path / "pack", fakes.header()) as writer:
        assert writer.episode_ids == {"episode_0000"}


def test_a_killed_process_leaves_whole_episodes(tmp_path):
    program = f"""
        import runpy
        from pathlib import Path
        from types import SimpleNamespace
        from probatum.packs.writer import PackWriter
        fakes = SimpleNamespace(**runpy.run_path({str(Path(__file__).with_name("fakes.py"))!r}))
        with PackWriter({str(tmp_path / "pack")!r}, fakes.header()) as writer:
            for number in range(100000):
                writer.append(fakes.episode(number))
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)])
    index = PackPaths(tmp_path / "pack").index
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if index.exists() and index.stat().st_size > 5 * 56:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    reader = PackReader(tmp_path / "pack")
    assert len(reader) >= 5
    assert validate(tmp_path / "pack").mistakes == []
    with PackWriter(tmp_path / "pack", fakes.header()) as writer:
        assert len(reader) <= len(writer) <= len(reader) + 1
        writer.append(fakes.episode(200000))
    assert validate(tmp_path / "pack").notes == []


def test_an_append_that_fails_leaves_the_pack_as_it_was(tmp_path, monkeypatch):
    with PackWriter(tmp_path / "pack", fakes.header()) as writer:
        writer.append(fakes.episode(0))
        real = PackWriter._append

        def fails(self, path, content):
            real(self, path, content[:10] if path.name == "listing.jsonl" else content)
            if path.name == "listing.jsonl":
                raise OSError("no space left")

        monkeypatch.setattr(PackWriter, "_append", fails)
        with pytest.raises(OSError, match="no space"):
            writer.append(fakes.episode(1))
        monkeypatch.undo()
        writer.append(fakes.episode(2))
    assert validate(tmp_path / "pack").mistakes == []
    assert len(PackReader(tmp_path / "pack")) == 2


def test_one_writer_at_a_time(tmp_path):
    with (
        PackWriter(tmp_path / "pack", fakes.header()),
        pytest.raises(UsageError, match="another process writes this pack"),
    ):
        PackWriter(tmp_path / "pack", fakes.header())


def test_a_closed_pack_can_be_opened_again(tmp_path):
    PackWriter(tmp_path / "pack", fakes.header()).close()
    PackWriter(tmp_path / "pack", fakes.header()).close()


def test_a_closed_writer_takes_no_episode(tmp_path):
    writer = PackWriter(tmp_path / "pack", fakes.header())
    writer.close()
    with pytest.raises(UsageError, match="was closed"):
        writer.append(fakes.episode())


def test_a_pack_is_not_continued_with_something_else(tmp_path):
    write(tmp_path / "pack", fakes.episode())
    other = fakes.header(environment={"study": "another"}, behaviour={"policies": ["other"]})
    with pytest.raises(UsageError, match="another environment, behaviour"):
        PackWriter(tmp_path / "pack", other)


def test_a_folder_of_other_files_is_no_pack(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds files and is no pack"):
        PackWriter(tmp_path, fakes.header())
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_id_is_taken_once(tmp_path):
    with PackWriter(tmp_path / "pack", fakes.header()) as writer:
        writer.append(fakes.episode(3))
        with pytest.raises(UsageError, match="has an episode 'episode_0003' already"):
            writer.append(fakes.episode(3))


def test_an_episode_of_another_schema_is_refused(tmp_path):
    narrow = PackHeader({}, {"base": ["epoch"], "_index": {"epoch": 0}}, fakes.ACTIONS, {}, {})
    with PackWriter(tmp_path / "pack", narrow) as writer, pytest.raises(UsageError, match="observations of"):
        writer.append(fakes.episode())


def test_the_same_record_gives_the_same_bytes():
    first, second = (encode(fakes.grown(), fakes.SCHEMA) for _ in range(2))
    assert first.sha256 == second.sha256


def test_an_infinite_number_is_masked_in_the_column():
    episode = fakes.episode(losses=(1e300, *(1.0,) * 7))
    column = list(fakes.SCHEMA.names).index("val_loss")
    assert (episode.arrays["mask"][0, column], episode.arrays["observations"][0, column]) == (0, 0.0)


def test_an_infinite_number_is_null_in_the_line_too(tmp_path):
    write(tmp_path / "pack", fakes.episode(losses=(1e300, *(1.0,) * 7)))
    assert PackReader(tmp_path / "pack").episode(0)["decisions"][0]["observation"]["val_loss"] is None
    assert validate(tmp_path / "pack").mistakes == []


@pytest.mark.parametrize("victim", ["columns/mask.bin", "columns/index.bin", "episodes.jsonl"])
def test_episodes_are_not_thrown_away_where_a_file_is_missing(tmp_path, victim):
    write(tmp_path / "pack", *(fakes.episode(number) for number in range(3)))
    (tmp_path / "pack" / victim).unlink()
    before = {path: path.read_bytes() for path in (tmp_path / "pack").rglob("*") if path.is_file()}
    with pytest.raises(RecordError, match="3 episodes after the first 0 are damaged"):
        PackWriter(tmp_path / "pack", fakes.header())
    assert {path: path.read_bytes() for path in before} == before
