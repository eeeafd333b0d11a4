from probatum.analysis.leaderboard import analyse
from probatum.analysis.table import leaderboard_text


def test_the_table_is_ascii_and_says_what_three_seeds_cannot(sweep):
    text = leaderboard_text(analyse(sweep))
    assert text.isascii()
    assert (
        "5 against the baseline: cannot separate at n=3 (smallest p 0.25); n=6 could alone, n=8 among 5"
        in text
    )


def test_three_seeds_make_a_regression_no_more_than_possible(sweep):
    text = leaderboard_text(analyse(sweep))
    assert "regression?" in text
    assert "REGRESSION" not in text


def test_ten_seeds_confirm_a_regression(long_sweep):
    [line] = [line for line in leaderboard_text(analyse(long_sweep)).splitlines() if " opt_sgd " in line]
    assert "REGRESSION" in line


def test_a_long_list_is_cut_and_says_so(sweep):
    assert "... and 4 more" in leaderboard_text(analyse(sweep), rows=2)


def test_a_name_cannot_steer_the_terminal(write, tmp_path):
    write(tmp_path, "p", "plain", 1, called="red\x1b[31m")
    assert "\x1b" not in leaderboard_text(analyse(tmp_path))
