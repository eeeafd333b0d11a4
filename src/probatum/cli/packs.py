"""`probatum packs`: telemetry as episodes: made, looked at, checked, told, exported."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from probatum.policies.generate import Progress

EXAMPLES = """\b
Examples:
  probatum packs generate --profile diagnostic --episodes 100 --jobs 2
  probatum packs inspect packs/tamiyo_diagnostic
  probatum packs validate packs/digits
  probatum packs brief packs/digits episode_00042 --decision 12
  probatum packs export packs/digits --format json digits.json"""
GENERATE_EXAMPLES = """\b
Examples:
  probatum packs generate --profile diagnostic --episodes 100 --jobs 2
  probatum packs generate packs/quick --profile minimal --episodes 8 --set epochs=10
  probatum packs generate packs/causes --diagnosis --episodes 600 --cause none --cause low_learning_rate=2
  probatum packs generate packs/mine --episodes 50 --behaviour heuristic --behaviour 'epsilon(heuristic, 0.2)=2'

Without PACK the pack is packs/STUDY_PROFILE. The same command continues what was stopped, and --episodes may
grow: an episode follows from --seed and its own number. A kill keeps what is
written and loses the unfinished episodes, at most --jobs times --side-by-side.
Exit code 0: all episodes are there; 2: usage, or the pack was begun with something else; 3: stopped."""
INSPECT_EXAMPLES = """\b
Examples:
  probatum packs inspect packs/digits
  probatum packs inspect packs/digits --format json | jq .quick_stats

The verdicts are advice: a pack with `fail` can be read, but teaches little. Exit code 0: shown; 1: no pack."""
VALIDATE_EXAMPLES = """\b
Examples:
  probatum packs validate packs/digits
  probatum packs validate packs/digits --format json | jq .mistakes

Checked: the form of every line, the digest of every episode, columns against lines, finite numbers, quick
statistics. Exit code 0: nothing wrong; 1: mistakes, each named with its place."""
EXPORT_EXAMPLES = """\b
Examples:
  probatum packs export packs/digits --format json digits.json
  probatum packs export packs/digits --format parquet digits.parquet
  probatum packs export packs/digits --format csv digits.csv

json is one document by seed 004's keys; csv and parquet have one row per observation. parquet needs pyarrow:
pip install 'probatum[parquet]'. Episodes pass one by one, so that a pack may be larger than memory."""
BRIEF_EXAMPLES = """\b
Examples:
  probatum packs brief packs/digits episode_00042
  probatum packs brief packs/digits 42 --decision 12
  probatum packs brief packs/digits episode_00042 --format json | jq '.decisions[].hindsight'

EPISODE is an id, or the number of the episode from 0. Exit code 0: told; 1: the pack is torn; 2: usage."""
_SHOWN = 50  # mistakes on the terminal


@click.group("packs", epilog=EXAMPLES)
def command() -> None:
    """Make, inspect, check, tell or export a pack of episodes."""


@command.command("generate", epilog=GENERATE_EXAMPLES)
@click.argument("pack", metavar="[PACK]", required=False)
@click.option("--study", default="tamiyo", show_default=True, help="Whose runs are observed.")
@click.option("--profile", default="diagnostic", show_default=True, metavar="NAME",
              help="What is observed: minimal, standard, diagnostic or research.")  # fmt: skip
@click.option("--episodes", type=click.IntRange(min=1), default=100, show_default=True, metavar="N",
              help="How many the pack shall hold.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
              help="Processes, each with one thread.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="All follows from it.")
@click.option("--behaviour", "behaviours", multiple=True, metavar="NAME[=WEIGHT]",
              help="A policy that acts; repeatable. Else a mix of ten (three with --diagnosis).")  # fmt: skip
@click.option("--cause", "causes", multiple=True, metavar="NAME[=WEIGHT]",
              help="A hidden cause; repeatable. Else none, and with --diagnosis each alike.")  # fmt: skip
@click.option("--diagnosis", is_flag=True, help="Offer also the interventions that mend hidden causes.")
@click.option("--counterfactuals", type=click.IntRange(min=0), default=1, show_default=True, metavar="N",
              help="Interventions of an episode that a fork judges; each costs up to an episode.")  # fmt: skip
@click.option("--side_by_side", "--side-by-side", type=click.IntRange(min=1), default=8, show_default=True,
              metavar="N", help="Episodes that train together in a process.")  # fmt: skip
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="A study's parameter; repeatable.")
def generate(
    pack: str | None, study: str, profile: str, episodes: int, jobs: int, seed: int, behaviours: tuple[str, ...],
    causes: tuple[str, ...], diagnosis: bool, counterfactuals: int, side_by_side: int, sets: tuple[str, ...],
) -> int:  # fmt: skip
    """Carry out episodes and write them into PACK, or continue a pack that was stopped."""
    from pathlib import Path

    from probatum.cli.environments import changes_of, environment_factory
    from probatum.packs.header import PackHeader
    from probatum.packs.writer import PackWriter
    from probatum.policies import plan as plans
    from probatum.policies.generate import generate as carry_out
    from probatum.policies.rollout import Counterfactuals

    mix = plans.DIAGNOSIS_MIX if diagnosis else plans.GROWTH_MIX
    usual: dict[str, float] = {cause: 1.0 for cause in (plans.CAUSES if diagnosis else plans.CAUSES[:1])}
    plan = plans.Plan(
        seed=seed,
        episodes=episodes,
        behaviours=plans.weights_of(behaviours, "behaviour") or dict(mix),
        causes=plans.weights_of(causes, "cause") or usual,
        side_by_side=side_by_side,
    )
    factory = environment_factory(
        study, profile, changes_of(study, sets), runs=side_by_side, diagnosis=diagnosis
    )
    environment = factory()
    known = environment.describe()
    header = PackHeader(
        known.get("telemetry", {}),
        environment.schema.as_record(),
        environment.actions,
        known,
        {**plan.as_record(), "counterfactuals": counterfactuals},
    )
    folder = Path(pack) if pack else Path("packs") / f"{study}_{profile}"
    with PackWriter(folder, header) as writer:
        forks = Counterfactuals(counterfactuals) if counterfactuals else None
        for episode in carry_out(
            plan, factory, jobs=jobs, done=writer.episode_ids, counterfactuals=forks, report=_told
        ):
            writer.append(episode)
        count = len(writer)
    click.echo(f"{folder}: {count} episodes")
    return 0


@command.command("inspect", epilog=INSPECT_EXAMPLES)
@click.argument("pack", metavar="PACK")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="How the pack is shown.")  # fmt: skip
def inspect(pack: str, form: str) -> int:
    """Show a pack's quick statistics, its health with verdicts, columns and size."""
    from probatum._files import strict_json
    from probatum.packs.inspect import inspection, inspection_text
    from probatum.packs.reader import PackReader

    found = inspection(PackReader(pack))
    click.echo(strict_json(found) if form == "json" else inspection_text(found))
    return 0


