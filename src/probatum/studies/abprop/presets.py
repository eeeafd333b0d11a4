"""Sets of parameters with a name of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PAPER: Mapping[str, Any] = {
    "d_model": 384,
    "nhead": 6,
    "num_layers": 3,
    "dim_feedforward": 1536,
    "dropout": 0.1,
    "attention_dropout": 0.1,
    "max_position_embeddings": 1024,
    "norm_first": False,
    "token_scale": "inverse_sqrt",
    "labels": "abprop",
    "batch_size": 32,
    "learning_rate": 0.0001,
    "weight_decay": 0.01,
    "lr_warmup_steps": 100,
    "mlm_weight": 1.0,
    "cls_weight": 1.0,
    "reg_weight": 1.0,
    "mlm_probability": 0.15,
}
"""The published encoder and its training: 5,730,464 weights (fact sheet, sections 1 and 5)."""

SIZES: Mapping[str, Mapping[str, Any]] = {"paper": PAPER}
