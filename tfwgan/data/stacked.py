"""StackedMNIST: three digits in the channels of one image, for 1000 modes that can be counted."""

import dataclasses

import numpy as np

from tfwgan import rng
from tfwgan.data import catalogue, images
from tfwgan.data.dataset import Dataset, Outline
from tfwgan.errors import UsageError

_CHANNELS = 3
_CLASS_NAMES = tuple(f"{mode:03}" for mode in range(10**_CHANNELS))
_PIECE = 4096  # images that are put together at once


def stacked_mnist(
    n: int = 128_000,
    seed: int = 0,
    *,
    data_dir: str | None = None,
    view: images.View = images.AS_IS,
    limit_data: int | None = None,
) -> Dataset:
    """Draws three training images of MNIST for the channels of each image (Metz et al., 2017).

    The digits are drawn independently, with replacement, so that the classes are about as frequent
    as each other. Metz et al. ("Unrolled generative adversarial networks") and Srivastava et al.
    (2017, "VEEGAN") count which of the 1000 classes a generator finds; the number of images is that
    of the experiment after the latter by Lin et al. (2018, "PacGAN"), who look at 26,000 samples.

    Args:
        n: Number of images.
        seed: Of the digits, drawn once.
        data_dir: Where TFDS has MNIST, as of `tfds`.
        view: What is done to every image; the luminance is that of three digits on each other.
        limit_data: Keep the first so many.

    Returns:
        uint8 images `[n, 28, 28, 3]` unless resized, with 1000 classes: 100 a + 10 b + c of the
        digits a, b and c in the first, second and third channel.

    Raises:
        UsageError: If `n` is less than 1, or MNIST can't be had, as of `tfds`.
    """
    _check(n)
    digits = catalogue.tfds("mnist", data_dir=data_dir, view=_of_one_digit(view))
    generator = np.random.default_rng(rng.stream(seed, "stacked_mnist"))
    index = generator.integers(len(digits), size=(n, _CHANNELS))[:limit_data]
    items = images.allocate(len(index), (*digits.shape[:2], _CHANNELS))
    for start in range(0, len(index), _PIECE):
        piece = slice(start, start + _PIECE)
        items[piece] = np.moveaxis(digits.items[index[piece], :, :, 0], 1, -1)
    if view.gray_scale:
        items = images.View(gray_scale=True).prepare_all(items)
    labels = np.asarray(digits.labels)[index] @ np.array([100, 10, 1], np.int32)
    return Dataset("stacked_mnist", items, labels, _CLASS_NAMES)


def outline(
    n: int = 128_000,
    seed: int = 0,
    *,
    data_dir: str | None = None,
    view: images.View = images.AS_IS,
) -> Outline:
    """The outline of what `stacked_mnist` returns; it downloads and reads nothing.

    Args:
        n: As of `stacked_mnist`, like all that follow.
        seed: Of no use.
        data_dir: Where TFDS would look.
        view: What is done to every image.

    Raises:
        UsageError: As `stacked_mnist`, as far as that can be told.
    """
    del seed
    _check(n)
    digit = catalogue.outline("mnist", data_dir=data_dir, view=_of_one_digit(view))
    shape = (*digit.shape[:2], 1 if view.gray_scale else _CHANNELS)
    return Outline("stacked_mnist", shape, len(_CLASS_NAMES), n, class_names=_CLASS_NAMES)


def _check(n: int) -> None:
    if n < 1:
        raise UsageError(f"`n` must be at least 1, got {n}.")


def _of_one_digit(view: images.View) -> images.View:
    """What is done to a digit before it becomes a channel: all but what mixes the channels."""
    return dataclasses.replace(view, gray_scale=False)
