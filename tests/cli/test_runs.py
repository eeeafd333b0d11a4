import csv
import io
import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from probatum.cli.runs import command
from probatum.runs.metric import MetricDefinition
from probatum.runs.recorder import RunRecorder

LOSS = MetricDefinition("loss", "Loss", False, 0.0, None, 0.1, 0.1, "", "")


@pytest.fixture
def root(tmp_path):
    for value in (0.3, 0.1, 0.2):
        with RunRecorder("toy", {"a": value}, [LOSS], title=f"run {value}", root=tmp_path) as run:
            run.epoch({"epoch": 1, "loss": value})
    return tmp_path


def _ask(root, *words):
    done = CliRunner().invoke(command, [*words, "--runs-root", str(root)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_the_best_come_first_in_the_direction_of_the_metric(root):
    rows = json.loads(_ask(root, "--metric", "loss", "--best", "2", "--format", "json"))
    assert [row["best"] for row in rows] == [0.1, 0.2]


def test_the_table_is_aligned_ascii(root):
    lines = _ask(root).splitlines()
    assert lines[0].split() == ["id", "status", "study", "title", "created", "seeds"]
    assert all(line.isascii() for line in lines)
    assert len({line.index("completed") for line in lines[1:-1]}) == 1


def test_csv_has_a_header_and_a_line_per_run(root):
    assert len(list(csv.DictReader(io.StringIO(_ask(root, "--format", "csv"))))) == 3


def test_filters_narrow_the_list(root):
    assert json.loads(_ask(root, "--status", "failed", "--format", "json")) == []
    assert len(json.loads(_ask(root, "--study", "toy", "--format", "json"))) == 3


def test_the_index_can_be_made_again(root):
    (root / ".catalogue.sqlite").write_bytes(b"damaged")
    assert "Indexed 3 runs." in _ask(root, "--rebuild")


def test_an_empty_root_says_what_to_do(tmp_path):
    assert "probatum launch" in _ask(tmp_path)
    assert "probatum launch" in _ask(tmp_path / "absent")


def test_best_needs_a_metric(root):
    done = CliRunner().invoke(command, ["--best", "1", "--runs-root", str(root)])
    assert done.exit_code == 2
    assert "--metric" in done.output


def test_the_help_has_examples():
    assert "Examples:" in CliRunner().invoke(command, ["--help"]).output


@pytest.mark.parametrize("verb", [["runs"], ["verify", "--all"]])
def test_reading_records_imports_nothing_heavy(root, verb):
    code = (
        "import sys\nfrom probatum.cli.main import run\n"
        f"run({[*verb, '--runs-root', str(root)]!r})\n"
        "print(sorted({'torch', 'numpy', 'scipy', 'pydantic', 'yaml'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
