"""The environment in which policies grow networks: single runs, one after the other.

It is exact and simple; `stacked.growth` trains many small runs at once.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from pydantic import ValidationError

from probatum._errors import UnknownNameError, UsageError
from probatum._names import unknown
from probatum.packs.environment import Environment, EpisodeSettings, Observed
from probatum.parameters import flat
from probatum.signals.config import TelemetryConfig, load_config
from probatum.signals.features import FeatureSchema, feature_schema
from probatum.signals.layers import select_layers
from probatum.studies.tamiyo.actions import DIAGNOSIS_ACTIONS, GROWTH_ACTIONS
from probatum.studies.tamiyo.images import load_images
from probatum.studies.tamiyo.network import GrowingNetwork
from probatum.studies.tamiyo.parameters import TamiyoParameters
from probatum.studies.tamiyo.single_run import SingleRun
from probatum.training.study import StudyData

IN_COMMON = (
    "dataset",
    "train_images",
    "epochs",
    "telemetry_profile",
    "instrumentation_probe_batches",
    "seeds",
)
_ACTING = (  # what an environment reads of the study's parameters: the rest is the workbench's or a launched run's
    "dataset", "train_images", "epochs", "batch_size", "learning_rate", "momentum", "weight_decay",
    "blending_epochs", "blending_temperature", "embargo_epochs", "starts_training_itself", "telemetry_profile",
    "instrumentation_probe_batches",
)  # fmt: skip


class GrowthEnvironment(Environment):
    """Runs of the growing network.

    Args:
        parameters: Those of the study; None takes its defaults.
        diagnosis: Offer also the interventions that mend a learning rate, gradients and rare classes.
        telemetry: A configuration or mapping in place of the profile that `telemetry_profile` names.
        changes: Parameters that differ, by name.

    Raises:
        UsageError: a parameter is unknown or has a value that it cannot have.

    Example:
        >>> environment = GrowthEnvironment(epochs=2, telemetry_profile="minimal")
        >>> observed = environment.reset([EpisodeSettings(seed=1)])[0]
        >>> observed.epoch, observed.budget, observed.allowed[:3]
        (1, 1, (True, True, True))
        >>> environment.step([0])[0].is_last
        True
    """

    study: ClassVar[str] = "tamiyo"
    actions: ClassVar[tuple[str, ...]] = GROWTH_ACTIONS

    def __init__(
        self,
        parameters: TamiyoParameters | None = None,
        *,
        diagnosis: bool = False,
        telemetry: TelemetryConfig | Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> None:
        self.parameters = with_changes(parameters or default_parameters(), changes)
        self.telemetry = _telemetry(self.parameters, telemetry)
        if diagnosis:
            self.actions = DIAGNOSIS_ACTIONS  # pyright: ignore[reportAttributeAccessIssue]
        self.data: StudyData = load_images(self.parameters.dataset, self.parameters.train_images)
        self._schema = growth_schema(self.telemetry, self.data)
        self.runs: list[SingleRun] = []

    @property
    def schema(self) -> FeatureSchema:
        """The base and what the profile adds, for the layers of the host.

        A seed's layers come and go, so that they have no place in a vector of fixed length; they are in the
        snapshots.
        """
        return self._schema

    @property
    def max_epochs(self) -> int:
        """The budget of an episode."""
        return self.parameters.epochs

    def reset(self, settings: Sequence[EpisodeSettings]) -> list[Observed]:
        """Begin an episode for each of the settings, and train its first epoch.

        Raises:
            UsageError: an override is unknown, or is one that all runs of an environment share.
        """
        for run in self.runs:
            run.close()
        self.runs = [self._begin(own) for own in settings]
        return self._train()

    def step(self, actions: Sequence[int]) -> list[Observed]:
        """Carry out one action per run, train one epoch, and return what is then known.

        Raises:
            UsageError: an action is not allowed, with the reasons; or the budget is spent.
        """
        if len(actions) != len(self.runs):
            raise UsageError(f"expected one action for each of {len(self.runs)} runs, got {len(actions)}.")
        for run, action in zip(self.runs, actions, strict=True):
            self._require_action(run, action)
        for run, action in zip(self.runs, actions, strict=True):
            run.act(self.actions[action])
        return self._train()

    def fork(self, index: int) -> GrowthEnvironment:
        """Return an environment of one run, an exact copy of run `index`."""
        twin = copy.copy(self)
        twin.runs = [self.runs[index].fork()]
        return twin

    def test_accuracy(self) -> list[float]:
        """Return the accuracy of each run on the test split, in percent."""
        return [run.accuracy("test") for run in self.runs]

    def refusals(self, index: int) -> dict[str, list[str]]:
        """Return for each action that run `index` would refuse now why, gate by gate with the numbers."""
        found = {action: self.runs[index].refusals(action) for action in self.actions}
        return {action: reasons for action, reasons in found.items() if reasons}

    def describe(self) -> dict[str, Any]:
        """Return what the runs have in common: study, parameters, telemetry, actions, data with checksums."""
        values = flat(self.parameters)
        return {
            "study": self.study,
            "parameters": {name: values[name] for name in _ACTING},
            "telemetry": self.telemetry.model_dump(mode="json"),
            "actions": list(self.actions),
            "data": self.data.record,
        }

    def _begin(self, settings: EpisodeSettings) -> SingleRun:
        for name in settings.overrides:
            if name in IN_COMMON:
                raise UsageError(
                    f"`{name}` is common to all runs of an environment; an episode cannot override it. "
                    "Make another environment with it."
                )
            if name not in _ACTING:
                raise UnknownNameError(unknown("override of an episode", name, _free()))
        parameters = with_changes(self.parameters, settings.overrides)
        return SingleRun(parameters, self.data, settings, self.telemetry)

    def _train(self) -> list[Observed]:
        for run in self.runs:
            run.train_epoch()
        return [run.observed(self.actions) for run in self.runs]

    def _require_action(self, run: SingleRun, action: int) -> None:
        if run.epoch >= self.max_epochs:
            raise UsageError(
                f"the budget of {self.max_epochs} epochs is spent; reset begins another episode."
            )
        if not 0 <= action < len(self.actions):
            raise UsageError(
                f"expected an action from 0 to {len(self.actions) - 1}, got {action}: {', '.join(self.actions)}."
            )
        if reasons := run.refusals(self.actions[action]):
            name = self.actions[action]
            raise UsageError(f"{name} is not allowed after epoch {run.epoch}: {'; '.join(reasons)}.")


def default_parameters() -> TamiyoParameters:
    """Return the study's defaults, read from its one `defaults.yaml`."""
    from probatum.studies.tamiyo.study import Tamiyo

    return cast(TamiyoParameters, Tamiyo().load_defaults())


