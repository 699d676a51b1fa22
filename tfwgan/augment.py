"""What is done to images before a critic sees them: differentiable augmentation and instance noise.

A critic of few images soon knows them by heart. DiffAugment (Zhao et al., 2020) shows it altered
ones, real and fake alike, and since every alteration is differentiable the generator learns through
it. Instance noise (Sønderby et al., 2017) blurs both distributions until they overlap, so that
their divergence means something from the first step on.

An augmentation maps images `[b, height, width, channels]` in [-1, 1], a seed pair `[2]` of
`tfwgan.rng` and the generator step to images of the same shape. Like all randomness here, that of a
sample is a function of the seed and of its row in the global batch: neither the step's history nor
the number of devices changes it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import tensorflow as tf

from tfwgan import rng
from tfwgan.errors import UsageError


class Augmentation(Protocol):
    """What alters samples `[b, ...]` by random numbers of a seed pair `[2]`."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises UsageError if it can't alter samples of a shape."""

    def __call__(self, images: tf.Tensor, seed: tf.Tensor, step: int | tf.Tensor = 0) -> tf.Tensor:
        """Altered samples, of the shape of `images`."""


class _OnImages:
    """What augmentations of images share."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises UsageError if samples of a shape are no images."""
        if len(shape) != 3:
            name = type(self).__name__.lower()
            raise UsageError(
                f"The augmentation {name} alters images, not data of shape {shape}; "
                "points take noise."
            )


@dataclass(frozen=True)
class Color(_OnImages):
    """Another brightness, saturation and contrast for each image.

    In this order, with u, v, w from U(0, 1): u - 1/2 is added to every value; the distances of
    every pixel's channels to their mean are multiplied by 2 v, which changes no grey image; those
    of all values to their mean by w + 1/2.
    """

    def __call__(self, images: tf.Tensor, seed: tf.Tensor, step: int | tf.Tensor = 0) -> tf.Tensor:
        """Augmented images; they may leave [-1, 1]."""
        u, v, w = tf.unstack(_draw(images, lambda n: _uniform([n, 1, 1, 1, 3], seed)), axis=-1)
        images = images + (u - 0.5)
        images = _stretch(images, 2.0 * v, axis=[3])
        return _stretch(images, w + 0.5, axis=[1, 2, 3])


@dataclass(frozen=True)
class Translation(_OnImages):
    """Each image moved by a whole number of pixels; what was outside is mid-grey, 0.

    Args:
        ratio: Longest move along either axis, as a share of that side, in [0, 1].
    """

    ratio: float = 0.125

    def __post_init__(self) -> None:
        _check_ratio(self.ratio)

    def __call__(self, images: tf.Tensor, seed: tf.Tensor, step: int | tf.Tensor = 0) -> tf.Tensor:
        """Augmented images."""
        for axis in (1, 2):
            images = _shift(images, self.offsets(images, seed, axis), axis)
        return images

    def offsets(self, images: tf.Tensor, seed: tf.Tensor, axis: int) -> tf.Tensor:
        """Pixels by which each image moves down (axis 1) or right (axis 2), int64 `[b]`."""
        longest = _round(self.ratio * images.shape[axis])
        return (
            _draw(
                images,
                lambda n: rng.integers([n], rng.derive(seed, f"axis {axis}"), 2 * longest + 1),
            )
            - longest
        )


