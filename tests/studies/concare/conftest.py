"""A simulated cohort, and the data parameters as the defaults file states them."""

import numpy as np
import pytest
import yaml

from probatum.studies.concare import data_parameters
from probatum.studies.concare.data_parameters import ICUDataParameters
from probatum.studies.concare.simulate import MIXED_ICU, simulate
from probatum.training.parameters import TrainingParameters

DATA_FIELDS = set(ICUDataParameters.model_fields) - set(TrainingParameters.model_fields)


@pytest.fixture(scope="session")
def cohort():
    return simulate(patients=300, bins=48, seed=3, ward=MIXED_ICU, second_set=0.3)


@pytest.fixture
def data_parameters_of():
    """Return a function that gives the default data parameters with changes; the training ones stay unset."""
    path = data_parameters.__file__.replace("data_parameters.py", "defaults.yaml")
    with open(path, encoding="utf-8") as file:
        stated = yaml.safe_load(file)["concare"]
    block = {name: stated[name] for name in DATA_FIELDS}

    def make(**changes):
        return ICUDataParameters.model_construct(**block | {"simulated_patients": 200} | changes)

    return make


@pytest.fixture
def gaps():
    """Return raw values (2 patients, 4 bins, 2 channels) with gaps at the start, within and throughout."""
    nan = np.nan
    return np.array(
        [[[nan, 1.0], [2.0, nan], [nan, nan], [4.0, 3.0]], [[nan, 5.0], [nan, 6.0], [nan, nan], [nan, nan]]],
        dtype=np.float32,
    )
