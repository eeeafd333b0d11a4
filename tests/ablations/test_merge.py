from __future__ import annotations

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from probatum.ablations.plan.merge import ABSENT, differences, leaves, merge, nested, value_at

names = st.sampled_from(["a", "b", "c"])
trees = st.recursive(
    st.dictionaries(names, st.integers() | st.lists(st.integers())),
    lambda inner: st.dictionaries(names, inner | st.integers()),
    max_leaves=8,
)


@given(trees, trees)
def test_what_is_laid_over_is_found_again(base, over):
    merged = merge(base, over)
    assert all(value_at(merged, path) == value for path, value in leaves(over) if value != {})


@given(trees, trees)
def test_neither_side_is_changed_or_shared(base, over):
    before = deepcopy((base, over))
    merged = merge(base, over)
    for path, _ in list(leaves(merged)):
        holder = merged
        *way, last = path.split(".")
        for name in way:
            holder = holder[name]
        holder[last] = "spoilt"
    assert (base, over) == before


@given(trees)
def test_merging_with_itself_or_nothing_changes_nothing(tree):
    assert merge(tree, tree) == tree == merge(tree, None) == merge({}, tree)
    assert differences(tree, deepcopy(tree)) == []


def test_lists_are_replaced_and_mappings_are_deep():
    assert merge({"a": {"x": [1, 2], "y": 1}}, {"a": {"x": [3]}}) == {"a": {"x": [3], "y": 1}}


def test_a_shared_list_is_copied():
    shared = [1]
    merged = merge({}, {"a": shared, "b": {"c": shared}})
    merged["a"].append(2)
    assert merged["b"]["c"] == [1] == shared


def test_a_difference_is_spelled_as_in_the_overrides_log():
    assert [str(d) for d in differences({"a": {"x": 1e-4}}, {"a": {"x": "b"}})] == ["a.x:0.0001->b"]


def test_a_path_that_leads_nowhere_is_absent():
    assert value_at(nested("a.b", 1), "a.b.c") is ABSENT
