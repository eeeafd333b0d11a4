import math

import numpy as np
import pytest
import torch
from torch import nn

from probatum.signals.activations import (
    ActivationCollector,
    activation_statistics,
    dead_share,
    main_output,
    saturated_share,
)
from probatum.signals.collector import Gate


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def probe_forward(model, x, select=lambda name, module: not list(module.children())):
    gate, collector = Gate(), ActivationCollector()
    handles = collector.attach(model, select, gate)
    gate.begin_step()
    model(x)
    for handle in handles:
        handle.remove()
    return collector.read(), collector.missing


def test_the_statistics_are_numpys():
    x = noise(16, 5, 7)
    values = x.numpy().astype(np.float64)
    q05, q50, q95 = np.quantile(values, [0.05, 0.5, 0.95])
    expected = {
        "mean": values.mean(), "std": values.std(ddof=1), "min": values.min(), "max": values.max(),
        "norm": np.sqrt(np.mean([np.sum(example**2) for example in values])),
        "q05": q05, "q50": q50, "q95": q95,
    }  # fmt: skip
    found = {name: float(value) for name, value in activation_statistics(x).items()}
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_quantiles_of_large_outputs_stay_near_those_of_all_elements():
    x = noise(64, 32, 32)
    found = activation_statistics(x)
    for name, share in {"q05": 0.05, "q50": 0.5, "q95": 0.95}.items():
        exact = float(torch.quantile(x, share))
        density = math.exp(-(exact**2) / 2) / math.sqrt(2 * math.pi)
        assert abs(float(found[name]) - exact) < 4 * math.sqrt(share * (1 - share) / 4096) / density


def test_half_precision_does_not_overflow():
    assert float(
        activation_statistics(torch.full((4, 4), 6e4, dtype=torch.float16))["norm"]
    ) == pytest.approx(float(torch.tensor(6e4, dtype=torch.float16)) * 2)


def test_a_single_number_has_no_deviation():
    assert math.isnan(activation_statistics(torch.ones(1))["std"])


@pytest.mark.parametrize(
    ("function", "limits", "edge"), [("sigmoid", (0, 1), 5.293), ("tanh", (-1, 1), 2.647)]
)
def test_saturation_begins_where_the_slope_is_a_fiftieth(function, limits, edge):
    x = torch.linspace(-8, 8, 1601)
    assert float(saturated_share(getattr(torch, function)(x), *limits)) == pytest.approx(
        float((x.abs() > edge).float().mean()), abs=1e-6
    )


def test_dead_units_are_counted_over_batch_and_positions():
    x = torch.relu(noise(4, 3, 5, 5))
    x[:, 1] = 0
    assert float(dead_share(x, 1)) == pytest.approx(1 / 3)


def test_a_unit_alive_for_one_example_is_not_dead():
    x = torch.zeros(6, 4)
    x[5, 2] = 0.1
    assert float(dead_share(x, -1)) == 0.75


def test_rectifiers_and_limiters_beside_a_chosen_layer_are_read_too():
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid())
    found, _ = probe_forward(model, noise(8, 2), select=lambda name, module: name == "0")
    assert sorted(found) == ["0", "1", "3"]
    assert "dead_share" in found["1"]
    assert "saturated_share" in found["3"]
    assert "dead_share" not in found["0"]


@pytest.mark.parametrize("layer", [nn.GRU(2, 3, batch_first=True), nn.LSTM(2, 3, batch_first=True)])
def test_a_recurrent_layer_gives_its_sequence_output(layer):
    x = noise(4, 6, 2)
    found, _ = probe_forward(layer, x)
    assert float(found["(model)"]["mean"]) == pytest.approx(float(layer(x)[0].detach().mean()), rel=1e-5)


def test_a_packed_sequence_gives_its_data():
    packed = nn.utils.rnn.pack_padded_sequence(noise(5, 2, 3), [5, 3])
    assert main_output((packed, None)).shape == (8, 3)


def test_a_mapping_gives_its_hidden_state_before_anything_else():
    outputs = {"loss": torch.tensor(1.0), "last_hidden_state": torch.zeros(2, 3)}
    assert main_output(outputs).shape == (2, 3)


def test_an_output_without_numbers_is_missing_with_its_type():
    class Tokens(nn.Linear):
        def forward(self, x):
            return [1, 2]

    _, reasons = probe_forward(Tokens(1, 1), None)
    assert "a list without" in reasons["activations: (model)"]


def test_a_layer_that_was_not_called_is_missing_with_the_reason():
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    _, reasons = probe_forward(model, noise(2, 3, 8))
    assert "was not called" in reasons["activations: self_attn.out_proj"]
    assert "activations: linear1" not in reasons


def test_an_activation_in_place_does_not_reach_back_into_the_layer_before():
    model, x = nn.Sequential(nn.Linear(2, 4), nn.ReLU(inplace=True)), noise(8, 2)
    found, _ = probe_forward(model, x)
    assert float(found["0"]["min"]) < 0
