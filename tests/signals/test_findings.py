import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum.signals.epoch import EpochSignals
from probatum.signals.epoch_numbers import take_snapshot
from probatum.signals.findings import evaluate
from probatum.signals.rules import load_rules
from probatum.signals.snapshot import Finding, Snapshot

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stories.py"))))
RULES = load_rules()


def flags(shot, history=(), rules=RULES, kind="red_flag"):
    return {finding.name for finding in evaluate(rules, shot, history) if finding.kind == kind}


def calm(epoch, **changes):
    return Snapshot(epoch, gradient_stats={"fc": {"norm": 1.0, "vanishing_share": 0.0}}, **changes)


FIXED = {  # one snapshot each that the rule must fire on
    "non_finite_values": Snapshot(1, non_finite={"train_loss": 1}),
    "vanishing_gradients": Snapshot(1, gradient_stats={"fc": {"vanishing_share": 0.6}}),
    "exploding_gradients": Snapshot(1, gradient_stats={"fc": {"exploding_share": 0.02}}),
    "poor_gradient_health": Snapshot(1, gradient_health={"score": 0.4}),
    "poor_initialisation": Snapshot(1, gradient_spread=5000.0),
    "dead_units": Snapshot(1, activation_stats={"fc": {"dead_share": 0.6}}),
    "saturated_activations": Snapshot(1, activation_stats={"fc": {"saturated_share": 0.6}}),
    "overfitting": Snapshot(1, train_val_gap=0.6),
    "overtraining": Snapshot(12, epochs_since_best=10),
    "sustained_plateau": Snapshot(5, plateau_length=3),
    "update_to_weight_ratio": Snapshot(1, update_ratios={"fc": 11.0}),
    "severe_class_imbalance": Snapshot(1, class_variance=0.03),
    "class_count_imbalance": Snapshot(1, class_count_ratio=11.0),
}


@pytest.mark.parametrize("flag", FIXED)
def test_a_fixed_rule_fires_on_its_case_alone(flag):
    assert flags(FIXED[flag]) == {flag}


def test_an_ordinary_run_raises_no_flag():
    shots = []
    for epoch in range(1, 11):
        shots.append(stories.tell(stories.signals(epoch), stories.metrics(epoch), shots))
    assert [shot.red_flags for shot in shots] == [()] * 10


def test_nothing_measured_raises_no_flag():
    assert not evaluate(RULES, Snapshot(1))


def test_every_finding_carries_the_numbers_behind_it():
    (finding,) = evaluate(RULES, Snapshot(5, plateau_length=4))
    assert (finding.value, finding.threshold, finding.compare) == (4, 3, "at_least")
    assert finding.evidence == ("plateau_length 4 at least 3",)
    assert finding.wording == "validation loss flat for 4 epochs"
    assert finding.remedy
    assert finding.source


def test_gradients_that_shrink_against_their_own_past_are_flagged_by_ratio():
    def shot(epoch, norm):
        return Snapshot(
            epoch, gradient_stats={"fc": {"norm": norm}}, gradient_health={"score": 1.0, "overall_norm": 3.0}
        )

    past = [shot(epoch, 1.0) for epoch in range(1, 5)]
    (finding,) = (f for f in evaluate(RULES, shot(5, 1e-3), past) if f.name == "vanishing_gradients")
    assert (finding.rule, finding.target, finding.reference) == ("vanishing_gradients_by_history", "fc", 1.0)
    assert finding.threshold == pytest.approx(0.01)
    assert "1.0e-03 of its own median" in finding.wording
    assert len(finding.evidence) == 2


def test_a_network_that_converges_as_a_whole_is_not_flagged_as_vanishing():
    def shot(epoch, norm):
        return Snapshot(
            epoch,
            gradient_stats={"fc": {"norm": norm}},
            gradient_health={"score": 1.0, "overall_norm": 2 * norm},
        )

    assert not flags(shot(5, 1e-3), [shot(epoch, 1.0) for epoch in range(1, 5)])


