"""The splits of an ICU run and what is recorded about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from probatum._errors import UsageError
from probatum._names import unknown
from probatum.studies.concare.batch import ICUBatch
from probatum.studies.concare.data_parameters import ICUDataParameters
from probatum.studies.concare.mimic3 import load_mimic3
from probatum.studies.concare.observations import Cohort, Floats
from probatum.studies.concare.physionet2012 import load_physionet2012
from probatum.studies.concare.preprocessing import Preprocessing
from probatum.studies.concare.protocol import Protocol, split_rows
from probatum.studies.concare.simulate import MIXED_ICU, simulate
from probatum.training.study import StudyData

PHYSIONET_SETS = ("a", "b", "c")


class ICUSplit:
    """The stays of one split: raw observations, and the tensors made of them once.

    Example:
        >>> cohort = simulate(patients=10, bins=48, seed=1, ward=MIXED_ICU, second_set=0.2)
        >>> fitted = Preprocessing.fit(cohort, normalisation="zscore", log_skewness=0, clip=5)
        >>> split = ICUSplit(cohort, fitted)
        >>> [len(batch.targets) for batch in split.evaluation_batches(4)]
        [4, 4, 2]
    """

    def __init__(self, observations: Cohort, preprocessing: Preprocessing) -> None:
        """Encode every stay."""
        self.observations = observations
        self.preprocessing = preprocessing
        self.everyone = self.encode(observations.values)

    @property
    def count(self) -> int:
        """Return the number of stays."""
        return self.observations.count

    def digest(self) -> str:
        """Return the SHA-256 of the raw observations."""
        return self.observations.digest()

    def encode(self, values: Floats) -> ICUBatch:
        """Return all stays as one batch, their raw values replaced by `values` `(patients, bins, channels)`.

        A perturbation drops or changes raw values and gives them here: imputation and normalisation then see
        only what is left.
        """
        mine = self.observations
        encoded = self.preprocessing.transform(values, mine.static, mine.lengths)
        return ICUBatch(
            **encoded._asdict(),
            lengths=torch.from_numpy(mine.lengths),
            targets=torch.from_numpy(mine.targets),
            index=torch.arange(self.count),
        )

    def batches(self, batch_size: int, generator: torch.Generator) -> Iterator[ICUBatch]:
        """Yield one epoch of batches in random order; the order is drawn when iteration starts."""
        for chosen in torch.randperm(self.count, generator=generator).split(batch_size):
            yield ICUBatch(*(tensor[chosen] for tensor in self.everyone))

    def evaluation_batches(self, batch_size: int, values: Floats | None = None) -> Iterator[ICUBatch]:
        """Yield every stay once, in the order of the observations; of perturbed `values` where given."""
        whole = self.everyone if values is None else self.encode(values)
        for parts in zip(*(tensor.split(batch_size) for tensor in whole), strict=True):
            yield ICUBatch(*parts)


def load_icu_data(parameters: ICUDataParameters) -> StudyData:
    """Return the splits that the data parameters describe; the training seed plays no part.

    `facts` holds `channels`, `static` and `steps` (counts), `positive_rate` (of training patients) and
    `channel_names`, `static_names`.
    """
    cohort, record = load_cohort(parameters)
    protocol = Protocol(
        parameters.protocol, parameters.val_share, parameters.test_share, parameters.split_seed
    )
    parts = {name: cohort.take(rows) for name, rows in split_rows(cohort, protocol).items()}
    preprocessing = Preprocessing.fit(
        parts["train"],
        normalisation=parameters.normalisation,
        log_skewness=parameters.log_skewness,
        clip=parameters.clip,
    )
    splits = {name: ICUSplit(part, preprocessing) for name, part in parts.items()}
    facts = {
        "channels": len(cohort.channels),
        "static": len(cohort.static_names),
        "steps": cohort.values.shape[1],
        "positive_rate": parts["train"].positive_rate,
        "channel_names": cohort.channels,
        "static_names": cohort.static_names,
    }
    described = {
        "name": parameters.dataset,
        **record,
        "splits": {name: _describe(split) for name, split in splits.items()},
        "stratified_by": "outcome",
        "preprocessing": preprocessing.record(cohort),
    }
    return StudyData(splits, described, facts)


def load_cohort(parameters: ICUDataParameters) -> tuple[Cohort, dict[str, Any]]:
    """Return the whole cohort and its provenance: source, licence, files."""
    if parameters.dataset == "simulated":
        return _simulated(parameters)
    if parameters.dataset == "mimic3":
        return load_mimic3(parameters.bins)
    for name in parameters.sets:
        if name not in PHYSIONET_SETS:
            raise UsageError(f"`sets`: {unknown('set of PhysioNet 2012', name, PHYSIONET_SETS)}")
    return load_physionet2012(parameters.sets, parameters.bins)


def _simulated(parameters: ICUDataParameters) -> tuple[Cohort, dict[str, Any]]:
    cohort = simulate(
        patients=parameters.simulated_patients,
        bins=parameters.bins,
        seed=parameters.simulation_seed,
        ward=MIXED_ICU,
        second_set=parameters.test_share,
    )
    source = f"{simulate.__module__}, seed {parameters.simulation_seed}"
    file = {
        "name": "simulated stays", "source": source, "sha256": cohort.digest(), "bytes": None,
        "rows": cohort.count,
    }  # fmt: skip
    return cohort, {"source": source, "licence": "simulated: no person's data", "files": [file]}


def _describe(split: ICUSplit) -> dict[str, Any]:
    mine = split.observations
    return {
        "patients": split.count,
        "deaths": int(mine.targets.sum()),
        "positive_rate": mine.positive_rate,
        "observed_share": mine.observed_share,
        "sha256": split.digest(),
    }
