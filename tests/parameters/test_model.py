import pytest
from pydantic import ValidationError

from probatum.parameters import Parameters, field_specs, flat, parameter


class Small(Parameters):
    epochs: int = parameter("training", "passes over the data", ge=1)
    rate: float = parameter("training", "step size", gt=0, le=1)
    seeds: tuple[int, ...] | None = parameter("training", "one run for each")


def test_a_default_in_code_stops_the_class_itself():
    with pytest.raises(TypeError, match="expected no default, got 3"):

        class Wrong(Parameters):
            epochs: int = 3


def test_a_field_without_description_or_of_an_odd_type_is_refused():
    with pytest.raises(TypeError, match="description"):
        parameter("training", " ")
    with pytest.raises(TypeError, match="unsupported type"):

        class Wrong(Parameters):
            table: dict[str, int] = parameter("training", "a mapping")


@pytest.mark.parametrize(
    "wrong", [{"epochs": True}, {"epochs": 3.0}, {"rate": float("nan")}, {"rate": "1"}, {"x": 1}]
)
def test_types_are_strict(wrong):
    with pytest.raises(ValidationError):
        Small(**({"epochs": 1, "rate": 1, "seeds": None} | wrong))


def test_lists_are_frozen_and_flat_gives_plain_json():
    small = Small(epochs=1, rate=1, seeds=[1, 2])  # pyright: ignore
    assert small.seeds == (1, 2)
    assert flat(small) == {"epochs": 1, "rate": 1.0, "seeds": [1, 2]}
    with pytest.raises(ValidationError):
        small.epochs = 2  # pyright: ignore


def test_what_is_expected_is_said_in_words():
    assert field_specs(Small)["rate"].expected == "a finite number > 0 and <= 1"
    assert field_specs(Small)["seeds"].expected == "a list of integers, or none"
