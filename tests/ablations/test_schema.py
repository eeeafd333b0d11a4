from __future__ import annotations

import textwrap
from copy import deepcopy

import jsonschema
import pytest
import yaml
from abprop_repository import PLANS
from hypothesis import given
from hypothesis import strategies as st

from probatum.ablations.plan.schema import faults, plan_schema, without

VALUES = st.sampled_from(
    [None, 1, 1.5, True, "x", [], [1], [1, 1], ["a"], {}, {"name": "x"}, {"a": [1]}, [{}]]
)
KEYS = st.sampled_from([*plan_schema()["properties"], "nonsense"])
plans = st.dictionaries(KEYS, VALUES, max_size=4)


def test_the_schema_is_a_json_schema():
    jsonschema.Draft202012Validator.check_schema(plan_schema())


@pytest.mark.parametrize("name", PLANS)
def test_abprops_files_follow_the_schema(name):
    jsonschema.validate(yaml.safe_load(textwrap.dedent(PLANS[name])), plan_schema())


@given(plans)
def test_our_check_agrees_with_the_jsonschema_package(plan):
    validator = jsonschema.Draft202012Validator(plan_schema())
    assert bool(list(faults(plan))) == bool(list(validator.iter_errors(plan)))


@given(plans)
def test_what_remains_without_its_mistakes_has_none_and_the_plan_is_untouched(plan):
    before = deepcopy(plan)
    wrong = list(faults(plan))
    rest = dict(without(plan, wrong))
    rest["experiments"] = [item for item in rest.get("experiments") or () if item is not None]
    assert list(faults(rest)) == []
    assert plan == before


def test_true_is_no_number():
    assert [fault.steps for fault in faults({"seeds": [True]})] == [("seeds", 0)]
