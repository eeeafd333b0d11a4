"""Evaluation of a whole split, against a plain loop over its sequences."""

import numpy as np
import pytest
import torch

from probatum.studies.abprop.prediction import evaluation, predict
from probatum.studies.abprop.tokenizer import MASK

CPU = torch.device("cpu")


@torch.inference_mode()
def test_predictions_are_those_of_each_sequence_alone(tiny_model, tiny_data):
    split = tiny_data[1].splits["valid"]
    tiny_model.eval()
    found = predict(tiny_model, split, CPU)
    losses, calls = [], []
    for row in range(split.count):
        batch = split.gather(np.array([row]))
        hidden = split.hidden[split.starts[row] : split.starts[row] + split.lengths[row]]
        places = hidden.nonzero().squeeze(1)
        output = tiny_model(batch._replace(tokens=torch.where(hidden, MASK, batch.tokens)), places)
        chances = output.residue_logits.log_softmax(-1)
        losses += (-chances[torch.arange(len(places)), batch.tokens[0, places]]).tolist()
        whole = tiny_model(batch, places[:0])
        calls += whole.cdr_logits[0, 1:-1].argmax(-1).tolist()
        np.testing.assert_allclose(found.rates[row], whole.rates[0].numpy(), atol=1e-5)
    np.testing.assert_allclose(found.residue_losses, losses, rtol=1e-4)
    assert found.is_cdr.tolist() == [bool(call) for call in calls]


@torch.inference_mode()
def test_the_loss_is_the_weighted_sum_and_repeats(tiny_model, tiny_data):
    parameters, data = tiny_data
    tiny_model.eval()
    weighted = parameters.model_copy(update={"mlm_weight": 2.0, "cls_weight": 0.0})
    names = data.facts["rate_names"]
    one, two = (evaluation(tiny_model, data.splits["valid"], weighted, names, CPU) for _ in range(2))
    assert one == two
    assert one["loss"] == pytest.approx(2 * one["mlm_loss"] + one["reg_loss"])
    assert one["mlm_perplexity"] == pytest.approx(np.exp(one["mlm_loss"]))
