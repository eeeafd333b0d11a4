"""The network of a learned policy: normalised values and their mask in, one number per action out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

REFUSED = -1e9  # logit of what is not allowed: finite, so that no gradient becomes NaN


class PolicyNetwork(nn.Module):
    """Linear layers with LayerNorm, ReLU and dropout.

    Args:
        features: Features of an observation; each comes as its value and its mask.
        outputs: Numbers out: actions, or 1 for a value.
        hidden: Widths between.
        dropout: Share of the hidden units dropped in training.

    Example:
        >>> import torch
        >>> PolicyNetwork(27, 8, (64, 32))(torch.zeros(3, 54)).shape
        torch.Size([3, 8])
    """

    def __init__(
        self, features: int, outputs: int, hidden: Sequence[int] = (128, 64), dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.features, self.outputs, self.hidden, self.dropout = features, outputs, tuple(hidden), dropout
        widths = [2 * features, *hidden]
        layers: list[nn.Module] = []
        for width, following in pairwise(widths):
            layers += [nn.Linear(width, following), nn.LayerNorm(following), nn.ReLU(), nn.Dropout(dropout)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1], outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (batch, outputs) of inputs (batch, 2 * features)."""
        return self.head(self.body(inputs))

    def shape(self) -> dict[str, object]:
        """Return what `PolicyNetwork(**shape)` makes again."""
        return {
            "features": self.features,
            "outputs": self.outputs,
            "hidden": list(self.hidden),
            "dropout": self.dropout,
        }


def masked(logits: Tensor, allowed: Tensor) -> Tensor:
    """Return logits (batch, actions) in which what is not allowed (batch, actions) has no chance.

    Example:
        >>> import torch
        >>> masked(torch.zeros(1, 2), torch.tensor([[True, False]])).softmax(-1)
        tensor([[1., 0.]])
    """
    return logits.masked_fill(~allowed, REFUSED)
