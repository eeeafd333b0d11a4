"""What AbProp is told about its data; the values stand in `defaults.yaml`."""

from __future__ import annotations

from pydantic import model_validator

from probatum.parameters import parameter
from probatum.studies.abprop.labels import LabelSet
from probatum.training.parameters import TrainingParameters


class AntibodyDataParameters(TrainingParameters):
    """Sequences, labels, split and batches."""

    dataset: str = parameter(
        "data",
        "simulated; a file of PROBATUM_DATA/antibody by name, such as pooled_open; or the path of a FASTA, CSV or "
        "TSV file (OAS and AIRR tables too), plain or gzipped",
    )
    labels: LabelSet = parameter(
        "data",
        "abprop: CDR3 as text and five liabilities by the rules of AbProp; numbered: all CDRs by IMGT and ten by "
        "region",
    )
    cdr3_identity: float = parameter(
        "data", "Smallest identity of two CDR3s of one length that makes them one clonotype", gt=0, le=1
    )
    val_share: float = parameter("data", "Share of the sequences that validates", gt=0, lt=1)
    test_share: float = parameter("data", "Share of the sequences that tests", gt=0, lt=1)
    split_seed: int = parameter(
        "data", "Seed of the split by clonotype; the training seed never enters it", ge=0
    )
    train_fraction: float = parameter(
        "data", "Share of the training split that is used; smaller shares lie within larger ones", gt=0, le=1
    )
    val_fraction: float = parameter("data", "Share of the validation split that is used", gt=0, le=1)
    simulated_clones: int = parameter("data", "Lineages of the simulated dataset", unit="clones", ge=20)
    simulation_seed: int = parameter("data", "Seed of the simulated dataset", ge=0)
    bucket_batches: int = parameter(
        "data",
        "Batches that are sorted by length together, so that little padding is computed",
        unit="batches",
        ge=1,
    )
    steps_per_epoch: int | None = parameter(
        "data",
        "Optimiser steps of an epoch, in as many passes over the training split as they take; none makes one pass",
        unit="steps",
        ge=1,
    )
    max_tokens: int | None = parameter(
        "data",
        "Most tokens of a batch, padding included; a batch_size that needs more is refused. None sets no limit",
        unit="tokens",
        ge=1,
    )

    @model_validator(mode="after")
    def _check_shares(self) -> AntibodyDataParameters:
        if self.val_share + self.test_share >= 1:
            raise ValueError(
                "`val_share` and `test_share` must leave sequences to train, got "
                f"{self.val_share} + {self.test_share}"
            )
        return self
