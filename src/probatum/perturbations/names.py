"""The names of the perturbations: read by the command line, hence without numpy."""

from __future__ import annotations

from typing import Literal

Kind = Literal["missingness", "truncation", "noise"]

MECHANISMS = ("completely_at_random", "by_channel", "by_block", "informative")  # of missingness
ENDS = ("keep_earliest", "keep_latest")  # of truncation: which end of the record stays
NOISE = "gaussian"

# What the strength is called in the record, as seed 000 spells it.
STRENGTH_NAMES: dict[Kind, str] = {
    "missingness": "mask_rate",
    "truncation": "keep_ratio",
    "noise": "noise_scale",
}
CURVE_NAMES: dict[Kind, str] = {
    "missingness": "missingness_curve",
    "truncation": "truncation_curve",
    "noise": "noise_curve",
}
