import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum.reports.explanation.changes import what_changed
from probatum.reports.explanation.sides import find_side

explained = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("explained.py"))))


def changed(root, **changes):
    parent = explained.side(root, "base", [0.5, 0.6])
    child = explained.side(root, "child", [0.5, 0.6], **changes)
    return what_changed(find_side(parent, root), find_side(child, root))


def test_a_parameter_stands_with_both_values_and_its_pairs(tmp_path):
    [row] = changed(tmp_path, parameters={"rate": 0.2})["parameters"]
    assert (row["name"], row["parent"], row["child"], row["pairs"]) == ("rate", 0.1, 0.2, 2)


def test_the_seed_is_no_change(tmp_path):
    assert changed(tmp_path)["parameters"] == []


def test_what_follows_the_seed_on_both_sides_varies_and_is_no_change(tmp_path):
    for title in ("base", "child"):
        for seed in (1, 2):
            explained.run(tmp_path, title, seed, 0.5, parameters={"split": seed})
    found = what_changed(find_side("*_base_*", tmp_path), find_side("*_child_*", tmp_path))
    assert found["parameters"] == []
    assert found["varies_within"] == [{"name": "split", "parent": [1, 2], "child": [1, 2]}]


def test_values_that_differ_among_the_pairs_are_listed(tmp_path):
    for seed in (1, 2):
        explained.run(tmp_path, "base", seed, 0.5)
        explained.run(tmp_path, "child", seed, 0.5, parameters={"rate": seed})
    found = what_changed(find_side("*_base_*", tmp_path), find_side("*_child_*", tmp_path))
    assert found["parameters"][0]["child"] == [1, 2]


def test_another_digest_is_a_change_of_data(tmp_path):
    splits = {**explained.SPLITS, "test": {"sha256": "z", "rows": 4}}
    assert [row["name"] for row in changed(tmp_path, splits=splits)["data"]] == ["splits.test.sha256"]


def test_what_is_not_recorded_is_named(tmp_path):
    assert "data" in changed(tmp_path, splits=None)["not_recorded"]


def test_another_environment_is_named(tmp_path):
    first, second = (explained.run(tmp_path, title, 1, 0.5) for title in ("base", "child"))
    second.environment_json.unlink()  # shared with the other run by a link
    second.environment_json.write_text(first.environment_json.read_text())
    explained.rewrite(second.environment_json, lambda own: own.update(python="3.99.0"))
    found = what_changed(find_side(first.name, tmp_path), find_side(second.name, tmp_path))
    assert [(row["name"], row["child"]) for row in found["environment"]] == [("python", "3.99.0")]


def test_a_changed_parameter_that_nobody_read_is_named(tmp_path):
    parent = explained.run(tmp_path, "base", 1, 0.5)
    child = explained.run(tmp_path, "child", 1, 0.5, parameters={"rate": 0.2})
    explained.rewrite(
        child.results, lambda own: own.update(parameter_check={"unread_params": ["rate", "other"]})
    )
    assert what_changed(find_side(parent.name, tmp_path), find_side(child.name, tmp_path))["never_read"] == [
        "rate"
    ]


@pytest.mark.parametrize("overrides", [["train.width:8->16"]])
def test_a_plan_over_a_foreign_command_gives_its_overrides(tmp_path, overrides):
    explained.plan_run(tmp_path / "p", "baseline", 1, 1.0)
    explained.plan_run(tmp_path / "p", "wide", 1, 0.9, overrides=overrides)
    sides = (find_side(name, "runs", plan=tmp_path / "p") for name in ("baseline", "wide"))
    [row] = what_changed(*sides)["parameters"]
    assert (row["name"], row["parent"], row["child"]) == ("train.width", None, "16")
