import sys

import pytest
import torch

from probatum._errors import MissingExtraError

pytestmark = pytest.mark.filterwarnings("ignore")  # of the trainer's own code


def tools():
    try:
        import accelerate  # noqa: F401
        import transformers

        _ = transformers.Trainer, transformers.BertForSequenceClassification
    except Exception as error:  # an installation can be broken in many ways
        pytest.skip(f"transformers and accelerate cannot be imported, so their callback is not run: {error}")
    from probatum.signals.adapters.transformers import SignalsCallback

    return transformers, SignalsCallback


def make_model(transformers, **options):
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=16, num_labels=3, **options,
    )  # fmt: skip
    return transformers.BertForSequenceClassification(config)


def examples(count=24):
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(20, (count, 6), generator=generator)
    return [{"input_ids": row, "labels": int(row[0]) % 3} for row in tokens]


def fit(transformers, model, folder, callbacks=(), evaluate=False, **options):
    settings = {
        "num_train_epochs": 2, "per_device_train_batch_size": 4, "report_to": [], "use_cpu": True,
        "save_strategy": "no", "disable_tqdm": True, "logging_strategy": "no", "seed": 3,
        "eval_strategy": "epoch" if evaluate else "no", "dataloader_pin_memory": False, **options,
    }  # fmt: skip
    trainer = transformers.Trainer(
        model=model,
        args=transformers.TrainingArguments(str(folder), **settings),
        train_dataset=examples(),
        eval_dataset=examples(8),
        callbacks=list(callbacks),
    )
    trainer.train()
    return trainer


def test_without_transformers_the_module_imports_and_the_callback_names_the_pip_line(monkeypatch):
    import probatum.signals.adapters.transformers as adapter

    monkeypatch.delitem(vars(adapter), "SignalsCallback", raising=False)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'transformers\[torch\]'"):
        _ = adapter.SignalsCallback


def test_a_callback_gives_signals_of_each_epoch_and_metrics_of_its_evaluation(tmp_path):
    transformers, SignalsCallback = tools()  # noqa: N806
    seen = []
    callback = SignalsCallback("diagnostic", [lambda signals, metrics: seen.append((signals.epoch, metrics))])
    fit(transformers, make_model(transformers), tmp_path, [callback], evaluate=True)
    assert [epoch for epoch, _ in seen] == [1, 2]
    assert "eval_loss" in seen[0][1]
    assert [batch.step < 6 for batch in callback.epochs[0].batches] == [True, True]
    assert sum(callback.epochs[0].per_class["counts"]) == 8  # two probed batches of four
    assert "logits" in callback.epochs[0].heads


@pytest.mark.parametrize("kernel", ["sdpa", "eager"])
def test_attention_is_read_before_dropout_by_either_kernel(tmp_path, kernel):
    transformers, SignalsCallback = tools()  # noqa: N806
    callback = SignalsCallback()
    model = make_model(transformers, attn_implementation=kernel, attention_probs_dropout_prob=0.5)
    fit(transformers, model, tmp_path, [callback])
    found = callback.epochs[0].attention
    assert len(found) == 2
    assert all(layer["row_error"].max < 1e-5 for layer in found.values())


def test_gradients_are_those_before_the_trainer_clips(tmp_path):
    transformers, SignalsCallback = tools()  # noqa: N806
    callback = SignalsCallback()
    fit(transformers, make_model(transformers), tmp_path, [callback], max_grad_norm=1e-3)
    assert callback.epochs[0].totals["gradient_norm"].min > 0.01


@pytest.mark.parametrize("accumulation", [1, 4])
def test_a_step_is_observed_once_whatever_is_accumulated(tmp_path, accumulation):
    transformers, SignalsCallback = tools()  # noqa: N806
    callback = SignalsCallback()
    steps = []
    begin = callback.on_train_begin

    def on_train_begin(*args, **kwargs):
        begin(*args, **kwargs)
        observe = callback.probe.observe
        callback.probe.observe = lambda *rest: (steps.append(1), observe(*rest))

    callback.on_train_begin = on_train_begin
    fit(
        transformers, make_model(transformers), tmp_path, [callback], gradient_accumulation_steps=accumulation
    )
    assert len(steps) == 2 * -(-6 // accumulation)


def test_the_training_is_the_same_bit_for_bit(tmp_path):
    transformers, SignalsCallback = tools()  # noqa: N806
    plain, probed = make_model(transformers), make_model(transformers)
    fit(transformers, plain, tmp_path, evaluate=True)
    state = torch.get_rng_state()
    fit(transformers, probed, tmp_path, [SignalsCallback("research")], evaluate=True)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), probed.parameters(), strict=True))


def test_no_hook_is_left_behind(tmp_path):
    transformers, SignalsCallback = tools()  # noqa: N806
    model = make_model(transformers)
    before = sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in model.modules())
    fit(transformers, model, tmp_path, [SignalsCallback("diagnostic")])
    assert sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in model.modules()) == before
