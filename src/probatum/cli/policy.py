"""`probatum policy`: train policies from packs, judge them offline, and let them meet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from probatum.policies.evaluation import Outcome

EXAMPLES = """\b
Examples:
  probatum policy train packs/digits --algorithm iql --seeds 1,2,3
  probatum policy evaluate packs/digits policies/iql_all_seed1.json
  probatum policy compare no_growth fixed random heuristic policies/iql_all_seed1.json --episodes 10
  probatum policy diagnose results/richer --episodes 240 --jobs 2"""
TRAIN_EXAMPLES = """\b
Examples:
  probatum policy train packs/digits                                  imitation, three seeds
  probatum policy train packs/digits --algorithm iql --features base
  probatum policy train packs/digits --algorithm cql --set conservatism=0.5 --set steps=4000
  probatum policy train packs/digits --only 'heuristic*' --out policies/imitated
  probatum policy train --algorithm ppo --study tamiyo --profile minimal --change epochs=10

Each seed leaves NAME.json with NAME.pt beside it, and the report stands in report.json. Exit code 0: trained;
1: no pack; 2: usage."""
EVALUATE_EXAMPLES = """\b
Examples:
  probatum policy evaluate packs/digits policies/iql_all_seed1.json policies/cql_all_seed1.json

The test episodes of the split that follows from the pack's digest are read, and no other. Exit code 0: shown;
1: the policy was trained on other features; 2: usage."""
COMPARE_EXAMPLES = """\b
Examples:
  probatum policy compare
  probatum policy compare no_growth heuristic policies/imitation_all_seed1.json --episodes 12
  probatum policy compare --diagnosis flags policies/iql_all_seed1.json --cause vanishing_gradients --cause none
  probatum policy compare --format json --out comparison.json --figures figures

All policies begin in the same initial states and have the same budget; the measure is the accuracy on the test
split at the end. With --out, an interrupted comparison is continued. Exit code 0: compared; 1: a policy was
trained on other features; 2: usage."""
DIAGNOSE_EXAMPLES = """\b
Examples:
  probatum policy diagnose results/richer --episodes 240 --jobs 2
  probatum policy diagnose results/quick --episodes 60 --seeds 1,2 --test-episodes 12 --change epochs=10