def with_changes(parameters: TamiyoParameters, changes: Mapping[str, Any]) -> TamiyoParameters:
    """Return the parameters with changes by name.

    Raises:
        UnknownNameError: there is no such parameter.
        UsageError: a value is one that its parameter cannot have.
    """
    for name in changes:
        if name not in TamiyoParameters.model_fields:
            raise UnknownNameError(unknown("parameter", name, TamiyoParameters.model_fields))
    try:
        return TamiyoParameters.model_validate({**parameters.model_dump(), **changes})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "parameters"
        raise UsageError(f"`{where}`: {first['msg']}, got {first['input']!r}.") from None


def growth_schema(telemetry: TelemetryConfig, data: StudyData) -> FeatureSchema:
    """Return the schema of an observation: names and count follow from the telemetry and the host alone.

    Example:
        >>> data = load_images("digits")
        >>> [growth_schema(load_config(name), data).count for name in ("minimal", "standard")]
        [27, 45]
    """
    host = GrowingNetwork.on_nothing(data.facts["in_channels"], data.facts["classes"])
    layers = list(select_layers(host, telemetry.gradients.layers).parameters)
    full = feature_schema(telemetry, layers, classes=data.facts["classes"])
    groups = {
        group: tuple(name for name in names if _is_measurable(name)) for group, names in full.groups.items()
    }
    return FeatureSchema(groups, {name: read for name, read in full.readers.items() if _is_measurable(name)})


def _is_measurable(name: str) -> bool:
    """Return whether a feature can have a value: no layer of the host saturates, and none rectifies by itself."""
    return not name.startswith(("activation_saturated_share_", "activation_dead_share_"))


def _telemetry(
    parameters: TamiyoParameters, given: TelemetryConfig | Mapping[str, Any] | None
) -> TelemetryConfig:
    config = load_config(given if given is not None else parameters.telemetry_profile)
    return config.model_copy(update={"probe_batches": parameters.instrumentation_probe_batches})


def _free() -> list[str]:
    return [name for name in _ACTING if name not in IN_COMMON]
