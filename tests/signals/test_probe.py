import json
import math
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from probatum._errors import UnknownNameError, UsageError
from probatum.signals.config import TelemetryConfig, load_profile
from probatum.signals.landscape import LandscapeSample
from probatum.signals.probe import Probe

loops = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("training_loops.py"))))
EVERYTHING = load_profile(
    "research", {"loss_landscape": {"enabled": False}, "probe_batches": 3, "gradients": {"percentiles": [50]}}
)


def observed(config, *, steps=5, epochs=1, batch=loops.images, model=None, end=None, **options):
    """Return the signals of the last of some epochs of a small model, the same ones every time."""
    torch.manual_seed(3)
    model = model or loops.small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with Probe(model, config, steps_per_epoch=steps, **options) as probe:
        for _ in range(epochs):
            loops.train_epoch(model, optimizer, probe, steps=steps, batch=batch, end=False)
            signals = probe.end_epoch(**(end or {}))
    return signals


def plain(signals):
    """Return the signals without what is measured by the clock."""
    return {name: value for name, value in signals.__dict__.items() if name != "overhead_seconds"}


def test_three_lines_in_a_plain_loop_give_an_epochs_signals():
    signals = observed("standard")

    assert list(signals.gradients) == ["0", "1", "5"]
    assert signals.totals["loss"].n == 5
    assert [batch.forward_passes for batch in signals.batches] == [1, 1]
    assert signals.overhead_seconds > 0


def test_gradient_norms_are_those_that_autograd_gave_before_clipping():
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    norms = []
    with Probe(model, EVERYTHING, steps_per_epoch=3) as probe:
        for _ in range(3):
            model.zero_grad()
            (100 * model(torch.randn(4, 3))).square().mean().backward()
            norms.append(torch.nn.utils.get_total_norm([own.grad for own in model.parameters()]).item())
            probe.observe()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        signals = probe.end_epoch()

    assert signals.gradients["(model)"]["norm"].mean == pytest.approx(sum(norms) / 3)
    assert [batch.gradient_norm for batch in signals.batches] == pytest.approx(norms)


def test_every_probed_batch_counts_and_the_statistic_has_its_spread():
    found = observed(EVERYTHING).gradients["5"]["norm"]

    assert found.n == 3
    assert found.se == pytest.approx(found.std / math.sqrt(3))


def test_probed_steps_are_spread_by_seed_and_the_same_for_the_same_seed():
    steps = [
        [batch.step for batch in observed("standard", steps=12, seed=seed).batches] for seed in (1, 1, 2)
    ]

    assert steps[0] == steps[1] != steps[2]
    assert all(first < 6 <= second for first, second in steps)


def test_an_unknown_epoch_length_is_learned():
    model = loops.small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with Probe(model, "standard") as probe:
        _, first = loops.train_epoch(model, optimizer, probe, steps=12)
        _, second = loops.train_epoch(model, optimizer, probe, steps=12)

    assert [batch.step for batch in first.batches] == [0, 1]
    assert second.batches[1].step >= 6
    assert (first.epoch, second.epoch) == (1, 2)


def test_an_epoch_shorter_than_said_reports_what_was_seen():
    model = loops.small_model()
    with Probe(model, "standard", steps_per_epoch=1000) as probe:
        _, signals = loops.train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.1), probe, steps=2)

    assert signals.gradients == {}
    assert "none of the 2 steps" in signals.missing["batches"]


def test_the_update_ratio_follows_the_learning_rate():
    ratios = []
    for rate in (0.01, 0.02):
        torch.manual_seed(0)
        model = nn.Linear(64, 3)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        with Probe(model, EVERYTHING, steps_per_epoch=1) as probe:
            model(torch.ones(2, 64)).sum().backward()
            probe.observe()
            optimizer.step()
            ratios.append(probe.end_epoch().weights["(model)"]["update_ratio"].mean)

    assert ratios[1] == pytest.approx(2 * ratios[0], rel=1e-4)


def test_a_layer_of_zeros_has_a_norm_and_no_ratio():
    model = nn.Linear(2, 1)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    with Probe(model, EVERYTHING, steps_per_epoch=1) as probe:
        model(torch.ones(2, 2)).sum().backward()
        probe.observe()
        found = probe.end_epoch().weights["(model)"]

    assert found["norm"].mean == 0.0
    assert "update_ratio" not in found


