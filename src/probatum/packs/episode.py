"""One finished episode, as whoever carried it out hands it to a pack.

Source: seed 004, "Data Pack Structure" (`episodes[]`); what each value means stands in `packs.outcome`,
`packs.hindsight` and `packs.rewards`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from probatum._errors import UsageError
from probatum.packs.choice import Choice
from probatum.packs.environment import EpisodeSettings, Observed


@dataclass(frozen=True)
class EpisodeRecord:
    """What an episode was told, what was observed, what was done, and what came of it.

    Attributes:
        episode_id: Its name in the pack, such as `episode_0042`; unique there.
        settings: Seed, hidden cause and overrides.
        policy: Name of the behaviour policy that chose.
        actions: The environment's actions, WAIT first; `Choice.action` is a position among them.
        observations: One per epoch, from `reset` to the end of the budget.
        choices: One per observation but the last, which nothing follows.
        test_accuracy: On the test split, in percent, after the last epoch; None where it was not measured. It
            stands in no observation and in no reward.
        counterfactuals: For a decision (position among `choices`), the validation accuracies in percent of the
            run that was forked before it and then left alone (WAIT from there on): epoch by epoch, beginning
            with the epoch that follows the decision.
    """

    episode_id: str
    settings: EpisodeSettings
    policy: str
    actions: tuple[str, ...]
    observations: Sequence[Observed]
    choices: Sequence[Choice]
    test_accuracy: float | None = None
    counterfactuals: Mapping[int, Sequence[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        mistakes = list(_mistakes(self))
        if mistakes:
            raise UsageError(f"episode {self.episode_id!r} is no episode: {'; '.join(mistakes)}.")

    @property
    def accuracies(self) -> list[float | None]:
        """The validation accuracy after every epoch, in percent; None where it was not measured."""
        return [observed.snapshot.val_accuracy for observed in self.observations]

    @property
    def interventions(self) -> list[int]:
        """The positions of the decisions that were no WAIT and were carried out."""
        return [
            position
            for position, (choice, observed) in enumerate(zip(self.choices, self.observations, strict=False))
            if choice.action != 0 and observed.allowed[choice.action]
        ]

    def name(self, position: int) -> str:
        """Return the name of the action of a decision."""
        return self.actions[self.choices[position].action]


def _mistakes(record: EpisodeRecord) -> list[str]:
    """Return everything that does not fit together in a record."""
    found, count, width = [], len(record.observations), len(record.actions)
    if not record.episode_id or "\n" in record.episode_id:
        found.append(f"expected an id of one line, got {record.episode_id!r}")
    if not record.actions or record.actions[0] != "WAIT":
        found.append(f"expected WAIT as the first action, got {list(record.actions)}")
    if count < 2 or len(record.choices) != count - 1:
        found.append(
            f"expected one choice per observation but the last, got {len(record.choices)} for {count}"
        )
    for position, choice in enumerate(record.choices):
        if not 0 <= choice.action < width or not 0 <= choice.greedy < width:
            found.append(f"choice {position} names action {choice.action} of {width}")
        if len(choice.probabilities) != width:
            found.append(
                f"choice {position} has {len(choice.probabilities)} probabilities for {width} actions"
            )
    found += [
        f"observation {position} allows {len(observed.allowed)} of {width} actions"
        for position, observed in enumerate(record.observations)
        if len(observed.allowed) != width
    ]
    found += [
        f"there is a counterfactual of decision {position}, and {len(record.choices)} decisions"
        for position in record.counterfactuals
        if not 0 <= position < len(record.choices)
    ]
    return found