@dataclass(frozen=True)
class Cutout(_OnImages):
    """A rectangle of each image is turned mid-grey, 0.

    Its centre may lie anywhere, and what sticks out is cut off.

    Args:
        ratio: Sides of the rectangle, as a share of the image's, in [0, 1].
    """

    ratio: float = 0.5

    def __post_init__(self) -> None:
        _check_ratio(self.ratio)

    def __call__(self, images: tf.Tensor, seed: tf.Tensor, step: int | tf.Tensor = 0) -> tf.Tensor:
        """Augmented images."""
        rows, columns = (self.cut(images, seed, axis) for axis in (1, 2))
        cut = tf.logical_and(rows[:, :, None, None], columns[:, None, :, None])
        return tf.where(cut, tf.zeros([], images.dtype), images)

    def cut(self, images: tf.Tensor, seed: tf.Tensor, axis: int) -> tf.Tensor:
        """Which rows (axis 1) or columns (axis 2) the rectangle covers, bool `[b, side]`."""
        side = images.shape[axis]
        length = _round(self.ratio * side)
        # A rectangle of even length has its centre between pixels, for which there is one place
        # more.
        centers = side + 1 - length % 2
        center = _draw(
            images, lambda n: rng.integers([n, 1], rng.derive(seed, f"axis {axis}"), centers)
        )
        place = tf.range(side, dtype=tf.int64) - (center - length // 2)
        return tf.logical_and(place >= 0, place < length)


@dataclass(frozen=True)
class Noise:
    """Independent N(0, sigma^2) added to every value of images or points.

    Args:
        sigma: Standard deviation at the beginning, at least 0.
        steps: Generator steps in which it falls linearly to 0; 0 keeps it constant.
    """

    sigma: float = 0.1
    steps: int = 0

    def __post_init__(self) -> None:
        if self.sigma < 0 or self.steps < 0:
            raise UsageError(
                f"sigma and steps must be at least 0, got {self.sigma} and {self.steps}."
            )

    def check(self, shape: tuple[int, ...]) -> None:
        """Accepts samples of any shape."""

    def __call__(self, images: tf.Tensor, seed: tf.Tensor, step: int | tf.Tensor = 0) -> tf.Tensor:
        """Samples `[b, ...]` with noise; they may leave [-1, 1]."""
        share = _draw(images, lambda n: _uniform([n, *images.shape[1:]], seed))
        return images + self.deviation(step) * tf.math.ndtri(share)

    def deviation(self, step: int | tf.Tensor) -> tf.Tensor:
        """Standard deviation at a generator step."""
        left = 1.0 - tf.cast(step, tf.float32) / self.steps if self.steps else tf.ones([])
        return self.sigma * tf.maximum(left, 0.0)


AUGMENTATIONS = {"color": Color, "translation": Translation, "cutout": Cutout, "noise": Noise}


@dataclass(frozen=True)
class Chain:
    """Augmentations one after the other, each with random numbers of its own."""

    parts: tuple[Augmentation, ...]

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises UsageError if one of them can't alter samples of a shape."""
        for part in self.parts:
            part.check(shape)

    def __call__(self, images: tf.Tensor, seed: tf.Tensor, step: int | tf.Tensor = 0) -> tf.Tensor:
        """Augmented samples, of the shape of `images`."""
        for i, part in enumerate(self.parts):
            images = part(images, rng.derive(seed, f"part {i}"), step)
        return images


def _draw(images: tf.Tensor, sampler: Callable[[int | tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Random numbers for the samples of this replica."""
    return rng.per_row(images.shape[0] or tf.shape(images)[0], sampler)


def _uniform(shape: rng.Shape, seed: tf.Tensor) -> tf.Tensor:
    """Independent U(0, 1) numbers, 0 and 1 excluded.

    Made of whole numbers, which XLA draws as TensorFlow does; its fractions are others.
    """
    return (tf.cast(rng.integers(shape, seed, 2**23), tf.float32) + 0.5) / 2**23


def _stretch(images: tf.Tensor, factor: tf.Tensor, axis: list[int]) -> tf.Tensor:
    """Multiplies the distances of values to their mean over some axes."""
    mean = tf.reduce_mean(images, axis, keepdims=True)
    return mean + factor * (images - mean)


def _shift(images: tf.Tensor, offsets: tf.Tensor, axis: int) -> tf.Tensor:
    """Moves each image by its offset `[b]` along an axis, 1 or 2, and fills up with 0."""
    side = images.shape[axis]
    source = tf.range(side, dtype=tf.int64) - offsets[:, None]
    moved = tf.gather(images, tf.clip_by_value(source, 0, side - 1), axis=axis, batch_dims=1)
    inside = tf.cast(tf.logical_and(source >= 0, source < side), images.dtype)
    return moved * (inside[:, :, None, None] if axis == 1 else inside[:, None, :, None])


def _round(length: float) -> int:
    """Whole pixels, half of one upwards as in the original."""
    return int(length + 0.5)


def _check_ratio(ratio: float) -> None:
    if not 0 <= ratio <= 1:
        raise UsageError(f"ratio must be in [0, 1], got {ratio}.")