FLIPS = {
    "gradients.enabled": False,
    "gradients.layers": ["*e*"],
    "gradients.track_norm": False,
    "gradients.track_std": False,
    "gradients.percentiles": [25],
    "gradients.detect_vanishing": False,
    "gradients.detect_exploding": False,
    "gradients.vanishing_threshold": 0.1,
    "gradients.exploding_threshold": 1e-3,
    "gradients.full_histogram": False,
    "gradients.noise_scale": False,
    "loss_landscape.enabled": False,
    "loss_landscape.perturbation_samples": 3,
    "loss_landscape.perturbation_scale": 0.1,
    "loss_landscape.estimate_sharpness": False,
    "loss_landscape.curvature": True,
    "loss_landscape.slice_points": 3,
    "per_class.enabled": False,
    "per_class.track_accuracy": False,
    "per_class.track_loss": False,
    "per_class.track_confusion": False,
    "track_weight_norms": False,
    "track_activation_stats": False,
    "track_attention": False,
    "track_head_statistics": False,
    "probe_batches": 2,
}
ELSEWHERE = {
    "profile_name",
    "history_length",
}  # the artifact's label, and the length of the history in memory


def test_every_field_is_flipped_below():
    fields = {
        f"{name}.{inner}" if isinstance(value, dict) else name
        for name, value in TelemetryConfig().model_dump().items()
        for inner in (value if isinstance(value, dict) else [""])
    }

    assert fields == set(FLIPS) | ELSEWHERE


@pytest.fixture(scope="module")
def on():
    """Return a function that gives the signals of an attending model with everything on but one field."""

    def signals(overrides):
        base = {"probe_batches": 3, "loss_landscape": {"perturbation_samples": 2}}
        config = load_profile("research", base)
        block, _, name = next(iter(overrides)).rpartition(".") if overrides else ("", "", "")
        settings = config.model_dump()
        if overrides:
            (settings[block] if block else settings)[name] = next(iter(overrides.values()))
        torch.manual_seed(3)
        model = loops.Attending()
        fixed = loops.tokens(99)
        sample = LandscapeSample(lambda m: nn.functional.cross_entropy(m(fixed[0]), fixed[1]), "fixed")
        return plain(observed(settings, batch=loops.tokens, model=model, end={"landscape": sample}, steps=6))

    return signals


@pytest.fixture(scope="module")
def reference(on):
    """Return the signals with everything on."""
    return on({})


@pytest.mark.parametrize("field", FLIPS)
def test_every_field_changes_the_record(field, on, reference):
    assert on({field: FLIPS[field]}) != reference


def test_the_same_run_gives_the_same_record(on, reference):
    assert on({}) == reference


def test_a_field_that_is_off_leaves_its_own_statistic_out():
    quiet = {"track_norm": False, "track_std": False, "detect_vanishing": False, "detect_exploding": False}
    found = observed({"gradients": {"enabled": True, "percentiles": [], **quiet}}).gradients["0"]

    assert set(found) == {"nan_count", "inf_count"}


def test_percentiles_and_histogram_are_there_when_asked():
    signals = observed(EVERYTHING)
    histogram = signals.histograms["0"]

    assert "p50" in signals.gradients["0"]
    assert len(histogram["edges"]) == len(histogram["counts"]) + 1
    assert histogram["n"] == 3 * 40 == sum(histogram["counts"]) + histogram["below"] + histogram["above"]


def test_the_noise_scale_is_in_examples_where_targets_tell_the_batch_size():
    model = nn.Linear(3, 1)
    own = torch.Generator().manual_seed(0)
    with Probe(model, EVERYTHING, steps_per_epoch=6) as probe:
        for _ in range(6):
            inputs = torch.randn(8, 3, generator=own)
            model.zero_grad()
            loss = (model(inputs) - 5).square().mean()
            loss.backward()
            probe.observe(loss, targets=torch.zeros(8))
        totals = probe.end_epoch().totals

    assert totals["gradient_noise_scale"].mean == pytest.approx(8 * totals["gradient_noise_batches"].mean)
    product, square = totals["gradient_product"].mean, totals["gradient_square"].mean
    assert totals["gradient_noise_batches"].mean == pytest.approx(square / product - 1)


def test_a_layer_without_a_gradient_is_missing_with_its_reason():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(2, 1), nn.Linear(2, 1)

        def forward(self, inputs):
            return self.used(inputs)

    model = Half()
    with Probe(model, "standard", steps_per_epoch=1) as probe:
        model(torch.ones(2, 2)).sum().backward()
        probe.observe()
        signals = probe.end_epoch()

    assert list(signals.gradients) == ["used"]
    assert "no gradient" in signals.missing["gradients: unused"]


