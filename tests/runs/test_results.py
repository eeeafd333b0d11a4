import math

import pytest
from scipy import stats

from probatum._errors import RecordError
from probatum.runs.results import build_multi_seed, build_results, summarise_epochs
from probatum.runs.statistics import mean_of, seed_statistics, t_quantile, temporal_statistics
from probatum.runs.summary import experiment_log, readme, seed_info

METRICS = [{"name": "val_auc", "label": "AUC", "higher_is_better": True}]


def _seed(seed, value, **more):
    return {
        "seed": seed,
        "best_epoch": 2,
        "metrics": {"val_auc": {"epoch": 2, "best_epoch": value, "last": 0.5}},
        **more,
    }


def _results(*values):
    seeds = [_seed(number, value) for number, value in enumerate(values)]
    return build_results(
        experiment_name="run", config_md5="m", per_seed=seeds, completed_at="2026-01-01T00:00:00+00:00"
    )


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 30, 199, 1000])
@pytest.mark.parametrize("probability", [0.5, 0.6, 0.9, 0.975, 0.995, 0.9995])
def test_the_t_quantile_equals_scipys(probability, degrees):
    expected = stats.t.ppf(probability, degrees)
    assert t_quantile(probability, degrees) == pytest.approx(expected, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(("probability", "degrees"), [(0.4, 2), (1.0, 2), (math.nan, 2), (0.975, 0)])
def test_a_quantile_that_does_not_exist_is_refused(probability, degrees):
    with pytest.raises(ValueError, match="degrees of freedom"):
        t_quantile(probability, degrees)


def test_the_interval_over_seeds_equals_scipys():
    values = [0.70, 0.72, 0.75]
    found = seed_statistics(values)
    low, high = stats.t.interval(0.95, 2, loc=found["mean"], scale=stats.sem(values))
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((low, high))


def test_what_was_not_measured_is_left_out_of_the_statistics():
    assert seed_statistics([None, 1.0])["n"] == 1
    assert seed_statistics([None])["mean"] is None


def test_the_earliest_of_equal_epochs_is_the_best():
    rows = [{"epoch": number, "val_auc": value} for number, value in ((1, 0.6), (2, 0.7), (3, 0.7))]
    assert summarise_epochs(rows, METRICS, "val_auc")["best_epoch"] == 2


def test_an_epoch_that_was_not_measured_is_never_the_best():
    rows = [{"epoch": 1, "val_auc": None}, {"epoch": 2, "val_auc": 0.1}]
    assert summarise_epochs(rows, METRICS, "val_auc")["best_epoch"] == 2


def test_no_epoch_is_a_record_error():
    with pytest.raises(RecordError):
        summarise_epochs([], METRICS, "val_auc")


def test_one_seed_stands_at_the_top_level():
    results = _results(0.7)
    assert (results["best_val_auc"], results["multi_seed"], "per_seed" in results) == (0.7, False, False)


def test_several_seeds_give_their_mean_at_the_top_level():
    results = _results(0.7, 0.8)
    assert results["best_val_auc"] == pytest.approx(0.75)
    assert [seed["best_val_auc"] for seed in results["per_seed"]] == [0.7, 0.8]


def test_the_multi_seed_file_has_statistics_even_of_one_seed():
    assert build_multi_seed(_results(0.7))["stats"]["best_val_auc"]["n"] == 1


def test_a_slope_is_per_epoch():
    assert temporal_statistics([{"gain_correlation": 0.1 * k} for k in range(4)])[
        "gain_corr_slope"
    ] == pytest.approx(0.1)


def test_the_mean_keeps_what_all_agree_on():
    assert mean_of([{"n": 3, "x": None}, {"n": 3, "x": 1.0}]) == {"n": 3, "x": None}


CONFIG = {
    "experiment": {
        "experiment_id": "run",
        "study": "toy",
        "short_title": "t",
        "purpose": "<script>|",
        "created": "now",
    },
    "schema_version": 3,
    "config_md5": "m",
    "md5": "d",
    "overrides": {"lr": 0.2},
    "defaults": {"lr": 0.1},
    "parameters": {"lr": 0.2},
    "types": {"training": ["lr"]},
    "seeds": {"all": [0, 1], "primary": 0},
    "metrics": METRICS,
    "tolerance_mode": "strict",
    "missing_params": [],
    "commands": {"reproduce": "probatum reproduce 1"},
}


def test_the_readme_escapes_what_people_typed():
    text = readme(CONFIG, _results(0.7, 0.8))
    assert "<script>" not in text
    assert "| lr | 0.1 | 0.2 |" in text


def test_the_seed_table_gives_each_seed_and_the_interval():
    text = seed_info(CONFIG, _results(0.7, 0.8))
    assert "| 0 | 2 | 0.7000 |" in text
    assert "95% t-interval" in text


def test_one_seed_says_that_it_has_no_interval():
    assert "no interval" in seed_info(CONFIG, _results(0.7))


def test_the_experiment_log_is_yaml():
    import yaml

    log = yaml.safe_load(experiment_log(CONFIG, _results(0.7)))
    assert log["purpose"] == "<script>|"
    assert log["metrics"]["val_auc"]["best"] == 0.7
