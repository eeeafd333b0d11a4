import json
import random

import pytest

from probatum._errors import RecordError
from probatum.analysis.reader import read_results


def test_every_run_is_found_in_the_same_order_whatever_the_disk_does(write, tmp_path):
    names = [f"e{index}" for index in range(9)]
    random.Random(1).shuffle(names)
    for name in names:
        write(tmp_path, "p", name, 1)
    assert [run.experiment for run in read_results(tmp_path).records] == sorted(names)


def test_a_run_is_not_searched_for_further_runs(write, tmp_path):
    folder = write(tmp_path, "p", "a", 1)
    write(folder / "artifacts", "inner", "b", 1)
    assert len(read_results(tmp_path).records) == 1


def test_links_are_not_followed(write, tmp_path):
    (write(tmp_path, "p", "a", 1).parent / "loop").symlink_to(tmp_path)
    assert len(read_results(tmp_path).records) == 1


def test_what_a_plan_sealed_is_known(write, tmp_path):
    write(tmp_path, "p", "a", 1)
    index = {
        "plan": "p",
        "baseline": "a",
        "primary_metric": "loss",
        "objectives": ["loss"],
        "experiments": [],
    }
    (tmp_path / "p" / "plan_index.json").write_text(json.dumps(index))
    found = read_results(tmp_path)
    assert found.baselines == {"p": "a"}
    assert found.declared == {"primary_metric": "loss", "objectives": ["loss"]}


def test_an_index_that_forgot_runs_hides_none(write, tmp_path):
    write(tmp_path, "p", "a", 1)
    (tmp_path / "p" / "plan_index.json").write_text('{"plan": "p", "experiments": []')
    assert len(read_results(tmp_path).records) == 1


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_folder_without_runs_is_explained(tmp_path, name):
    with pytest.raises(RecordError, match=r"no run below|found none"):
        read_results(tmp_path / name)


def test_a_seed_beside_an_older_run_without_one_is_found(write, tmp_path):
    run = write(tmp_path, "p", "a", 1)
    run.rename(run.parent / "seed_1")
    for name in ("metadata.json", "summary.json"):
        (run.parent / name).write_bytes((run.parent / "seed_1" / name).read_bytes())
    assert len(read_results(tmp_path).records) == 2


def test_what_a_new_attempt_set_aside_is_no_run(write, tmp_path):
    write(tmp_path, "p", "a", 1)
    write(tmp_path, "p", "b", 1).parent.joinpath("seed1").rename(tmp_path / "p" / "b" / "001")
    (tmp_path / "p" / "b" / "earlier").mkdir()
    (tmp_path / "p" / "b" / "001").rename(tmp_path / "p" / "b" / "earlier" / "001")
    assert [run.experiment for run in read_results(tmp_path).records] == ["a"]


def test_a_direction_that_runs_dispute_is_none(write, tmp_path):
    for seed, higher in ((1, True), (2, False)):
        folder = write(tmp_path, "p", "a", seed)
        best = {"charm": {"value": 1.0, "step": 1, "higher_is_better": higher}}
        (folder / "summary.json").write_text(json.dumps({"best": best}))
    assert "charm" not in read_results(tmp_path).definitions
