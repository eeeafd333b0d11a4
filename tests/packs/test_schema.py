import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import jsonschema

from probatum.packs.outcome import OUTCOMES
from probatum.packs.quick_stats import quick_stats
from probatum.packs.reader import PackReader
from probatum.packs.record import episode_record
from probatum.packs.schema import episode_faults, faults, header_faults, pack_schema
from probatum.packs.writer import PackWriter

fakes = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fakes.py"))))

EPISODE = pack_schema()["$defs"]["episode"]


def whole(value):
    """Return the schema of an episode with its definitions, as other validators want it."""
    return {**EPISODE, "$defs": pack_schema()["$defs"]} if value == "episode" else pack_schema()


def episode(**changes):
    return json.loads(json.dumps(episode_record(fakes.grown(**changes), fakes.SCHEMA)))


def header(tmp_path):
    with PackWriter(tmp_path / "pack", fakes.header()) as writer:
        writer.append(fakes.episode())
    return PackReader(tmp_path / "pack").header


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(pack_schema())


def test_an_episode_passes_here_and_elsewhere():
    found = episode(counterfactuals={4: [40.0]})
    assert episode_faults(found, "line 1") == []
    jsonschema.validate(found, whole("episode"))


def test_a_header_passes_here_and_elsewhere(tmp_path):
    found = header(tmp_path)
    assert header_faults(found) == []
    jsonschema.validate(found, whole("pack"))


def test_the_code_writes_every_key_of_the_schema():
    found = episode()
    assert set(EPISODE["properties"]) == set(found)
    for name, part in (("summary", found["summary"]), ("decision", found["decisions"][0])):
        assert set(pack_schema()["$defs"][name]["properties"]) == set(part)
    decision = pack_schema()["$defs"]["decision"]["properties"]
    for name in ("action", "decision_context", "hindsight", "reward"):
        assert set(decision[name]["properties"]) == set(found["decisions"][0][name])
    assert set(pack_schema()["$defs"]["quick_stats"]["properties"]) == set(quick_stats([]))


def test_the_code_writes_every_key_of_the_head(tmp_path):
    assert set(pack_schema()["properties"]) - {"episodes"} == set(header(tmp_path))


def test_the_outcomes_are_those_of_the_code():
    assert pack_schema()["$defs"]["summary"]["properties"]["outcome"]["enum"] == list(OUTCOMES)


def test_every_mistake_is_named_with_its_place():
    found = episode()
    found["decisions"][2]["hindsight"]["basis"] = "guess"
    found["decisions"][3]["action"]["index"] = True
    del found["policy"]
    found["polcy"] = "x"
    text = "\n".join(episode_faults(found, "line 1"))
    assert "line 1.decisions[2].hindsight.basis: expected" in text
    assert 'got "guess"' in text
    assert "line 1.decisions[3].action.index: expected an integer, got true" in text
    assert "line 1: policy is missing" in text
    assert "unknown key 'polcy'. Did you mean 'policy'?" in text


def test_a_number_must_be_finite():
    assert list(faults(float("nan"), {"type": "number"}, "x")) == ["x: expected a finite number, got nan"]


def test_both_checkers_refuse_the_same_documents():
    def spoilt(steps, value):
        found = episode()
        part = found
        for step in steps[:-1]:
            part = part[step]
        part[steps[-1]] = value
        return found

    validator = jsonschema.Draft202012Validator(whole("episode"))
    cases = [
        (("summary", "outcome"), "good"), (("decisions",), []), (("max_epochs",), 0), (("max_epochs",), "8"),
        (("decisions", 0, "epoch"), -1), (("decisions", 0, "allowed"), None), (("test_accuracy",), None),
        (("settings", "seed"), "1"), (("decisions", 0, "decision_context", "gradient_health"), {"score": 1.0}),
    ]  # fmt: skip
    for steps, value in cases:
        found = spoilt(steps, value)
        assert bool(episode_faults(found, "")) is not validator.is_valid(found), steps
