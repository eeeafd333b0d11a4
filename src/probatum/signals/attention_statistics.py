"""Statistics of attention weights: pure functions of row-normalised weights before dropout.

Weights have the shape (batch, heads, queries, keys). A query without any key that it may see counts nowhere.
Everything stays on the device: no function here reads a number back.
"""

from __future__ import annotations

import torch
from torch import Tensor

ORDERED_AXES = ("position", "time")  # keys along these have a distance back from the query
LAGS = 256  # the longest distance back that a lag curve shows
LAG_ORIGIN = "index 0 = the newest position that the query may see: its own, in self-attention"
TOLERANCE = 1e-2  # of a row's sum: half-precision weights stay within it, weights after dropout do not


def allowed_keys(weights: Tensor, allowed: Tensor | None = None) -> Tensor:
    """Return which keys each query may see: those `allowed`, else those whose weight is not exactly zero.

    Example:
        >>> allowed_keys(torch.tensor([[[[1.0, 0.0], [0.5, 0.5]]]])).tolist()
        [[[[True, False], [True, True]]]]
    """
    return (weights != 0) if allowed is None else allowed.expand_as(weights)


def attention_statistics(weights: Tensor, allowed: Tensor | None = None) -> dict[str, Tensor]:
    r"""Return mean, entropy, normalised entropy, head agreement and row error of attention weights.

    For a row w of weights over K allowed keys: entropy = -sum w ln w in nats, between 0 and ln K; normalised
    entropy = entropy / ln K (over queries that see two keys or more); mean = mean weight of an allowed key;
    head agreement = mean cosine between the rows of two heads (absent below two heads); row error =
    max |sum w - 1|, which is 0 for weights and not for weights after dropout.

    Args:
        weights: (batch, heads, queries, keys).
        allowed: Boolean, broadcasts to the weights; by default a weight of exactly zero counts as masked.

    Returns:
        Scalars on the device; NaN where no query counts.

    Source:
        Entropy: Clark et al. (2019), What does BERT look at?, section 3; seed 000, "Attention summaries".

    Example:
        >>> uniform = torch.full((1, 2, 4, 4), 0.25)
        >>> {name: round(float(value), 4) for name, value in attention_statistics(uniform).items()}
        {'mean': 0.25, 'entropy': 1.3863, 'entropy_normalised': 1.0, 'row_error': 0.0, 'head_agreement': 1.0}
    """
    weights = weights.detach().float()
    open_ = allowed_keys(weights, allowed)
    kept = weights.where(open_, 0.0)
    keys = open_.sum(-1)
    counts = keys > 0  # (batch, heads, queries)
    entropy = torch.special.entr(kept).sum(-1)
    statistics = {
        "mean": kept.sum() / keys.sum(),
        "entropy": _mean(entropy, counts),
        "entropy_normalised": _mean(entropy / keys.clamp(min=2).log(), keys > 1),
        "row_error": (kept.sum(-1) - 1).abs().where(counts, 0.0).amax(),
    }
    if weights.shape[1] > 1:
        statistics["head_agreement"] = _head_agreement(kept, counts.all(1))
    return statistics


def _mean(values: Tensor, counts: Tensor) -> Tensor:
    """Return the mean of the values that count; NaN where none does."""
    return values.where(counts, 0.0).sum() / counts.sum()


def _head_agreement(weights: Tensor, counts: Tensor) -> Tensor:
    """Return the mean cosine over pairs of heads: (|sum of unit rows|^2 - H) / (H (H - 1))."""
    heads = weights.shape[1]
    unit = weights / weights.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    cosines = (unit.sum(1).square().sum(-1) - heads) / (heads * (heads - 1))  # (batch, queries)
    return _mean(cosines, counts)


def future_mass(weights: Tensor, allowed: Tensor | None = None) -> Tensor:
    """Return the mean mass on keys newer than the query; 0 for causal attention.

    Example:
        >>> float(future_mass(torch.full((1, 1, 2, 2), 0.5)))
        0.25
    """
    weights = weights.detach().float()
    open_ = allowed_keys(weights, allowed)
    queries, keys = weights.shape[-2:]
    newer = weights.where(open_, 0.0).triu(keys - queries + 1).sum(-1)
    return _mean(newer, open_.any(-1))


def lag_curve(weights: Tensor, allowed: Tensor | None = None) -> Tensor:
    r"""Return the mean attention mass by distance back from the query; index 0 is the newest position.

    curve[d] = mean of w[b, h, q, q - d] over batch, heads and the queries q that may see the key q - d. With one
    query (a pooling layer) the query stands at the newest key that it may see, so that right-padding shifts
    nothing. Keys newer than the query are no part of the curve: see `future_mass`.

    Args:
        weights: (batch, heads, queries, keys), keys in order of time, oldest first.
        allowed: Boolean, broadcasts to the weights; by default a weight of exactly zero counts as masked.

    Returns:
        (lags,), at most `LAGS`; NaN at a distance that no query may see.

    Source:
        Seed 000: "average attention mass per relative lag"; sharp peaks near lag 0 prefer recent events.

    Example:
        >>> lag_curve(torch.tensor([[[[0.1, 0.2, 0.7]]]])).tolist()  # one query, oldest key first
        [0.699999988079071, 0.20000000298023224, 0.10000000149011612]
    """
    weights = weights.detach().float()
    open_ = allowed_keys(weights, allowed)
    if weights.shape[-2] == 1:
        weights, open_ = _from_newest(weights, open_)
    mass = _sum_by_lag(weights.where(open_, 0.0).sum((0, 1)))
    return mass / _sum_by_lag(open_.sum((0, 1)))


def _from_newest(weights: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows of single queries, moved so that the newest key that each may see stands last."""
    keys = weights.shape[-1]
    places = torch.arange(keys, device=weights.device)
    newest = (places * allowed).amax(-1, keepdim=True)  # (batch, heads, 1, 1)
    source = places + newest - (keys - 1)  # negative: before the first key
    index = source.clamp(min=0)
    return weights.gather(-1, index), allowed.gather(-1, index) & (source >= 0)


def _sum_by_lag(matrix: Tensor) -> Tensor:
    """Return the sums of a (queries, keys) matrix by distance back: diagonals, by a skewed view, no scatter."""
    queries, keys = matrix.shape
    padded = torch.nn.functional.pad(matrix.flip(-1), (0, queries))
    skewed = padded.flatten()[: queries * (keys + queries - 1)].view(queries, keys + queries - 1)
    return skewed.sum(0)[queries - 1 :][:LAGS]  # the last key belongs to the last query
