import math
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum.packs.encoded import encode
from probatum.packs.health import entropy, health, states, worst
from probatum.packs.reader import PackReader
from probatum.packs.writer import PackWriter

fakes = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fakes.py"))))


def pack(folder, *records):
    with PackWriter(folder / "pack", fakes.header(), sync=False) as writer:
        for record in records:
            writer.append(encode(record, fakes.SCHEMA))
    return PackReader(folder / "pack")


def checks(folder, *records):
    return {check.name: check for check in health(pack(folder, *records))}


def test_the_old_data_fail(tmp_path):
    found = checks(tmp_path, *(fakes.record(number) for number in range(3)))
    assert found["share of WAIT"].verdict == "ok"
    assert found["share of CULL"].verdict == "fail"
    assert found["entropy"].verdict == "fail"
    assert found["behaviour policies"].verdict == "fail"
    assert found["states with one action"].verdict == "fail"
    assert found["actions never taken"].value == 7


def test_varied_behaviour_passes(tmp_path):
    names = list(fakes.ACTIONS)
    records = [
        fakes.record(
            number,
            done={each: names[(number + each) % 8] for each in range(7)},
            policy=f"policy {number % 5}",
        )
        for number in range(8)
    ]
    found = checks(tmp_path, *records)
    assert {check.verdict for check in found.values()} == {"ok"}
    assert found["states with one action"].value == 0


@pytest.mark.parametrize(("count", "verdict"), [(1, "fail"), (2, "warn"), (3, "ok")])
def test_a_share_below_two_percent_fails_and_below_five_warns(tmp_path, count, verdict):
    done = {position: "CULL" for position in range(count)}
    records = [fakes.record(0, accuracies=(30.0,) * 61, done=done)]
    found = checks(tmp_path, *records)["share of CULL"]
    assert found.value == count / 60
    assert found.verdict == verdict


def test_entropy_is_a_share_of_its_maximum():
    assert entropy([1, 1, 2]) == pytest.approx((0.25 * math.log(4) * 2 + 0.5 * math.log(2)) / math.log(3))
    assert entropy([]) == 0.0


def test_states_are_epochs_by_five_plateau_and_seed(tmp_path):
    found = states(pack(tmp_path, fakes.grown()))
    assert found[(0, 2, 0)] == {"WAIT"}
    assert found[(1, 3, 0)] == {"GERMINATE"}
    assert found[(1, 0, 1)] == {"ADVANCE", "WAIT", "FOSSILIZE"}


def test_a_long_plateau_is_one_state(tmp_path):
    found = states(pack(tmp_path, fakes.record(accuracies=(30.0,) * 20)))
    assert max(plateau for _, plateau, _ in found) == 5


def test_a_pack_without_decisions_has_no_checks(tmp_path):
    assert health(pack(tmp_path)) == []
    assert worst([]) == "ok"
