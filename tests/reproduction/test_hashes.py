import pytest

import probatum.parameters as parameters_room
from probatum._errors import RecordError
from probatum.parameters import Parameters, parameter
from probatum.reproduction import hashes


class Small(Parameters):
    """Two parameters, one of which determines the result."""

    rate: float = parameter("training", "step size")
    threads: int = parameter("runtime", "CPU threads")


@pytest.fixture
def config():
    small = Small(rate=1.7571e-05, threads=2)
    return {
        "experiment": {"study": "toy"},
        "schema_version": 3,
        "parameters": parameters_room.flat(small),
        "types": {"training": ["rate"], "runtime": ["threads"]},
        "runtime": {"threads": 2, "timestamp": "2025-11-02T14:32:10Z"},
        "config_md5": parameters_room.config_md5("toy", 3, small),
    }


def test_the_configuration_hash_is_the_parameter_rooms(config):
    assert hashes.recorded_config_md5(config) == config["config_md5"]


def test_the_normalized_hash_is_the_parameter_rooms(config):
    assert hashes.normalized_config_hash(config) == parameters_room.normalized_config_hash(config)


def test_the_normalized_hash_ignores_the_time(config):
    later = {**config, "runtime": {"threads": 2, "timestamp": "2030-01-01T00:00:00Z"}}
    assert hashes.normalized_config_hash(later) == hashes.normalized_config_hash(config)


def test_a_runtime_block_that_is_none_is_named(config):
    with pytest.raises(RecordError, match=r"config\.json is torn or edited: `runtime`"):
        hashes.normalized_config_hash({**config, "runtime": 5})


def test_a_study_in_a_file_is_covered_by_its_name_and_not_by_its_path(folders):
    config = folders.make_config()
    here, there = (
        {**config["experiment"], "study": path, "model": "toy"} for path in ("./toy.py", "b/toy.py")
    )
    assert hashes.recorded_config_md5({**config, "experiment": here}) == config["config_md5"]
    assert hashes.recorded_config_md5({**config, "experiment": there}) == config["config_md5"]