def test_what_was_not_asked_for_is_absent_and_what_was_not_given_is_missing():
    signals = observed("diagnostic")

    assert signals.landscape == {}
    assert "LandscapeSample" in signals.missing["landscape"]
    assert "no attention" in signals.missing["attention"]
    assert observed("minimal").missing == {}


def test_observe_without_a_backward_pass_is_said():
    model = nn.Linear(1, 1)
    with Probe(model, "standard", steps_per_epoch=1) as probe:
        probe.observe(1.0)
        signals = probe.end_epoch()

    assert "after backward()" in signals.missing["gradients"]
    assert signals.batches[0].gradient_norm is None


def test_uncovered_parameters_are_listed():
    signals = observed("standard", layers=["0", "5"])

    assert list(signals.gradients) == ["0", "5"]
    assert signals.uncovered == ("1.weight", "1.bias")


def test_a_layer_filter_that_matches_nothing_is_an_error_at_once():
    with pytest.raises(UnknownNameError, match="matches no module"):
        Probe(loops.small_model(), {"gradients": {"enabled": True, "layers": ["conv1"]}})


def test_one_host_read_an_epoch(monkeypatch):
    reads = []
    for name in ("item", "tolist", "cpu", "__bool__", "__float__", "numpy"):
        original = getattr(torch.Tensor, name)
        monkeypatch.setattr(
            torch.Tensor, name, lambda *args, _own=original, **kw: reads.append(1) or _own(*args, **kw)
        )
    model = loops.small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    config = load_profile(
        "research",
        {"loss_landscape": {"enabled": False}, "per_class": {"enabled": False}, "track_attention": False},
    )
    with Probe(model, config, steps_per_epoch=4) as probe:
        for step in range(4):
            inputs, targets = loops.images(step)
            loss = nn.functional.cross_entropy(outputs := model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            before = len(reads)
            probe.observe(loss, outputs, targets)
            assert len(reads) == before
            optimizer.step()
        before = len(reads)
        probe.end_epoch()

    assert len(reads) - before == 1


def test_hooks_are_there_only_for_a_probed_step_and_gone_after():
    model = loops.small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    probe = Probe(model, "research", steps_per_epoch=10)
    counts = []
    for step in range(10):
        counts.append(loops.hook_count(model))
        loops.train_epoch(model, optimizer, probe, steps=1, end=False, first=step)
    probed = [batch.step for batch in probe.end_epoch().batches]
    probe.close()

    assert [step for step, count in enumerate(counts) if count] == probed
    assert max(counts) == 1
    assert loops.hook_count(model) == 0


def test_a_closed_probe_says_so():
    with Probe(nn.Linear(1, 1)) as probe:
        pass

    with pytest.raises(UsageError, match="closed"):
        probe.observe()


@pytest.mark.parametrize("interrupted", range(6))
def test_a_resumed_probe_gives_the_same_signals(interrupted):
    config = load_profile(
        "research",
        {"loss_landscape": {"enabled": False}, "per_class": {"enabled": False}, "probe_batches": 3},
    )
    expected = plain(observed(config, steps=6, epochs=2))
    torch.manual_seed(3)
    model = loops.small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    first = Probe(model, config, steps_per_epoch=6)
    loops.train_epoch(model, optimizer, first, steps=6)
    loops.train_epoch(model, optimizer, first, steps=interrupted, end=False)
    state = first.state_dict()
    first.close()
    second = Probe(model, config, steps_per_epoch=6)
    second.load_state_dict(state)
    _, found = loops.train_epoch(model, optimizer, second, steps=6 - interrupted, first=interrupted)

    assert plain(found) == expected


def test_a_state_at_the_end_of_an_epoch_is_plain_json():
    model = loops.small_model()
    with Probe(model, EVERYTHING, steps_per_epoch=4) as probe:
        loops.train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.1), probe, steps=4)
        state = probe.state_dict()

    assert json.loads(json.dumps(state)) == state


def test_a_state_of_other_settings_is_refused():
    model = loops.small_model()
    state = Probe(model, "standard").state_dict()

    with pytest.raises(UsageError, match="other telemetry settings"):
        Probe(model, "standard", seed=1).load_state_dict(state)


def test_the_probe_says_where_each_signal_is_taken():
    taken = Probe(loops.small_model(), "research").taken

    assert "before clipping" in taken["gradients"]["when"]
    assert taken["activations"]["pass"] == "first of the step"
    assert {"gradients", "weights", "activations", "attention", "heads", "per_class"} <= set(taken)
