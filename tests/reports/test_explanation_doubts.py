import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum.reports.explanation.record import build_explanation

explained = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("explained.py"))))
SIX = [0.50, 0.55, 0.60, 0.52, 0.58, 0.61]


def doubts(root, values=SIX, parent=None, child=None, **options):
    first = explained.side(root, "base", values, **(parent or {}))
    second = explained.side(root, "child", values, **{"parameters": {"rate": 0.2}, **(child or {})})
    record = build_explanation(first, second, root=root, **options)
    return {own["code"]: own for own in record["doubts"]}, record


def pair(root, change=None, parent=None):
    first = explained.run(root, "base", 1, 0.5, **(parent or {}))
    second = explained.run(root, "child", 1, 0.5, parameters={"rate": 0.2})
    if change:
        change(second)
    return {own["code"]: own for own in build_explanation(first.folder, second.folder, root=root)["doubts"]}


def test_three_seeds_are_too_few_and_the_number_that_would_do_is_said(tmp_path):
    found, record = doubts(tmp_path, SIX[:3])
    assert found["too_few_seeds"]["numbers"] == {"n": 3, "needed": 6, "alpha": 0.05}
    assert next(own for own in record["next"] if own["action"] == "add_seeds")["numbers"]["seeds"] == [
        4,
        5,
        6,
    ]


def test_six_seeds_are_not_too_few(tmp_path):
    found, _ = doubts(tmp_path)
    assert "too_few_seeds" not in found


def test_other_seeds_cannot_be_paired(tmp_path):
    names = [explained.run(tmp_path, f"r{seed}", seed, 0.5 + seed / 100).name for seed in (1, 2, 3, 4)]
    record = build_explanation(",".join(names[:2]), ",".join(names[2:]), root=tmp_path)
    assert "no_common_seeds" in {own["code"] for own in record["doubts"]}


def test_another_test_split_is_other_data_and_high(tmp_path):
    splits = {**explained.SPLITS, "test": {"sha256": "z", "rows": 4}}
    found, _ = doubts(tmp_path, SIX[:2], child={"splits": splits})
    assert found["other_splits"]["severity"] == "high"


def test_two_splits_of_one_digest_are_a_leak(tmp_path):
    leaky = {**explained.SPLITS, "test": explained.SPLITS["train"]}
    found, _ = doubts(tmp_path, SIX[:2], parent={"splits": leaky}, child={"splits": leaky})
    assert found["splits_overlap"]["numbers"]["splits"] == ["train = test"]


def test_preprocessing_fitted_beyond_training_is_a_leak(tmp_path):
    def fit(paths):
        explained.rewrite(paths.data, lambda own: own.update(preprocessing={"fitted_on": "all"}))

    assert pair(tmp_path, fit)["fitted_beyond_train"]["severity"] == "high"


def test_more_epochs_are_another_budget(tmp_path):
    found, record = doubts(tmp_path, SIX[:2], child={"epochs": 6})
    assert found["unequal_budget"]["numbers"]["epochs"] == {"parent": 3, "child": 6, "ratio": 2}
    assert record["next"][0]["action"] == "equal_budget"
    assert "--epochs 6" in record["next"][0]["commands"][0]


def test_several_changes_at_once_are_no_one_of_them(tmp_path):
    found, record = doubts(tmp_path, SIX[:2], child={"parameters": {"rate": 0.2, "depth": 3}})
    assert set(found["several_changes"]["numbers"]["parameters"]) == {"rate", "depth"}
    assert "one_change_at_a_time" in {own["action"] for own in record["next"]}


def test_a_best_epoch_that_was_the_last_is_said(tmp_path):
    found, _ = doubts(tmp_path, SIX[:2], parent={"epochs": 2}, child={"epochs": 2})
    assert found["best_at_last_epoch"]["severity"] == "medium"


def test_fewer_epochs_than_asked_for_are_said(tmp_path):
    def stop(paths):
        explained.rewrite(paths.config, lambda own: own["parameters"].update(epochs=9))

    assert pair(tmp_path, stop)["stopped_early"]["numbers"] == {"side": "child", "runs": 1, "of": 1}


