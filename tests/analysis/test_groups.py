import pytest

from probatum._errors import UsageError
from probatum.analysis.groups import find_baselines, group_runs
from probatum.analysis.records import RunRecord


def _run(experiment, seed, status="completed", plan="p", **more):
    return RunRecord(plan, experiment, status, f"{plan}/{experiment}/{seed}", seed, **more)


def test_a_failed_seed_is_kept_apart():
    [group] = group_runs([_run("a", 1), _run("a", 2, "failed"), _run("a", 3, "skipped")])
    assert (group.n, len(group.failures())) == (1, 1)


def test_the_latest_run_of_a_seed_counts():
    old, new = (
        _run("a", 1, start_time=time, values={"loss": v}) for time, v in (("2025", 1.0), ("2026", 2.0))
    )
    [group] = group_runs([new, old])
    assert group.values("loss") == {1: 2.0}
    assert group.repeated == [old]


def test_each_plan_has_its_own_baseline():
    groups = group_runs([_run("baseline", 1, plan=plan) for plan in "pq"] + [_run("a", 1)])
    assert {plan: group.plan for plan, group in find_baselines(groups).items()} == {"p": "p", "q": "q"}


def test_a_plan_without_one_takes_the_only_one_of_that_name():
    groups = group_runs([_run("baseline", 1, plan="p"), _run("a", 1, plan="q")])
    assert find_baselines(groups, "p/baseline")["q"].plan == "p"


def test_what_the_plan_sealed_is_taken_before_a_customary_name():
    groups = group_runs([_run("baseline", 1), _run("a", 1)])
    assert find_baselines(groups, declared={"p": "a"})["p"].experiment == "a"


@pytest.mark.parametrize(
    ("name", "message"), [("basline", "Did you mean 'baseline'"), ("a", "none of its runs")]
)
def test_a_baseline_that_cannot_be_one_is_explained(name, message):
    groups = group_runs([_run("baseline", 1), _run("a", 1, "failed")])
    with pytest.raises(UsageError, match=message):
        find_baselines(groups, name)
