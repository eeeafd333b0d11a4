import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from probatum.cli.check import command
from probatum.parameters import Parameters, load_defaults, parameter
from probatum.studies import registry


class Small(Parameters):
    wingspan: int = parameter("training", "read by nobody")


@pytest.fixture
def study(tmp_path, monkeypatch):
    path = tmp_path / "defaults.yaml"
    path.write_text("wingspan: 3\n")
    small = SimpleNamespace(
        name="small",
        parameters=Small,
        defaults_path=path,
        defaults_section=None,
        summary="a small one",
        load_defaults=lambda: load_defaults(Small, path),
    )
    monkeypatch.setattr(registry, "names", lambda: ["small"])
    monkeypatch.setattr(registry, "load", lambda name: small)
    return small


@pytest.mark.usefixtures("study")
def test_check_exits_1_and_prints_what_it_found():
    result = CliRunner().invoke(command, ["--format", "json"])
    assert result.exit_code == 1
    assert "`wingspan` is read nowhere." in [finding["problem"] for finding in json.loads(result.output)]


def test_check_help_has_examples():
    assert "Examples:" in CliRunner().invoke(command, ["--help"]).output


def test_a_study_file_with_a_default_in_its_class_is_a_finding_with_its_line(tmp_path):
    path = tmp_path / "planted.py"
    path.write_text(
        "from probatum.parameters import Parameters\n\nclass P(Parameters):\n    epochs: int = 3\n"
    )
    result = CliRunner().invoke(command, [str(path)])
    assert result.exit_code == 1
    assert f"{path}:4: `epochs` has a default in code." in result.output
    assert "expected no default, got 3" in result.output