def test_validation_that_chose_the_epoch_and_judges_it_is_said_with_what_the_test_shows(tmp_path):
    for title, gain in (("base", 0.0), ("child", 0.1)):
        for seed in (1, 2):
            paths = explained.run(tmp_path, title, seed, 0.5 + gain, parameters={"rate": gain})
            explained.evaluate(paths, test_auc=0.5 - gain)
    record = build_explanation("*_base_*", "*_child_*", root=tmp_path)
    found = {own["code"]: own for own in record["doubts"]}
    assert found["validation_used_twice"]["severity"] == "medium"
    assert found["validation_used_twice"]["numbers"]["sign_turns"] == ["on test"]
    assert "test_looked_at" in found


def test_no_test_split_is_said(tmp_path):
    assert "no_test" in doubts(tmp_path, SIX[:2])[0]


def test_a_primary_metric_of_the_test_split_is_high(tmp_path):
    for title in ("base", "child"):
        explained.evaluate(explained.run(tmp_path, title, 1, 0.5), test_auc=0.5)
    record = build_explanation("*_base_*", "*_child_*", root=tmp_path, metric="eval_test_auc")
    assert next(own for own in record["doubts"] if own["code"] == "chosen_on_test")["severity"] == "high"


def test_a_parameter_that_nobody_read_cannot_have_acted(tmp_path):
    def unread(paths):
        explained.rewrite(paths.results, lambda own: own.update(parameter_check={"unread_params": ["rate"]}))

    assert pair(tmp_path, unread)["never_read"]["severity"] == "high"


def test_a_change_after_which_everything_measured_is_the_same_did_not_act(tmp_path):
    found, _ = doubts(tmp_path, SIX[:2], parent={"signals": {}}, child={"signals": {}})
    assert found["inert_change"]["numbers"]["alike_pairs"] == 2


def test_runs_that_differ_without_a_recorded_change_are_unexplained(tmp_path):
    found, _ = doubts(
        tmp_path, SIX[:2], parent={"signals": {}}, child={"signals": {"scale": 2.0}, "parameters": {}}
    )
    assert found["unexplained"]["severity"] == "high"


def test_signals_of_one_pair_are_of_two_runs_and_not_of_two_methods(tmp_path):
    found, _ = doubts(tmp_path, SIX[:1], parent={"signals": {}}, child={"signals": {"scale": 2.0}})
    assert "one_pair_of_signals" in found


def test_many_signals_come_with_how_many_chance_would_give(tmp_path):
    found, _ = doubts(tmp_path, SIX[:3], parent={"signals": {}}, child={"signals": {"scale": 2.0}})
    numbers = found["many_signals"]["numbers"]
    assert numbers["expected_by_chance"] == pytest.approx(0.05 * numbers["different"])


def test_runs_of_a_plan_that_failed_leave_survivors(tmp_path):
    for seed in (1, 2):
        explained.plan_run(tmp_path / "p", "baseline", seed, 1.0)
        explained.plan_run(tmp_path / "p", "wide", seed, 0.9, status="completed" if seed == 1 else "failed")
    record = build_explanation("baseline", "wide", plan=tmp_path / "p")
    assert next(own for own in record["doubts"] if own["code"] == "failed_runs")["numbers"]["side"] == "child"


def test_the_weightiest_doubts_stand_first(tmp_path):
    _, record = doubts(tmp_path, SIX[:2])
    order = ["high", "medium", "low"]
    places = [order.index(own["severity"]) for own in record["doubts"]]
    assert places == sorted(places)


def test_a_remedy_names_how_often_the_parent_has_the_same_cause(tmp_path):
    _, record = doubts(tmp_path, SIX[:2], parent={"signals": {}}, child={"signals": {"scale": 1e6}})
    remedies = [own for own in record["next"] if own["action"] == "remedy"]
    assert all({"cause", "child_runs", "parent_runs"} <= own["numbers"].keys() for own in remedies)
    json.dumps(remedies, allow_nan=False)


def test_a_metric_that_was_named_afterwards_is_no_declared_one(tmp_path):
    found, record = doubts(tmp_path, SIX[:2], metric="val_auc")
    assert "metric_chosen_after" in found
    assert not record["did"]["is_declared"]


def test_commands_name_runs_and_no_folder_of_this_machine(tmp_path):
    _, record = doubts(tmp_path, SIX[:2])
    commands = [line for own in record["next"] for line in own["commands"]]
    assert commands
    assert not [line for line in commands if str(tmp_path) in line]
