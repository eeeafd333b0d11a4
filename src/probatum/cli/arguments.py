"""A study's parameters on the command line: any `--name value` that is not the verb's own option."""

from __future__ import annotations

from collections.abc import Sequence

import click


def split_parameters(
    command: click.Command, arguments: Sequence[str]
) -> tuple[list[str], dict[str, list[str]]]:
    """Return the arguments that belong to the verb, and the parameters by name.

    A parameter takes every following word up to the next `--name`, so that lists are written as
    `--seeds 21 42 63` and a switch stands alone. Hyphens and underscores mean the same.

    Raises:
        click.UsageError: a parameter is given twice.

    Example:
        >>> verb = click.Command("launch", params=[click.Option(["--title"])])
        >>> split_parameters(verb, ["dkt", "--title", "a", "--batch-size", "8", "--seeds", "1", "2", "--use_x"])
        (['dkt', '--title', 'a'], {'batch_size': ['8'], 'seeds': ['1', '2'], 'use_x': []})
    """
    own = _own_options(command)
    rest: list[str] = []
    parameters: dict[str, list[str]] = {}
    words: list[str] | None = None
    waiting = 0
    for word in arguments:
        name, has_value, value = word.partition("=")
        flag = _key(name)
        if waiting:
            rest.append(word)
            waiting -= 1
        elif flag in own:
            spelled, count = own[flag]
            rest += [spelled, value] if has_value else [spelled]
            waiting, words = (0 if has_value else count), None
        elif word.startswith("--"):
            key = flag.removeprefix("--")
            if key in parameters:
                raise click.UsageError(f"--{key} is given twice.")
            words = parameters.setdefault(key, [value] if has_value else [])
        elif words is not None:
            words.append(word)
        else:
            rest.append(word)
    return rest, parameters


def _own_options(command: click.Command) -> dict[str, tuple[str, int]]:
    """Return spelling and number of words of each of the verb's own options, by its name with underscores."""
    options = {"--help": ("--help", 0), "-h": ("-h", 0)}
    for option in command.params:
        if isinstance(option, click.Option):
            count = 0 if option.is_flag or option.count else option.nargs
            options.update({_key(name): (name, count) for name in (*option.opts, *option.secondary_opts)})
    return options


def _key(word: str) -> str:
    return "--" + word.removeprefix("--").replace("-", "_") if word.startswith("--") else word


class StudyCommand(click.Command):
    """A verb whose unknown options are a study's parameters, kept in `ctx.obj`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Split the parameters off and parse the rest."""
        rest, ctx.obj = split_parameters(self, args)
        return super().parse_args(ctx, rest)


def name_and_value(entry: str, flag: str) -> tuple[str, str]:
    """Return the parts of `NAME=VALUE`.

    Example:
        >>> name_and_value("partition=gpu", "--engine-option")
        ('partition', 'gpu')

    Raises:
        click.UsageError: the word has no name or no `=`.
    """
    name, equals, value = entry.partition("=")
    if not (name and equals):
        raise click.UsageError(f"{flag} must be NAME=VALUE, got {entry!r}.")
    return name, value
