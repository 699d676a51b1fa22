"""Laws of StackedMNIST: on examples that TFDS makes up always, on real digits where they are."""

import dataclasses
import os
import socket
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as library

from tfwgan.data import View, stacked, stacked_mnist, tfds
from tfwgan.data.dataset import Outline
from tfwgan.errors import UsageError
from tfwgan.program import datasets

TEST_DATA = os.environ.get("TFWGAN_TEST_DATA")
real = pytest.mark.skipif(not TEST_DATA, reason="TFWGAN_TEST_DATA names no folder of real data")
VIEWS = [
    View(),
    View(image_size=32),
    View(center_crop=20),
    View(gray_scale=True),
    View(image_size=16, center_crop=24, gray_scale=True),
]


def real_folder():
    return str(Path(TEST_DATA) / "tensorflow_datasets")


@pytest.fixture
def fake():
    """Nine images of noise that pass for MNIST, of digits that noise hits."""
    with library.testing.mock_data(num_examples=9):
        yield


def digits_of(label):
    return [label // 100, label // 10 % 10, label % 10]


def assert_channels_are_digits(items, labels, digits):
    """Asserts that each channel of each image is an image of the digit that the label says."""
    known = {
        image.tobytes(): int(label)
        for image, label in zip(digits.items, digits.labels, strict=True)
    }
    for image, label in zip(items, labels, strict=True):
        read = [known[np.ascontiguousarray(image[..., [c]]).tobytes()] for c in range(3)]
        assert read == digits_of(label)


@pytest.mark.parametrize("image_size", [None, 16])
def test_each_channel_is_an_image_of_mnist_whose_label_is_that_digit(image_size, fake):
    view = View(image_size)
    stack = stacked_mnist(n=40, view=view)
    assert stack.shape == (image_size or 28, image_size or 28, 3) and len(stack) == 40
    assert_channels_are_digits(stack.items, stack.labels, tfds("mnist", view=view))


def test_there_are_a_thousand_classes_named_by_their_digits(fake):
    stack = stacked_mnist(n=3)
    assert stack.n_classes == 1000 and stack.labels.dtype == np.int32
    for name, label in zip(stack.class_names, range(1000), strict=True):
        assert [int(digit) for digit in name] == digits_of(label)


def test_the_seed_says_which_and_another_says_others(fake):
    one, same, other = (stacked_mnist(n=50, seed=seed) for seed in (3, 3, 4))
    assert one.fingerprint == same.fingerprint
    assert not np.array_equal(one.items, other.items)


def test_more_images_begin_with_the_fewer(fake):
    few, many = stacked_mnist(n=20), stacked_mnist(n=60)
    np.testing.assert_array_equal(many.items[:20], few.items)
    np.testing.assert_array_equal(many.labels[:20], few.labels)


@pytest.mark.parametrize("limit_data, size", [(7, 7), (100, 30)])
def test_a_limit_keeps_the_first(limit_data, size, fake):
    whole, part = stacked_mnist(n=30), datasets.load("stacked_mnist-n=30", limit_data=limit_data)
    assert len(part) == size
    np.testing.assert_array_equal(part.items, whole.items[:size])
    np.testing.assert_array_equal(part.labels, whole.labels[:size])


def test_pieces_make_the_same_whole(fake, monkeypatch):
    whole = stacked_mnist(n=30).items
    monkeypatch.setattr(stacked, "_PIECE", 7)
    np.testing.assert_array_equal(stacked_mnist(n=30).items, whole)


def test_luminance_is_that_of_the_digits_on_each_other(fake):
    colour, gray = stacked_mnist(n=12), stacked_mnist(n=12, view=View(gray_scale=True))
    weighted = colour.items @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(gray.items[..., 0], weighted, atol=0.6)
    np.testing.assert_array_equal(gray.labels, colour.labels)


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_the_outline_is_that_of_the_loaded_set(view, fake):
    for n in (5, 12):
        assert stacked.outline(n, view=view) == Outline.of(stacked_mnist(n, view=view))


def test_the_outline_takes_the_options_of_the_set(fake):
    text, options = "stacked_mnist-n=20-seed=1", {"image_size": 32, "limit_data": 8}
    known = datasets.outline(text, **options)
    assert known == Outline.of(datasets.load(text, **options)) and known.size == 8


def test_the_outline_needs_neither_data_nor_network(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("something asks the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    known = stacked.outline(data_dir=str(tmp_path / "none"), view=View(image_size=32))
    assert known.shape == (32, 32, 3) and known.n_classes == 1000 and known.size == 128000
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [stacked_mnist, stacked.outline])
def test_mistakes_are_answered_alike_by_the_set_and_its_outline(make, fake):
    with pytest.raises(UsageError, match="`n` must be at least 1, got 0"):
        make(0)
    with pytest.raises(UsageError, match="`center_crop=29` is larger than an image of mnist"):
        make(5, view=View(center_crop=29))


@pytest.mark.slow
@real
def test_real_digits_are_stacked_as_their_labels_say():
    digits = tfds("mnist", data_dir=real_folder())
    stack = stacked_mnist(n=2000, data_dir=real_folder())
    assert_channels_are_digits(stack.items[:500], stack.labels[:500], digits)
    assert dataclasses.replace(Outline.of(stack), size=None) == dataclasses.replace(
        stacked.outline(data_dir=real_folder()), size=None
    )
    # Each channel draws from all digits: 200 of each are expected, with a deviation of 13.
    for channel in np.transpose([digits_of(label) for label in stack.labels]):
        assert np.abs(np.bincount(channel, minlength=10) - 200).max() < 80
