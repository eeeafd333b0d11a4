import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from probatum.cli.studies import command
from probatum.parameters import Parameters, parameter
from probatum.studies import registry


class Small(Parameters):
    epochs: int = parameter("training", "passes over the data", ge=1)


@pytest.fixture(autouse=True)
def _registry(monkeypatch):
    small = SimpleNamespace(
        name="small", parameters=Small, summary="a small one", load_defaults=lambda: Small(epochs=3)
    )
    monkeypatch.setattr(registry, "names", lambda: ["small"])
    monkeypatch.setattr(registry, "load", lambda name: small)


def test_studies_are_listed_with_their_summary():
    assert CliRunner().invoke(command, []).output == "small  a small one\n"


def test_one_study_prints_its_table_and_writes_the_csv(tmp_path):
    path = tmp_path / "parameters.csv"
    result = CliRunner().invoke(command, ["small", "--format", "json", "--csv", str(path)])
    assert json.loads(result.output)[0]["default"] == "3"
    assert path.read_text().splitlines()[0] == "name,default,category,unit,description"


def test_csv_without_a_study_is_a_usage_mistake():
    assert CliRunner().invoke(command, ["--csv", "x.csv"]).exit_code == 2
