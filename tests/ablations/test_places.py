import pytest

from probatum._errors import ParameterError
from probatum.ablations.plan.places import read_places
from probatum.ablations.plan.source import PlanFile

TEXT = """\
# a comment
experiments:
  - name: a
    tags: &t {axis: lr,
      family: f}
  - {name: b, tags: *t}
  - name: c
    text: |
      of several
      lines
    last: 1
"""


@pytest.mark.parametrize(
    ("steps", "line"),
    [(("experiments",), 2), (("experiments", 0, "tags"), 4), (("experiments", 0, "tags", "family"), 5),
     (("experiments", 1), 6), (("experiments", 1, "tags", "family"), 5), (("experiments", 2, "last"), 11),
     (("experiments", 2, "missing"), 7), (("experiments", 9), 2), (("nothing",), 1)],
)  # fmt: skip
def test_a_place_has_the_line_of_its_value_or_of_the_block_around_it(tmp_path, steps, line):
    (tmp_path / "plan.yaml").write_text(TEXT)
    assert PlanFile(tmp_path / "plan.yaml").where(steps).startswith(f"{tmp_path}/plan.yaml:{line}")


def test_a_json_plan_has_lines_too(tmp_path):
    (tmp_path / "plan.json").write_text('{\n "experiments": [\n  {"name": "a"}\n ]\n}')
    assert "plan.json:3" in PlanFile(tmp_path / "plan.json").where(("experiments", 0, "name"))


def test_a_key_that_is_no_text_hides_no_other():
    places = read_places("? [a, {b: c}]\n: {d: 1}\ne: 2\n")
    assert places == {"e": (3, None)}


def test_an_anchor_inside_itself_is_refused_and_not_followed_for_ever(tmp_path):
    (tmp_path / "plan.yaml").write_text("a: &a\n  b: *a\n")
    with pytest.raises(ParameterError, match="stands inside its own anchor"):
        PlanFile(tmp_path / "plan.yaml")
