"""Splits that follow from a fixed rule, and CIFAR-10 read as it is documented."""

import hashlib
import os

import numpy as np
import pytest
import torch

from probatum._errors import RecordError, UsageError
from probatum.studies.tamiyo import cifar10, images


def encode(pixels):
    """Return what `decode_residual` decodes, by its own definition."""
    green = pixels[..., 1]
    planes = np.stack([green, pixels[..., 0] - green, pixels[..., 2] - green], axis=1)
    across = np.diff(planes, axis=2, prepend=np.uint8(0))
    return np.diff(across, axis=3, prepend=np.uint8(0)).astype(np.uint8)


def write_batch(path, count, seed):
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, 256, (count, cifar10.RECORD_BYTES), dtype=np.uint8)
    rows[:, 0] = np.arange(count) % 10
    path.write_bytes(rows.tobytes())
    return rows


def test_digits_are_split_by_class_and_every_image_is_in_one_split(digits):
    counts = {name: split.count for name, split in digits.splits.items()}
    assert counts == {"train": 1085, "valid": 357, "test": 355}
    for split in digits.splits.values():
        shares = torch.bincount(split.labels).float() / split.count
        assert shares.min() > 0.09
    assert digits.splits["train"].images.aminmax().min == -1.0


def test_fewer_training_images_are_the_first_of_every_class_and_change_no_other_split(digits):
    few = images.load_images("digits", 95)
    counts = torch.bincount(few.splits["train"].labels)
    assert counts.sum() == 95
    assert set(counts.tolist()) == {9, 10}
    every, own = digits.splits["train"], few.splits["train"]
    for label in range(10):
        mine = own.images[own.labels == label]
        assert torch.equal(mine, every.images[every.labels == label][: len(mine)])
    assert few.splits["test"].digest() == digits.splits["test"].digest()
    assert few.record["splits"]["train"]["images"] == 95


def test_more_training_images_than_there_are_is_refused():
    with pytest.raises(UsageError, match="at most the 1085 there are"):
        images.load_images("digits", 1086)


def test_the_record_has_a_digest_of_each_split_that_notices_a_change(digits):
    split = digits.splits["valid"]
    assert digits.record["splits"]["valid"]["sha256"] == split.digest()
    assert images.ImageSplit(split.images.flip(0), split.labels).digest() != split.digest()


def test_an_epoch_has_every_image_once_in_an_order_of_the_generator(digits):
    split = digits.splits["valid"]
    labels = [
        torch.cat([batch.labels for batch in split.batches(50, torch.Generator().manual_seed(seed))])
        for seed in (1, 1, 2)
    ]
    assert torch.equal(labels[0], labels[1])
    assert not torch.equal(labels[0], labels[2])
    assert torch.equal(labels[0].sort().values, split.labels.sort().values)


def test_the_binary_version_is_read_and_each_tenth_training_image_validates(tmp_path, monkeypatch):
    monkeypatch.setenv("PROBATUM_DATA", str(tmp_path))
    rows = [write_batch(tmp_path / name, 100, seed) for seed, name in enumerate(cifar10.TRAIN_FILES)]
    write_batch(tmp_path / cifar10.TEST_FILE, 50, 9)
    images.load_images.cache_clear()
    data = images.load_images("cifar10")
    images.load_images.cache_clear()
    assert {name: split.count for name, split in data.splits.items()} == {
        "train": 450,
        "valid": 50,
        "test": 50,
    }
    assert torch.bincount(data.splits["valid"].labels).tolist() == [5] * 10
    red = torch.from_numpy(rows[0][0, 1:1025].reshape(32, 32)).float() / 127.5 - 1
    torch.testing.assert_close(data.splits["train"].images[0, 0], red)
    assert [file["name"] for file in data.record["files"]] == [*cifar10.TRAIN_FILES, cifar10.TEST_FILE]


@pytest.mark.parametrize(("content", "message"), [(b"", "whole records"), (b"x" * 3072, "whole records")])
def test_a_torn_batch_is_refused(tmp_path, content, message):
    (tmp_path / "batch.bin").write_bytes(content)
    with pytest.raises(RecordError, match=message):
        cifar10.decode_batch(tmp_path / "batch.bin")


def test_a_file_with_other_labels_is_not_taken_for_cifar10(tmp_path):
    (tmp_path / "batch.bin").write_bytes(bytes([77]) + bytes(3072))
    with pytest.raises(RecordError, match="labels from 0 to 9, got 77"):
        cifar10.decode_batch(tmp_path / "batch.bin")


def test_without_files_the_message_says_what_is_expected_where(monkeypatch, tmp_path):
    monkeypatch.setenv("PROBATUM_DATA", str(tmp_path))
    with pytest.raises(UsageError, match=r"test_batch\.bin"):
        cifar10.read_binary()


def test_the_code_of_the_sample_is_undone_exactly():
    pixels = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    assert np.array_equal(cifar10.decode_residual(encode(pixels)), pixels)


def test_a_sample_with_other_pixels_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PROBATUM_DATA", str(tmp_path))
    zeros, labels = np.zeros((2, 3, 32, 32), np.uint8), np.zeros(2, np.uint8)
    np.savez(
        tmp_path / cifar10.SAMPLE_FILE,
        train_residual=zeros, train_label=labels, test_residual=zeros, test_label=labels,
    )  # fmt: skip
    with pytest.raises(RecordError, match="SHA-256"):
        cifar10.read_sample()


def test_the_real_sample_has_the_documented_pixels():
    if not os.environ.get("PROBATUM_DATA"):
        pytest.skip("real data: PROBATUM_DATA is not set")
    pictures = cifar10.read_sample()
    test = np.ascontiguousarray(pictures.images[pictures.tests :].transpose(0, 2, 3, 1))
    assert hashlib.sha256(test.tobytes()).hexdigest() == cifar10.SAMPLE_SHA256["test"]
