import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum._errors import RecordError
from probatum.runs.summary import experiment_log
from probatum.signals.experiment_log import reference_artifact, write_comparison

LOG = """\
# A person's log.
experiment_id: "a3"   # quoted, and it stays so
metrics:
  mimic: {val: 0.5, test: 1e-7}
belief: >-
  folded text that
  stays folded
instrumentation:
  # what was seen
  signal_check:
    path: instrumentation/a3.json  # the artifact
    status: done
    summary: ''
  perturbations:
    path:
    notes: TODO
siblings:
  - a1   # first
  - a2
decision: keep
"""


def written(tmp_path, text, summary="one line", notes="two\nlines"):
    path = tmp_path / "a3.yaml"
    path.write_bytes(text.encode())
    write_comparison(path, summary, notes)
    return path.read_bytes().decode()


def test_only_the_two_fields_change(tmp_path):
    before, after = LOG.splitlines(), written(tmp_path, LOG).splitlines()
    assert [line for line in after if line not in before] == [
        "    summary: 'one line'",
        "    notes: |",
        "      two",
        "      lines",
    ]
    assert [line for line in before if line not in after] == ["    summary: ''", "    notes: TODO"]


def test_the_values_read_back(tmp_path):
    read = yaml.safe_load(written(tmp_path, LOG, "a: b # c\n- d", "x"))
    assert read["instrumentation"]["signal_check"]["summary"] == "a: b # c\n- d\n"
    assert read["instrumentation"]["perturbations"]["notes"] == "x"


def test_the_workbenchs_own_log_gains_lines_and_loses_none(tmp_path):
    experiment = {
        "experiment_id": "20260101_000000_dkt_quick_123456",
        "study": "dkt",
        "short_title": "quick",
        "purpose": 'wo\u0308rtlich: "a" # b',
        "created": "2026-01-01T00:00:00+00:00",
    }
    config = {
        "experiment": experiment,
        "config_md5": "0" * 32,
        "seeds": {"all": [21, 42]},
        "overrides": {"learning_rate": 1e-7, "layers": ["a", "b"]},
    }
    before = experiment_log(config, {"metrics": {"val_auc": {"mean": 0.5, "note": None}}})
    after = written(tmp_path, before).splitlines()
    assert [line for line in before.splitlines() if line not in after] == []
    assert len(after) == len(before.splitlines()) + 7


def test_writing_twice_is_writing_once(tmp_path):
    once = written(tmp_path, LOG)
    assert written(tmp_path, once) == once


def test_missing_sections_are_made(tmp_path):
    read = yaml.safe_load(written(tmp_path, "decision: keep\ninstrumentation:\n"))
    assert read == {
        "decision": "keep",
        "instrumentation": {
            "signal_check": {"summary": "one line"},
            "perturbations": {"notes": "two\nlines\n"},
        },
    }


def test_an_empty_log_is_filled(tmp_path):
    assert yaml.safe_load(written(tmp_path, ""))["instrumentation"]["signal_check"] == {"summary": "one line"}


def test_the_artifact_is_referenced(tmp_path):
    path = tmp_path / "log.yaml"
    path.write_text("study: dkt\n")
    reference_artifact(path, "instrumentation/a0.json")
    read = yaml.safe_load(path.read_text())["instrumentation"]
    assert read["signal_check"]["path"] == read["perturbations"]["path"] == "instrumentation/a0.json"


def test_windows_line_ends_stay(tmp_path):
    after = written(tmp_path, LOG.replace("\n", "\r\n"))
    assert "\r\r" not in after
    assert after.count("\n") == after.count("\r\n")


def test_a_text_where_a_section_belongs_is_refused_and_nothing_written(tmp_path):
    text = "instrumentation: none yet\n"
    with pytest.raises(RecordError, match=r"expected a mapping at instrumentation, got 'none yet'"):
        written(tmp_path, text)
    assert (tmp_path / "a3.yaml").read_text() == text


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [1\n", "a: 1\na: 2\n"])
def test_what_is_no_mapping_is_refused(tmp_path, text):
    with pytest.raises(RecordError, match="expected"):
        written(tmp_path, text)


def test_a_missing_log_is_named(tmp_path):
    with pytest.raises(RecordError, match="expected the child's experiment log"):
        write_comparison(tmp_path / "none.yaml", "", "")


keys = st.text("abc", min_size=1, max_size=3)
leaves = st.one_of(st.integers(), st.booleans(), st.text("xyz :#-", max_size=8), st.none())
values = st.recursive(leaves, lambda own: st.lists(own, max_size=3) | st.dictionaries(keys, own, max_size=3))
documents = st.dictionaries(keys, values, max_size=4)


@settings(max_examples=40, deadline=None)
@given(documents)
def test_the_rest_of_any_log_keeps_its_meaning(tmp_path_factory, document):
    path = tmp_path_factory.mktemp("log") / "a.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    write_comparison(path, "s", "n")
    read = yaml.safe_load(path.read_text())
    assert read.pop("instrumentation") == {"signal_check": {"summary": "s"}, "perturbations": {"notes": "n"}}
    assert read == document
    assert list(read) == list(document)
