"""Studies' environments by name: as many runs side by side as were asked for, with the parameters given."""

import pickle

import pytest

from probatum._errors import ParameterError, UnknownNameError
from probatum.cli.environments import environment_factory
from probatum.studies.tamiyo.growth import GrowthEnvironment
from probatum.studies.tamiyo.stacked.growth import StackedGrowthEnvironment


def test_several_runs_of_small_images_go_in_one_stack():
    assert type(environment_factory("tamiyo", "minimal", runs=4)()) is StackedGrowthEnvironment
    assert type(environment_factory("tamiyo", "minimal", runs=1)()) is GrowthEnvironment


def test_a_factory_can_be_sent_to_another_process_with_its_parameters():
    factory = environment_factory("tamiyo", "standard", {"epochs": 3, "train_images": 50}, diagnosis=True)
    environment = pickle.loads(pickle.dumps(factory))()
    assert environment.max_epochs == 3
    assert environment.describe()["parameters"]["train_images"] == 50
    assert environment.schema.count == 45
    assert environment.actions[-1] == "REBALANCE_CLASSES"


def test_a_study_whose_runs_take_no_interventions_is_refused():
    with pytest.raises(UnknownNameError, match="tamiyo"):
        environment_factory("plain", "minimal")


def test_a_parameter_out_of_range_names_what_was_expected():
    with pytest.raises(ParameterError, match="epochs"):
        environment_factory("tamiyo", "minimal", {"epochs": -1})()
