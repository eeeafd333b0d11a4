import pytest
import torch
from torch import nn

from probatum._errors import UnknownNameError
from probatum.signals.layers import (
    LayerBook,
    compiled_modules,
    is_compiled,
    named_modules,
    select_layers,
    unwrap,
)


class Network(nn.Module):
    """Convolutions, a norm, a head and a parameter of its own."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.BatchNorm2d(2))
        self.fc = nn.Linear(2, 2)
        self.temperature = nn.Parameter(torch.ones(()))


def test_a_layer_is_a_module_that_directly_owns_trainable_parameters():
    layers = select_layers(Network())

    assert list(layers.parameters) == ["(model)", "encoder.0", "encoder.2", "fc"]
    assert list(layers.parameters["fc"]) == ["weight", "bias"]
    assert layers.uncovered == ()


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("fc", ["fc"]),
        ("encoder.*", ["encoder.0", "encoder.2"]),
        ("Conv2d", ["encoder.0"]),
        (nn.BatchNorm2d, ["encoder.2"]),
        (lambda name, module: name.endswith("2") or isinstance(module, nn.Linear), ["encoder.2", "fc"]),
        (["fc", nn.Conv2d], ["encoder.0", "fc"]),
    ],
)
def test_layers_are_chosen_by_name_glob_class_predicate_and_lists_of_these(wanted, names):
    assert list(select_layers(Network(), wanted).parameters) == names


def test_parameters_outside_every_chosen_layer_are_listed():
    layers = select_layers(Network(), "encoder.*")

    assert layers.uncovered == ("temperature", "fc.weight", "fc.bias")
    assert len(layers.everything()) == 7


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("encodr.0", "Did you mean 'encoder.0'"),
        ("Conv2", "'Conv2d'"),
        ("encoder", r"Use 'encoder\.\*'"),
        ("encoder.1", "owns none"),
        (nn.GRU, "GRU matches no module"),
        (["fc", "nowhere"], "'nowhere'"),
    ],
)
def test_a_filter_that_matches_nothing_is_an_error_with_the_nearest_names(wanted, hint):
    with pytest.raises(UnknownNameError, match=hint):
        select_layers(Network(), wanted)


def test_the_seeds_layer_names_of_another_network_are_refused_here():
    with pytest.raises(UnknownNameError, match="conv1"):
        select_layers(Network(), ["conv1", "conv2", "fc"])


def test_a_shared_parameter_is_counted_once_for_its_first_owner():
    model = Network()
    other = nn.Linear(2, 2)
    other.weight = model.fc.weight
    model.tied = other

    layers = select_layers(model)

    assert list(layers.parameters["tied"]) == ["bias"]
    assert len(layers.everything()) == len(list(model.parameters()))


def test_frozen_and_unmade_parameters_belong_to_no_layer():
    model = Network()
    model.encoder.requires_grad_(False)
    model.late = nn.LazyLinear(3)

    assert list(select_layers(model).parameters) == ["(model)", "fc"]


def test_a_book_follows_modules_that_appear_freeze_and_go():
    model = Network()
    book = LayerBook(model, ["fc*"])
    first = book.current(model)
    model.fc2 = nn.Linear(2, 2)
    grown = book.current(model)
    model.fc2.requires_grad_(False)
    frozen = book.current(model)
    del model.fc, model.fc2

    assert list(first.parameters) == ["fc"]
    assert list(grown.parameters) == ["fc", "fc2"]
    assert list(frozen.parameters) == ["fc"]
    assert list(book.current(model).parameters) == []


def test_a_book_keeps_its_layers_while_nothing_changes():
    model = Network()
    book = LayerBook(model)

    assert book.current(model) is book.current(model)


def test_wrappers_leave_no_trace_in_names():
    model = Network()
    plain = [name for name, _ in named_modules(model)]
    model.encoder = torch.compile(model.encoder, backend="eager")

    assert [name for name, _ in named_modules(model)] == plain
    assert unwrap(torch.compile(nn.DataParallel(model), backend="eager")) is model


def test_compiled_parts_are_recognised_with_what_is_inside_them():
    model = Network()
    inside = set(map(id, model.encoder.modules()))
    model.encoder = torch.compile(model.encoder, backend="eager")
    model.fc.compile(backend="eager")

    assert inside <= compiled_modules(model)
    assert id(model.fc) in compiled_modules(model)
    assert is_compiled(model.encoder)
    assert not is_compiled(model)
