import json
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from probatum._errors import RecordError, UnknownNameError, UsageError
from probatum.cli.packs import command
from probatum.packs.encoded import encode
from probatum.packs.paths import PackPaths
from probatum.packs.reader import PackReader
from probatum.packs.writer import PackWriter

fakes = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "packs" / "fakes.py")))


def call(*words, fails=None, code=0):
    result = CliRunner().invoke(command, [str(word) for word in words], standalone_mode=False)
    if fails:
        assert isinstance(result.exception, fails), result.output
        return str(result.exception)
    assert not result.exception, result.output
    assert (result.return_value or 0) == code
    return result.stdout


@pytest.fixture
def pack(tmp_path):
    with PackWriter(tmp_path / "pack", fakes.header(), sync=False) as writer:
        for number in range(2):
            writer.append(encode(fakes.grown(number), fakes.SCHEMA))
    return tmp_path / "pack"


def test_inspect_shows_statistics_health_and_columns(pack):
    out = call("inspect", pack)
    assert "2 episodes, 18 decisions" in out
    assert "WAIT 12, ADVANCE 2, FOSSILIZE 2, GERMINATE 2" in out
    assert "created 2, fossilized 2, culled 0; success rate 1.00" in out
    assert "fail  behaviour policies" in out
    assert "20 x 27" in out
    assert out.isascii()


def test_inspect_gives_json(pack):
    found = json.loads(call("inspect", pack, "--format", "json"))
    assert found["quick_stats"]["seed_success_rate"] == 1.0
    assert found["health"]["verdict"] == "fail"


def test_a_pack_without_episodes_is_shown(tmp_path):
    PackWriter(tmp_path / "pack", fakes.header()).close()
    assert "nothing to check yet" in call("inspect", tmp_path / "pack")


def test_validate_says_that_nothing_is_wrong(pack):
    assert call("validate", pack) == "2 episodes: nothing wrong\n"


def test_validate_names_every_mistake_and_fails(pack):
    path = PackPaths(pack).column("actions")
    path.write_bytes(bytes(len(path.read_bytes())))
    out = call("validate", pack, code=1)
    assert "episodes.jsonl, line 1: the digest differs" in out
    assert "episodes.jsonl, line 2: columns/actions.bin" in out
    assert json.loads(call("validate", pack, "--format", "json", code=1))["is_valid"] is False


def test_export_writes_the_document(pack, tmp_path):
    assert "2 episodes" in call("export", pack, tmp_path / "out.json", "--format", "json")
    assert len(json.loads((tmp_path / "out.json").read_text())["episodes"]) == 2


def test_brief_tells_an_episode_by_id_and_number(pack):
    assert call("brief", pack, "episode_0001") == call("brief", pack, "1")
    assert "## Epoch 5: GERMINATE_NORM" in call("brief", pack, "1", "--decision", "4")


def test_brief_gives_json(pack):
    found = json.loads(call("brief", pack, "0", "--decision", "4", "--format", "json"))
    assert found["decisions"][0]["hindsight"]["was_good_decision"] is True


def test_an_unknown_episode_names_the_nearest(pack):
    assert "episode_0001" in call("brief", pack, "episode_001", fails=UnknownNameError)


def test_a_folder_that_is_no_pack_is_said(tmp_path):
    assert "expected a pack" in call("inspect", tmp_path, fails=RecordError)


def test_reading_a_pack_loads_no_torch(pack):
    program = (
        "import sys; from probatum.cli.main import run\n"
        f"run(['packs', 'inspect', {str(pack)!r}]); run(['packs', 'validate', {str(pack)!r}])\n"
        "assert 'torch' not in sys.modules and 'pyarrow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def fake_study(monkeypatch):
    """Put instant runs in the place of a study's."""
    path = Path(__file__).parents[1] / "policies" / "fake_environment.py"
    offered = SimpleNamespace(**runpy.run_path(str(path)))

    def factory(study, profile, changes=None, *, runs=1, diagnosis=False):
        return lambda: offered.FakeEnvironment(**(changes or {}), diagnosis=diagnosis)

    monkeypatch.setattr("probatum.cli.environments.environment_factory", factory)
    monkeypatch.setattr("probatum.cli.environments.changes_of", lambda study, words: {})


def test_generate_makes_a_pack_that_is_valid(fake_study, tmp_path):
    out = call("generate", tmp_path / "pack", "--episodes", "6", "--seed", "3")
    assert out == f"{tmp_path / 'pack'}: 6 episodes\n"
    assert call("validate", tmp_path / "pack") == "6 episodes: nothing wrong\n"
    found = json.loads(call("inspect", tmp_path / "pack", "--format", "json"))
    assert found["quick_stats"]["episodes"] == 6


def test_generate_continues_with_the_episodes_that_are_missing(fake_study, tmp_path):
    call("generate", tmp_path / "a", "--episodes", "4", "--side-by-side", "2")
    call("generate", tmp_path / "a", "--episodes", "8", "--side-by-side", "2")
    call("generate", tmp_path / "b", "--episodes", "8", "--side-by-side", "2")
    grown, whole = (PackPaths(tmp_path / name).episodes.read_text() for name in "ab")
    assert grown == whole


def test_generate_judges_interventions_by_a_fork(fake_study, tmp_path):
    call("generate", tmp_path / "pack", "--episodes", "4", "--behaviour", "random")
    call("generate", tmp_path / "plain", "--episodes", "4", "--behaviour", "random", "--counterfactuals", "0")
    bases = [
        {each["summary"]["outcome_basis"] for each in PackReader(tmp_path / name).iterate()}
        for name in ("pack", "plain")
    ]
    assert bases == [{"counterfactual"}, {"afterwards"}]


def test_generate_does_not_mix_plans(fake_study, tmp_path):
    call("generate", tmp_path / "pack", "--episodes", "2")
    message = call("generate", tmp_path / "pack", "--episodes", "2", "--seed", "9", fails=UsageError)
    assert "another behaviour" in message


def test_without_a_name_the_pack_is_named_by_study_and_profile(fake_study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("generate", "--episodes", "1", "--profile", "minimal") == "packs/tamiyo_minimal: 1 episodes\n"


def test_diagnosis_offers_remedies_and_hides_causes(fake_study, tmp_path):
    call("generate", tmp_path / "pack", "--episodes", "12", "--diagnosis")
    reader = PackReader(tmp_path / "pack")
    assert "RAISE_LEARNING_RATE" in reader.actions
    assert len(reader.quick_stats["causes"]) > 2


def test_an_unknown_parameter_names_the_nearest(tmp_path):
    assert "epochs" in call("generate", tmp_path / "p", "--set", "epoch=3", fails=UnknownNameError)


def test_an_unknown_study_names_those_with_an_environment(tmp_path):
    message = call("generate", tmp_path / "p", "--study", "tamyo", fails=UnknownNameError)
    assert "Did you mean 'tamiyo'" in message


@pytest.mark.parametrize("word", ["epochs", "epochs=few"])
def test_a_setting_that_says_nothing_is_said(tmp_path, word):
    assert f"--set {word}" in call("generate", tmp_path / "p", "--set", word, fails=click.UsageError)
