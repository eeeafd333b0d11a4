import pytest

from probatum._errors import ParameterError
from probatum.parameters import Parameters, load_defaults, parameter
from probatum.parameters.documents import read_document


class Small(Parameters):
    epochs: int = parameter("training", "passes over the data", ge=1)
    rate: float = parameter("training", "step size")
    title: str = parameter("experiment", "a few words")


def _write(tmp_path, text: str):
    path = tmp_path / "defaults.yaml"
    path.write_text(text)
    return path


def test_yaml_12_reads_floats_words_and_leading_zeros(tmp_path):
    content = read_document(
        _write(tmp_path, "a: 1e-7\nb: on\nc: 010\nd: 1.\ne: 12:30\nf: true\ng: null\n")
    ).content
    assert content == {"a": 1e-7, "b": "on", "c": 10, "d": 1.0, "e": "12:30", "f": True, "g": None}


def test_sections_share_values_by_anchor_and_override_them(tmp_path):
    text = "common: &common\n  epochs: 3\n  rate: '1e-7'\none:\n  <<: *common\n  epochs: 4\n  title: on\n"
    assert load_defaults(Small, _write(tmp_path, text), "one") == Small(epochs=4, rate=1e-7, title="on")


def test_a_duplicate_key_is_refused_with_its_line(tmp_path):
    with pytest.raises(ParameterError, match=r"defaults.yaml:2: .*`epochs` stands twice"):
        load_defaults(Small, _write(tmp_path, "epochs: 3\nepochs: 4\n"))


def test_missing_extra_and_wrong_values_are_named_at_once(tmp_path):
    with pytest.raises(ParameterError) as caught:
        load_defaults(Small, _write(tmp_path, "epochs: 0\nrat: 1\ntitle: x\n"))
    text = str(caught.value)
    assert "Did you mean 'rate'" in text
    assert "`rate` has no default" in text
    assert "defaults.yaml:1" in text


def test_an_unknown_section_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(ParameterError, match="Did you mean 'small'"):
        load_defaults(Small, _write(tmp_path, "small:\n  epochs: 1\n"), "smal")
