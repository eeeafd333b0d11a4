"""Images and their three splits: train, valid (chooses) and test (reports). No split follows from a training seed.

Of every class in the order of the files, digits give each fifth to testing and the one before it to validation;
CIFAR-10 keeps its own test files, and each tenth training image validates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from probatum._errors import UsageError
from probatum.studies.tamiyo.cifar10 import Pictures, read_binary, read_sample
from probatum.training.study import StudyData

DIGITS_LICENCE = "CC BY 4.0 (UCI: Optical Recognition of Handwritten Digits, Alpaydin and Kaynak 1998)"


class ImageBatch(NamedTuple):
    """Some images."""

    images: Tensor  # (batch, channels, height, width), in -1..1
    labels: Tensor  # (batch,)

    def to(self, device: torch.device | str) -> ImageBatch:
        """Return the images on `device`."""
        return ImageBatch(self.images.to(device), self.labels.to(device))


class ImageSplit:
    """The images of one split.

    Example:
        >>> split = ImageSplit(torch.zeros(5, 1, 8, 8), torch.tensor([0, 1, 0, 1, 0]))
        >>> [len(batch.labels) for batch in split.evaluation_batches(2)]
        [2, 2, 1]
    """

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels

    @property
    def count(self) -> int:
        """The number of images."""
        return len(self.labels)

    def digest(self) -> str:
        """Return the SHA-256 of images and labels."""
        return hashlib.sha256(self.images.numpy().tobytes() + self.labels.numpy().tobytes()).hexdigest()

    def take(self, rows: Tensor) -> ImageSplit:
        """Return the images at `rows`, in that order; a row may come more than once."""
        return ImageSplit(self.images[rows], self.labels[rows])

    def batches(self, batch_size: int, generator: torch.Generator) -> Iterator[ImageBatch]:
        """Yield one epoch's batches in an order drawn from `generator`."""
        for chosen in torch.randperm(self.count, generator=generator).split(batch_size):
            yield ImageBatch(self.images[chosen], self.labels[chosen])

    def evaluation_batches(self, batch_size: int) -> Iterator[ImageBatch]:
        """Yield the images in their own order."""
        for images, labels in zip(self.images.split(batch_size), self.labels.split(batch_size), strict=True):
            yield ImageBatch(images, labels)


@lru_cache(maxsize=4)
def load_images(dataset: str, train_images: int = 0) -> StudyData:
    """Return the splits of digits, cifar10 or cifar10_sample; `facts` holds `in_channels` and `classes`.

    The splits are shared between callers and never written to. With `train_images`, training has only that many:
    the first of every class, as many of each as can be; validation and test stay as they are.

    Raises:
        UsageError: the dataset needs files, and they are not where PROBATUM_DATA points.
        RecordError: the files are torn, or are not those that are documented.
    """
    pictures = {"digits": _digits, "cifar10": read_binary, "cifar10_sample": read_sample}[dataset]()
    chosen = _rows(pictures)
    if train_images:
        chosen["train"] = _first_of_each(pictures.labels, chosen["train"], train_images)
    splits = {name: _split(pictures, rows) for name, rows in chosen.items()}
    described = {name: {"images": split.count, "sha256": split.digest()} for name, split in splits.items()}
    record = {"name": dataset, **pictures.record, "splits": described, "stratified_by": "class"}
    first = splits["train"].images
    return StudyData(splits, record, {"in_channels": first.shape[1], "classes": 10})


def _digits() -> Pictures:
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    images = np.asarray(bunch.images, dtype=np.float32)[:, None] / 16  # (1797, 1, 8, 8)
    record = {"source": "embedded in scikit-learn", "licence": DIGITS_LICENCE, "files": []}
    return Pictures(images, np.asarray(bunch.target, dtype=np.int64), None, record)


def _rows(pictures: Pictures) -> dict[str, NDArray[np.int64]]:
    """Return which rows make each split; see the module."""
    if pictures.tests is None:
        place = _place_in_class(pictures.labels) % 5
        parts = {"train": place < 3, "valid": place == 3, "test": place == 4}
    else:
        place = _place_in_class(pictures.labels[: pictures.tests]) % 10
        rest = np.zeros(len(pictures.labels) - pictures.tests, dtype=bool)
        parts = {"train": np.r_[place < 9, rest], "valid": np.r_[place == 9, rest]}
        parts["test"] = np.r_[np.zeros(pictures.tests, dtype=bool), ~rest]
    return {name: np.flatnonzero(chosen) for name, chosen in parts.items()}


def _first_of_each(labels: NDArray[np.int64], rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return `count` of the rows, the first of every class in turn.

    Raises:
        UsageError: there are not so many.
    """
    if count > len(rows):
        raise UsageError(
            f"train_images: expected at most the {len(rows)} there are, or 0 for all, got {count}."
        )
    order = np.lexsort((labels[rows], _place_in_class(labels[rows])))
    return np.sort(rows[order[:count]])


def _place_in_class(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each row how many of its class came before."""
    place = np.zeros(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        mine = labels == label
        place[mine] = np.arange(mine.sum())
    return place


def _split(pictures: Pictures, rows: NDArray[np.int64]) -> ImageSplit:
    """Return the images at `rows`, with 0..1 put on -1..1 (mean and standard deviation 0.5)."""
    images = torch.from_numpy(pictures.images[rows])
    if images.dtype == torch.uint8:
        images = images.float() / 255
    return ImageSplit((images - 0.5) / 0.5, torch.from_numpy(pictures.labels[rows]))
