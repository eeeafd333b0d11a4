"""What may read the interaction stream before the attention: a recurrence or a causal convolution."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from probatum.studies.gainakt.choices import Front

KERNEL = 5  # steps that one convolution sees


class CausalConvolution(nn.Module):
    """Two causal convolutions of 5 steps with a residual: each step sees itself and the 8 before it."""

    def __init__(self, width: int) -> None:
        """Build the two convolutions."""
        super().__init__()
        self.first = nn.Conv1d(width, width, KERNEL)
        self.second = nn.Conv1d(width, width, KERNEL)

    def forward(self, x: Tensor) -> Tensor:
        """Return `(batch, length, width)`; step t depends on no later step."""
        y = x.transpose(1, 2)  # (batch, width, length)
        y = functional.gelu(self.first(functional.pad(y, (KERNEL - 1, 0))))
        return self.second(functional.pad(y, (KERNEL - 1, 0))).transpose(1, 2)


class StreamFront(nn.Module):
    """Replaces a stream by what a causal reader makes of it; `none` leaves it as it is.

    The reader gives the model what attention learns slowly: the state of the last few answers. It is a
    recency mechanism of this workbench, not part of the published model.
    """

    def __init__(self, *, front: Front, width: int, dropout: float) -> None:
        """Build the reader."""
        super().__init__()
        self.front = front
        self.dropout = nn.Dropout(dropout)
        if front in ("gru", "lstm"):
            self.reader = (nn.GRU if front == "gru" else nn.LSTM)(width, width, batch_first=True)
        elif front == "conv":
            self.reader = CausalConvolution(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the enriched stream `(batch, length, width)`."""
        if self.front == "none":
            return x
        read = self.reader(x)
        return self.dropout(read[0] if isinstance(read, tuple) else read)
