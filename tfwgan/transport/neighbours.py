"""Nearest neighbours, in blocks."""

import numpy as np
from numpy.typing import ArrayLike

from tfwgan.transport.costs import blocks, pair


def nearest(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Each point's nearest one in another set.

    Args:
        x: Samples `[n, ...]`.
        y: Samples `[m, ...]`, among which to look.

    Returns:
        Its index in y, int64 `[n]`, the first of several, and its Euclidean distance, float64
        `[n]`.

    Raises:
        ValueError: If the points are wrong.
    """
    x, y = pair(x, y)
    index, least = np.zeros(len(x), np.int64), np.full(len(x), np.inf)
    for rows, columns, distance in blocks(x, y):
        best = distance.argmin(axis=1)
        value = distance[np.arange(len(best)), best]
        closer = value < least[rows]
        index[rows] = np.where(closer, columns.start + best, index[rows])
        least[rows] = np.where(closer, value, least[rows])
    return index, least


def nn(x: ArrayLike, y: ArrayLike) -> float:
    """This is the mean distance of the points of x to their nearest in y.

    The points of x are the generated ones, those of y the real ones.

    0 if every generated point is a copy of a real one, however few are copied: it sees
    memorisation, not coverage.

        >>> from tfwgan.transport import nn
        >>> nn([[0.0], [0.0]], [[0.0], [5.0]]), nn([[0.0], [5.0]], [[0.0], [0.0]])
        (0.0, 2.5)

    Args:
        x: Samples `[n, ...]`, finite real numbers.
        y: Samples `[m, ...]` of as many coordinates.

    Returns:
        The mean Euclidean distance, at least 0.

    Raises:
        ValueError: If the points are wrong.
    """
    return float(nearest(x, y)[1].mean())
