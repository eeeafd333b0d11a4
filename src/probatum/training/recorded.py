"""A run as its folder tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from probatum._errors import RecordError
from probatum._files import read_json
from probatum.parameters import flat
from probatum.runs.paths import RunPaths
from probatum.training.study import Study

if TYPE_CHECKING:
    from probatum.training.launch import LaunchPlan


@dataclass(frozen=True)
class RecordedRun:
    """A run as its folder tells it."""

    study: Study
    parameters: Any
    paths: RunPaths
    config: dict[str, Any]


def load_recorded_run(paths: RunPaths) -> RecordedRun:
    """Return the run whose parameters `config.json` records.

    Raises:
        RecordError: the configuration is missing, torn, or does not fit the study.
    """
    from probatum.studies import registry

    config = read_json(paths.config)
    try:
        study = registry.load(config["experiment"]["study"])
        parameters = study.parameters.model_validate(config["parameters"])
    except (KeyError, TypeError) as error:
        raise RecordError(f"{paths.config}: expected a run's configuration, found no {error}.") from None
    except ValueError as error:
        raise RecordError(f"{paths.config}: the recorded parameters do not fit the study.\n{error}") from None
    return RecordedRun(study, parameters, paths, config)


def check_against_record(plan: LaunchPlan, paths: RunPaths) -> None:
    """Refuse a command whose parameters are not those that the run folder records.

    Raises:
        RecordError: names the parameters that differ.
    """
    recorded = read_json(paths.config)["parameters"]
    given = flat(plan.resolution.parameters)
    different = sorted(
        name for name in given.keys() | recorded.keys() if given.get(name) != recorded.get(name)
    )
    if different:
        raise RecordError(
            f"{paths.config}: the command and the record differ in {', '.join(different)}. "
            "Unset EXPERIMENT_DIR to train in a new folder."
        )
