"""The command line: verbs are imported when they are called, and a person's mistake shows no traceback."""

from __future__ import annotations

import errno
import importlib
import os
import sys

import click

from probatum._errors import ProbatumError
from probatum._names import unknown

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)  # a person can mend these

VERBS = {
    "demo": "The whole story on embedded data, from an ablation to its report; under three minutes.",
    "studies": "List the studies, or one study's parameters.",
    "launch": "Resolve parameters, make a run folder, and train.",
    "train": "Train from an explicit command: every parameter given.",
    "evaluate": "Evaluate a run's best checkpoint on train, validation and test.",
    "resume": "Continue an interrupted run, bit for bit.",
    "reproduce": "Run a recorded experiment again and say PASS or FAIL.",
    "compare": "Compare two finished runs within the recorded tolerances.",
    "ablate": "Run a plan of experiments, several at a time, and resume it.",
    "analyze": "Tabulate results: leaderboard, significance, Pareto front, findings.",
    "signals": "Show what a probe saw in a run, or compare a child with its parent.",
    "perturb": "Add robustness curves to a finished run.",
    "explain": "Say what a change did, what moved with it, and what to doubt.",
    "report": "Make one HTML file of a run, a parent and its child, or a plan.",
    "watch": "Watch runs and plans live, in the terminal or a browser.",
    "packs": "Telemetry as episodes: make, inspect, check, tell and export packs.",
    "policy": "Train policies that intervene in runs, judge and compare them.",
    "advise": "Name the likely cause of a plateau or divergence, and what to try.",
    "runs": "List runs, best first if asked.",
    "verify": "Find any changed byte in runs, in archives and in the ledger.",
    "archive": "Write a run as one file that says by itself what was run.",
    "new": "Write a working skeleton: a study of your own.",
    "check": "Prove that no parameter has a hidden default.",
}


class LazyVerbs(click.Group):
    """A group whose commands are imported at their first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of a working day."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command called `cmd_name`."""
        if cmd_name not in VERBS:
            return None
        return importlib.import_module(f"probatum.cli.{cmd_name}").command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or the nearest names to what was typed."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(unknown("verb", args[0], VERBS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=LazyVerbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Start with:  probatum demo\n\nEach verb has its own help with examples:  probatum launch --help",
)
@click.version_option(package_name="probatum", prog_name="probatum")
def cli() -> None:
    """Change a model, and defend the change: did it help, why, would it happen again."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code: 0 fine, 1 a check failed, 2 usage, 3 the run failed."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Return the exit code of the command line called with `arguments`."""
    try:
        result = cli.main(args=arguments, prog_name="probatum", standalone_mode=False)
    except ProbatumError as error:
        click.echo(f"probatum: {error}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except BrokenPipeError:  # the reader of our output left, `probatum runs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in _DISK:
            raise
        click.echo(
            f"probatum: {error.strerror}: {error.filename or 'while writing'}. Make room or give access.",
            err=True,
        )
        return 3
    except (click.Abort, KeyboardInterrupt):
        click.echo("probatum: stopped.", err=True)
        return 3
    return result if isinstance(result, int) else 0