@command.command("validate", epilog=VALIDATE_EXAMPLES)
@click.argument("pack", metavar="PACK")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="How the mistakes are shown.")  # fmt: skip
def validate(pack: str, form: str) -> int:
    """Check a pack: form, digests, columns against episodes, finite numbers; all mistakes at once."""
    from probatum._files import strict_json
    from probatum.packs.validate import validate as check

    found = check(pack)
    if form == "json":
        click.echo(strict_json(found.as_record()))
        return int(not found.is_valid)
    for mistake in found.mistakes[:_SHOWN]:
        click.echo(mistake)
    if len(found.mistakes) > _SHOWN:
        click.echo(f"... and {len(found.mistakes) - _SHOWN} more; --format json has all.")
    for note in found.notes:
        click.echo(f"note: {note}")
    wrong = (
        f"{len(found.mistakes)} mistake{'s' * (len(found.mistakes) != 1)}"
        if found.mistakes
        else "nothing wrong"
    )
    click.echo(f"{found.episodes} episodes: {wrong}")
    return int(not found.is_valid)


@command.command("export", epilog=EXPORT_EXAMPLES)
@click.argument("pack", metavar="PACK")
@click.argument("out", metavar="OUT")
@click.option("--format", "form", type=click.Choice(["json", "csv", "parquet"]), required=True,
              help="What OUT becomes.")  # fmt: skip
def export(pack: str, out: str, form: str) -> int:
    """Write a pack as one file, OUT; one that is there is replaced."""
    from probatum.packs.export import export as write
    from probatum.packs.reader import PackReader

    reader = PackReader(pack)
    click.echo(f"{write(reader, form, out)}: {len(reader)} episodes")
    return 0


@command.command("brief", epilog=BRIEF_EXAMPLES)
@click.argument("pack", metavar="PACK")
@click.argument("episode", metavar="EPISODE")
@click.option("--decision", type=click.IntRange(min=0), metavar="N", help="One decision, counted from 0.")
@click.option("--format", "form", type=click.Choice(["markdown", "json"]), default="markdown",
              show_default=True, help="How the brief is written.")  # fmt: skip
def brief(pack: str, episode: str, decision: int | None, form: str) -> int:
    """Tell an episode: every decision with flags, the numbers behind each, why, why not, and hindsight."""
    from probatum._files import strict_json
    from probatum.packs.brief import episode_brief, episode_markdown
    from probatum.packs.reader import PackReader

    reader = PackReader(pack)
    found = episode_brief(reader.episode(reader.number(episode)), decision)
    click.echo(strict_json(found) if form == "json" else episode_markdown(found), nl=form == "json")
    return 0


def _told(progress: Progress) -> None:
    """Show how far a generation is: in place on a terminal, else a line each time."""
    last = progress.finished >= progress.total
    on_terminal = sys.stderr.isatty()
    click.echo(
        ("\r" * on_terminal) + progress.line().ljust(60 * on_terminal), err=True, nl=last or not on_terminal
    )
