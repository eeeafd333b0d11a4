from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from probatum._errors import ParameterError
from probatum.parameters import documents
from probatum.parameters.documents import plain_value, read_document
from probatum.parameters.plain_yaml import PlainReader, UnusualError

WORDS = st.sampled_from(["a", "lr", "1e-7", "010", "0o10", "0x1F", "true", "on", "~", "null", "", ".inf", "-3",
                         "1_0", "<<", "2026-01-01", "a: b", "- x", "ü", "'", "#c"])  # fmt: skip
SCALARS = WORDS | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none()
CONTENTS = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3),
    st.recursive(
        SCALARS,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz", min_size=1), inner, max_size=3)
        ),
        max_leaves=12,
    ),
)


def plainly(text):
    reader = PlainReader(text, plain_value)
    return reader.read(), reader.lines


@given(CONTENTS, st.booleans())
def test_it_reads_what_the_full_loader_reads_with_the_same_lines(tmp_path_factory, content, flow):
    path = tmp_path_factory.getbasetemp() / "content.yaml"
    text = yaml.safe_dump(content, default_flow_style=flow, allow_unicode=True)
    full = documents._read_any_yaml(path, text)
    assert plainly(text) == (full.content, full.lines)


@pytest.mark.parametrize(
    "word", ["1e-7", "010", "0o10", "0x1F", "true", "on", "~", "", ".inf", "+.5", "12e03", "v1"]
)
def test_a_word_means_what_the_full_loader_takes_it_for(tmp_path, word):
    assert plainly(f"a: {word}")[0] == documents._read_any_yaml(tmp_path / "a.yaml", f"a: {word}").content


def test_an_alias_is_the_very_value_of_its_anchor():
    content, _ = plainly("list: [&a {x: [1]}, *a]")
    assert content["list"][0] is content["list"][1]


def test_a_merge_brings_names_that_the_block_itself_and_the_first_source_override():
    text = "list:\n- &a {x: 1, y: 1, z: 1}\n- &b {y: 2, z: 2, w: 2}\n- {z: 3, <<: [*a, *b]}\n"
    assert plainly(text)[0]["list"][2] == {"x": 1, "y": 1, "w": 2, "z": 3}


def test_a_merge_of_what_was_merged_already_is_no_duplicate(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("list:\n- &a {x: 1}\n- &b\n  <<: *a\n  x: 2\n- {<<: *b}\n")
    assert read_document(path).content["list"][2] == {"x": 2}


@pytest.mark.parametrize(
    "text",
    ["a: !!str 1", "1: a", "? [x]\n: a", "a: 1\na: 2", "a: &b {x: 1}\nc: *b", "a: *nothing", "a: 1\n---\nb: 2",
     "a: &b {x: 1}\nc:\n  <<: *b", "[{<<: 3}]", "a: <<"],
)  # fmt: skip
def test_what_needs_the_full_loader_is_left_to_it(text):
    with pytest.raises((UnusualError, yaml.YAMLError)):
        plainly(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [("a: 1\na: 2\n", r"a.yaml:2: .*`a` stands twice, first in line 1"),
     ("a: [1\nb: 2\n", r"a.yaml:2: expected YAML"),
     ("a: 1\nb: *c\n", r"a.yaml:2: .*undefined alias"),
     ("a: !!python/none 1\n", r"a.yaml:1: .*python/none")],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path, text, told):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ParameterError, match=told):
        read_document(tmp_path / "a.yaml")


def test_the_lines_of_names_that_an_alias_brings_are_kept(tmp_path):
    (tmp_path / "a.yaml").write_text("base: &b\n  x: 1\nown:\n  <<: *b\n  y: 2\n")
    found = read_document(tmp_path / "a.yaml")
    assert found.content["own"] == {"x": 1, "y": 2}
    assert found.lines["own", "x"] == 2
