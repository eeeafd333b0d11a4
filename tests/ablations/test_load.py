from __future__ import annotations

from copy import deepcopy
from itertools import pairwise

import pytest

from probatum._errors import ParameterError
from probatum.ablations import PlanOptions, load_plan

COMMAND = "defaults: {train_script: 'fit {train_config} {model_config} {data_config} {seed}', "
COMMAND += "train_config: t.yaml}\n"


@pytest.fixture
def plan(plan_of, tmp_path):
    (tmp_path / "t.yaml").write_text("lr: 0.1\ndepth: 2\ndeep: {a: 1, b: 2}\n")
    return lambda text, **options: plan_of(COMMAND + text, **options)


def mistakes(plan, text, **options) -> str:
    with pytest.raises(ParameterError) as caught:
        plan(text, **options)
    return str(caught.value)


def names(plan) -> list[str]:
    return [run.key for run in plan.runs]


def test_overrides_are_laid_over_the_three_blocks(plan):
    found = plan(
        "experiments: [{name: a, train_overrides: {lr: 0.2, depth: 1}, overrides: {train: {lr: 0.3}}}]"
    )
    assert found.runs[0].resolved.configs["train"] == {"lr": 0.3, "depth": 1, "deep": {"a": 1, "b": 2}}


def test_an_empty_block_beside_overrides_is_no_mistake(plan):
    found = plan("experiments: [{name: a, train_overrides: null, overrides: {train: {lr: 0.3}}}]")
    assert found.runs[0].resolved.configs["train"]["lr"] == 0.3


def test_an_anchor_shared_by_two_experiments_is_not_changed_by_one(plan):
    found = plan("""
experiments:
  - {name: a, train_overrides: &shared {deep: {a: 5}}, overrides: {train: {deep: {b: 7}}}}
  - {name: b, train_overrides: *shared}
""")
    assert [run.resolved.configs["train"]["deep"] for run in found.runs] == [
        {"a": 5, "b": 7},
        {"a": 5, "b": 2},
    ]


def test_a_float_is_a_float_whatever_yaml_1_1_thinks(plan):
    assert (
        plan("experiments: [{name: a, train_overrides: {lr: 1e-7}}]").runs[0].resolved.configs["train"]["lr"]
        == 1e-7
    )


def test_all_mistakes_come_at_once_with_file_line_and_path(plan):
    told = mistakes(
        plan,
        """experiments:
  - name: a
    train_override: {lr: 1}
  - {name: lr 1e-3}
  - {name: 'lr:1e-3', seeds: [1, 1]}
  - {description: nameless}
baseline: b
primary_metric: depth_of_thought
""",
    )
    assert "6 mistakes" in told
    assert "plan.yaml:4: experiments[0].train_override: unknown key 'train_override'" in told
    assert "plan.yaml:6: experiments[2].seeds: expected each element once" in told
    assert "plan.yaml:6: experiments[2]: 'lr:1e-3' would share the folder 'lr-1e-3' with 'lr 1e-3'" in told
    assert "plan.yaml:7: experiments[3]: expected a `name`" in told
    assert "plan.yaml:8: baseline: unknown experiment 'b'" in told
    assert "which way is 'depth_of_thought' better?" in told


def test_an_override_that_the_command_never_hears_of_is_a_mistake(plan_of):
    told = mistakes(
        plan_of,
        "defaults: {train_script: 'fit {train.lr}'}\nexperiments: [{name: a, train_overrides: {lr: 1, depth: 2}}]",
    )
    assert "`train.depth` is overridden, but train_script never hears of it" in told


def test_seeds_that_the_command_never_hears_of_are_a_mistake(plan_of):
    told = mistakes(plan_of, "defaults: {train_script: fit}\nseeds: [1, 2]\nexperiments: [{name: a}]")
    assert "2 seeds, but train_script has no `{seed}`" in told


def test_an_unknown_placeholder_is_answered_with_the_nearest(plan_of):
    told = mistakes(plan_of, "defaults: {train_script: 'fit {seeed}'}\nexperiments: [{name: a}]")
    assert "Did you mean '{seed}'" in told


def test_each_seed_is_a_run_in_a_folder_of_its_own(plan):
    found = plan("seeds: [1, 2]\nexperiments: [{name: a}, {name: b, seeds: [7]}, {name: c, seed: 9}]")
    assert names(found) == ["a/seed_1", "a/seed_2", "b/seed_7", "c"]
    assert [run.seed for run in found.runs] == [1, 2, 7, 9]


def test_a_grid_has_every_point(plan):
    found = plan("matrix: {train.lr: [0.1, 0.2], train.depth: [1, 2, 3]}")
    points = [
        (run.resolved.configs["train"]["lr"], run.resolved.configs["train"]["depth"]) for run in found.runs
    ]
    assert points == [(0.1, 1), (0.1, 2), (0.1, 3), (0.2, 1), (0.2, 2), (0.2, 3)]
    assert names(found)[0] == "lr-0-1_depth-1"
    assert found.experiments[0].tags == {"axis": "matrix", "lr": 0.1, "depth": 1}


def test_an_experiment_can_be_a_grid(plan):
    found = plan("experiments: [{name: wide, matrix: {train.lr: [1, 2]}, train_overrides: {depth: 9}}]")
    assert names(found) == ["wide_lr-1", "wide_lr-2"]
    assert {run.resolved.configs["train"]["depth"] for run in found.runs} == {9}


