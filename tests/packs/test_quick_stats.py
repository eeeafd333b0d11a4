import runpy
from pathlib import Path
from types import SimpleNamespace

from probatum.packs.quick_stats import quick_stats
from probatum.packs.record import episode_record, listing

fakes = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fakes.py"))))


def stats(*records):
    return quick_stats([listing(episode_record(record, fakes.SCHEMA)) for record in records])


def test_actions_are_counted_by_family():
    found = stats(fakes.grown(), fakes.record())
    assert found["action_distribution"] == {"WAIT": 13, "GERMINATE": 1, "ADVANCE": 1, "FOSSILIZE": 1}
    assert found["actions"]["GERMINATE_NORM"] == 1


def test_the_range_is_that_of_the_test_accuracies():
    found = stats(
        fakes.record(test_accuracy=68.7), fakes.record(test_accuracy=82.5), fakes.record(test_accuracy=70)
    )
    assert found["accuracy_range"] == [68.7, 82.5]


def test_without_a_test_accuracy_validation_stands_in():
    short = listing(episode_record(fakes.record(test_accuracy=None), fakes.SCHEMA))
    assert (short["final_accuracy"], short["final_split"]) == (62.0, "validation")


def test_the_success_rate_is_fossilized_over_created():
    lost = fakes.record(done={1: "GERMINATE_NORM", 5: "CULL"})
    found = stats(fakes.grown(), lost)
    assert found["seed_success_rate"] == 0.5
    assert found["seeds"] == {"created": 2, "fossilized": 1, "culled": 1}


def test_without_a_seed_there_is_no_success_rate():
    assert stats(fakes.record())["seed_success_rate"] is None


def test_without_an_accuracy_there_is_no_range():
    assert stats(fakes.record(accuracies=(30.0, None), test_accuracy=None))["accuracy_range"] is None
