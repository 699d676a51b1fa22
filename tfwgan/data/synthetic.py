"""Data sets made by formula: the white squares, and mixtures of Gaussians in the plane."""

import math

import numpy as np

from tfwgan import rng
from tfwgan.data import images
from tfwgan.data.dataset import Dataset
from tfwgan.errors import UsageError

SCALE = 15.0  # Both mixtures are drawn within [-15, 15] and divided by this.
SIGMA = 0.5 / SCALE  # Standard deviation of every mode, in the coordinates of the points.


def squares(
    size: int = 64,
    square: int = 10,
    offset: int = 1,
    stride: int = 1,
    *,
    view: images.View = images.AS_IS,
) -> Dataset:
    """Draws one white square on black at every position of a lattice (Elnekave and Weiss, 2025).

    By default there are 2704 images.

    The top left corner takes the rows and columns ``range(offset, size - square - offset,
    stride)``, row by row. The end is excluded, as in the paper's data, so the margin at the bottom
    and the right is at least ``offset + 1``.

    Args:
        size: Rows and columns of an image.
        square: Rows and columns of the square.
        offset: First row and column of the square.
        stride: Distance of neighbouring positions.
        view: What is done to every image.

    Returns:
        uint8 images `[n, size, size, 1]`, 0 or 255 unless resized, without labels.

    Raises:
        UsageError: If an option is out of range or no position is left.
    """
    if size < 1 or square < 1 or stride < 1 or offset < 0:
        raise UsageError(
            "size, square and stride must be at least 1 and offset at least 0, "
            f"got size={size}, square={square}, stride={stride}, offset={offset}."
        )
    places = range(offset, size - square - offset, stride)
    if not places:
        raise UsageError(
            f"no position is left for a square of {square} at offset {offset} in an image of "
            f"{size}; "
            f"use size={square + 2 * offset + 1} or more."
        )
    items = images.allocate(len(places) ** 2, (size, size, 1))
    items[:] = 0
    for index, (top, left) in enumerate((top, left) for top in places for left in places):
        items[index, top : top + square, left : left + square] = 255
    return Dataset("squares", view.prepare_all(items, "a square's image"))


def ring8_centres() -> np.ndarray:
    """The modes of `ring8`: 8 points on a circle of radius 2/3, float32 `[8, 2]`."""
    angle = np.arange(8) * (2 * math.pi / 8)
    return (10.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1) / SCALE).astype(np.float32)


def grid25_centres() -> np.ndarray:
    """The modes of `grid25`: a 5 x 5 grid from -2/3 to 2/3, float32 `[25, 2]`, row by row."""
    ticks = np.arange(-10.0, 11.0, 5.0)
    return (np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(25, 2) / SCALE).astype(np.float32)


def ring8(n: int = 3200, seed: int = 0) -> Dataset:
    """A mixture of 8 Gaussians on a ring, equally many points of each, labelled by mode.

    Args:
        n: Number of points, a multiple of 8.
        seed: Of the points, drawn once.

    Raises:
        UsageError: If `n` is no positive multiple of 8.
    """
    return _mixture("ring8", ring8_centres(), n, seed)


def grid25(n: int = 10000, seed: int = 0) -> Dataset:
    """A mixture of 25 Gaussians on a grid, equally many points of each, labelled by mode.

    Args:
        n: Number of points, a multiple of 25.
        seed: Of the points, drawn once.

    Raises:
        UsageError: If `n` is no positive multiple of 25.
    """
    return _mixture("grid25", grid25_centres(), n, seed)


def _mixture(name: str, centres: np.ndarray, n: int, seed: int) -> Dataset:
    """Draws points around `centres`.

    The modes take turns, so that the first points of a set cover all of them.
    """
    modes = len(centres)
    if n < 1 or n % modes:
        nearest = max(1, round(n / modes)) * modes
        raise UsageError(
            f"n must be a multiple of {modes}, one share per mode, got {n}; try n={nearest}."
        )
    labels = np.arange(n, dtype=np.int32) % modes
    noise = np.random.default_rng(rng.stream(seed, name)).normal(size=(n, 2))
    points = (centres[labels] + SIGMA * noise).astype(np.float32)
    return Dataset(name, points, labels, tuple(f"mode {mode}" for mode in range(modes)))
