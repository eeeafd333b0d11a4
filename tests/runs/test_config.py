import json
from pathlib import Path

import pytest

from probatum._errors import RecordError, UsageError
from probatum.runs.config import build_config, write_config, write_overrides_log
from probatum.runs.integrity import seal
from probatum.runs.paths import RunPaths

PATHS = RunPaths(Path("runs/20260101_000000_toy_quick_123456"))


def _config(**changes):
    arguments = {
        "study": "toy",
        "paths": PATHS,
        "title": "quick",
        "defaults": {"lr": 0.1, "threads": 2},
        "parameters": {"lr": 0.2, "threads": 2},
        "overrides": {"lr": 0.2},
        "categories": {"training": ["lr"], "runtime": ["threads"]},
        "metrics": [{"name": "auc"}],
        "commands": {"train_explicit": "probatum train toy --lr 0.2"},
        "seeds": [21, 42],
        "md5": "a",
        "config_md5": "b",
        "tolerance_mode": "strict",
        "created": "2026-01-01T00:00:00+00:00",
    }
    return build_config(**(arguments | changes))


def test_each_category_is_a_block_of_resolved_values():
    assert _config()["training"] == {"lr": 0.2}


def test_the_runtime_block_holds_its_parameters_the_command_and_the_time():
    assert _config()["runtime"] == {
        "threads": 2,
        "command": "probatum train toy --lr 0.2",
        "timestamp": "2026-01-01T00:00:00+00:00",
    }


def test_the_first_seed_is_the_primary_one():
    assert _config()["seeds"] == {"primary": 21, "all": [21, 42]}


def test_the_experiment_is_named_by_its_folder():
    assert _config()["experiment"]["experiment_id"] == PATHS.name
    assert _config()["experiment"]["id"] == "123456"


def test_a_reproduction_has_a_block_of_its_own():
    assert "reproduction" not in _config()
    assert _config(reproduction={"mode": "reproduce_from"})["reproduction"] == {"mode": "reproduce_from"}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused_by_its_name(value):
    with pytest.raises(RecordError, match=f"`lr` must be a finite number, got {value}"):
        _config(parameters={"lr": value, "threads": 2})


def test_all_mistakes_are_reported_together():
    with pytest.raises(RecordError) as caught:
        _config(defaults={"lr": 0.1}, categories={"metrics": ["lr"]}, seeds=[])
    for words in ("defaults", "differ in: threads", "category `metrics`", "at least one seed"):
        assert words in str(caught.value)


def test_the_file_is_strict_json_with_sorted_keys(tmp_path):
    paths = RunPaths(tmp_path)
    write_config(paths, _config())
    record = json.loads(paths.config.read_text())
    assert list(record) == sorted(record)
    assert record == _config()


def test_a_value_that_is_no_json_is_named_by_its_path(tmp_path):
    with pytest.raises(RecordError, match=r"`input.x\[0\]` must be plain JSON"):
        write_config(RunPaths(tmp_path), {"input": {"x": [object()]}})


def test_a_sealed_configuration_cannot_be_written_again(tmp_path):
    paths = RunPaths(tmp_path / "run")
    paths.folder.mkdir()
    write_config(paths, _config())
    seal(paths)
    with pytest.raises(UsageError, match="is sealed"):
        write_config(paths, _config())


def test_the_overrides_log_has_a_line_per_override(tmp_path):
    write_overrides_log(RunPaths(tmp_path), "some_run", ["lr:0.1->0.2"])
    lines = (tmp_path / "overrides_applied.txt").read_text().splitlines()
    assert lines[1:] == ["experiment_id: some_run", "override_count: 1", "override: lr:0.1->0.2", "---"]
