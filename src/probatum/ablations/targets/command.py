"""The words of a run's command: AbProp's flags for a script, placeholders for anything else."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from probatum._errors import ParameterError
from probatum._names import unknown
from probatum.ablations.plan.merge import ABSENT, value_at
from probatum.ablations.plan.model import BLOCKS, Configs

ABPROP_FLAGS = (
    "--config-path", "{train_config}", "--model-config", "{model_config}",
    "--data-config", "{data_config}", "--output-dir", "{output_dir}",
)  # fmt: skip
PLACES = ("python", "output_dir", "seed", *(f"{block}_config" for block in BLOCKS))
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w.]*)\}")


def declared_words(train_script: str | Sequence[Any]) -> tuple[str, ...]:
    """Return the words of `train_script`: a list as it is, a text split as a shell would.

    Example:
        >>> declared_words("fit --rate {train.rate}")
        ('fit', '--rate', '{train.rate}')
    """
    words = shlex.split(train_script) if isinstance(train_script, str) else train_script
    return tuple(str(word) for word in words)


def is_script(words: Sequence[str]) -> bool:
    """Return whether the command is one Python file alone, which takes AbProp's flags."""
    return len(words) == 1 and words[0].endswith(".py")


def placeholders(words: Sequence[str]) -> set[str]:
    """Return every `{name}` in the words.

    Example:
        >>> sorted(placeholders(["--out", "{output_dir}/x", "{train.lr}"]))
        ['output_dir', 'train.lr']
    """
    return {name for word in words for name in _PLACEHOLDER.findall(word)}


def unknown_placeholders(words: Sequence[str], base: Configs) -> list[str]:
    """Return a sentence for every placeholder that is none of ours and no block's value."""
    return [
        unknown("placeholder", f"{{{name}}}", [f"{{{place}}}" for place in PLACES])
        for name in sorted(placeholders(words))
        if name not in PLACES and name.partition(".")[0] not in BLOCKS
    ]


def unheard(words: Sequence[str], override_paths: Sequence[str]) -> list[str]:
    """Return the overrides that the command would never see: they would change nothing.

    Example:
        >>> unheard(["fit", "{train.lr}"], ["train.lr", "train.depth"])
        ['train.depth']
    """
    used = placeholders(words)
    return [
        path
        for path in override_paths
        if f"{path.partition('.')[0]}_config" not in used
        and not any(path == name or path.startswith(f"{name}.") for name in used)
    ]


def filled(words: Sequence[str], places: Mapping[str, str], configs: Configs) -> tuple[str, ...]:
    """Return the words with every placeholder replaced.

    Raises:
        ParameterError: a value is asked for that the configurations do not hold.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in places:
            return places[name]
        found = value_at(configs, name)
        if found is ABSENT:
            raise ParameterError(f"`{{{name}}}` in train_script: no such value in the configurations.")
        return spelled(found)

    return tuple(_PLACEHOLDER.sub(value, word) for word in words)


def spelled(value: Any) -> str:
    """Return a value as a word of a command line: `true`, `none`, `0.001`, `1,2`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(map(spelled, value))
    return "none" if value is None else str(value)
