import pytest

from probatum.analysis.checklist import QUESTIONS
from probatum.analysis.findings import findings_text
from probatum.analysis.leaderboard import analyse


def test_all_five_questions_are_answered_in_order(sweep):
    text = findings_text(analyse(sweep))
    heads = [f"## {number}. {question.title}" for number, question in enumerate(QUESTIONS, start=1)]
    assert [text.index(head) for head in heads] == sorted(text.index(head) for head in heads)
    assert "Not answered" not in text


def test_an_axis_without_experiments_is_said_to_be_unanswered(write, tmp_path):
    write(tmp_path, "p", "baseline", 1)
    assert findings_text(analyse(tmp_path)).count("Not answered") == 5


def test_three_seeds_recommend_the_baseline(sweep):
    text = findings_text(analyse(sweep))
    assert "**Architecture**: keep the baseline; `model_large` has a better mean" in text


def test_ten_seeds_recommend_what_the_test_separates(long_sweep):
    assert "**Architecture**: `model_large`: -0." in findings_text(analyse(long_sweep))


def test_task_weights_are_not_chosen_by_their_own_weighted_sum(long_sweep):
    assert "**Task weights**: keep the baseline: the total loss is another quantity" in findings_text(
        analyse(long_sweep)
    )


def test_a_regression_is_named_with_its_evidence(long_sweep):
    assert "- confirmed: `opt_sgd`, +" in findings_text(analyse(long_sweep))


def test_other_axes_get_their_own_section(sweep, write):
    write(sweep, "sweep", "bf16", 0, axis="precision")
    assert "## Axis: precision" in findings_text(analyse(sweep))


def test_a_failed_run_is_part_of_the_stability(sweep, write):
    write(sweep, "sweep", "opt_sgd", 77, axis="optimizer", status="failed")
    assert "`opt_sgd`: 1 failed" in findings_text(analyse(sweep))


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a|b"])
def test_no_name_breaks_the_page(write, tmp_path, name):
    write(tmp_path, "p", "plain", 1, axis=name, called=name)
    text = findings_text(analyse(tmp_path))
    assert "## Axis: <" not in text
    assert "| a|b |" not in text
