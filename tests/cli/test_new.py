import subprocess
import sys

import pytest
from click.testing import CliRunner

from probatum.cli.main import cli
from probatum.cli.main import run as run_cli
from probatum.studies.skeleton.writing import suggestion


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROBATUM_RUNS", raising=False)
    return tmp_path


def call(*words):
    return CliRunner().invoke(cli, list(words), catch_exceptions=False, prog_name="probatum")


def execute(*words):
    program = [sys.executable, "-m", *words]
    return subprocess.run(program, capture_output=True, text=True, check=False)


def test_a_new_study_is_one_program_its_values_and_its_test(folder):
    done = call("new", "study", "flowers")
    assert done.exit_code == 0
    assert {path.name for path in folder.iterdir()} == {"flowers.py", "flowers.yaml", "test_flowers.py"}
    assert "probatum launch ./flowers.py --title first" in done.output


def test_no_mark_of_the_template_is_left(folder):
    call("new", "study", "flowers")
    assert not any("{{" in path.read_text() for path in folder.iterdir())


def test_the_check_passes_as_it_stands(folder):
    call("new", "study", "flowers")
    done = call("check", "./flowers.py")
    assert (done.exit_code, done.output) == (0, "no hidden default in 1 study\n")


def test_the_values_are_those_of_the_loop_and_of_the_study_and_no_others(folder):
    import yaml

    from probatum.studies.registry import load

    call("new", "study", "flowers")
    values = yaml.safe_load((folder / "flowers.yaml").read_text())
    assert set(values) == set(load("flowers.py").parameters.model_fields)


def test_its_own_test_passes(folder):
    call("new", "study", "flowers")
    done = execute("unittest", "test_flowers")
    assert done.returncode == 0, done.stderr
    assert "Ran 4 tests" in done.stderr


def test_its_own_test_fails_where_training_and_test_share_an_example(folder):
    call("new", "study", "flowers")
    program = folder / "flowers.py"
    text = program.read_text()
    leak = text.replace("return StudyData(", 'splits["test"] = splits["train"]\n        return StudyData(')
    assert leak != text
    program.write_text(leak)
    assert execute("unittest", "test_flowers").returncode == 1


def test_it_trains_at_once_and_learns(folder):
    call("new", "study", "two_words")
    done = execute("probatum", "launch", "./two_words.py", "--title", "first", "--epochs", "3")
    assert done.returncode == 0, done.stderr
    (run,) = (folder / "runs").glob("*_two_words_first_*")
    import json

    results = json.loads((run / "results.json").read_text())
    assert results["metrics"]["val_accuracy"]["best"] > 0.5  # a third by chance
    assert results["parameter_check"]["missing_params"] == []


def test_a_folder_is_made_and_named_in_what_to_do_next(folder):
    done = call("new", "study", "flowers", "--folder", "my studies")
    assert (folder / "my studies" / "flowers.py").is_file()
    assert "cd 'my studies'" in done.output


def test_nothing_is_written_over_and_nothing_is_written_beside(folder, capsys):
    (folder / "flowers.yaml").write_text("mine: 1\n")
    assert run_cli(["new", "study", "flowers"]) == 2
    assert "flowers.yaml: exists" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["flowers.yaml"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My Study", "For example: my_study"),
        ("../escape", "For example: escape"),
        ("class", "For example: my_class"),
        ("3d", "For example: study_3d"),
        ("", "For example: my_study"),
        ("x" * 41, "40 at most"),
        ("dkt", "comes with Probatum"),
    ],
)
def test_a_name_that_cannot_be_used_is_answered_with_one_that_can(folder, capsys, name, said):
    assert run_cli(["new", "study", name]) == 2
    assert said in capsys.readouterr().err
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "name", ["My Study", "../escape", "class", "3d", "", "x" * 50, "Ünï", "a" * 39 + "__b"]
)
def test_every_suggestion_can_be_used(folder, name):
    assert call("new", "study", suggestion(name)).exit_code == 0