Episodes with hidden causes are generated once; policies learn from them with the 27 base features and with all
features of the profile, and are compared by what they reach in new episodes. The folder holds the pack, the
policies, result.json and result.md; the same command continues what was stopped. Exit code 0: done; 2: usage."""
FORM = click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
                    help="How the result is shown.")  # fmt: skip
STUDY = click.option("--study", default="tamiyo", show_default=True, help="Whose runs are acted in.")
PROFILE = click.option("--profile", default="diagnostic", show_default=True, metavar="NAME",
                       help="What is observed: minimal, standard, diagnostic or research.")  # fmt: skip
CHANGE = click.option("--change", "changes", multiple=True, metavar="NAME=VALUE",
                      help="A parameter of the study, such as epochs=10; repeatable.")  # fmt: skip
SET = click.option("--set", "sets", multiple=True, metavar="NAME=VALUE",
                   help="A setting of the algorithm; repeatable.")  # fmt: skip
NETWORK_SEEDS = "1,2,3"
SEEDS = click.option(
    "--seeds", metavar="LIST", help=f"Seeds of the networks; {NETWORK_SEEDS} where not given."
)
SIDE_BY_SIDE = click.option("--side_by_side", "--side-by-side", type=click.IntRange(min=1), default=8,
                            show_default=True, metavar="N", help="Episodes that go together.")  # fmt: skip


@click.group("policy", epilog=EXAMPLES)
def command() -> None:
    """Train policies that intervene in runs, judge them, and compare them by outcome."""


@command.command("train", epilog=TRAIN_EXAMPLES)
@click.argument("pack", metavar="[PACK]", required=False)
@click.option("--algorithm", type=click.Choice(["imitation", "iql", "cql", "ppo"]), default="imitation",
              show_default=True, help="How to learn; ppo acts in an environment and reads no pack.")  # fmt: skip
@click.option("--features", default="all", show_default=True, metavar="GROUPS",
              help="base (27 numbers), all, or groups of the pack's schema joined by commas.")  # fmt: skip
@click.option(
    "--only", multiple=True, metavar="PATTERN", help="Episodes of these behaviour policies; repeatable."
)
@click.option("--out", default="policies", show_default=True, metavar="FOLDER", help="Where the policies go.")
@click.option("--diagnosis", is_flag=True, help="ppo: offer also the interventions that mend hidden causes.")
@SEEDS
@SET
@STUDY
@PROFILE
@CHANGE
@FORM
def train(pack: str | None, algorithm: str, seeds: str | None, form: str, out: str, **options: Any) -> int:
    """Train on PACK: choose on its validation episodes, report on its test episodes, several seeds."""
    from probatum._files import strict_json, write_json
    from probatum.policies.learn import learn, lessons_record, lessons_text, settings_of
    from probatum.policies.store import save_policy

    chosen = settings_of(algorithm, pairs(options["sets"]))
    numbers = seeds_of(seeds or NETWORK_SEEDS)
    if (pack is None) != (algorithm == "ppo"):
        raise click.UsageError(
            "ppo learns online and takes no PACK." if pack else f"{algorithm} learns from a pack: name PACK."
        )
    folder = Path(out)
    if pack is None:
        return _train_online(chosen, numbers, folder, form, options)

    from probatum.packs.reader import PackReader
    from probatum.policies.dataset import PackDataset

    data = PackDataset(PackReader(pack), options["features"], options["only"] or ("*",))
    lessons = learn(
        data, algorithm, chosen, numbers, lambda lesson: click.echo(f"seed {lesson.seed} trained", err=True)
    )
    files = [save_policy(lesson.policy, folder / lesson.policy.name) for lesson in lessons]
    record = {**lessons_record(lessons, data, algorithm), "files": [file.name for file in files]}
    write_json(folder / f"report_{algorithm}_{options['features'].replace(',', '_')}.json", record)
    click.echo(strict_json(record) if form == "json" else lessons_text(record))
    for file in files:
        click.echo(file, err=form == "json")
    return 0


@command.command("evaluate", epilog=EVALUATE_EXAMPLES)
@click.argument("pack", metavar="PACK")
@click.argument("policies", metavar="POLICY...", nargs=-1, required=True)
@FORM
def evaluate(pack: str, policies: tuple[str, ...], form: str) -> int:
    """Judge learned POLICY files by the test episodes of PACK, without running anything."""
    from probatum._files import strict_json
    from probatum.packs.reader import PackReader
    from probatum.policies.judge import judged, judged_text
    from probatum.policies.store import load_policy

    found = judged(PackReader(pack), [load_policy(path) for path in policies])
    click.echo(strict_json(found) if form == "json" else judged_text(found))
    return 0


@command.command("compare", epilog=COMPARE_EXAMPLES)
@click.argument("policies", metavar="[POLICY...]", nargs=-1)
@click.option("--episodes", type=click.IntRange(min=1), default=10, show_default=True, metavar="N",
              help="Initial states; 6 are the fewest that an exact test can tell apart at 5%.")  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the initial states."
)
@click.option("--cause", "causes", multiple=True, metavar="NAME", help="Hidden causes, in turn; repeatable.")
@click.option("--diagnosis", is_flag=True, help="Offer also the interventions that mend hidden causes.")
@click.option("--out", metavar="FILE", help="Keep the comparison as JSON, and continue it.")
@click.option("--figures", metavar="FOLDER", help="Draw it.")
@SIDE_BY_SIDE
@STUDY
@PROFILE
@CHANGE
@FORM
def compare(
    policies: tuple[str, ...], episodes: int, seed: int, form: str, out: str | None, **options: Any
) -> int:
    """Let policies act on the same initial states, and compare the accuracy that they reach."""
    from probatum._files import strict_json
    from probatum.cli.environments import changes_of, environment_factory
    from probatum.policies.comparing import Comparison
    from probatum.policies.evaluation import comparison_text, settings_for

    factory = environment_factory(
        options["study"], options["profile"], changes_of(options["study"], options["changes"]),
        runs=options["side_by_side"], diagnosis=options["diagnosis"],
    )  # fmt: skip
    names = policies or ("no_growth", "fixed", "random", "heuristic")
    states = settings_for(seed, episodes, options["causes"] or ("none",))
    found = Comparison(factory, names, states, options["side_by_side"], Path(out) if out else None).carry_out(
        _told
    )
    click.echo(strict_json(found) if form == "json" else comparison_text(found))
    if options["figures"]:
        from probatum.policies.charts import outcome_chart
        from probatum.reports.figures import write_figures

        for path in write_figures({"policies": outcome_chart(found)}, options["figures"]):
            click.echo(path, err=form == "json")
    return 0


@command.command("diagnose", epilog=DIAGNOSE_EXAMPLES)
@click.argument("folder", metavar="FOLDER")
@click.option("--episodes", type=click.IntRange(min=5), default=240, show_default=True, metavar="N",
              help="To learn from.")  # fmt: skip
@click.option("--test_episodes", "--test-episodes", type=click.IntRange(min=1), default=24, show_default=True,
              metavar="N", help="New episodes, the causes in turn.")  # fmt: skip
@click.option("--algorithm", type=click.Choice(["imitation", "iql", "cql"]), default="iql", show_default=True)
@click.option("--features", default="base,all", show_default=True, metavar="LIST", help="What is compared.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the episodes.")
@click.option("--figures", metavar="FOLDER", help="Draw the result.")
@SEEDS
@SET
@SIDE_BY_SIDE
@STUDY
@PROFILE
@CHANGE
@FORM
def diagnose(folder: str, form: str, seeds: str | None, **options: Any) -> int:
    """Measure whether richer data help: hidden causes, the same episodes, 27 features against all."""
    from probatum._files import strict_json
    from probatum.cli.environments import changes_of, environment_factory
    from probatum.policies.learn import settings_of
    from probatum.policies.phase5 import Experiment, result_markdown

    factory = environment_factory(
        options["study"], options["profile"], changes_of(options["study"], options["changes"]),
        runs=options["side_by_side"], diagnosis=True,
    )  # fmt: skip
    experiment = Experiment(
        folder=Path(folder),
        episodes=options["episodes"],
        test_episodes=options["test_episodes"],
        algorithm=options["algorithm"],
        settings=settings_of(options["algorithm"], pairs(options["sets"])),
        features=tuple(word.strip() for word in options["features"].split(",")),
        seeds=seeds_of(seeds or NETWORK_SEEDS),
        seed=options["seed"],
        side_by_side=options["side_by_side"],
    )
    found = experiment.carry_out(factory, options["jobs"], lambda line: click.echo(line, err=True))
    click.echo(strict_json(found) if form == "json" else result_markdown(found))
    if options["figures"]:
        from probatum.policies.charts import richer_chart
        from probatum.reports.figures import write_figures

        for path in write_figures({"richer": richer_chart(found)}, options["figures"]):
            click.echo(path, err=form == "json")
    return 0


def pairs(words: tuple[str, ...]) -> dict[str, str]:
    """Return values by name from words like `steps=100`.

    Raises:
        click.UsageError: a word has no `=`, or a name is given twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name in found:
            raise click.UsageError(f"--set {word}: " + ("given twice." if equals else "expected NAME=VALUE."))
        found[name.strip().replace("-", "_")] = value.strip()
    return found


