import json

import pytest

from probatum._errors import UsageError
from probatum.policies.charts import outcome_chart, richer_chart
from probatum.policies.comparing import Comparison
from probatum.policies.evaluation import compare, comparison_text, play, settings_for
from probatum.policies.imitation import ImitationSettings
from probatum.policies.offline import OfflineSettings
from probatum.policies.phase5 import Experiment, result_markdown

NAMES = ("no_growth", "heuristic:eager", "heuristic")


def test_policies_meet_on_the_same_states_and_differences_are_paired(fake):
    states = settings_for(1, 6)
    found = compare(play(fake.FakeEnvironment(), NAMES, states))
    rows = {(own["policy"], own["baseline"]): own for own in found["differences"]}
    eager = rows["heuristic:eager", "no_growth"]
    accuracy = {own["policy"]: own["test_accuracy"] for own in found["policies"]}
    assert eager["difference"] == pytest.approx(accuracy["heuristic:eager"] - accuracy["no_growth"])
    assert eager["p"] == 2.0 ** (1 - 6)
    assert eager["p_holm"] >= eager["p"]
    assert ("no_growth", "heuristic") in rows
    text = comparison_text(found)
    assert "heuristic:eager - no_growth" in text
    assert outcome_chart(found).to_dict()["layer"]


def test_initial_states_are_those_of_no_generated_episode():
    from probatum.policies.plan import Plan

    generated = {Plan(1, 200).episode(index).settings.seed for index in range(200)}
    assert generated.isdisjoint(own.seed for own in settings_for(1, 200))
    assert settings_for(1, 3) == settings_for(1, 5)[:3]


def test_the_right_intervention_is_the_one_that_mends_the_cause(fake):
    states = settings_for(1, 4, list(fake.REMEDIES))
    outcomes = play(fake.FakeEnvironment(diagnosis=True), ["no_growth"], states)
    assert not any(own.right_intervention for own in outcomes)
    healthy = play(fake.FakeEnvironment(diagnosis=True), ["no_growth"], settings_for(1, 1))
    assert healthy[0].right_intervention


def test_a_comparison_is_continued_and_not_repeated(fake, tmp_path):
    made = []

    def make():
        made.append(fake.FakeEnvironment())
        return made[-1]

    path, states = tmp_path / "comparison.json", settings_for(1, 4)
    first = Comparison(make, NAMES[:2], states, 2, path).carry_out()
    again = Comparison(make, NAMES[:2], states, 2, path).carry_out()
    assert first == again == json.loads(path.read_text())
    assert made[1].epochs_trained == 0
    Comparison(make, NAMES, states, 2, path).carry_out()
    assert made[2].epochs_trained == 4 * 12


def test_a_comparison_in_another_environment_is_not_continued(fake, tmp_path):
    path, states = tmp_path / "comparison.json", settings_for(1, 2)
    Comparison(fake.FakeEnvironment, ["no_growth"], states, 2, path).carry_out()
    with pytest.raises(UsageError, match="another environment"):
        Comparison(lambda: fake.FakeEnvironment(5), ["no_growth"], states, 2, path).carry_out()


def test_a_policy_is_compared_once(fake):
    with pytest.raises(UsageError, match="compared once"):
        play(fake.FakeEnvironment(), ["random", "random"], settings_for(1, 1))


def experiment(folder, fake, **changes):
    settings = OfflineSettings(hidden=(32,), steps=500, look_every=100, learning_rate=3e-3, target_rate=0.05)
    return Experiment(
        **{
            "folder": folder, "episodes": 100, "test_episodes": 8, "algorithm": "iql", "settings": settings,
            "seeds": (1, 2), "causes": tuple(fake.REMEDIES), "behaviours": {"random:sparse": 1.0}, **changes,
        }
    )  # fmt: skip


def test_richer_data_help_where_only_they_show_the_cause(fake, tmp_path):
    def make():
        return fake.FakeEnvironment(diagnosis=True)

    said = []
    found = experiment(tmp_path / "e", fake).carry_out(make, say=said.append)
    assert found["features"] == {"base": 27, "all": 31}
    (overall,) = [own for own in found["differences"] if own["cause"] == "all"]
    assert overall["test_accuracy"]["mean"] > 3
    assert overall["n"] == 2
    text = (tmp_path / "e" / "result.md").read_text()
    assert text == result_markdown(found) + "\n"
    chart = richer_chart(found).to_dict()
    told = json.dumps(chart)
    assert all(name in told for name in ("no_growth", "features)", *found["causes"]))
    assert "| all - base | sharp_minimum |" in text

    said.clear()
    again = experiment(tmp_path / "e", fake).carry_out(make, say=said.append)
    assert again == found
    assert said == []


def test_the_verdict_follows_from_the_interval(fake, tmp_path):
    found = experiment(
        tmp_path / "e", fake, episodes=20, algorithm="imitation", settings=ImitationSettings(epochs=1)
    ).carry_out(lambda: fake.FakeEnvironment(diagnosis=True))
    overall = found["differences"][0]["test_accuracy"]
    for low, high, word in ((0.1, 2.0, "Yes."), (-2.0, -0.1, "No, it hurt."), (-1.0, 1.0, "Not shown.")):
        overall.update(ci_low=low, ci_high=high)
        assert word in result_markdown(found)


def test_one_set_of_features_is_no_comparison(fake, tmp_path):
    with pytest.raises(UsageError, match="two sets of features"):
        experiment(tmp_path, fake, features=("all",)).carry_out(fake.FakeEnvironment)
