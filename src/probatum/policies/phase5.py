"""Did richer data help? The same episodes, learned from with 27 features and with all, compared by outcome.

Each episode has a hidden cause that the loss curve alone hardly tells and that another intervention mends. The
behaviours do not look at signals, so that every action is tried under every cause. For each set of features
several networks are trained on one split of one pack; each then acts in the same new episodes. The unit is the
network's seed: its mean over the episodes is one value, paired between the feature sets.

Source: seed 004, phase 5; tamiyo.md, section 7, "Fair test".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from probatum._errors import UsageError
from probatum._files import write_json, write_whole
from probatum.analysis.intervals import mean, t_interval
from probatum.analysis.sign_flips import sign_flip_p
from probatum.packs.header import PackHeader
from probatum.packs.reader import PackReader
from probatum.packs.writer import PackWriter
from probatum.policies.comparing import Comparison
from probatum.policies.dataset import PackDataset
from probatum.policies.evaluation import settings_for
from probatum.policies.generate import Factory, generate
from probatum.policies.learn import learn, over_seeds
from probatum.policies.plan import CAUSES, DIAGNOSIS_MIX, Plan
from probatum.policies.store import load_policy, save_policy

REFERENCES = ("no_growth", "random:sparse", "heuristic", "flags")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Experiment:
    """What the experiment is told.

    Attributes:
        folder: Where pack, policies and result stand; the experiment continues what is there.
        episodes: To learn from.
        test_episodes: New ones, the causes in turn.
        algorithm: imitation, iql or cql.
        settings: Of the algorithm.
        features: Sets of features to compare; differences are taken from the first.
        seeds: Of the networks.
        seed: Of the episodes.
        side_by_side: Episodes that go together.
        causes: Hidden causes.
        behaviours: Weights by policy; none of them should follow the signals.
    """

    folder: Path
    episodes: int
    test_episodes: int
    algorithm: str
    settings: Any
    features: tuple[str, ...] = ("base", "all")
    seeds: tuple[int, ...] = (1, 2, 3)
    seed: int = 1
    side_by_side: int = 8
    causes: tuple[str, ...] = CAUSES
    behaviours: Mapping[str, float] | None = None

    def carry_out(self, factory: Factory, jobs: int = 1, say: Say = lambda line: None) -> dict[str, Any]:
        """Return the result, written as `result.json` and `result.md` too.

        Raises:
            UsageError: fewer than two sets of features, or the folder holds another experiment.
        """
        if len(set(self.features)) < 2:
            raise UsageError(f"expected two sets of features to compare, got {', '.join(self.features)}.")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._generate(factory, jobs, say)
        policies = {features: self._learn(features, say) for features in self.features}
        names = [*REFERENCES, *(str(path) for own in policies.values() for path in own)]
        states = settings_for(self.seed + 1, self.test_episodes, self.causes)
        comparison = Comparison(factory, names, states, self.side_by_side, self.folder / "comparison.json")
        played = comparison.carry_out(
            lambda outcome, finished, total: say(
                f"{finished} of {total} | {Path(outcome.policy).stem} | {outcome.cause}: "
                f"{outcome.test_accuracy:.2f}%"
            )
        )
        found = self._result(policies, played["outcomes"])
        write_json(self.folder / "result.json", found)
        write_whole(self.folder / "result.md", result_markdown(found) + "\n")
        return found

    def _generate(self, factory: Factory, jobs: int, say: Say) -> None:
        plan = Plan(
            seed=self.seed,
            episodes=self.episodes,
            behaviours=dict(self.behaviours or DIAGNOSIS_MIX),
            causes=dict.fromkeys(self.causes, 1.0),
            side_by_side=self.side_by_side,
        )
        environment = factory()
        known = environment.describe()
        header = PackHeader(
            known.get("telemetry", {}),
            environment.schema.as_record(),
            environment.actions,
            known,
            plan.as_record(),
        )
        with PackWriter(self.folder / "pack", header) as writer:
            report = lambda progress: say(progress.line())  # noqa: E731 - one line
            for episode in generate(plan, factory, jobs=jobs, done=writer.episode_ids, report=report):
                writer.append(episode)

    def _learn(self, features: str, say: Say) -> list[Path]:
        """Return the policy files of one set of features; those that fit the pack and settings are kept."""
        data = PackDataset(PackReader(self.folder / "pack"), features)
        folder = self.folder / "policies"
        name = features.replace(",", "_")
        paths = {seed: folder / f"{self.algorithm}_{name}_seed{seed}.json" for seed in self.seeds}
        missing = [seed for seed, path in paths.items() if not self._fits(path, data)]
        lessons = learn(
            data,
            self.algorithm,
            self.settings,
            missing,
            lambda own: say(f"{features}: seed {own.seed} trained"),
        )
        for lesson in lessons:
            save_policy(lesson.policy, paths[lesson.seed])
        return list(paths.values())

    def _fits(self, path: Path, data: PackDataset) -> bool:
        if not path.is_file():
            return False
        record = load_policy(path).record
        told = {
            name: list(own) if isinstance(own, tuple) else own for name, own in asdict(self.settings).items()
        }
        return record["pack"]["digest"] == data.digest and record["chosen"]["settings"] == told

    def _result(
        self, policies: Mapping[str, Sequence[Path]], outcomes: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        groups = {name: [name] for name in REFERENCES}
        groups |= {features: [str(path) for path in paths] for features, paths in policies.items()}
        rows = {
            group: {cause: _cell(outcomes, names, cause) for cause in (None, *self.causes)}
            for group, names in groups.items()
        }
        first, *others = self.features
        return {
            "question": "did richer data help?",
            "algorithm": self.algorithm,
            "episodes": self.episodes,
            "test_episodes": self.test_episodes,
            "seeds": list(self.seeds),
            "features": {
                features: len(PackDataset(PackReader(self.folder / "pack"), features).names)
                for features in self.features
            },
            "settings": asdict(self.settings),
            "causes": list(self.causes),
            "groups": {
                group: {cause or "all": _told(cell) for cause, cell in own.items()}
                for group, own in rows.items()
            },
            "differences": [
                {
                    "from": first,
                    "to": other,
                    "cause": cause or "all",
                    **_difference(rows[first][cause], rows[other][cause]),
                }
                for other in others
                for cause in (None, *self.causes)
            ],
        }


def _cell(
    outcomes: Sequence[Mapping[str, Any]], names: Sequence[str], cause: str | None
) -> list[dict[str, float]]:
    """Return, per network, its means over the episodes of a cause; over all where None."""
    cells = []
    for name in names:
        own = [each for each in outcomes if each["policy"] == name and cause in (None, each["cause"])]
        if own:
            cells.append(
                {
                    "test_accuracy": mean([each["test_accuracy"] for each in own]),
                    "right_intervention": mean([float(each["right_intervention"]) for each in own]),
                }
            )
    return cells


def _told(cells: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    return {
        name: over_seeds([cell[name] for cell in cells]) for name in ("test_accuracy", "right_intervention")
    }


def _difference(
    before: Sequence[Mapping[str, float]], after: Sequence[Mapping[str, float]]
) -> dict[str, Any]:
    """Return the paired difference over the networks' seeds."""
    found: dict[str, Any] = {"n": min(len(before), len(after))}
    for name in ("test_accuracy", "right_intervention"):
        pairs = [second[name] - first[name] for first, second in zip(before, after, strict=False)]
        low, high = (t_interval(pairs) if pairs else None) or (None, None)
        found[name] = {
            "mean": mean(pairs) if pairs else None,
            "ci_low": low,
            "ci_high": high,
            "p": sign_flip_p(pairs) if pairs else None,
        }
    return found


