"""Mistakes of an earlier recorder (fact sheet of ConCare, section 1.5), a and k; the rest beside their subjects.

b, c and d (attention) are in `test_forward_defects.py`; e to j (perturbations), l to p (studies, comparison) in
their own rooms.
"""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from probatum.signals.config import load_profile
from probatum.signals.probe import Probe

loops = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("training_loops.py"))))
CONFIG = load_profile(
    "research", {"loss_landscape": {"enabled": False}, "per_class": {"enabled": False}, "probe_batches": 9}
)


def test_a_an_exploding_gradient_is_seen_although_it_is_clipped():
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with Probe(model, CONFIG, steps_per_epoch=1) as probe:
        (1e6 * model(torch.ones(2, 3))).sum().backward()
        probe.observe()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        signals = probe.end_epoch()

    assert signals.totals["gradient_norm"].mean > 1e6
    assert signals.gradients["(model)"]["exploding_share"].mean == 1.0
    assert "before clipping" in probe.taken["gradients"]["when"]


def forward_of(auxiliary):
    """Return the activations of a step that also runs an auxiliary pass, and the step's number of passes."""
    torch.manual_seed(0)
    model = loops.small_model(dropout=0.0)
    clean, corrupted = loops.images(0)[0], 100 * loops.images(1)[0]
    with Probe(model, CONFIG, steps_per_epoch=1) as probe:
        outputs = auxiliary(model, probe, clean, corrupted)
        outputs.square().mean().backward()
        probe.observe(outputs=outputs)
        signals = probe.end_epoch()
    return signals.activations, signals.batches[0].forward_passes


def alone(model, probe, clean, corrupted):
    """Run the clean pass alone."""
    return model(clean)


def student_after(model, probe, clean, corrupted):
    """Run a corrupted pass in train mode after the clean one."""
    return model(clean) + 0 * model(corrupted)


def teacher_first(model, probe, clean, corrupted):
    """Run a teacher's pass without gradients before the clean one."""
    with torch.no_grad():
        model(corrupted)
    return model(clean)


def evaluation_first(model, probe, clean, corrupted):
    """Run an evaluation before the clean pass."""
    model.eval()
    model(corrupted)
    return model.train()(clean)


def paused_first(model, probe, clean, corrupted):
    """Run an auxiliary pass in train mode, with gradients, inside `paused`."""
    with probe.paused():
        model(corrupted)
    return model(clean)


def paused_after(model, probe, clean, corrupted):
    """Run it after the clean pass."""
    outputs = model(clean)
    with probe.paused():
        model(corrupted)
    return outputs


@pytest.mark.parametrize(
    ("auxiliary", "passes"),
    [(student_after, 2), (teacher_first, 1), (evaluation_first, 1), (paused_first, 1), (paused_after, 1)],
)
def test_k_auxiliary_passes_are_not_averaged_with_the_clean_one(auxiliary, passes):
    expected, _ = forward_of(alone)

    found, counted = forward_of(auxiliary)

    assert counted == passes
    assert found["0"] == expected["0"]


def test_what_stands_in_a_record_is_never_a_zero_for_something_not_measured():
    model = nn.Linear(1, 1)
    with Probe(model, CONFIG, steps_per_epoch=1) as probe:
        model(torch.ones(1, 1)).sum().backward()
        probe.observe()
        signals = probe.end_epoch()

    assert "loss" not in signals.totals
    assert signals.batches[0].loss is None
    assert {"loss_noise", "gradient_noise_scale", "heads", "attention"} <= set(signals.missing)


def test_a_layer_of_nan_gradients_is_counted():
    model = nn.Linear(2, 1)
    with Probe(model, CONFIG, steps_per_epoch=1) as probe:
        (model(torch.ones(1, 2)) * float("nan")).sum().backward()
        probe.observe()
        found = probe.end_epoch().gradients["(model)"]

    assert found["nan_count"].mean == 3
    assert found["norm"].mean is None
    assert found["norm"].non_finite == 1
