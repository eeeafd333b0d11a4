"""The words of `ablate` that the seeds spell in their own way: `--filter A B C`, and the flags of seed 000."""

from __future__ import annotations

from collections.abc import Sequence

import click

from probatum._names import nearest
from probatum.cli.arguments import split_parameters


class SweepCommand(click.Command):
    """A verb whose `--filter` takes every following word, and which passes seed 000's flags on to every run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat `--filter` for each of its words; make `--set name=value` of a flag of seed 000."""
        rest, flags = split_parameters(self, spread(args, "--filter"))
        if flags:
            rest += as_sets(self, flags)
        return super().parse_args(ctx, rest)


def as_sets(command: click.Command, flags: dict[str, list[str]]) -> list[str]:
    """Return flags of seed 000 as overrides of every experiment.

    Raises:
        click.NoSuchOption: a flag is neither the verb's own nor one of seed 000.
    """
    from probatum.parameters import INSTRUMENTATION_CATEGORY, field_specs
    from probatum.training.parameters import TrainingParameters

    specs = field_specs(TrainingParameters)
    known = [name for name, spec in specs.items() if spec.category == INSTRUMENTATION_CATEGORY]
    words: list[str] = []
    for name, values in flags.items():
        if name not in known:
            own = [spelled for option in command.params for spelled in option.opts]
            valid = [*own, *(f"--{flag}" for flag in known)]
            raise click.NoSuchOption(f"--{name}", possibilities=nearest(f"--{name}", valid))
        words += ["--set", f"{name}={','.join(values) or 'true'}"]
    return words


def spread(arguments: Sequence[str], option: str) -> list[str]:
    """Return the arguments with an option repeated for each word that follows it.

    Example:
        >>> spread(["p.yaml", "--filter", "a", "b", "--jobs", "2"], "--filter")
        ['p.yaml', '--filter', 'a', '--filter', 'b', '--jobs', '2']
    """
    result: list[str] = []
    inside = False
    for word in arguments:
        if inside and not word.startswith("--"):
            result += [option, word]
            continue
        inside = word == option
        if not inside:
            result.append(word)
    return result
