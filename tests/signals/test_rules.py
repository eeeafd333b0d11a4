import pytest

from probatum._errors import UsageError
from probatum.signals.findings import evaluate
from probatum.signals.rules import load_rules, two_runs_rule
from probatum.signals.snapshot import Snapshot

RULES = load_rules()


def flags(shot, rules=RULES):
    return {finding.name for finding in evaluate(rules, shot)}


def test_a_threshold_can_be_changed_and_a_rule_taken_away():
    rules = load_rules({"sustained_plateau": {"threshold": 5}, "dead_units": None})
    assert not flags(Snapshot(5, plateau_length=4), rules=rules)
    assert not flags(Snapshot(1, activation_stats={"fc": {"dead_share": 0.6}}), rules=rules)
    assert RULES["sustained_plateau"].threshold == 3


def test_a_rule_can_be_added():
    own = {
        "signal": "loss_noise",
        "compare": "above",
        "threshold": 1,
        "wording": "noisy",
        "remedy": "-",
        "source": "-",
    }
    assert flags(Snapshot(1, loss_noise=2.0), rules=load_rules({"noisy": own})) == {"noisy"}


def test_all_mistakes_in_the_overrides_are_named_at_once():
    with pytest.raises(UsageError) as caught:
        load_rules(
            {
                "sustained_plateu": {"threshold": 1},
                "dead_units": {"treshold": 1},
                "overfitting": {"patience": 0},
            }
        )
    for part in ("'sustained_plateau'", "Did you mean 'threshold'", "overfitting.patience", "got 0"):
        assert part in str(caught.value)


def test_a_rule_on_a_strange_signal_names_the_nearest():
    with pytest.raises(UsageError, match="'activation_stats'"):
        load_rules({"dead_units": {"signal": "activation_stat.*.x"}})


def test_a_wording_with_a_strange_field_is_refused_before_it_is_needed():
    with pytest.raises(UsageError, match="knows target, value, reference and ratio, got 'layer'"):
        load_rules({"dead_units": {"wording": "{layer}"}})


def test_every_rule_says_where_it_comes_from_and_what_to_do():
    for rule in RULES.values():
        assert rule.wording
        assert rule.remedy
        assert rule.source


def test_the_rule_of_two_runs_has_the_tolerance_of_the_unchanged_tensor():
    assert (two_runs_rule("inert_change")["rtol"], two_runs_rule("inert_change")["atol"]) == (1e-5, 1e-8)
