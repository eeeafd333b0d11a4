import pytest

from probatum._errors import RecordError
from probatum.reproduction.sealed import check_config


def test_an_untouched_record_is_accepted(folders):
    check_config(folders.make_config(), "config.json")


@pytest.mark.parametrize(
    ("block", "name", "value", "named"),
    [
        ("parameters", "learning_rate", 0.5, "parameters.learning_rate"),
        ("training", "learning_rate", 0.5, "training.learning_rate"),
        ("defaults", "learning_rate", 0.5, "defaults: their MD5"),
    ],
)
def test_an_edited_field_is_named(folders, block, name, value, named):
    config = folders.make_config()
    config[block][name] = value
    with pytest.raises(RecordError, match=named):
        check_config(config, "config.json")


def test_a_command_that_lacks_a_parameter_is_named(folders):
    config = folders.make_config()
    config["commands"]["train_explicit"] = "probatum train toy --seeds 42 --mixed_precision false --threads 1"
    with pytest.raises(RecordError, match="parameter learning_rate is not given"):
        check_config(config, "config.json")


def test_a_command_of_another_program_is_refused(folders):
    config = folders.make_config()
    config["commands"]["train_explicit"] = "rm -r /"
    with pytest.raises(RecordError, match="expected `probatum train"):
        check_config(config, "config.json")


def test_a_torn_record_is_no_bug(folders):
    with pytest.raises(RecordError, match="torn or edited"):
        check_config({**folders.make_config(), "types": 3}, "config.json")
