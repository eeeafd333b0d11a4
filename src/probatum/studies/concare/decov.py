"""The decorrelation penalty of ConCare, all tokens in one product."""

from __future__ import annotations

from torch import Tensor


def decov(tokens: Tensor) -> Tensor:
    """Return the DeCov penalty, a scalar.

    ::

        sum over tokens of 1/2 (||C||_F^2 - ||diag C||^2),    C = X^T X / batch, X the centred token

    Args:
        tokens: `(batch, tokens, width)`.

    Source:
        Cogswell et al. 2016, arXiv 1511.06068, equation 2, per token as in Ma et al. 2020.

    Example:
        >>> import torch
        >>> float(decov(torch.tensor([[[1.0, 1.0]], [[-1.0, -1.0]]])))
        1.0
    """
    centred = (tokens - tokens.mean(0)).transpose(0, 1)  # (tokens, batch, width)
    covariance = centred.transpose(1, 2) @ centred / tokens.shape[0]  # (tokens, width, width)
    diagonal = covariance.diagonal(dim1=1, dim2=2)
    return 0.5 * (covariance.square().sum() - diagonal.square().sum())
