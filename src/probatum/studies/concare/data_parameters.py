"""What an ICU study is told about its data; the values stand in `defaults.yaml`."""

from __future__ import annotations

from typing import Literal

from probatum.parameters import parameter
from probatum.training.parameters import TrainingParameters


class ICUDataParameters(TrainingParameters):
    """Data, protocol and preprocessing of every study on ICU stays."""

    dataset: Literal["simulated", "physionet2012", "mimic3"] = parameter(
        "data", "Simulated stays, or the files that PROBATUM_DATA names"
    )
    sets: tuple[str, ...] = parameter(
        "data", "Sets of PhysioNet 2012 that are read, of a, b, c (dataset physionet2012)", min_length=1
    )
    protocol: Literal["official", "pooled"] = parameter(
        "data", "Train on the first set and test on the others, or pool all sets and divide them by patient"
    )
    val_share: float = parameter(
        "data", "Share that validates: of the first set (official), of all patients (pooled)", gt=0, lt=1
    )
    test_share: float = parameter(
        "data", "Share of all patients that tests (pooled), or that forms simulated set b", gt=0, lt=1
    )
    split_seed: int = parameter(
        "data", "Seed of the split by patient; the training seed never enters it", ge=0
    )
    bins: int = parameter("data", "Hours from admission that are read", unit="hours", ge=1, le=48)
    simulated_patients: int = parameter("data", "Stays of the simulated dataset", unit="patients", ge=20)
    simulation_seed: int = parameter("data", "Seed of the simulated dataset", ge=0)
    normalisation: Literal["zscore", "robust"] = parameter(
        "data",
        "Centre and scale of the observed training values: mean and standard deviation, or median and "
        "interquartile range",
    )
    log_skewness: float = parameter(
        "data",
        "A channel without negative values is taken as log(1 + x) where the skewness of its observed training "
        "values exceeds this; 0 never",
        ge=0,
    )
    clip: float = parameter(
        "data",
        "Largest normalised magnitude of a value; 0 clips nothing",
        unit="standard deviations",
        ge=0,
    )
