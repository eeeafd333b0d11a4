"""Whether a recorded configuration still agrees with itself; an edited field is refused by name."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from probatum._digest import defaults_md5
from probatum._errors import RecordError
from probatum.reproduction.hashes import recorded_config_md5, same_json


def check_config(config: Mapping[str, Any], where: str) -> None:
    """Raise where a `config.json` contradicts its own hashes, blocks or command.

    Raises:
        RecordError: the message names the fields that disagree.
    """
    needed = ("experiment", "schema_version", "defaults", "parameters", "md5", "config_md5", "commands")
    absent = [name for name in needed if name not in config]
    if absent:
        raise RecordError(f"{where}: expected the fields {', '.join(absent)}, found none of them.")
    try:
        mistakes = list(_mistakes(config))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RecordError(f"{where}: torn or edited ({type(error).__name__}: {error}).") from None
    if mistakes:
        raise RecordError(
            f"{where} was edited after the run was sealed:\n  " + "\n  ".join(mistakes)
            + "\nRestore the file; `probatum verify` shows what else was changed."
        )  # fmt: skip


def _mistakes(config: Mapping[str, Any]) -> Iterator[str]:
    parameters, defaults = config["parameters"], config["defaults"]
    if defaults_md5(defaults) != config["md5"]:
        yield "defaults: their MD5 is not the recorded `md5`"
    if recorded_config_md5(config) != config["config_md5"]:
        yield "config_md5: the parameters do not give the recorded hash"
    for block, names in (config.get("types") or {}).items():
        recorded = config.get(block) or {}
        for name in names:
            if not same_json(recorded.get(name), parameters.get(name)):
                value = parameters.get(name)
                yield f"{block}.{name}: {recorded.get(name)!r}, but parameters.{name} is {value!r}"
    expected = {**defaults, **(config.get("overrides") or {})}
    for name in sorted(expected.keys() | parameters.keys()):
        if not same_json(expected.get(name), parameters.get(name)):
            yield (
                f"parameters.{name}: {parameters.get(name)!r}, but defaults and overrides give "
                f"{expected.get(name)!r}"
            )
    yield from _command_mistakes(config["commands"].get("train_explicit", ""), parameters)


def _command_mistakes(command: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    words = shlex.split(command)
    if words[:2] != ["probatum", "train"]:
        yield f"commands.train_explicit: expected `probatum train ...`, got {command[:60]!r}"
        return
    given = {_name(word) for word in words if word.startswith("--")}
    for name in sorted(parameters.keys() - given):
        yield f"commands.train_explicit: parameter {name} is not given"


def _name(flag: str) -> str:
    return flag.partition("=")[0].removeprefix("--").replace("-", "_")
