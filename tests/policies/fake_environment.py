"""Runs that cost nothing and whose best policy is known.

Every epoch the accuracy rises by a rate. With a hidden cause the rate is low until the cause's own remedy is
applied; a remedy that does not fit costs three points for good. One reading (`signs`) points to each cause; the 27
base features do not. A seed of CONV_ENHANCE raises the rate once it blends, one of NORM lowers it.
"""

import copy
from dataclasses import replace

import numpy as np

from probatum.packs.environment import Environment, EpisodeSettings, Observed
from probatum.signals.epoch import EpochSignals
from probatum.signals.epoch_numbers import take_snapshot
from probatum.signals.features import BASE, FeatureSchema
from probatum.signals.snapshot import EpochMetrics

REMEDIES = {
    "low_learning_rate": "RAISE_LEARNING_RATE",
    "sharp_minimum": "LOWER_LEARNING_RATE",
    "vanishing_gradients": "RESCALE_GRADIENTS",
    "class_imbalance": "REBALANCE_CLASSES",
}
SIGNS = {
    "low_learning_rate": "loss_noise",
    "sharp_minimum": "sharpness",
    "vanishing_gradients": "gradient_spread",
    "class_imbalance": "class_variance",
}
GROWTH = (
    "WAIT", "GERMINATE_CONV_ENHANCE", "GERMINATE_ATTENTION", "GERMINATE_NORM", "GERMINATE_DEPTHWISE",
    "ADVANCE", "CULL", "FOSSILIZE",
)  # fmt: skip
DIAGNOSIS = (
    *GROWTH,
    *("RAISE_LEARNING_RATE", "LOWER_LEARNING_RATE", "RESCALE_GRADIENTS", "REBALANCE_CLASSES"),
)
RATES = {"CONV_ENHANCE": 2.0, "ATTENTION": 0.5, "NORM": -0.5, "DEPTHWISE": 0.8}


class Run:
    def __init__(self, settings: EpisodeSettings) -> None:
        self.settings = settings
        self.noise = np.random.default_rng(settings.seed)
        self.epoch = 0
        self.accuracy = 20.0
        self.healed = settings.cause == "none"
        self.stage, self.in_stage, self.blueprint, self.at_start = 1, 0, "", 0.0
        self.grown = 0
        self.shots = []

    def enter(self, stage: int) -> None:
        self.stage, self.in_stage, self.at_start = stage, 0, self.accuracy

    def act(self, action: str) -> None:
        if action.startswith("GERMINATE_"):
            self.blueprint = action.removeprefix("GERMINATE_")
            self.enter(2)
        elif action == "ADVANCE":
            self.enter(self.stage + 1)
        elif action == "FOSSILIZE":
            self.enter(7)
        elif action == "CULL":
            self.enter(1)
        elif action != "WAIT":
            if REMEDIES.get(self.settings.cause) == action:
                self.healed = True
            else:
                self.accuracy -= 3.0

    def train(self) -> None:
        self.epoch += 1
        self.in_stage += 1
        rate = (
            (1.0 if self.epoch < 4 else 0.2)
            if self.settings.cause == "none"
            else (3.0 if self.healed else 0.2)
        )
        rate += RATES[self.blueprint] if self.stage in (4, 7) else 0.0
        self.accuracy = min(100.0, self.accuracy + rate)
        self.shots.append(self.snapshot())

    def snapshot(self):
        seen = self.accuracy + self.noise.normal(0, 0.05)
        loss = (100 - seen) / 25
        metrics = EpochMetrics(
            self.epoch, loss, loss, seen, seen, global_step=10 * self.epoch, accuracy_upper=100.0
        )
        shot = take_snapshot(EpochSignals(self.epoch), metrics, self.shots)
        signs = {
            name: float(cause == self.settings.cause and not self.healed) for cause, name in SIGNS.items()
        }
        return replace(shot, **signs)


class FakeEnvironment(Environment):
    study = "fake"
    actions = GROWTH

    def __init__(
        self, max_epochs: int = 12, *, rich: bool = True, diagnosis: bool = False, refuses=()
    ) -> None:
        self.runs: list[Run] = []
        self._max_epochs = max_epochs
        self.rich = rich
        self.refuses = refuses  # epochs in which the environment breaks, for tests of what is kept
        self.epochs_trained = 0
        if diagnosis:
            self.actions = DIAGNOSIS

    @property
    def schema(self) -> FeatureSchema:
        groups = {"base": BASE, **({"signs": tuple(SIGNS.values())} if self.rich else {})}
        readers = {name: (lambda shot, name=name: getattr(shot, name)) for name in SIGNS.values()}
        return FeatureSchema(groups, readers if self.rich else {})

    @property
    def max_epochs(self) -> int:
        return self._max_epochs

    def reset(self, settings):
        self.runs = [Run(own) for own in settings]
        return self._train()

    def step(self, actions):
        for run, observed, action in zip(self.runs, self._observe(), actions, strict=True):
            if observed.allowed[action]:
                run.act(self.actions[action])
        return self._train()

    def fork(self, index):
        other = copy.copy(self)
        other.runs = [copy.deepcopy(self.runs[index])]
        return other

    def test_accuracy(self):
        return [run.accuracy for run in self.runs]

    def describe(self):
        return {"study": self.study, "max_epochs": self.max_epochs, "actions": list(self.actions)}

    def _train(self):
        for run in self.runs:
            run.train()
        self.epochs_trained += len(self.runs)
        return self._observe()

    def _observe(self):
        return [self._observed(run) for run in self.runs]

    def _observed(self, run: Run) -> Observed:
        active = run.stage in (2, 3, 4)
        slot = {
            "has_active_seed": float(active), "seed_stage": float(run.stage),
            "seed_epochs_in_stage": float(run.in_stage), "seed_alpha": float(run.stage in (4, 7)),
            "seed_improvement": run.accuracy - run.at_start, "available_slots": float(run.stage == 1),
        }  # fmt: skip
        facts = {"total_improvement": run.accuracy - 20.0}
        return Observed(
            run.epoch, run.shots[-1], tuple(run.shots[-5:]), slot, facts,
            tuple(self._is_allowed(name, run) for name in self.actions), self.max_epochs - run.epoch,
        )  # fmt: skip

    def _is_allowed(self, name: str, run: Run) -> bool:
        if name.startswith("GERMINATE_"):
            return run.stage == 1
        stages = {"ADVANCE": (2, 3), "CULL": (2, 3, 4), "FOSSILIZE": (4,)}
        return run.stage in stages[name] if name in stages else True
