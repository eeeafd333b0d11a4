import pytest

from probatum.analysis.checklist import QUESTIONS


@pytest.mark.parametrize(
    ("axis", "title"),
    [("model", "Model scaling"), ("task_weights", "Task weight shifts"), ("data", "Data regime sensitivity"),
     ("masking", "Masking probability"), ("optimizer", "Optimiser swaps"),
     ("Data-regime", "Data regime sensitivity"),
     ("baseline", None), ("precision", None)],
)  # fmt: skip
def test_each_axis_of_abprops_plans_answers_one_question(axis, title):
    found = [question.title for question in QUESTIONS if question.answers(axis)]
    assert found == ([title] if title else [])


def test_every_question_says_what_to_be_careful_about():
    assert all(question.caution for question in QUESTIONS)
