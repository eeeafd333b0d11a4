import shlex
from typing import Annotated, Literal

import pytest
from annotated_types import Ge
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum._errors import ParameterError
from probatum.parameters import Parameters, explicit_command, from_argv, parameter, to_argv


class Every(Parameters):
    epochs: int = parameter("training", "passes over the data")
    rate: float = parameter("training", "step size")
    use_amp: bool = parameter("training", "mixed precision")
    title: str = parameter("experiment", "a few words")
    note: str | None = parameter("experiment", "a remark")
    threads: int | None = parameter("runtime", "CPU threads")
    optimizer: Literal["adam", "sgd"] = parameter("training", "step rule")
    seeds: tuple[Annotated[int, Ge(-(10**9))], ...] = parameter("training", "one run for each")
    rates: tuple[float, ...] = parameter("training", "several rates")
    tags: tuple[str, ...] = parameter("experiment", "labels")
    flags: tuple[bool, ...] | None = parameter("experiment", "switches")


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
) | st.sampled_from(
    [
        "none",
        "NULL",
        '"none"',
        '"',
        "--epochs",
        "--epochs=3",
        "--",
        "-x",
        "-1",
        "it's",
        "a b",
        "a,b",
        "[1]",
        "",
        "[]",
    ]
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
EVERY = st.builds(
    Every,
    epochs=st.integers(),
    rate=FLOATS,
    use_amp=st.booleans(),
    title=TEXTS,
    note=st.none() | TEXTS,
    threads=st.none() | st.integers(),
    optimizer=st.sampled_from(["adam", "sgd"]),
    seeds=st.lists(st.integers(-(10**9), 10**9), max_size=4),
    rates=st.lists(FLOATS, max_size=3),
    tags=st.lists(TEXTS, max_size=3),
    flags=st.none() | st.lists(st.booleans(), max_size=3),
)


@settings(max_examples=300, deadline=None)
@given(parameters=EVERY)
def test_the_explicit_command_reads_back_as_the_same_parameters(parameters):
    assert from_argv(Every, shlex.split(explicit_command("train", "every", parameters))) == parameters


class Small(Parameters):
    epochs: int = parameter("training", "passes over the data", ge=1)
    use_amp: bool = parameter("training", "mixed precision")
    seeds: tuple[int, ...] = parameter("training", "one run for each")


def test_missing_parameters_are_named_all_at_once():
    with pytest.raises(ParameterError, match="missing: --use_amp, --seeds"):
        from_argv(Small, ["--epochs", "3"])


def test_a_bare_flag_is_true_and_hyphens_are_underscores():
    assert from_argv(Small, ["--epochs", "3", "--use-amp", "--seeds", "1,2"]).use_amp is True


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--epoch", "3"], "Did you mean 'epochs'"),
        (["--epochs", "3", "--epochs", "4"], "given twice"),
        (["--epochs", "0"], r"`epochs` must be an integer >= 1, got 0 \(--epochs\)"),
        (["--epochs", "1", "2"], "must be an integer >= 1, got '1 2'"),
        (["--use_amp", "yes"], "true or false, got 'yes'"),
    ],
)
def test_a_wrong_option_is_explained(argv, message):
    with pytest.raises(ParameterError, match=message):
        from_argv(Small, argv)


def test_the_verbs_own_options_come_first_and_are_ignored_by_name():
    small = Small(epochs=3, use_amp=False, seeds=(1, -2))
    command = explicit_command("evaluate", "small", small, ["--run-dir", "runs/a b"])
    assert command.startswith("probatum evaluate small --run-dir 'runs/a b' --epochs 3")
    assert from_argv(Small, shlex.split(command), ignore={"run_dir"}) == small


def test_an_empty_list_takes_no_token():
    assert to_argv(Small(epochs=1, use_amp=True, seeds=()))[-1] == "--seeds"
