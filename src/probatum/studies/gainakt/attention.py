"""Causal attention that can prefer recent steps, fused and without a bias matrix."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from probatum.studies.gainakt.choices import Decay


def causal_attention(query: Tensor, key: Tensor, value: Tensor, rates: Tensor | None) -> Tensor:
    """Return softmax(query keyᵀ / sqrt(d) − rate · (t − j)) value over j <= t, `(batch, heads, length, d)`.

    A rate multiplies the weight of a step by exp(−rate) for each step that it lies back: the monotone
    decay of AKT (Ghosh et al. 2020, arXiv 2007.12324) with the distance of ALiBi (Press et al. 2022,
    arXiv 2108.12409). The part of the bias that depends on t is the same for all j and leaves the softmax
    unchanged, so `rate · j` is enough; it enters as one more coordinate of query and key. No
    `(length, length)` matrix is built, the fused kernel is used, and the rates receive their gradient.

    Args:
        query: `(batch, heads, length, d)`.
        key: `(batch, heads, length, d)`.
        value: `(batch, heads, length, d)`.
        rates: `(heads,)`, per step, >= 0; None for attention without decay.

    Example:
        >>> zeros, steps = torch.zeros(1, 1, 3, 1), torch.tensor([0.0, 1.0, 2.0]).reshape(1, 1, 3, 1)
        >>> causal_attention(zeros, zeros, steps, None).flatten().tolist()
        [0.0, 0.5, 1.0]
        >>> causal_attention(zeros, zeros, steps, torch.tensor([50.0])).flatten().tolist()
        [0.0, 1.0, 2.0]
    """
    width = query.shape[-1]
    scale = width**-0.5
    if rates is None:
        return functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scale)
    length = query.shape[-2]
    steps = torch.arange(length, device=key.device, dtype=key.dtype) - (length - 1)  # (length,), <= 0
    slope = (rates.to(query.dtype) / scale)[:, None, None].expand(*query.shape[:-1], 1)
    query = torch.cat([query, slope], dim=-1)  # (batch, heads, length, d + 1)
    key = torch.cat([key, steps[:, None].expand(*key.shape[:-1], 1)], dim=-1)
    attended = functional.scaled_dot_product_attention(
        query, key, functional.pad(value, (0, 1)), is_causal=True, scale=scale
    )
    return attended[..., :width]


def alibi_rates(n_heads: int) -> Tensor:
    """Return the geometric rates 2^(−8 i / heads), i = 1..heads, `(heads,)` (Press et al. 2022).

    Example:
        >>> alibi_rates(4).tolist()
        [0.25, 0.0625, 0.015625, 0.00390625]
    """
    return 2.0 ** (-8.0 * torch.arange(1, n_heads + 1) / n_heads)


class DecayRates(nn.Module):
    """The rate at which each head forgets, per step: none, ALiBi's constants, or learned from them."""

    def __init__(self, *, decay: Decay, n_heads: int) -> None:
        """Start at ALiBi's rates; `learned` rates are kept positive by a softplus."""
        super().__init__()
        self.decay = decay
        start = alibi_rates(n_heads)
        if decay == "alibi":
            self.register_buffer("rates", start)
        elif decay == "learned":
            self.raw = nn.Parameter(torch.log(torch.expm1(start)))  # softplus(raw) = start

    def forward(self) -> Tensor | None:
        """Return the rates `(heads,)`, or None without decay."""
        if self.decay == "none":
            return None
        return functional.softplus(self.raw) if self.decay == "learned" else self.get_buffer("rates")


class TwoStreamAttention(nn.Module):
    """Attention whose queries and keys read the context stream and whose values read the value stream."""

    def __init__(self, *, d_model: int, n_heads: int, value_width: int, dropout: float, decay: Decay) -> None:
        """Build the maps; a `value_width` other than `d_model` is widened back before the output map."""
        super().__init__()
        if d_model % n_heads:
            raise ValueError(
                f"Expected `d_model` to be a multiple of `n_heads`, got {d_model} and {n_heads}."
            )
        self.n_heads = n_heads
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model)
        self.value = nn.Linear(value_width, value_width)
        self.widen = None if value_width == d_model else nn.Linear(value_width, d_model)
        self.output = nn.Linear(d_model, d_model)
        self.dropout = nn.Dropout(dropout)
        self.rates = DecayRates(decay=decay, n_heads=n_heads)

    def heads(self, x: Tensor, width: int) -> Tensor:
        """Return `(batch, heads, length, width)`, zero-padded where the heads do not divide the stream."""
        padded = functional.pad(x, (0, -x.shape[-1] % self.n_heads))
        split = padded.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
        return functional.pad(split, (0, width - split.shape[-1]))

    def forward(self, context: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Return the attention output `(batch, length, d_model)` and what was aggregated before its maps."""
        query = self.heads(self.query(context), 0 + context.shape[-1] // self.n_heads)
        key = self.heads(self.key(context), query.shape[-1])
        values = self.value(value)
        own = -(-values.shape[-1] // self.n_heads)  # width of one head of the values
        attended = causal_attention(query, key, self.heads(values, query.shape[-1]), self.rates())
        joined = attended[..., :own].transpose(1, 2).flatten(2)[..., : values.shape[-1]]
        wide = joined if self.widen is None else self.widen(joined)
        return self.dropout(self.output(wide)), joined
