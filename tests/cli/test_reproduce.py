import pytest

from probatum.cli.main import run


@pytest.mark.parametrize("words", [[], ["1", "--repro_experiment_id", "2"]])
def test_exactly_one_run_must_be_named(words, capsys):
    assert run(["reproduce", *words]) == 2
    assert "name one run" in capsys.readouterr().err


def test_the_seeds_flag_finds_the_run(tmp_path, capsys):
    assert run(["reproduce", "--repro_experiment_id", "423891", "--runs_root", str(tmp_path)]) == 2
    assert "no run '423891'" in capsys.readouterr().err
