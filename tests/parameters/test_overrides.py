import json

import pytest

from probatum._errors import ParameterError
from probatum.parameters import Parameters, parameter, resolve


class Small(Parameters):
    epochs: int = parameter("training", "passes over the data", ge=1)
    rate: float = parameter("training", "step size")
    seeds: tuple[int, ...] = parameter("training", "one run for each")
    title: str = parameter("experiment", "a few words")


DEFAULTS = Small(epochs=40, rate=0.1, seeds=(1,), title="t")


def _log(**call) -> list[str]:
    return [str(override) for override in resolve(Small, DEFAULTS, **call).overrides]


def test_nothing_said_changes_nothing():
    assert resolve(Small, DEFAULTS).parameters == DEFAULTS
    assert _log(sets=["epochs=40"]) == []


def test_the_layers_come_in_their_order(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("epochs: 1\nrate: 2\nseeds: [3]\n")
    call = {"from_config": path, "sets": ["rate=1e-7", "seeds=5"], "options": {"seeds": "6 7"}}
    assert _log(**call) == ["epochs:40->1", "rate:0.1->1e-07", "seeds:1->6,7"]


def test_unset_returns_to_the_default_and_is_logged_against_the_file(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("epochs: 1\n")
    resolution = resolve(Small, DEFAULTS, from_config=path, unset=["training.epochs"])
    assert resolution.parameters == DEFAULTS
    assert [str(override) for override in resolution.overrides] == ["epochs:1->40"]


def test_the_config_of_a_run_is_read_by_its_flat_parameters(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"schema_version": 3, "parameters": {"epochs": 2}}))
    assert _log(from_config=path) == ["epochs:40->2"]


def test_a_nested_file_is_read_by_its_blocks_and_mistakes_have_lines(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("training:\n  epochs: 0\n  title: x\nwings: 1\n")
    with pytest.raises(ParameterError) as caught:
        resolve(Small, DEFAULTS, from_config=path)
    text = str(caught.value)
    assert "3 mistakes" in text
    assert f"got 0 ({path}:2)" in text
    assert "Write experiment.title." in text
    assert f"unknown parameter 'wings'. Valid: epochs, rate, seeds, title. ({path}:4)" in text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"sets": ["data.epochs=3"]}, "Write training.epochs"),
        ({"sets": ["epochs=3.0"]}, "must be an integer >= 1, got '3.0'"),
        ({"sets": ["epochs"]}, "block.name=value"),
        ({"sets": ["epochs=3"], "unset": ["epochs"]}, "both --set and --unset"),
        ({"options": {"epoch": "3"}}, "Did you mean 'epochs'"),
        ({"options": {"rate": "inf"}}, "finite number"),
        ({"options": {"seeds": "1,,2"}}, "a list of integers"),
    ],
)
def test_a_mistake_names_what_was_expected(call, message):
    with pytest.raises(ParameterError, match=message):
        resolve(Small, DEFAULTS, **call)


def test_a_text_stays_a_text():
    assert resolve(Small, DEFAULTS, sets=["title=1.5"]).parameters.title == "1.5"
