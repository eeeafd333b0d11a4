from __future__ import annotations

from probatum.analysis.telling import telling, untrained

COLUMNS = [
    "best_eval_f1", "best_step_eval_f1", "metrics_eval_f1", "metrics_f1", "metrics_test_null_r2_mean",
    "metrics_test_macro_r2", "metrics_test_r2_oxidation", "metrics_test_null_macro_r2_motif_rules", "step_time_avg",
]  # fmt: skip


def test_a_row_is_given_to_held_out_metrics_and_to_a_macro_average_instead_of_its_keys():
    assert telling(COLUMNS) == ["metrics_eval_f1", "metrics_test_macro_r2", "step_time_avg"]


def test_training_metrics_stand_in_where_nothing_is_held_out():
    assert telling(["metrics_loss", "loss_min"]) == ["metrics_loss", "loss_min"]


def test_a_baseline_s_name_may_have_several_words():
    assert untrained("metrics_test_macro_r2", COLUMNS) == {
        "motif_rules": "metrics_test_null_macro_r2_motif_rules"
    }


def test_a_metric_that_nobody_measured_without_training_has_nothing_beside_it():
    assert untrained("metrics_eval_f1", COLUMNS) == {}
