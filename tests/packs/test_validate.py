import json
import runpy
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum.packs.encoded import encode
from probatum.packs.paths import PackPaths
from probatum.packs.validate import validate
from probatum.packs.writer import PackWriter

fakes = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fakes.py"))))


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs") / "pack"
    with PackWriter(folder, fakes.header()) as writer:
        for number in range(3):
            writer.append(encode(fakes.grown(number), fakes.SCHEMA))
    return folder


@pytest.fixture
def paths(original, tmp_path):
    shutil.copytree(original, tmp_path / "pack")
    return PackPaths(tmp_path / "pack")


def test_a_pack_as_written_is_valid(paths):
    found = validate(paths.folder)
    assert (found.episodes, found.mistakes, found.notes) == (3, [], [])


def test_a_changed_character_is_found(paths):
    text = paths.episodes.read_text()
    paths.episodes.write_text(text.replace("because of CULL", "because of CULT").replace("fake", "fakf", 1))
    assert validate(paths.folder).mistakes[0] == (
        "episodes.jsonl, line 1: the digest differs: this line, its listing or its rows were changed later"
    )


@pytest.mark.parametrize(
    "name",
    ["observations", "mask", "actions", "greedy", "allowed", "probabilities", "rewards", "done", "good"],
)
def test_a_changed_row_is_found(paths, name):
    path = paths.column(name)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert any("line 2: the digest differs" in mistake for mistake in validate(paths.folder).mistakes)


def rewritten(paths, change):
    """Write the pack anew with changed episodes, digests and all: what a wrong writer would leave."""
    shutil.rmtree(paths.folder)
    with PackWriter(paths.folder, fakes.header()) as writer:
        for number in range(3):
            episode = encode(fakes.grown(number), fakes.SCHEMA)
            writer.append(change(number, episode) or episode)


def test_columns_that_say_something_else_are_found(paths):
    def change(number, episode):
        if number == 1:
            episode.arrays["actions"][3] = 2
            episode.arrays["rewards"][3, 0] += 1
            episode.arrays["good"][0] = 0
            episode.arrays["observations"][0, 0] = 5.0

    rewritten(paths, change)
    text = "\n".join(validate(paths.folder).mistakes)
    for name in ("actions", "rewards", "good", "observations"):
        assert f"line 2: columns/{name}.bin does not hold what the line says" in text


def test_numbers_that_are_not_finite_are_found_with_their_place(paths):
    def change(number, episode):
        if number == 2:
            episode.arrays["observations"][4, 6] = float("nan")
            episode.arrays["rewards"][1, 2] = float("inf")

    rewritten(paths, change)
    text = "\n".join(validate(paths.folder).mistakes)
    assert "line 3: columns/observations.bin, row 4, val_accuracy: expected a finite number" in text
    assert "line 3: columns/rewards.bin, row 1, entry 2: expected a finite number" in text


def test_probabilities_that_do_not_sum_to_one_are_found(paths):
    def change(number, episode):
        episode.arrays["probabilities"][0, 0] += 0.5

    rewritten(paths, change)
    assert "line 1: columns/probabilities.bin, row 0" in validate(paths.folder).mistakes[0]


def test_a_line_of_another_form_is_found_with_its_place(paths):
    def change(number, episode):
        found = json.loads(episode.line)
        found["summary"]["outcome"] = "fine"
        line = (json.dumps(found) + "\n").encode()
        return type(episode)(episode.episode_id, line, episode.listing, episode.arrays)

    rewritten(paths, change)
    assert "episodes.jsonl, line 1.summary.outcome: expected" in validate(paths.folder).mistakes[0]


def test_nan_in_a_line_is_found(paths):
    def change(number, episode):
        line = episode.line.replace(b'"test_accuracy": 61.5', b'"test_accuracy": NaN')
        return type(episode)(episode.episode_id, line, episode.listing, episode.arrays)

    rewritten(paths, change)
    assert "NaN is no number of strict JSON" in validate(paths.folder).mistakes[0]


def test_wrong_quick_statistics_are_found(paths):
    header = json.loads(paths.header.read_text())
    header["quick_stats"]["seed_success_rate"] = 0.39
    paths.header.write_text(json.dumps(header))
    assert validate(paths.folder).mistakes == [
        "pack.json.quick_stats.seed_success_rate: expected 1.0, got 0.39"
    ]


def test_a_wrong_head_is_found_with_all_its_mistakes(paths):
    header = json.loads(paths.header.read_text())
    header["pack_id"] = 7
    header["feature_schema"]["base"].append("extra")
    header["columns"]["mask"]["dtype"] = "<f8"
    paths.header.write_text(json.dumps(header))
    text = "\n".join(validate(paths.folder).mistakes)
    assert "pack.json.pack_id: expected a string, got 7" in text
    assert "the groups and _index name different features" in text
    assert "pack.json.columns.mask" in text


def test_what_a_killed_writer_left_is_a_note(paths):
    with paths.episodes.open("ab") as file:
        file.write(b'{"episode_id": "epi')
    found = validate(paths.folder)
    assert found.is_valid
    assert "a writer was stopped" in found.notes[0]


def test_files_that_were_cut_are_found(paths):
    path = paths.column("mask")
    path.write_bytes(path.read_bytes()[:300])
    assert (
        "3 entries point beyond" in validate(paths.folder).mistakes[0]
        or "2 entries" in validate(paths.folder).mistakes[0]
    )


def test_a_listing_that_says_something_else_is_found(paths):
    def change(number, episode):
        short = episode.listing.replace(b'"seed": 1', b'"seed": 7')
        return type(episode)(episode.episode_id, episode.line, short, episode.arrays)

    rewritten(paths, change)
    assert validate(paths.folder).mistakes == ["listing.jsonl, line 2: does not say what the episode says"]


def test_an_id_that_stands_twice_is_found(paths):
    def change(number, episode):
        if number == 2:
            line = episode.line.replace(b'"episode_0002"', b'"episode_0000"')
            short = episode.listing.replace(b'"episode_0002"', b'"episode_0000"')
            return type(episode)("episode_0002", line, short, episode.arrays)
        return episode

    rewritten(paths, change)
    assert validate(paths.folder).mistakes == [
        "episodes.jsonl, line 3: episode_id 'episode_0000' is that of line 1 too"
    ]
