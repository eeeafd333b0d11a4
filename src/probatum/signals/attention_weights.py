"""Attention weights computed again from the inputs of a layer: before dropout, in float32, drawing nothing.

A fused kernel returns no weights, and `nn.MultiheadAttention` returns them *after* dropout, when their rows no
longer sum to one. Both are functions of queries, keys and masks, which a probed step holds in its hands.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

ELEMENTS = 1 << 18  # weights looked at per layer and probed batch; more sequences than fit are strided over


class Weights(NamedTuple):
    """Row-normalised attention weights, and what they may say.

    Args:
        values: Weights of shape (batch, heads, queries, keys).
        allowed: Which keys a query may see, of the same shape or one that broadcasts to it; None where unknown.
        axis: What the keys are: "time" and "position" are ordered, anything else is not.
    """

    values: Tensor
    allowed: Tensor | None = None
    axis: str = "position"


@contextmanager
def apart_from_training(device: torch.device):
    """Keep what runs inside out of the training: no gradient, no autocast (its cache of cast weights included)."""
    with torch.no_grad(), torch.autocast(device.type, enabled=False):
        yield


def batch_stride(sequences: int, elements_each: int) -> int:
    """Return the stride over `sequences` that keeps the weights within `ELEMENTS`.

    Example:
        >>> batch_stride(64, 8 * 128 * 128)
        32
    """
    fitting = max(1, ELEMENTS // max(1, elements_each))
    return max(1, math.ceil(sequences / fitting))


def scaled_dot_product_weights(
    query: Tensor,
    key: Tensor,
    mask: Tensor | None = None,
    is_causal: bool = False,
    scale: float | None = None,
) -> Weights:
    r"""Return the weights of scaled-dot-product attention, softmax(scale * Q K^T + mask), without dropout.

    Args:
        query: Queries of shape (batch, heads, queries, width).
        key: Keys of shape (batch, heads or a divisor of it, keys, width).
        mask: Boolean (True = may be attended) or added to the scores; broadcasts to the weights.
        is_causal: Whether a query sees the keys up to its own index only.
        scale: Factor of the scores; 1 / sqrt(width) by default.

    Returns:
        Weights in float32; a query that may see no key has a row of zeros.

    Source:
        Vaswani et al. (2017), Attention is all you need, equation 1.

    Example:
        >>> x = torch.zeros(1, 1, 2, 4)
        >>> scaled_dot_product_weights(x, x, is_causal=True).values.tolist()
        [[[[1.0, 0.0], [0.5, 0.5]]]]
    """
    query, key = query.float(), key.float()
    if key.shape[-3] != query.shape[-3]:  # grouped queries share a key head
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], dim=-3)
    scores = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    allowed = None
    if is_causal:
        allowed = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if mask is not None and mask.dtype == torch.bool:
        allowed = mask if allowed is None else mask & allowed
    elif mask is not None:
        scores = scores + mask.float()
        open_ = mask.float() > torch.finfo(mask.dtype).min / 2  # -inf, or the lowest number of the type
        allowed = open_ if allowed is None else open_ & allowed
    return Weights(_softmax(scores, allowed), allowed)


def _softmax(scores: Tensor, allowed: Tensor | None) -> Tensor:
    """Return the softmax over the allowed keys; rows of zeros where there is none."""
    if allowed is None:
        return scores.softmax(-1)
    masked = scores.masked_fill(~allowed, -torch.inf).softmax(-1)
    return masked.masked_fill(~allowed, 0.0)


def multihead_weights(module: nn.MultiheadAttention, inputs: dict[str, Any]) -> Weights:
    """Return the weights per head of an `nn.MultiheadAttention`, whatever it was asked to return.

    Args:
        module: The layer.
        inputs: Its bound arguments: `query`, `key`, `key_padding_mask`, `attn_mask`, ...

    Example:
        >>> layer = nn.MultiheadAttention(4, 2, dropout=0.5, batch_first=True)
        >>> x = torch.ones(3, 5, 4)
        >>> weights = multihead_weights(layer, {"query": x, "key": x})
        >>> weights.values.shape, bool(torch.allclose(weights.values, torch.tensor(0.2)))
        (torch.Size([3, 2, 5, 5]), True)
    """
    query, key = _batch_first(module, inputs["query"]), _batch_first(module, inputs["key"])
    count = query.shape[0]
    stride = batch_stride(count, module.num_heads * query.shape[1] * key.shape[1])
    mask, padding = inputs.get("attn_mask"), inputs.get("key_padding_mask")
    if mask is not None and mask.dim() == 3:  # one mask per sequence and head
        mask = mask.unflatten(0, (-1, module.num_heads))[::stride]
    if padding is not None:
        padding = torch.atleast_2d(padding)[::stride, None, None, :]
    query_heads, key_heads = _project(module, query[::stride], key[::stride])
    merged = _additive(mask, padding, key_heads.shape[-2] - key.shape[1])
    weights = scaled_dot_product_weights(query_heads, key_heads, merged)
    is_self_attention = inputs["key"] is inputs["query"] or query.shape == key.shape
    return weights if is_self_attention else weights._replace(axis="other sequence")


def _batch_first(module: nn.MultiheadAttention, states: Tensor) -> Tensor:
    """Return the states as (batch, position, width)."""
    if states.dim() == 2:
        return states.unsqueeze(0)
    return states if module.batch_first else states.transpose(0, 1)


def _project(module: nn.MultiheadAttention, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
    """Return queries and keys per head, in float32: (batch, heads, position, width of a head)."""
    width = module.embed_dim
    if module.in_proj_weight is not None:
        query_weight, key_weight = module.in_proj_weight[:width], module.in_proj_weight[width : 2 * width]
    else:
        query_weight, key_weight = module.q_proj_weight, module.k_proj_weight
    bias = module.in_proj_bias
    query_bias, key_bias = (
        (None, None) if bias is None else (bias[:width].float(), bias[width : 2 * width].float())
    )
    queries = functional.linear(query.float(), query_weight.float(), query_bias)
    keys = functional.linear(key.float(), key_weight.float(), key_bias)
    if module.bias_k is not None:
        keys = torch.cat([keys, module.bias_k.float().expand(len(keys), 1, width)], dim=1)
    if module.add_zero_attn:
        keys = torch.cat([keys, keys.new_zeros(len(keys), 1, width)], dim=1)
    heads = (module.num_heads, module.head_dim)
    return queries.unflatten(-1, heads).transpose(1, 2), keys.unflatten(-1, heads).transpose(1, 2)


def _additive(mask: Tensor | None, padding: Tensor | None, extra_keys: int) -> Tensor | None:
    """Return the masks of an `nn.MultiheadAttention` (True = may *not* be attended) as one added to the scores."""
    merged = None
    for part in (mask, padding):
        if part is None:
            continue
        added = part.float()
        if part.dtype == torch.bool:
            added = torch.zeros_like(added).masked_fill(part, -torch.inf)
        merged = added if merged is None else merged + added
    return merged if merged is None or not extra_keys else functional.pad(merged, (0, extra_keys))