def result_markdown(found: Mapping[str, Any]) -> str:
    """Return the result for people; the verdict follows from the interval of the difference over all causes."""
    counts = ", ".join(f"{name}: {count}" for name, count in found["features"].items())
    lines = [
        "# Did richer data help?",
        "",
        _verdict(found),
        "",
        f"{found['algorithm']}, {len(found['seeds'])} networks per set of features ({counts}), "
        f"{found['episodes']} episodes to learn from, {found['test_episodes']} new ones to act in. "
        "Test accuracy in percent with 95% t-intervals over networks.",
        "",
        "| policy | " + " | ".join(["all", *found["causes"]]) + " | right intervention |",
        "|---|" + "---|" * (len(found["causes"]) + 2),
    ]
    for group, own in found["groups"].items():
        cells = [_accuracy(own[cause]["test_accuracy"]) for cause in ("all", *found["causes"])]
        right = own["all"]["right_intervention"]["mean"]
        lines.append(f"| {group} | " + " | ".join(cells) + f" | {'-' if right is None else f'{right:.0%}'} |")
    lines += [
        "",
        "| difference | cause | points | 95% interval | p | right intervention |",
        "|---|---|---|---|---|---|",
    ]
    for own in found["differences"]:
        test, right = own["test_accuracy"], own["right_intervention"]
        if test["mean"] is not None:
            lines.append(
                f"| {own['to']} - {own['from']} | {own['cause']} | {test['mean']:+.2f} | {_interval(test)} | "
                f"{test['p']:.3g} | {right['mean']:+.0%} |"
            )
    return "\n".join(lines)


def _verdict(found: Mapping[str, Any]) -> str:
    lines = []
    for own in found["differences"]:
        if own["cause"] != "all":
            continue
        test = own["test_accuracy"]
        name = f"{own['to']} against {own['from']}: {test['mean']:+.2f} points"
        if test["ci_low"] is None:
            lines.append(f"{name}; one network says nothing about chance.")
        elif test["ci_low"] > 0:
            lines.append(f"Yes. {name} ({_interval(test)}).")
        elif test["ci_high"] < 0:
            lines.append(f"No, it hurt. {name} ({_interval(test)}).")
        else:
            lines.append(f"Not shown. {name} ({_interval(test)}): the interval holds zero at n = {own['n']}.")
    return " ".join(lines)


def _accuracy(own: Mapping[str, Any]) -> str:
    if own["mean"] is None:
        return "-"
    return f"{own['mean']:.2f}" if own["ci_low"] is None else f"{own['mean']:.2f} ({_interval(own)})"


def _interval(own: Mapping[str, Any]) -> str:
    return "-" if own["ci_low"] is None else f"{own['ci_low']:+.2f} to {own['ci_high']:+.2f}"
