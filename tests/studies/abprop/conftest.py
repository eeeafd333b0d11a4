"""A small study, its data, and batches of a few sequences."""

import numpy as np
import pytest
import torch

from probatum.parameters import resolve
from probatum.studies.abprop.batching import AntibodySplit
from probatum.studies.abprop.study import AbProp
from probatum.studies.abprop.tokenizer import encode

TINY = {
    "simulated_clones": 60, "d_model": 16, "nhead": 2, "num_layers": 1, "dim_feedforward": 16, "batch_size": 8,
}  # fmt: skip
TRASTUZUMAB = (  # VH
    "EVQLVESGGGLVQPGGSLRLSCAASGFNIKDTYIHWVRQAPGKGLEWVARIYPTNGYTRYADSVKGRFTISADTSKNTAYLQMNSLRAEDTAVYYC"
    "SRWGGDGFYAMDYWGQGTLVTVSS"
)


@pytest.fixture(autouse=True)
def _one_thread():
    """Keep to one thread: on a busy machine more of them wait for one another in every small operation."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def parameters_of():
    """Return a function that gives small parameters with changes."""
    study = AbProp()
    defaults = study.load_defaults()

    def make(**changes):
        options = {name: str(value) for name, value in {**TINY, **changes}.items()}
        return resolve(study.parameters, defaults, options=options).parameters

    return make


@pytest.fixture
def trastuzumab():
    return TRASTUZUMAB


@pytest.fixture(scope="session")
def tiny_data():
    """Return the parameters and data of the small study, read-only for all tests."""
    study = AbProp()
    options = {name: str(value) for name, value in TINY.items()}
    parameters = resolve(study.parameters, study.load_defaults(), options=options).parameters
    return parameters, study.load_data(parameters)


@pytest.fixture
def tiny_model(tiny_data):
    parameters, data = tiny_data
    torch.manual_seed(0)
    return AbProp().build_model(parameters, data)


@pytest.fixture
def split_of():
    """Return a function that makes a split of sequences whose last residue alone is of CDR3."""

    def make(*sequences, bucket_batches=1, rates=5):
        regions = [np.array([0] * (len(text) - 1) + [3]) for text in sequences]
        rows = np.arange(len(sequences) * rates, dtype=float).reshape(-1, rates)
        return AntibodySplit([encode(text) for text in sequences], regions, rows, bucket_batches)

    return make
