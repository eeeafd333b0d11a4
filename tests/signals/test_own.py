import json
from pathlib import Path
from types import MappingProxyType

import jsonschema
import pytest
import torch
from torch import nn

from probatum import Probe
from probatum._errors import UsageError
from probatum.signals import artifact
from probatum.signals.activations import observed
from probatum.signals.artifact import ArtifactWriter
from probatum.signals.collector import ForwardCollector, listen
from probatum.signals.epoch_record import epoch_record
from probatum.signals.reading import read_artifact


class ZeroShare:
    """The share of a layer's outputs that are exactly zero."""

    signal = "zeros"
    taken = MappingProxyType(
        {"what": "share of outputs that are zero", "where": "first pass", "axis": "layer", "unit": "1"}
    )

    def __init__(self):
        self.found = {}
        self.missing = {}

    def attach(self, model, select, gate):
        return [listen(module, gate, self.note(name)) for name, module in observed(model, select).items()]

    def note(self, name):
        def see(module, args, kwargs, output):
            self.found[name] = {"share": (output == 0).float().mean()}

        return see

    def read(self):
        found, self.found = self.found, {}
        return found


def train(model, probe=None, epochs=1):
    generator = torch.Generator().manual_seed(1)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    seen = []
    for _ in range(epochs):
        for _ in range(3):
            loss = model(torch.randn(16, 4, generator=generator)).square().mean()
            optimiser.zero_grad()
            loss.backward()
            if probe is not None:
                probe.observe(loss)
            optimiser.step()
        if probe is not None:
            seen.append(probe.end_epoch())
    return seen


def make_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))


def test_a_collector_of_ones_own_is_one():
    assert isinstance(ZeroShare(), ForwardCollector)


def test_what_it_read_stands_under_its_name_by_layer():
    (signals,) = train(
        model := make_model(), Probe(model, "standard", steps_per_epoch=3, collectors=[ZeroShare()])
    )
    share = signals.own["zeros"]["1"]["share"]
    assert 0.2 < share.mean < 0.8
    assert share.n == 2  # the probed batches of the profile
    assert signals.own["zeros"]["0"]["share"].mean == 0.0


def test_it_changes_no_number_of_the_training():
    plain, watched = make_model(), make_model()
    train(plain, epochs=2)
    train(watched, Probe(watched, "research", collectors=[ZeroShare()]), epochs=2)
    for one, other in zip(plain.parameters(), watched.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_artifact_keeps_it_with_its_definition_and_reads_it_back(tmp_path):
    probe = Probe(model := make_model(), "standard", steps_per_epoch=3, collectors=[ZeroShare()])
    writer = ArtifactWriter(tmp_path / "a.json", {}, taken=probe.taken)
    for signals in train(model, probe, epochs=2):
        writer.append(signals)
    found = read_artifact(writer.path)
    assert set(found.series()["own.zeros.share"]["1"]) == {1, 2}
    assert found.document["definitions"]["own.zeros"]["what"] == "share of outputs that are zero"
    schema = json.loads(Path(artifact.__file__).with_name("artifact.schema.json").read_text())
    jsonschema.validate(found.document, schema)


def test_an_epoch_without_one_has_no_such_key():
    (signals,) = train(model := make_model(), Probe(model, "standard", steps_per_epoch=3))
    assert "own" not in epoch_record(signals)


@pytest.mark.parametrize("name", ["gradients", "two words", ""])
def test_a_name_that_clashes_is_refused(name):
    collector = ZeroShare()
    collector.signal = name
    with pytest.raises(UsageError, match="names its signal"):
        Probe(make_model(), collectors=[collector])


def test_two_of_one_name_are_refused():
    with pytest.raises(UsageError, match="zeros"):
        Probe(make_model(), collectors=[ZeroShare(), ZeroShare()])


@pytest.mark.parametrize("wrong", [ZeroShare, object()])
def test_what_is_no_collector_is_refused(wrong):
    with pytest.raises(UsageError, match="ForwardCollector"):
        Probe(make_model(), collectors=[wrong])


def test_it_goes_on_after_an_interruption():
    whole = make_model()
    expected = train(whole, Probe(whole, "standard", steps_per_epoch=3, collectors=[ZeroShare()]))[0]
    model = make_model()
    first = Probe(model, "standard", steps_per_epoch=3, collectors=[ZeroShare()])
    generator, optimiser = torch.Generator().manual_seed(1), torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(3):
        if step == 2:
            state = first.state_dict()
            first.close()
            first = Probe(model, "standard", steps_per_epoch=3, collectors=[ZeroShare()])
            first.load_state_dict(state)
        loss = model(torch.randn(16, 4, generator=generator)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        first.observe(loss)
        optimiser.step()
    assert first.end_epoch().own == expected.own
