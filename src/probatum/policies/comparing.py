"""A comparison that can be stopped and continued: outcomes are kept as they come."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from probatum._errors import UsageError
from probatum._files import read_json, strict_json, write_json
from probatum.packs.environment import Environment, EpisodeSettings
from probatum.policies.evaluation import Outcome, compare, play
from probatum.policies.registry import make_policy

Told = Callable[[Outcome, int, int], None]


@dataclass
class Comparison:
    """Policies, initial states, and the file that holds what is known so far.

    Args:
        factory: Makes the environment.
        names: Of the policies.
        settings: The initial states.
        side_by_side: Episodes that go together.
        path: The file; None keeps nothing.
    """

    factory: Callable[[], Environment]
    names: Sequence[str]
    settings: Sequence[EpisodeSettings]
    side_by_side: int = 8
    path: Path | None = None

    def carry_out(self, report: Told | None = None) -> dict[str, Any]:
        """Return the comparison; what the file holds already is not carried out again.

        Raises:
            UsageError: the file holds a comparison of something else.
        """
        policies = {
            name: make_policy(name) for name in self.names
        }  # a wrong name is told before anything runs
        environment = self.factory()
        setting = {
            "environment": environment.describe(),
            "actions": list(environment.actions),
            "states": [{"seed": own.seed, "cause": own.cause} for own in self.settings],
            "policies_by_file": {name: _digest(policy) for name, policy in policies.items()},
        }
        done = self._done(setting)
        kept, total = list(done.values()), len(self.names) * len(self.settings)

        def keep(outcome: Outcome) -> None:
            kept.append(outcome)
            if self.path:
                self._write({**setting, "outcomes": [_as_record(own) for own in kept]})
            if report:
                report(outcome, len(kept), total)

        outcomes = play(
            environment, list(policies), self.settings, side_by_side=self.side_by_side, done=done, report=keep
        )
        found = {**setting, **compare(outcomes)}
        self._write(found)
        return found

    def _done(self, setting: Mapping[str, Any]) -> dict[tuple[str, int], Outcome]:
        """Return the outcomes that the file holds of these policies and states."""
        if self.path is None or not self.path.exists():
            return {}
        held = read_json(self.path)
        for name in ("environment", "actions"):
            if held.get(name) != json.loads(strict_json(setting[name])):
                raise UsageError(f"{self.path} holds a comparison with another {name}. Name a new file.")
        states = [(own["seed"], own["cause"]) for own in setting["states"]]
        found = {}
        for own in held.get("outcomes", []):
            name = own["policy"]
            same = held["policies_by_file"].get(name) == setting["policies_by_file"].get(name)
            if name in self.names and same and (own["seed"], own["cause"]) in states:
                found[name, own["seed"]] = Outcome(**{**own, "interventions": tuple(own["interventions"])})
        return found

    def _write(self, record: Mapping[str, Any]) -> None:
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.path, dict(record))


def _as_record(outcome: Outcome) -> dict[str, Any]:
    return {**asdict(outcome), "interventions": list(outcome.interventions)}


def _digest(policy: Any) -> str | None:
    """Return the SHA-256 of a learned policy's weights: a file that was trained anew is another policy."""
    return getattr(policy, "weights_sha256", None)
