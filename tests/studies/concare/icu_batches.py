"""Small batches and models for the tests of the model side."""

import torch

from probatum.studies.concare.batch import ICUBatch
from probatum.studies.concare.build import build_concare
from probatum.studies.concare.study import ConCare
from probatum.studies.concare.thinning import carried_forward

CHANNELS, STATIC, STEPS = 4, 3, 6
FACTS = {"channels": CHANNELS, "static": STATIC, "steps": STEPS, "positive_rate": 0.3}


def stays(count=8, lengths=None, seed=0):
    """Return stays whose values and hours since follow from what was observed."""
    draw = torch.Generator().manual_seed(seed)
    mask = (torch.rand(count, STEPS, CHANNELS, generator=draw) < 0.5).float()
    values, since = carried_forward(torch.randn(mask.shape, generator=draw), mask)
    return ICUBatch(
        values=values,
        mask=mask,
        since=since,
        static=torch.randn(count, STATIC, generator=draw),
        static_mask=torch.ones(count, STATIC),
        lengths=torch.full((count,), STEPS) if lengths is None else torch.tensor(lengths),
        targets=(torch.rand(count, generator=draw) < 0.4).float(),
        index=torch.arange(count),
    )


def small(**changes):
    """Return the default parameters of a small model with changes."""
    kept = {"hidden_dim": 8, "attention_dim": 3, "feed_forward_dim": 8, "epochs": 10}
    return ConCare().load_defaults().model_copy(update={**kept, **changes})


def model_of(parameters, seed=0):
    torch.manual_seed(seed)
    return build_concare(parameters, FACTS)
