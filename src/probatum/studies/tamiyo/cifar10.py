"""CIFAR-10 from the files that a person keeps: the owner's binary batches, or a sample that is coded for size.

Official place: cs.toronto.edu/~kriz/cifar.html, "binary version". The owner states no licence; research use is
the custom. Source: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probatum._errors import RecordError
from probatum.runs.data_record import file_record
from probatum.studies.folders import data_folder

OFFICIAL_PLACE = "cs.toronto.edu/~kriz/cifar.html"
SUBFOLDERS = ("cifar10", "cifar-10-batches-bin")
TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_FILE = "test_batch.bin"
RECORD_BYTES = 1 + 3 * 32 * 32  # label, then red, green and blue planes, row by row
SAMPLE_FILE = "cifar10_10k2k_lossless.npz"
SAMPLE_SHA256 = {  # of the decoded pixels, (N, 32, 32, 3) RGB
    "train": "412c4321e0e7d790d5a3d513b50dd57beb4cb750456dd596e33079b56091003c",
    "test": "990733b3dfd2edb641a4694e7cf25c28c1f26792f21d21916fe325f0f93d4147",
}


class Pictures(NamedTuple):
    """All images of a dataset as they were read."""

    images: NDArray[Any]  # (N, channels, height, width): uint8, or float32 in 0..1
    labels: NDArray[np.int64]  # (N,)
    tests: int | None  # the first row of the owner's test images; None where there are none apart
    record: dict[str, Any]  # source, licence, files


def read_binary() -> Pictures:
    """Return the 60,000 images of the binary version.

    Raises:
        UsageError: PROBATUM_DATA is not set, or the files are not there.
        RecordError: a file has another length than whole records.
    """
    folder = data_folder(
        "cifar10",
        SUBFOLDERS,
        lambda path: (path / TEST_FILE).is_file(),
        f"Expected {TRAIN_FILES[0]} to {TRAIN_FILES[-1]} and {TEST_FILE} of the binary version ({OFFICIAL_PLACE}).",
    )
    paths = [folder / name for name in (*TRAIN_FILES, TEST_FILE)]
    parts = [decode_batch(path) for path in paths]
    images = np.concatenate([images for images, _ in parts])
    labels = np.concatenate([labels for _, labels in parts])
    return Pictures(images, labels, len(labels) - len(parts[-1][1]), _record(paths))


def decode_batch(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images `(N, 3, 32, 32)` and labels of one binary file.

    Raises:
        RecordError: the file is missing, or does not consist of whole records with labels 0 to 9.
    """
    try:
        content = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise RecordError(
            f"{path}: expected a batch of CIFAR-10, cannot read it ({error.strerror})."
        ) from None
    if not len(content) or len(content) % RECORD_BYTES:
        raise RecordError(
            f"{path}: expected whole records of {RECORD_BYTES} bytes, got {len(content)} bytes. "
            f"Is it complete, and of the binary version? ({OFFICIAL_PLACE})"
        )
    rows = content.reshape(-1, RECORD_BYTES)
    if rows[:, 0].max() > 9:
        raise RecordError(f"{path}: expected labels from 0 to 9, got {rows[:, 0].max()}. Is it CIFAR-10?")
    return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0].astype(np.int64)


def read_sample() -> Pictures:
    """Return the sample of 10,000 training and 2,000 test images, its pixels checked.

    Raises:
        UsageError: PROBATUM_DATA is not set, or the file is not there.
        RecordError: the pixels are not the documented ones.
    """
    folder = data_folder(
        "cifar10_sample",
        SUBFOLDERS,
        lambda path: (path / SAMPLE_FILE).is_file(),
        f"Expected {SAMPLE_FILE}: 1,000 training and 200 test images per class, coded without loss.",
    )
    path = folder / SAMPLE_FILE
    with np.load(path, allow_pickle=False) as stored:
        pixels = {name: decode_residual(stored[f"{name}_residual"]) for name in SAMPLE_SHA256}
        labels = {name: stored[_label_key(stored.files, name)].astype(np.int64) for name in SAMPLE_SHA256}
    for name, expected in SAMPLE_SHA256.items():
        found = hashlib.sha256(pixels[name].tobytes()).hexdigest()
        if found != expected:
            raise RecordError(f"{path}: the {name} pixels have SHA-256 {found}, expected {expected}.")
    images = np.concatenate([pixels[name].transpose(0, 3, 1, 2) for name in SAMPLE_SHA256])
    return Pictures(
        np.ascontiguousarray(images),
        np.concatenate([labels[name] for name in SAMPLE_SHA256]),
        len(labels["train"]),
        _record([path]),
    )


def decode_residual(residual: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the pixels `(N, 32, 32, 3)` of what was stored `(N, 3, 32, 32)`.

    Planes are green, red - green and blue - green; each pixel is stored as its difference from the one to the
    left, of their differences from the one above; all modulo 256.
    """
    planes = np.cumsum(np.cumsum(residual, axis=3, dtype=np.uint8), axis=2, dtype=np.uint8)
    green = planes[:, 0]
    return np.stack([planes[:, 1] + green, green, planes[:, 2] + green], axis=-1)


def _label_key(keys: list[str], name: str) -> str:
    return next(key for key in keys if key.startswith(name) and "label" in key)


def _record(paths: list[Path]) -> dict[str, Any]:
    return {
        "source": OFFICIAL_PLACE,
        "licence": "none stated by the owner; research use is the custom",
        "citation": "Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        "files": [file_record(path, source=OFFICIAL_PLACE) for path in paths],
    }
