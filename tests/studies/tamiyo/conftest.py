"""Small data and parameters: a part of the digits, few epochs."""

import pytest
import torch

from probatum.studies.tamiyo.images import ImageSplit, load_images
from probatum.studies.tamiyo.network import GrowingNetwork
from probatum.training.study import StudyData


@pytest.fixture(autouse=True)
def one_thread():
    """Keep the tests' numbers and times those of one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def digits():
    return load_images("digits")


@pytest.fixture
def few(digits, monkeypatch):
    """Let every environment and study see 200 training, 80 validation and 80 test digits."""
    counts = {"train": 200, "valid": 80, "test": 80}
    splits = {
        name: ImageSplit(digits.splits[name].images[:count], digits.splits[name].labels[:count])
        for name, count in counts.items()
    }
    small = StudyData(splits, digits.record, digits.facts)
    for module in ("growth", "images"):
        monkeypatch.setattr(
            f"probatum.studies.tamiyo.{module}.load_images", lambda dataset, train_images=0: small
        )
    return small


@pytest.fixture
def network():
    torch.manual_seed(0)
    return GrowingNetwork(1, 10)


@pytest.fixture
def batch(digits):
    return digits.splits["train"].images[:16], digits.splits["train"].labels[:16]
