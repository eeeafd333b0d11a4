"""A run with a probe and one without give the same bits."""

import random
import runpy
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from probatum.signals.config import load_profile, profile_names
from probatum.signals.landscape import LandscapeSample
from probatum.signals.probe import Probe

loops = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("training_loops.py"))))
SINGLE = {"loss_landscape": {"perturbation_samples": 2}}
EXTRA = {
    "all": {"gradients": {"noise_scale": True, "full_histogram": True}, "track_weight_norms": True},
    "curved": {
        "loss_landscape": {"enabled": True, "curvature": True, "slice_points": 2, **SINGLE["loss_landscape"]}
    },
}


def run(make, batch, config):
    """Return everything that three epochs of training leave: weights, buffers, losses, optimizer, generators."""
    torch.manual_seed(7)
    random.seed(7)
    np.random.seed(7)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    fixed = batch(99)
    sample = LandscapeSample(lambda m: nn.functional.cross_entropy(m(fixed[0]), fixed[1]), "fixed")
    probe = Probe(model, config, steps_per_epoch=6) if config else None
    losses, evaluated = [], []
    for epoch in range(3):
        losses += loops.train_epoch(
            model, optimizer, probe, steps=6, batch=batch, end=False, first=6 * epoch
        )[0]
        model.eval()
        with torch.no_grad():
            outputs = model(fixed[0])
        evaluated.append(outputs.clone())
        model.train()
        if probe:
            probe.end_epoch(outputs, fixed[1], sample)
    if probe:
        probe.close()
    return {
        "weights": model.state_dict(),
        "losses": losses,
        "evaluated": evaluated,
        "optimizer": optimizer.state_dict()["state"],
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),
    }


def assert_same(found, expected):
    """Compare bit for bit, whatever is nested."""
    if isinstance(expected, torch.Tensor):
        assert torch.equal(found, expected)
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert_same(found[name], value)
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert found == expected


def encoder():
    """Return a model whose evaluation takes torch's fused encoder kernel."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
    return nn.Sequential(nn.Embedding(11, 8), nn.TransformerEncoder(layer, 2), nn.Flatten(), nn.Linear(40, 3))


MODELS = {
    "convolution": (loops.small_model, loops.images),
    "attention": (loops.Attending, loops.tokens),
    "encoder": (encoder, loops.tokens),
}


@pytest.fixture(scope="module")
def without():
    """Return a function that gives the run without a probe, carried out once for each model."""
    return cache(lambda kind: run(*MODELS[kind], None))


@pytest.mark.parametrize("profile", [*profile_names(), *(name for name in EXTRA if name != "all")])
@pytest.mark.parametrize("kind", MODELS)
def test_nothing_changes_by_a_single_bit(kind, profile, without):
    make, batch = MODELS[kind]
    config = load_profile("diagnostic", EXTRA[profile]) if profile in EXTRA else load_profile(profile, SINGLE)

    assert_same(run(make, batch, config), without(kind))


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
def test_nothing_changes_with_every_signal_at_once(kind, without):
    make, batch = MODELS[kind]
    assert_same(run(make, batch, load_profile("diagnostic", EXTRA["all"])), without(kind))


def test_an_evaluation_between_steps_keeps_its_fused_kernel():
    torch.manual_seed(0)
    model = encoder()
    inputs = loops.tokens(1)[0]
    with torch.no_grad():
        expected = model.eval()(inputs)
        model.train()
        with Probe(model, "research", steps_per_epoch=1):
            found = model.eval()(inputs)

    assert torch.equal(found, expected)
