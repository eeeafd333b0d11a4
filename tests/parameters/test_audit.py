from types import SimpleNamespace

import pytest

from probatum.parameters import Parameters, audit, parameter


class Small(Parameters):
    epochs: int = parameter("training", "passes over the data")
    rate: float = parameter("training", "step size")


CLEAN = "def run(parameters):\n    return parameters.epochs * parameters.rate\n"
YAML = "epochs: 3\nrate: 1e-7\n"


def _rules(tmp_path, source: str, yaml: str = YAML) -> list[tuple[str, int]]:
    (tmp_path / "code.py").write_text(source)
    (tmp_path / "defaults.yaml").write_text(yaml)
    study = SimpleNamespace(
        name="s", parameters=Small, defaults_path=tmp_path / "defaults.yaml", defaults_section=None
    )
    return [(finding.rule, finding.line) for finding in audit([tmp_path], [study])]


def test_a_clean_study_has_no_finding(tmp_path):
    assert _rules(tmp_path, CLEAN) == []


@pytest.mark.parametrize(
    ("planted", "rule"),
    [
        ("class P(Parameters):\n    epochs: int = 3\n", ("field-default", 4)),
        ("class P(Parameters):\n    epochs: int = parameter('a', 'b', default=3)\n", ("field-default", 4)),
        ("class P(Parameters):\n    seeds: list[int] = parameter('a', 'b')\n", ("mutable", 4)),
        ("x = getattr(anything, 'epochs', 3)\n", ("getattr-fallback", 3)),
        ("x = getattr(self.parameters, name, 3)\n", ("getattr-fallback", 3)),
        ("x = parameters.get('epochs', 3)\n", ("get-fallback", 3)),
        ("x = config['parameters'].get('epochs', 3)\n", ("get-fallback", 3)),
        ("x = click.option('--epochs', default=3)\n", ("option-default", 3)),
        ("parser.add_argument('--epochs', default=3)\n", ("option-default", 3)),
        ("def (\n", ("unreadable", 3)),
    ],
)
def test_a_planted_default_is_found_at_its_line(tmp_path, planted, rule):
    assert rule in _rules(tmp_path, CLEAN + planted)


def test_a_field_missing_in_the_defaults_file_is_found(tmp_path):
    assert _rules(tmp_path, CLEAN, "epochs: 3\n") == [("defaults", 1)]


def test_an_extra_name_in_the_defaults_file_is_found_at_its_line(tmp_path):
    assert _rules(tmp_path, CLEAN, YAML + "wings: 2\n") == [("defaults", 3)]


def test_a_field_that_nothing_reads_is_found(tmp_path):
    source = "class P(Parameters):\n    rate: float = parameter('a', 'b')\nx = parameters.epochs\n"
    assert _rules(tmp_path, source) == [("unread", 2)]


def test_a_getattr_without_fallback_counts_as_a_read(tmp_path):
    assert _rules(tmp_path, "x = getattr(p, 'epochs')\ny = p.rate\n") == []
