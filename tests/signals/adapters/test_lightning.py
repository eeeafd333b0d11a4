import copy
import sys

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from probatum._errors import MissingExtraError

pytestmark = pytest.mark.filterwarnings("ignore")  # of the trainer's own code


def tools():
    try:
        import lightning.pytorch as lightning
    except Exception as error:  # an installation can be broken in many ways
        pytest.skip(f"lightning cannot be imported, so its callback is not run: {error}")
    from probatum.signals.adapters.lightning import SignalsCallback

    return lightning, SignalsCallback


def make_module(lightning):
    class Classifier(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, index):
            x, self.targets = batch
            self.logits = self(x)
            loss = nn.functional.cross_entropy(self.logits, self.targets)
            self.log("train_loss", loss)
            return 100 * loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=1e-3)

    return Classifier()


def fit(lightning, module, folder, callbacks=(), epochs=2, **options):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(32, 4, generator=generator), torch.randint(3, (32,), generator=generator)
    loader = DataLoader(TensorDataset(x, y), batch_size=8)
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=list(callbacks),
        default_root_dir=folder, **options,
    )  # fmt: skip
    torch.manual_seed(1)
    trainer.fit(module, loader)
    return trainer


def test_without_lightning_the_module_imports_and_the_callback_names_the_pip_line(monkeypatch):
    import probatum.signals.adapters.lightning as adapter

    monkeypatch.delitem(vars(adapter), "SignalsCallback", raising=False)
    monkeypatch.setitem(sys.modules, "lightning.pytorch", None)
    monkeypatch.setitem(sys.modules, "pytorch_lightning", None)
    with pytest.raises(MissingExtraError, match="pip install lightning"):
        _ = adapter.SignalsCallback


def test_a_callback_gives_one_epoch_of_signals_for_each_epoch(tmp_path):
    lightning, SignalsCallback = tools()  # noqa: N806
    seen = []
    callback = SignalsCallback(
        "diagnostic",
        [lambda signals, metrics: seen.append((signals.epoch, sorted(metrics)))],
        outputs=lambda module: (module.logits, module.targets),
    )
    module = make_module(lightning)
    fit(lightning, module, tmp_path, [callback])
    assert [signals.epoch for signals in callback.epochs] == [1, 2]
    assert seen == [(1, ["train_loss"]), (2, ["train_loss"])]
    assert {"net.0", "net.3"} <= set(callback.epochs[0].gradients)
    assert "dead_share" in callback.epochs[0].activations["net.1"]
    assert sum(callback.epochs[0].per_class["counts"]) == 16  # two probed batches of eight


def test_gradients_are_those_before_clipping(tmp_path):
    lightning, SignalsCallback = tools()  # noqa: N806
    callback = SignalsCallback()
    fit(lightning, make_module(lightning), tmp_path, [callback], gradient_clip_val=0.01)
    assert callback.epochs[0].totals["gradient_norm"].min > 1


@pytest.mark.parametrize("accumulation", [1, 2])
def test_the_training_is_the_same_bit_for_bit(tmp_path, accumulation):
    lightning, SignalsCallback = tools()  # noqa: N806
    plain, probed = make_module(lightning), make_module(lightning)
    fit(lightning, plain, tmp_path, accumulate_grad_batches=accumulation)
    state = torch.get_rng_state()
    fit(lightning, probed, tmp_path, [SignalsCallback("research")], accumulate_grad_batches=accumulation)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), probed.parameters(), strict=True))


def test_a_submodule_can_be_probed_by_name(tmp_path):
    lightning, SignalsCallback = tools()  # noqa: N806
    callback = SignalsCallback(module="net")
    fit(lightning, make_module(lightning), tmp_path, [callback])
    assert sorted(callback.epochs[0].gradients) == ["0", "3"]


def test_no_hook_is_left_behind_also_by_a_training_that_fails(tmp_path):
    lightning, SignalsCallback = tools()  # noqa: N806
    module = make_module(lightning)
    step = module.training_step

    def fail(batch, batch_idx):
        if batch_idx == 2:
            raise RuntimeError("broken")
        return step(batch, batch_idx)

    module.training_step = fail
    with pytest.raises(RuntimeError, match="broken"):
        fit(lightning, module, tmp_path, [SignalsCallback("diagnostic")])
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_the_state_goes_through_a_checkpoint(tmp_path):
    lightning, SignalsCallback = tools()  # noqa: N806
    callback = SignalsCallback()
    fit(lightning, make_module(lightning), tmp_path, [callback])
    state = copy.deepcopy(callback.state_dict())
    again = SignalsCallback()
    again.load_state_dict(state)
    fit(lightning, make_module(lightning), tmp_path, [again], epochs=1)
    assert again.epochs[0].epoch == 3
