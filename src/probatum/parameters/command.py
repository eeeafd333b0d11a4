"""The command line that states every parameter: what is recorded is what is run.

Source: DESIGN "Explicit command"; seed 002 "Launch Training Experiment" step 5.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

from probatum.parameters.defaults import wrong_name
from probatum.parameters.mistakes import Mistakes, build, mismatch
from probatum.parameters.model import Parameters, field_specs
from probatum.parameters.values import to_tokens, tokens_to_value

P = TypeVar("P", bound=Parameters)

_OPTION = re.compile(r"--([A-Za-z][A-Za-z0-9_-]*)(?:=(.*))?", re.DOTALL)
_NEGATIVE = re.compile(r"-[0-9.]")


def to_argv(parameters: Parameters) -> list[str]:
    """Return `--name value` for every parameter, in the order of declaration.

    A list takes one token for each element, an empty one none; a text that looks like an option is
    written `--name=text`.

    Example:
        >>> from probatum.parameters.model import parameter
        >>> class Small(Parameters):
        ...     seeds: tuple[int, ...] = parameter("training", "one run for each")
        ...     use_amp: bool = parameter("training", "mixed precision")
        >>> to_argv(Small(seeds=(21, 42), use_amp=False))
        ['--seeds', '21', '42', '--use_amp', 'false']
    """
    argv: list[str] = []
    for name, spec in field_specs(type(parameters)).items():
        tokens = to_tokens(spec, getattr(parameters, name))
        if any(token.startswith("-") and not _NEGATIVE.match(token) for token in tokens):
            argv.append(f"--{name}={tokens[0]}")
        else:
            argv += [f"--{name}", *tokens]
    return argv


def from_argv(parameters_class: type[P], argv: Sequence[str], *, ignore: Collection[str] = ()) -> P:
    """Return the parameters that an explicit command states; not one may be missing.

    Words before the first option (`probatum train STUDY`) are passed over; a bare `--flag` is true.

    Args:
        parameters_class: the study's parameters.
        argv: the tokens of the command.
        ignore: options of the verb itself, passed over with their values (`{"run_dir"}`).

    Raises:
        ParameterError: parameters are missing, unknown, given twice, or do not fit; all are named.

    Example:
        >>> from probatum.parameters.model import parameter
        >>> class Small(Parameters):
        ...     epochs: int = parameter("training", "passes over the data")
        >>> from_argv(Small, ["probatum", "train", "small", "--epochs", "3"])
        Small(epochs=3)
    """
    specs = field_specs(parameters_class)
    mistakes = Mistakes(f"parameters of {parameters_class.__name__}")
    skipped = {name.replace("-", "_") for name in ignore}
    values: dict[str, Any] = {}
    seen: set[str] = set()
    for name, tokens in split_options(argv):
        if name in skipped:
            continue
        if name not in specs:
            mistakes.add(f"{wrong_name(parameters_class, name)} (--{name})")
        elif name in seen:
            mistakes.add(f"`{name}` is given twice (--{name}). Keep one of them.")
        else:
            try:
                values[name] = tokens_to_value(specs[name], tokens)
            except ValueError:
                mistakes.add(mismatch(specs[name], " ".join(tokens), f"--{name}"))
        seen.add(name)
    missing = [name for name in specs if name not in seen]
    if missing:
        mistakes.add(
            f"every parameter must be stated, missing: {', '.join('--' + name for name in missing)}. "
            "`probatum launch` writes the whole command from the defaults."
        )
    parameters = _build_known(parameters_class, values, mistakes)
    mistakes.raise_if_any()
    if parameters is None:
        raise AssertionError("parameters without a mistake are always built")
    return parameters


def _build_known(parameters_class: type[P], values: dict[str, Any], mistakes: Mistakes) -> P | None:
    """Return the parameters; where some are absent, check at least the ones that are there."""
    found = Mistakes("")
    parameters = build(parameters_class, values, found, {"": "command line", **{n: f"--{n}" for n in values}})
    for line in found.lines:
        if not mistakes or any(line.startswith(f"`{name}`") for name in values):
            mistakes.add(line)
    return parameters


def split_options(argv: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Return each option's name (with underscores) and the tokens that follow it.

    Example:
        >>> split_options(["train", "--seeds", "21", "-42", "--learning-rate=0.1"])
        [('seeds', ['21', '-42']), ('learning_rate', ['0.1'])]
    """
    options: list[tuple[str, list[str]]] = []
    for token in argv:
        match = _OPTION.fullmatch(token)
        if match:
            options.append((match[1].replace("-", "_"), [] if match[2] is None else [match[2]]))
        elif options:
            options[-1][1].append(token)
    return options


def explicit_command(verb: str, study: str, parameters: Parameters, extra: Sequence[str] = ()) -> str:
    """Return the shell-quoted command that states every parameter and works when pasted.

    Args:
        verb: `train` or `evaluate`.
        study: the study's name, or a path relative to the working folder.
        parameters: what the run is told.
        extra: options of the verb itself, put before the parameters.

    Example:
        >>> from probatum.parameters.model import parameter
        >>> class Small(Parameters):
        ...     title: str = parameter("experiment", "a few words")
        >>> explicit_command("train", "small", Small(title="two words"))
        "probatum train small --title 'two words'"
    """
    return shlex.join(["probatum", verb, study, *extra, *to_argv(parameters)])
