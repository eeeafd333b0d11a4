import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from scipy import stats

from probatum.reports.explanation.effects import row_of, what_it_did
from probatum.reports.explanation.sides import find_side

explained = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("explained.py"))))
BASE = [0.50, 0.55, 0.60, 0.52, 0.58, 0.61]
GAIN = [0.02, 0.03, 0.05, 0.01, 0.04, 0.06]


def did(root, base=BASE, child=None, **options):
    values = child or [value + gain for value, gain in zip(base, GAIN, strict=False)]
    first = explained.side(root, "base", base, **options)
    second = explained.side(root, "child", values, **options)
    return what_it_did(find_side(first, root), find_side(second, root))


def test_six_pairs_can_show_a_difference(tmp_path):
    row = row_of(did(tmp_path))
    assert row["metric"] == "val_auc"
    assert (row["verdict"], row["n"], row["is_paired"]) == ("better", 6, True)
    assert row["p_holm"] == 2 / 2**6  # alone in its family: no correction


def test_difference_interval_and_effect_agree_with_scipy(tmp_path):
    row = row_of(did(tmp_path))
    low, high = stats.t.interval(0.95, 5, loc=sum(GAIN) / 6, scale=stats.sem(GAIN))
    assert row["ci_low"] == pytest.approx(low)
    assert row["ci_high"] == pytest.approx(high)
    assert row["effect_size"] == pytest.approx(sum(GAIN) / 6 / stats.tstd(GAIN))


def test_three_pairs_cannot_and_say_how_many_could(tmp_path):
    row = row_of(did(tmp_path, BASE[:3]))
    assert (row["verdict"], row["seeds_needed"]) == ("cannot separate", 6)
    assert "n=3" in row["sentence"]
    assert "n=6 could" in row["sentence"]


def test_one_seed_tests_nothing(tmp_path):
    row = row_of(did(tmp_path, BASE[:1]))
    assert (row["verdict"], row["p_value"], row["ci_low"]) == ("one seed", None, None)


def test_the_same_numbers_under_two_names_are_one_row(tmp_path):
    for title, values in (("base", BASE), ("child", GAIN)):
        for seed, value in enumerate(values, start=1):
            explained.evaluate(explained.run(tmp_path, title, seed, value), valid_auc=value)
    found = what_it_did(find_side("*_base_*", tmp_path), find_side("*_child_*", tmp_path))
    assert row_of(found)["same_as"] == ["eval_valid_auc"]
    assert "eval_valid_auc" not in [row["column"] for row in found["metrics"]]


def test_the_test_split_is_a_family_of_its_own_with_the_direction_of_validation(tmp_path):
    for title, gain in (("base", 0.0), ("child", -0.1)):
        for seed, value in enumerate(BASE, start=1):
            explained.evaluate(
                explained.run(tmp_path, title, seed, value), test_auc=value + gain + seed / 100
            )
    found = what_it_did(find_side("*_base_*", tmp_path), find_side("*_child_*", tmp_path))
    row = row_of(found, "test")
    assert (row["column"], row["higher_is_better"], row["verdict"]) == ("eval_test_auc", True, "worse")


def test_further_sealed_metrics_are_corrected_among_themselves(tmp_path):
    found = did(tmp_path, metrics=(explained.AUC, explained.F1), others={"val_f1": 0.5})
    assert [row["metric"] for row in found["metrics"] if row["family"] == "sealed"] == ["val_f1"]
    assert row_of(found, "sealed")["p_holm"] == 1.0


def test_where_nobody_says_which_way_is_better_the_verdict_says_only_which_way(tmp_path):
    for title, gain in (("base", 0.0), ("child", 0.5)):
        for seed in range(1, 7):
            paths = explained.run(tmp_path, title, seed, 0.5)
            explained.evaluate(paths, test_beauty=gain + seed / 100)
    found = what_it_did(find_side("*_base_*", tmp_path), find_side("*_child_*", tmp_path), "test_beauty")
    row = next(row for row in found["metrics"] if row["column"] == "eval_test_beauty")
    assert row["higher_is_better"] is None
    assert row["verdict"] in ("larger", "not separated", "cannot separate")


def test_costs_are_described_and_not_tested(tmp_path):
    cost = row_of(did(tmp_path), "cost")
    assert (cost["verdict"], cost["p_value"]) == ("not tested", None)


def test_seeds_that_differ_are_compared_unpaired(tmp_path):
    first = [explained.run(tmp_path, "base", seed, 0.5 + seed / 100).name for seed in (1, 2, 3, 4)]
    second = [explained.run(tmp_path, "child", seed, 0.8 + seed / 100).name for seed in (5, 6, 7, 8)]
    row = row_of(what_it_did(*(find_side(",".join(names), tmp_path) for names in (first, second))))
    assert (row["is_paired"], row["verdict"]) == (False, "better")
    assert row["p_value"] == pytest.approx(2 / 70)


def test_a_cost_is_not_lost_in_a_result_of_the_same_numbers(tmp_path):
    for title, epochs in (("base", 3), ("child", 6)):
        explained.evaluate(explained.run(tmp_path, title, 1, 0.5, epochs=epochs), test_steps=epochs)
    found = what_it_did(find_side("*_base_*", tmp_path), find_side("*_child_*", tmp_path))
    assert {"last_epoch", "eval_test_steps"} <= {row["column"] for row in found["metrics"]}