def test_one_at_a_time_leaves_the_base_value_to_the_baseline(plan):
    found = plan("one_at_a_time: {train.lr: [0.1, 0.2], train.depth: [1, 2, 3]}")
    assert names(found) == ["lr-0-2", "depth-1", "depth-3", "baseline_reference"]
    assert found.baseline == "baseline_reference"
    assert all(len(run.differences(found.base)) == 1 for run in found.runs[:-1])


def test_leave_one_out_is_the_full_model_minus_each_component(plan):
    found = plan(
        "leave_one_out: {gate: {train.gate: none}, deep: {train.deep.a: 0, train.depth: 1}}\nbaseline: full"
    )
    assert names(found) == ["without_gate", "without_deep", "full"]
    assert [str(d) for d in found.runs[1].differences(found.base)] == [
        "train.deep.a:1->0",
        "train.depth:2->1",
    ]


def test_a_name_of_a_point_that_meets_another_is_refused(plan):
    assert "would share the folder" in mistakes(plan, "matrix: {train.lr: ['1.0', '1-0']}")


def test_two_runs_that_are_the_same_are_noted(plan):
    assert plan("experiments: [{name: a}, {name: b}]").notes == (
        "b is the same run as a: equal configurations and seed",
    )


def test_a_set_reaches_every_experiment_and_its_hash(plan):
    text = "experiments: [{name: a}, {name: b, train_overrides: {lr: 1}}]"
    first, second = plan(text), plan(text, sets=("train.lr=1e-7", "train.deep.a=[1, 2]"))
    assert [run.resolved.configs["train"]["lr"] for run in second.runs] == [1e-7, 1e-7]
    assert first.runs[0].config_hash != second.runs[0].config_hash


@pytest.mark.parametrize("entry", ["lr", "=1", "trian.lr=1", "train..lr=1"])
def test_a_set_that_means_nothing_is_refused(plan, entry):
    assert "--set" in mistakes(plan, "experiments: [{name: a}]", sets=(entry,))


def test_a_filter_takes_names_and_patterns(plan):
    text = "experiments: [{name: lr 1}, {name: lr 2}, {name: depth}]"
    assert names(plan(text, filters=("lr *",))) == ["lr-1", "lr-2"]
    assert names(plan(text, filters=("lr-2", "depth"))) == ["lr-2", "depth"]


def test_a_filter_that_matches_nothing_is_answered_with_the_nearest(plan):
    assert "Did you mean 'depth'" in mistakes(plan, "experiments: [{name: depth}]", filters=("dept",))


def test_the_hash_is_that_of_the_work_and_not_of_its_name(plan):
    found = plan(
        "experiments: [{name: a, description: x, tags: {k: 1}}, {name: b, env: {X: 1}}, {name: c, seed: 3}]"
    )
    same = plan("experiments: [{name: other}]").runs[0].config_hash
    assert found.runs[0].config_hash == same
    assert len({run.config_hash for run in found.runs}) == 3


def test_an_include_below_the_plan_may_not_lose_a_key(plan, tmp_path):
    (tmp_path / "more.yaml").write_text("seeds: [1]\nexperiments: [{name: x}]\n")
    told = mistakes(plan, "includes: {more: more.yaml}\nexperiments: [{include: more}]")
    assert "more.yaml:1: seeds: an included file gives experiments only" in told


def test_a_file_that_includes_itself_is_refused(plan, tmp_path):
    (tmp_path / "more.yaml").write_text("includes: {again: more.yaml}\nexperiments: [{include: again}]\n")
    assert "includes itself" in mistakes(plan, "includes: {more: more.yaml}\nexperiments: [{include: more}]")


def test_an_alias_inside_its_own_anchor_is_refused(plan):
    assert "stands inside its own anchor" in mistakes(plan, "matrix: &a {train.lr: [*a]}")


def test_a_number_that_is_none_is_refused(plan):
    assert ".inf and .nan cannot be recorded" in mistakes(
        plan, "experiments: [{name: a, train_overrides: {lr: .nan}}]"
    )


def test_results_stay_below_the_artifacts(plan):
    assert "must stand below artifacts/" in mistakes(
        plan, "results: {file: ../x.csv, format: wide}\nexperiments: [{name: a}]"
    )


def test_a_plan_without_experiments_is_refused(plan):
    assert "expected at least one experiment" in mistakes(plan, "experiments: []")


def test_a_json_plan_is_a_plan(tmp_path, monkeypatch):
    path = tmp_path / "p.json"
    path.write_text('{"defaults": {"train_script": "fit {train.lr}"}, "matrix": {"train.lr": [1, 2]}}')
    assert names(load_plan(path)) == ["lr-1", "lr-2"]


def test_the_content_of_a_plan_file_is_never_changed(plan, tmp_path, monkeypatch):
    from probatum.ablations.plan import source

    read = []
    original = source._mapping
    monkeypatch.setattr(source, "_mapping", lambda path: read.append((c := original(path), deepcopy(c))) or c)
    plan("experiments: [{name: a, overrides: {train: {deep: {a: 2}}}}]", sets=("train.lr=2",))
    assert all(now == then for now, then in read)


def test_a_sweep_of_ten_thousand_runs_is_understood(plan):
    axes = ", ".join(f"train.x{i}: {list(range(10))}" for i in range(3))
    found = plan(f"seeds: {list(range(10))}\nmatrix: {{{axes}}}")
    assert len(found.runs) == 10_000
    assert all(one.config_hash != other.config_hash for one, other in pairwise(found.runs))


def test_options_are_optional(plan_of, tmp_path):
    plan_of("defaults: {train_script: fit}\nexperiments: [{name: a}]")
    assert load_plan(tmp_path / "plan.yaml", PlanOptions()).name == "plan"
