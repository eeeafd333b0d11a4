import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from probatum._errors import RecordError, UnknownNameError
from probatum.cli.explain import command

explained = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "reports" / "explained.py")))


@pytest.fixture
def root(tmp_path):
    for title, rate in (("base", 0.1), ("child", 0.2)):
        for seed in (1, 2):
            explained.run(
                tmp_path / "runs", title, seed, 0.5 + rate * seed, parameters={"rate": rate}, signals={}
            )
    return tmp_path / "runs"


def ask(root, *words, fails=None):
    found = CliRunner().invoke(command, [*map(str, words), "--runs_root", str(root)])
    if fails:
        assert isinstance(found.exception, fails), found.output
        return str(found.exception)
    assert not found.exception, found.output
    return found.stdout


def test_markdown_is_printed(root):
    out = ask(root, "*_base_*", "*_child_*")
    assert out.startswith("# child against base\n")
    assert "| `rate` | `0.1` | `0.2` |" in out


def test_json_is_whole(root):
    record = json.loads(ask(root, "*_base_*", "*_child_*", "--format", "json"))
    assert (record["schema_version"], record["paired_seeds"]) == (1, [1, 2])


def test_html_is_written_where_it_is_asked_for(root, tmp_path):
    out = ask(root, "*_base_*", "*_child_*", "--format", "html", "--output", tmp_path / "new" / "e.html")
    assert out.strip().endswith("e.html")
    assert (tmp_path / "new" / "e.html").read_text().startswith("<!doctype html>")


def test_a_hand_written_log_keeps_its_comments(root, tmp_path):
    log = tmp_path / "a3.yaml"
    log.write_text(
        "# why: we doubt the mask\ndecision: keep  # for now\ninstrumentation:\n  tag: a3  # the child\n"
    )
    ask(root, "*_base_*", "*_child_*", "--child_yaml", log)
    text = log.read_text()
    assert text.startswith("# why: we doubt the mask\ndecision: keep  # for now\n")
    assert "tag: a3  # the child" in text
    assert "changed: rate 0.1 -> 0.2" in text


def test_experiments_of_a_plan_are_explained(root, tmp_path):
    for seed in (1, 2):
        explained.plan_run(tmp_path / "p", "baseline", seed, 1.0)
        explained.plan_run(tmp_path / "p", "wide", seed, 0.9)
    assert ask(root, "baseline", "wide", "--plan", tmp_path / "p").startswith("# wide against baseline")
    assert ask(root, tmp_path / "p" / "baseline", tmp_path / "p" / "wide").startswith(
        "# wide against baseline"
    )


def test_mistakes_are_answered_with_the_next_step(root):
    assert "`probatum runs` lists" in ask(root, "nothing", "*_child_*", fails=UnknownNameError)


def test_a_log_that_is_not_there_is_refused(root, tmp_path):
    assert "found no file" in ask(
        root, "*_base_*", "*_child_*", "--child_yaml", tmp_path / "no.yaml", fails=RecordError
    )
