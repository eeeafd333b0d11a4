"""The environment in which policies grow many small networks at once; `growth` has the one for single runs."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from probatum._errors import UsageError
from probatum.packs.environment import EpisodeSettings, Observed
from probatum.signals.config import TelemetryConfig
from probatum.studies.tamiyo.growth import GrowthEnvironment
from probatum.studies.tamiyo.parameters import TamiyoParameters
from probatum.studies.tamiyo.stacked.images import CutImages
from probatum.studies.tamiyo.stacked.run import StackedRun
from probatum.studies.tamiyo.stacked.training import Stack
from probatum.training.study import StudyData

LARGEST = 8  # height and width; the patches that a stack keeps take nine times the memory of the images


class StackedGrowthEnvironment(GrowthEnvironment):
    """Runs of the growing network side by side; takes what `GrowthEnvironment` takes, and gives its numbers.

    The sums are those of a single run in another order: in float64 losses agreed to 1e-14 through every stage. In
    float32, on digits, they agreed to 1e-7 after the first epoch and to 2e-6 after the third; then rounding grows,
    as it does between two machines: over 25 epochs losses differed by up to 8 % and validation accuracies by up to
    1.7 points, at the same stages and open gates (four runs under the same actions). In the first epoch features
    agree to 3e-4 of their size, sharpness, a second difference that multiplies rounding by 5,000, to 0.005.

    Raises:
        UsageError: the images are large, or the telemetry asks for what a stack does not measure; the message says
            which. `make_growth_environment` takes single runs then.

    Example:
        >>> environment = StackedGrowthEnvironment(epochs=2, telemetry_profile="minimal")
        >>> [one.epoch for one in environment.reset([EpisodeSettings(seed=1), EpisodeSettings(seed=2)])]
        [1, 1]
        >>> [one.is_last for one in environment.step([0, 0])]
        [True, True]
    """

    def __init__(
        self,
        parameters: TamiyoParameters | None = None,
        *,
        diagnosis: bool = False,
        telemetry: TelemetryConfig | Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> None:
        super().__init__(parameters, diagnosis=diagnosis, telemetry=telemetry, **changes)
        if reasons := obstacles(self.data, self.telemetry):
            raise UsageError(
                f"runs do not go side by side here: {'; '.join(reasons)}. Use GrowthEnvironment."
            )
        self._images = CutImages(self.data)
        self.stacks: list[tuple[list[int], Stack]] = []  # which runs, and their stack

    def reset(self, settings: Sequence[EpisodeSettings]) -> list[Observed]:
        """Begin an episode for each of the settings, and train its first epoch.

        Raises:
            UsageError: an override is unknown, or is one that all runs of an environment share.
        """
        self.runs = [self._begin(own) for own in settings]
        by_size: dict[int, list[int]] = {}
        for place, run in enumerate(self.runs):
            by_size.setdefault(run.parameters.batch_size, []).append(place)
        self.stacks = [
            (places, Stack.of([self._own(place) for place in places], self._images))
            for places in by_size.values()
        ]
        return self._train()

    def fork(self, index: int) -> StackedGrowthEnvironment:
        """Return an environment of one run, an exact copy of run `index`."""
        twin = copy.copy(self)
        places, stack = next(own for own in self.stacks if index in own[0])
        forked = stack.fork(places.index(index))
        twin.runs, twin.stacks = list(forked.runs), [([0], forked)]
        return twin

    def test_accuracy(self) -> list[float]:
        """Return the accuracy of each run on the test split, in percent."""
        found = dict.fromkeys(range(len(self.runs)), 0.0)
        for places, stack in self.stacks:
            found |= zip(places, stack.accuracies("test"), strict=True)
        return list(found.values())

    def _begin(self, settings: EpisodeSettings) -> StackedRun:
        return StackedRun(super()._begin(settings))

    def _own(self, place: int) -> StackedRun:
        run = self.runs[place]
        if not isinstance(run, StackedRun):
            raise TypeError(f"expected runs of a stack, got {type(run).__name__}")
        return run

    def _train(self) -> list[Observed]:
        for _, stack in self.stacks:
            stack.train_epoch()
        return [run.observed(self.actions) for run in self.runs]


def obstacles(data: StudyData, telemetry: TelemetryConfig) -> list[str]:
    """Return why runs do not go side by side, none where they do."""
    images: Any = data.splits["train"].images  # pyright: ignore[reportAttributeAccessIssue]
    height, width = images.shape[2:]
    found = []
    if max(height, width) > LARGEST:
        found.append(
            f"images of {height} x {width}: a stack would keep {_patch_gigabytes(images):.1f} GB of patches to be "
            "1.5 times as fast (measured at 3 x 32 x 32)"
        )
    landscape = telemetry.loss_landscape
    asked = {
        "gradients.noise_scale": telemetry.gradients.enabled and telemetry.gradients.noise_scale,
        "loss_landscape.curvature": landscape.enabled and landscape.curvature,
        "loss_landscape.slice_points": landscape.enabled and landscape.slice_points > 0,
    }
    return found + [
        f"`{name}` is measured on single runs only" for name, is_asked in asked.items() if is_asked
    ]


def _patch_gigabytes(images: Any) -> float:
    return 9 * images.numel() * images.element_size() / 1e9


def make_growth_environment(
    parameters: TamiyoParameters | None = None,
    runs: int = 1,
    *,
    diagnosis: bool = False,
    telemetry: TelemetryConfig | Mapping[str, Any] | None = None,
    **changes: Any,
) -> GrowthEnvironment:
    """Return the environment that is faster for so many runs: stacked where it can be, else of single runs.

    Args:
        parameters: Those of the study; None takes its defaults.
        runs: How many are to go side by side; one alone is a single run.
        diagnosis: Offer also the interventions that mend hidden causes.
        telemetry: In place of the profile that `telemetry_profile` names.
        changes: Parameters that differ, by name.

    Example:
        >>> type(make_growth_environment(runs=4)).__name__, type(make_growth_environment()).__name__
        ('StackedGrowthEnvironment', 'GrowthEnvironment')
    """
    single = GrowthEnvironment(parameters, diagnosis=diagnosis, telemetry=telemetry, **changes)
    if runs < 2 or obstacles(single.data, single.telemetry):
        return single
    return StackedGrowthEnvironment(parameters, diagnosis=diagnosis, telemetry=telemetry, **changes)
