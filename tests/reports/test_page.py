import itertools
import json
import re
import runpy
from html.parser import HTMLParser
from pathlib import Path

import pytest

from probatum._errors import UnknownNameError, UsageError
from probatum.cli.main import run as probatum
from probatum.reports.page.output import page_record
from probatum.reports.page.page import build_page
from probatum.reports.page.subject import Request, read_subject

made = runpy.run_path(str(Path(__file__).with_name("page_runs.py")))
write_run, write_many, EVIL = made["write_run"], made["write_many"], made["EVIL"]


class Elements(HTMLParser):
    """What a browser would make of a page: elements with their attributes, and the text of scripts."""

    def __init__(self, text):
        super().__init__()
        self.found, self.scripts, self._script = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag == "script":
            self._script = (dict(attrs), [])
            self.scripts.append(self._script)

    def handle_endtag(self, tag):
        if tag == "script":
            self._script = None

    def handle_data(self, data):
        if self._script:
            self._script[1].append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(autouse=True)
def _bundle(monkeypatch, tmp_path):
    """Bundling takes seconds and is tested once, in the browser."""
    monkeypatch.setenv("PROBATUM_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("probatum.reports.page.page.vega_bundle", lambda: "window.embedChart = 0;")


def page_of(*references, root=None, **changes):
    return build_page(
        read_subject(Request([str(own) for own in references], Path(root or "runs"), **changes))
    )


def section(page, name):
    return next(own for own in page.sections if own.id == name)


def lines(own):
    return " ".join(line for block in own.blocks if block.kind == "text" for line in block.lines)


def test_a_run_has_every_section_that_its_records_allow(tmp_path):
    page = page_of(write_run(tmp_path / "runs"))
    assert [own.id for own in page.sections] == [
        "summary", "learning-curves", "signals", "robustness", "landscape", "trajectory", "narrative",
        "differences", "provenance",
    ]  # fmt: skip
    assert {
        "learning_curve_val_auc", "heat_map_gradient_norms", "lag_curve_attention", "missingness_auroc",
        "loss_slice", "sharpness", "loss_shares", "trajectory_gain",
    } <= set(page.figures)  # fmt: skip


def test_a_pair_is_judged_and_drawn_in_one_frame(tmp_path):
    parent = write_run(tmp_path / "runs", title="before")
    child = write_run(tmp_path / "runs", title="after", number=654321, shift=0.05)
    page = page_of(parent, child)
    table = next(block for block in section(page, "summary").blocks if block.kind == "table")
    assert [cell.text for cell in table.rows[0]][:2] == ["val_auc", "cannot separate"]
    chart = page.figures["missingness_auroc"].to_dict()
    assert {row["run"] for row in chart["data"]["values"]} == {"parent: before", "child: after"}
    assert any(own.id == "explanation" for own in page.sections)


def test_what_was_not_recorded_is_said_in_a_line_and_never_drawn_empty(tmp_path):
    page = page_of(write_run(tmp_path / "runs", signals=False))
    for name, told in {
        "signals": "--instrument_signals", "robustness": "probatum perturb", "landscape": "slice_points",
        "narrative": "--instrument_signals",
    }.items():  # fmt: skip
        own = section(page, name)
        assert told in lines(own)
        assert not own.figures


def test_a_plan_has_a_leaderboard_and_the_baseline_beside_the_best(tmp_path):
    page = page_of(write_many(tmp_path / "runs"), root=tmp_path / "none")
    table = section(page, "leaderboard").blocks[0]
    assert [row[0].text for row in table.rows] == ["variant_02", "variant_01", "baseline"]
    assert table.is_filtered
    assert "pareto" in {own.id for own in page.sections}
    provenance = next(block for block in section(page, "provenance").blocks if block.kind == "table")
    assert len(provenance.rows) == 9


def test_three_runs_are_ranked_like_a_plan(tmp_path):
    write_many(tmp_path / "runs")
    page = page_of("200000", "200001", "200002", root=tmp_path / "runs")
    assert len(section(page, "leaderboard").blocks[0].rows) == 3


def test_runs_are_named_as_other_verbs_name_them(tmp_path):
    write_run(tmp_path / "runs")
    assert page_of("123456", root=tmp_path / "runs").title == "quick (123456)"
    with pytest.raises(UnknownNameError, match="123457"):
        page_of("123457", root=tmp_path / "runs")
    with pytest.raises(UsageError, match="given twice"):
        page_of("123456", "20260101_000000_tiny_123456", root=tmp_path / "runs")


def test_nothing_that_a_run_says_becomes_markup(tmp_path):
    parent = write_run(tmp_path / "runs", title=EVIL, purpose=EVIL)
    child = write_run(tmp_path / "runs", title=f"</title>{EVIL}", number=654321, shift=0.05, note=EVIL)
    text = page_of(parent, child).html()
    plain = write_run(tmp_path / "plain", title="a", purpose="p")
    other = write_run(tmp_path / "plain", title="b", number=654321, shift=0.05, note="n")
    expected = page_of(plain, other).html()
    own, harmless = Elements(text), Elements(expected)
    assert not own.all("img")
    assert len(own.all("title")) == 1
    assert [tag for tag, _ in own.found if tag != "wbr"] == [tag for tag, _ in harmless.found if tag != "wbr"]
    blocks = [
        json.loads("".join(code)) for kind, code in own.scripts if kind.get("type") == "application/json"
    ]
    assert any(EVIL in json.dumps(block) for block in blocks)


def test_the_page_asks_nothing_of_any_server(tmp_path):
    text = page_of(write_run(tmp_path / "runs")).html()
    own = Elements(text)
    addresses = [
        value for _, found in own.found for name, value in found.items() if name in {"src", "href", "action"}
    ]
    assert all(value.startswith("#") for value in addresses)
    policy = next(found["content"] for found in own.all("meta") if "http-equiv" in found)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not [
        found for _, found in own.found if "style" in found or any(name.startswith("on") for name in found)
    ]


def test_the_headings_stand_in_order_and_tables_are_captioned(tmp_path):
    text = page_of(write_many(tmp_path / "runs"), root=tmp_path / "none").html()
    levels = [int(level) for level in re.findall(r"<h(\d)", text)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert text.count("<table") == text.count("<caption")
    names = re.findall(r' id="([^"]*)"', text)
    assert len(names) == len(set(names))


def test_the_json_holds_what_the_page_says(tmp_path):
    page = page_of(write_run(tmp_path / "runs"))
    record = json.loads(json.dumps(page_record(page), allow_nan=False))
    kinds = {block["kind"] for own in record["sections"] for block in own["blocks"]}
    assert {"figure", "table", "facts"} <= kinds


def test_the_verb_writes_the_file_and_the_figures(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs", signals=False)
    assert probatum(["report", "123456", "--title", "Mine & <yours>", "--figures", "figures"]) == 0
    assert "<title>Mine &amp; &lt;yours&gt; - Probatum report</title>" in Path("report.html").read_text()
    assert Path("figures/learning_curve_val_auc.png").stat().st_size > 1000
    assert "wrote report.html" in capsys.readouterr().out
    assert probatum(["report", "123456", "--output", "report.pdf"]) == 2


def test_a_damaged_record_is_a_note_and_not_the_end(tmp_path):
    folder = write_run(tmp_path / "runs")
    (folder / "instrumentation" / "signals.json").write_text("{")
    page = page_of(folder)
    assert "Damaged record" in lines(section(page, "provenance"))


def test_a_run_that_goes_on_shows_what_its_seeds_have_written(tmp_path):
    folder = write_run(tmp_path / "runs", signals=False)
    (folder / "metrics_epoch.csv").rename(folder / "artifacts" / "metrics_epoch_seed1.csv")
    (folder / "results.json").unlink()
    (folder / "status.json").write_text(json.dumps({"schema_version": 3, "status": "interrupted"}))
    page = page_of(folder)
    assert "probatum resume 123456" in lines(section(page, "summary"))
    assert "learning_curve_val_auc" in page.figures
    assert "Damaged" not in lines(section(page, "provenance"))
