import json
import time

import pytest

from probatum._errors import RecordError, UsageError
from probatum.analysis.leaderboard import analyse


def test_the_default_is_the_seeds_metric_against_training_time(sweep):
    found = analyse(sweep)
    assert [str(objective) for objective in found.objectives] == ["metrics_loss:min", "training_seconds:min"]
    assert found.baselines["sweep"].experiment == "baseline_reference"


def test_the_best_mean_stands_first(sweep):
    assert [group.experiment for group in analyse(sweep).ranked][0::5] == ["model_large", "opt_sgd"]


def test_three_seeds_separate_nothing_and_share_one_rank_group(sweep):
    found = analyse(sweep)
    assert set(found.ranks.values()) == {1}
    verdicts = {
        found.comparison(group, "metrics_loss").verdict for group in found.ranked if found.baseline_of(group)
    }
    assert verdicts == {"cannot separate"}


def test_ten_seeds_separate_what_is_far_and_not_what_is_near(long_sweep):
    found = analyse(long_sweep)
    verdicts = {
        group.experiment: c.verdict
        for group in found.groups
        if (c := found.comparison(group, "metrics_loss"))
    }
    assert verdicts["model_large"] == "better"
    assert verdicts["opt_sgd"] == verdicts["data_25"] == "worse"
    assert verdicts["mask_low"] in {"not separated", "cannot separate"}


def test_the_pareto_places_follow_the_seeds(sweep):
    places = {point.group.experiment: point.place for point in analyse(sweep).pareto}
    assert (places["model_large"], places["data_25"], places["opt_sgd"]) == (
        "frontier",
        "frontier",
        "dominated",
    )


def test_one_seed_has_a_front_and_no_places(write, tmp_path):
    write(tmp_path, "p", "a", 1, loss=1.0)
    write(tmp_path, "p", "b", 1, loss=2.0)
    assert [(point.is_on_front, point.place) for point in analyse(tmp_path).pareto] == [
        (True, None),
        (False, None),
    ]


def test_a_higher_metric_ranks_the_other_way(sweep):
    assert analyse(sweep, metric="cls_f1").ranked[0].experiment == "model_large"


def test_what_the_plan_sealed_is_the_default(sweep):
    index = {
        "plan": "sweep",
        "baseline": "mask_low",
        "primary_metric": {"name": "cls_f1", "higher_is_better": True},
        "objectives": ["cls_f1:max", "mlm_perplexity", "duration_seconds"],
    }
    (sweep / "sweep" / "plan_index.json").write_text(json.dumps(index))
    found = analyse(sweep)
    assert str(found.metric) == "metrics_cls_f1:max"
    assert len(found.objectives) == 3
    assert found.baselines["sweep"].experiment == "mask_low"


def test_without_a_completed_run_there_is_nothing_to_say(write, tmp_path):
    write(tmp_path, "p", "a", 1, status="failed")
    with pytest.raises(RecordError, match="1 failed"):
        analyse(tmp_path)


def test_an_objective_given_twice_is_refused(sweep):
    with pytest.raises(UsageError, match="twice"):
        analyse(sweep, objectives=["loss", "metrics_loss"])


def test_a_thousand_runs_take_a_moment(write, tmp_path):
    for index in range(1000):
        write(tmp_path, "p", f"e{index // 4}", index % 4, loss=1 + index / 1000)
    started = time.perf_counter()
    assert len(analyse(tmp_path, baseline="e0").pareto) == 250
    assert time.perf_counter() - started < 5