def test_a_spike_against_the_layers_own_median_explodes():
    past = [calm(epoch) for epoch in range(1, 4)]
    spike = Snapshot(4, gradient_stats={"fc": {"norm": 11.0}})
    assert flags(spike, past) == {"exploding_gradients"}
    assert not flags(spike, past[:2])


def test_patience_asks_for_consecutive_epochs():
    def shot(epoch, ratio):
        return Snapshot(epoch, update_ratios={"fc": ratio})

    assert not flags(shot(1, 0.2))
    assert flags(shot(2, 0.2), [shot(1, 0.2)]) == {"update_to_weight_ratio"}
    assert not flags(shot(3, 0.2), [shot(1, 0.2), shot(2, 0.01)])


def test_an_unchanged_layer_is_no_layer_with_small_updates():
    shots = [Snapshot(epoch, update_ratios={"frozen": 0.0}) for epoch in range(1, 5)]
    assert flags(shots[-1], shots[:-1]) == {"unchanged_tensor"}


def test_a_gap_alone_is_no_overfitting_but_with_a_rising_loss_it_is():
    def shot(epoch, val_loss):
        return Snapshot(epoch, val_loss=val_loss, relative_gap=0.3)

    falling = [shot(epoch, 1.0 - 0.05 * epoch) for epoch in range(1, 6)]
    rising = [shot(epoch, 0.5 + 0.05 * epoch) for epoch in range(1, 6)]
    assert "overfitting" not in flags(falling[-1], falling[:-1])
    assert "overfitting" in flags(rising[-1], rising[:-1])


def test_sharpness_is_judged_against_its_own_past_and_by_its_error():
    past = [Snapshot(epoch, sharpness=20.0, sharpness_se=2.0) for epoch in range(1, 5)]
    assert not flags(Snapshot(5, sharpness=25.0, sharpness_se=1.0), past)
    assert flags(Snapshot(5, sharpness=80.0, sharpness_se=5.0), past) == {"sharp_minimum"}
    assert not flags(Snapshot(5, sharpness=80.0, sharpness_se=30.0), past)
    assert not flags(Snapshot(5, sharpness=80.0), past)


def test_a_loss_that_stands_still_or_jumps_is_named():
    flat = [Snapshot(epoch, train_loss=0.7) for epoch in range(1, 5)]
    assert flags(flat[-1], flat[:-1]) == {"loss_not_decreasing"}
    assert not flags(flat[-1], flat[1:-1])
    jump = evaluate(RULES, Snapshot(2, train_loss=1.0), [Snapshot(1, train_loss=0.5)])
    assert [finding.wording for finding in jump] == ["training loss rose from 0.5 to 1"]


def test_poor_initialisation_is_asked_at_the_start_only():
    assert not flags(Snapshot(3, gradient_spread=5000.0))


def test_attention_that_collapses_is_named():
    past = [Snapshot(1, attention_stats={"a": {"entropy": 3.0}})]
    assert flags(Snapshot(2, attention_stats={"a": {"entropy": 0.3}}), past) == {"attention_collapse"}


def test_the_opportunities_of_the_seed_are_found():
    shot = Snapshot(6, gradient_health={"score": 0.9}, val_loss_range=0.05, accuracy_share=0.4)
    assert flags(shot, kind="opportunity") == {
        "healthy_gradients",
        "stable_training",
        "early_stage_flexibility",
    }


def test_nan_gradients_are_never_an_opportunity():
    stat = stories.Statistic.of([float("nan")] * 2)
    calm_layers = {f"l{index}": stories.statistics(norm=[1.0, 1.0]) for index in range(6)}
    shot = take_snapshot(
        EpochSignals(1, gradients={**calm_layers, "bad": {"norm": stat}}), stories.EpochMetrics(1)
    )
    assert {"non_finite_values", "poor_gradient_health"} <= flags(shot)
    assert not flags(shot, kind="opportunity")


def test_findings_do_not_depend_on_being_told_twice():
    shot = FIXED["dead_units"]
    told = replace(shot, findings=tuple(evaluate(RULES, shot)))
    assert evaluate(RULES, told) == list(told.findings)
    assert isinstance(told.findings[0], Finding)
