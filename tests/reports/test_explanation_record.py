import html.parser
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from probatum._errors import UsageError
from probatum.reports.explanation.html import html_page
from probatum.reports.explanation.markdown import markdown, summary_lines
from probatum.reports.explanation.record import build_explanation, explanation_schema

explained = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("explained.py"))))
LOUD = "<script>alert(1)</script>|`*x*"
CURVES = {"missingness_curve": explained.stories.curve([0.8, 0.7, 0.6], half_width=0.01)}
STEEP = {"missingness_curve": explained.stories.curve([0.8, 0.6, 0.3], half_width=0.01)}


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    for seed, value in enumerate([0.50, 0.55, 0.60, 0.52, 0.58, 0.61], start=1):
        parent = explained.run(root, "base", seed, value, signals={"perturbations": STEEP})
        child = explained.run(
            root, f"child {LOUD}", seed, value + seed / 100, parameters={"rate": LOUD},
            signals={"scale": 2.0, "perturbations": CURVES},
        )  # fmt: skip
        for paths in (parent, child):
            explained.evaluate(paths, test_auc=value + seed / 50, test_loss=1.0)
    return build_explanation("*_base_*", "*_child_*", root=root)


def test_the_record_is_what_its_schema_publishes(record):
    schema = explanation_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(record, allow_nan=False)), schema)


def test_a_record_of_one_pair_without_anything_is_as_the_schema_says(tmp_path):
    names = [explained.run(tmp_path, title, 1, 0.5, splits=None).name for title in ("base", "child")]
    found = build_explanation(*names, root=tmp_path)
    jsonschema.validate(json.loads(json.dumps(found, allow_nan=False)), explanation_schema())
    assert markdown(found).startswith("# child against base")


def test_a_record_of_a_plan_over_a_foreign_command_is_as_the_schema_says(tmp_path):
    for seed in (1, 2, 3):
        explained.plan_run(tmp_path / "p", "baseline", seed, 1.0 + seed / 10)
        explained.plan_run(tmp_path / "p", "wide", seed, 0.9 + seed / 10, overrides=["train.width:8->16"])
    index = {"primary_metric": {"name": "loss", "higher_is_better": False}}
    (tmp_path / "p" / "plan_index.json").write_text(json.dumps(index))
    found = build_explanation("baseline", "wide", plan=tmp_path / "p")
    jsonschema.validate(json.loads(json.dumps(found, allow_nan=False)), explanation_schema())
    assert found["did"]["primary"] == "metrics_loss"
    assert "`train.width`" in markdown(found)


def test_curves_that_fall_less_over_all_seeds_degrade_more_slowly(record):
    [curve] = record["why"]["robustness"]["curves"]
    assert (curve["verdict"], curve["n"], curve["p_value"]) == ("degrades more slowly", 6, 2 / 2**6)


def test_the_answer_stands_first(record):
    lines = markdown(record).splitlines()
    assert lines[2].startswith("**It helped.**")
    titles = [line[3:] for line in lines if line.startswith("## ")]
    assert titles == [
        "What changed", "What it did", "What moved together with it", "What to doubt", "What to try next"
    ]  # fmt: skip


def test_nothing_that_is_only_associated_is_called_a_cause(record):
    text = markdown(record).lower()
    assert "association, not cause" in text
    assert not re.search(r"because of|caused|due to|leads to|explains why", text)


def test_names_are_no_markup_in_markdown(record):
    text = markdown(record)
    rows = [line for line in text.splitlines() if line.startswith("| `rate`")]
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 4
    assert "<script>" not in re.sub(r"`[^`]*`", "", text)


def test_names_are_no_markup_in_html(record):
    found = html_page(record)
    assert "<script" not in found
    assert "&lt;script&gt;" in found


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_html_page_is_whole_and_asks_nothing_of_anyone(record):
    tags = Tags()
    tags.feed(html_page(record))
    assert tags.open == []
    names = [name for name, _ in tags.seen]
    assert names.count("h1") == 1
    assert names.count("table") == names.count("caption") == 5
    assert not [attrs for _, attrs in tags.seen if {"src", "href"} & attrs.keys()]


def test_the_lines_for_a_log_have_no_markup(record):
    lines = summary_lines(record)
    assert lines[0] == "explained against base"
    assert not [line for line in lines if "`" in line or "**" in line]


def test_a_run_is_not_explained_against_itself(tmp_path):
    name = explained.run(tmp_path, "base", 1, 0.5).name
    with pytest.raises(UsageError, match="on both sides"):
        build_explanation(name, name, root=tmp_path)


def test_an_unknown_metric_is_answered_with_those_there_are(tmp_path):
    names = [explained.run(tmp_path, title, 1, 0.5).name for title in ("base", "child")]
    with pytest.raises(UsageError, match="There are: val_auc"):
        build_explanation(*names, root=tmp_path, metric="beauty")


def test_explaining_imports_no_torch():
    code = (
        "import sys, probatum.reports.explanation.record, probatum.reports.explanation.markdown, "
        "probatum.policies.advisor, probatum.policies.run_snapshots; sys.exit('torch' in sys.modules or "
        "'altair' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