def seeds_of(words: str) -> tuple[int, ...]:
    """Return the seeds of a list such as `1,2,3`.

    Raises:
        click.UsageError: one is no whole number, or is given twice.
    """
    try:
        seeds = tuple(int(word) for word in words.replace(",", " ").split())
    except ValueError:
        raise click.UsageError(f"--seeds {words}: expected whole numbers joined by commas.") from None
    if not seeds or len(set(seeds)) != len(seeds):
        raise click.UsageError(f"--seeds {words}: expected each seed once, and at least one.")
    return seeds


def _train_online(
    settings: Any, seeds: tuple[int, ...], folder: Path, form: str, options: dict[str, Any]
) -> int:
    from probatum._files import strict_json, write_json
    from probatum.cli.environments import changes_of, environment_factory
    from probatum.policies.learned import LearnedPolicy
    from probatum.policies.ppo import train_ppo
    from probatum.policies.store import save_policy

    environment = environment_factory(
        options["study"], options["profile"], changes_of(options["study"], options["changes"]),
        runs=settings.side_by_side, diagnosis=options["diagnosis"],
    )()  # fmt: skip
    record: dict[str, Any] = {"algorithm": "ppo", "environment": environment.describe(), "seeds": []}
    for seed in seeds:
        trained, normaliser = train_ppo(
            environment, settings, seed, features=options["features"],
            report=lambda number, reached: click.echo(f"batch {number}: {reached:.2f}% on validation", err=True),
        )  # fmt: skip
        own = {"algorithm": "ppo", "seed": seed, "chosen": trained.chosen}
        policy = LearnedPolicy(trained.network, normaliser.names, normaliser, environment.actions, own)
        path = save_policy(policy, folder / f"ppo_{options['features'].replace(',', '_')}_seed{seed}")
        record["seeds"].append({**own, "file": path.name, "history": trained.history})
    write_json(folder / f"report_ppo_{options['features'].replace(',', '_')}.json", record)
    lines = [f"{own['file']}: {own['chosen']['value']:.2f}% on validation" for own in record["seeds"]]
    click.echo(strict_json(record) if form == "json" else "\n".join(lines))
    return 0


def _told(outcome: Outcome, finished: int, total: int) -> None:
    """Show one finished episode; on a terminal the line is written over."""
    on_terminal = sys.stderr.isatty()
    line = f"{finished} of {total} episodes | {outcome.policy}: {outcome.test_accuracy:.2f}%"
    click.echo(
        ("\r" * on_terminal) + line.ljust(70 * on_terminal), err=True, nl=finished >= total or not on_terminal
    )
