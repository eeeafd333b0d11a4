from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum._errors import RecordError
from probatum.ablations.targets.results import Results, Value, read_results, summary_of


def read(tmp_path, form, text):
    (tmp_path / "r").write_text(text)
    return read_results(tmp_path, Results("r", form))


def test_a_long_csv_is_read_by_tag(tmp_path):
    found = read(tmp_path, "long", "step,tag,metric,value\n1,train,loss,2\n1,eval,loss,3\n2,train,loss,1\n")
    assert found["metrics"] == {"loss": 1.0, "eval_loss": 3.0}
    assert found["last_step"] == {"loss": 2, "eval_loss": 1}


def test_a_wide_csv_is_read_by_column(tmp_path):
    found = read(tmp_path, "wide", "epoch,loss,note,val_cls_f1\n1,2.0,x,0.5\n2,1.0,y,0.9\n3,1.5,z,\n")
    assert found["metrics"] == {"loss": 1.5, "val_cls_f1": 0.9}
    assert found["best"]["val_cls_f1"]["step"] == 2
    assert found["final_step"] == 3


def test_json_is_read_as_one_result_or_as_rows(tmp_path):
    assert read(tmp_path, "json", '{"test": {"auc": 0.7}, "ok": true}')["metrics"] == {"test_auc": 0.7}
    assert (
        read(tmp_path, "json", json.dumps([{"step": 1, "loss": 2}, {"step": 2, "loss": 1}]))["loss_min"] == 1
    )


def test_a_number_that_is_none_is_counted_and_poisons_nothing(tmp_path):
    found = read(tmp_path, "wide", "step,loss\n1,2.0\n2,nan\n3,4.0\n4,inf\n")
    assert (found["loss_min"], found["loss_mean"], found["non_finite"]) == (2.0, 3.0, {"loss": 2})
    json.dumps(found, allow_nan=False)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_minimum_mean_and_last_are_those_of_the_numbers(numbers):
    found = summary_of(Value("loss", step, number) for step, number in enumerate(numbers))
    assert found["loss_min"] == min(numbers)
    assert math.isclose(found["loss_mean"], sum(numbers) / len(numbers), rel_tol=1e-9, abs_tol=1e-6)
    assert found["metrics"]["loss"] == numbers[-1]


def test_a_direction_nobody_knows_has_no_best():
    assert summary_of([Value("oddness", 1, 2.0)])["best"] == {}


@pytest.mark.parametrize(("form", "text"), [("long", "a,b\n1,2\n"), ("json", "{"), ("wide", "step,x\n")])
def test_what_is_not_as_declared_is_told(tmp_path, form, text):
    with pytest.raises(RecordError):
        read(tmp_path, form, text)


def test_missing_results_say_where_they_were_expected(tmp_path):
    with pytest.raises(RecordError, match=r"expected logs/x.csv in artifacts/ \(long\), found none"):
        read_results(tmp_path, Results("logs/x.csv", "long"))
