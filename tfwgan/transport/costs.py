"""Costs of moving points to points, in float64, whole or in blocks that fit in memory."""

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist

Cost = Literal["euclidean", "squared", "l1"]

BLOCK = 2**20  # costs per block: what stays in a processor's cache is the fastest
LARGEST = 1e150  # size of a coordinate whose square, summed over very many, is still a number
_COPY = 2**23  # coordinates copied as float64 at a time
_NEAR = 1e-4  # squared distances below this part of the squared norms are computed again
_SOME = 256  # points that the origin is taken from


def points(x: ArrayLike, name: str = "x") -> np.ndarray:
    """A set of samples of any shape as points `[n, d]`, not copied where that is possible.

    Args:
        x: Samples `[n, ...]`, numbers of any type.
        name: What errors call them.

    Raises:
        ValueError: If there are none, or they hold something else than finite numbers of a size up
            to `LARGEST`.
    """
    x = np.asarray(x)
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, got {x.dtype}.")
    if x.ndim == 0 or x.size == 0:
        raise ValueError(
            f"{name} must hold at least one point with at least one coordinate, got shape "
            f"{x.shape}."
        )
    x = x.reshape(len(x), -1)
    parts = (x[rows] for rows in slices(len(x), max(1, _COPY // x.shape[1])))
    if x.dtype.kind == "f" and not all(
        float(np.abs(part).max()) <= LARGEST for part in parts
    ):  # NaN is not
        raise ValueError(
            f"{name} must be finite, and at most {LARGEST:g} in size, but some of its coordinates "
            "are not."
        )
    return x


def pair(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of samples as points `[n, d]` and `[m, d]`.

    Raises:
        ValueError: If one of them is no set of points, or their dimensions differ.
    """
    x, y = points(x, "x"), points(y, "y")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x and y must have equal dimensions, got {x.shape[1]} and {y.shape[1]}.")
    return x, y


def masses(weights: ArrayLike | None, n: int, name: str = "weights") -> np.ndarray:
    """The masses of `n` points, float64 `[n]`, of sum 1; without weights they are uniform.

    Raises:
        ValueError: If the weights are not `n` finite numbers of at least 0 whose sum is 1 to six
            digits.
    """
    if weights is None:
        return np.full(n, 1.0 / n)
    weights = np.asarray(weights, np.float64)
    if weights.shape != (n,):
        raise ValueError(
            f"{name} must have shape {(n,)}, one weight per point, got {weights.shape}."
        )
    if not np.isfinite(weights).all() or weights.min() < 0:
        raise ValueError(f"{name} must be finite and at least 0, got {weights.min()}.")
    if abs(weights.sum() - 1.0) > 1e-6:
        raise ValueError(f"{name} must sum to 1, got {weights.sum():.8g}.")
    return weights / weights.sum()


def cost_matrix(x: ArrayLike, y: ArrayLike, cost: Cost = "euclidean") -> np.ndarray:
    """Costs of moving each point of `x` to each of `y`.

    Args:
        x: Samples `[n, ...]`.
        y: Samples `[m, ...]`.
        cost: ``euclidean`` distance, ``squared`` Euclidean distance, or ``l1`` distance, summed
            over coordinates.

    Returns:
        float64 `[n, m]`, at least 0, and exactly 0 between equal points; right to 11 digits from
        1e-150 on, wherever the points lie and whatever else is in the sets.

    Raises:
        ValueError: If the points or the name of the cost are wrong.
    """
    x, y = _checked(x, y, cost)
    matrix = np.empty((len(x), len(y)))
    for rows, columns, block in _blocks(x, y, cost, BLOCK):
        matrix[rows, columns] = block
    return matrix


def blocks(
    x: ArrayLike, y: ArrayLike, cost: Cost = "euclidean", size: int = BLOCK
) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Yields the matrix of costs in blocks, row of blocks by row of blocks.

    No more than a few blocks are in memory.

    Args:
        x: Samples `[n, ...]`.
        y: Samples `[m, ...]`.
        cost: As in `cost_matrix`.
        size: How many costs a block holds at most.

    Yields:
        Which rows, which columns, and their costs, float64; the block is the caller's to change.

    Raises:
        ValueError: If the points or the name of the cost are wrong.
    """
    x, y = _checked(x, y, cost)
    yield from _blocks(x, y, cost, size)


def _checked(x: ArrayLike, y: ArrayLike, cost: Cost) -> tuple[np.ndarray, np.ndarray]:
    """The points of both sets, if they and the name of the cost are right."""
    if cost not in get_args(Cost):
        raise ValueError(f"cost must be one of {', '.join(get_args(Cost))}, got {cost!r}.")
    return pair(x, y)


def _blocks(
    x: np.ndarray, y: np.ndarray, cost: Cost, size: int
) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """What `blocks` yields, of points `[n, d]` and `[m, d]`."""
    # Costs don't change when all points move; near the origin the squares below are small, and so
    # are their errors. The middle of some points is an origin that a single far one can't move.
    origin = (
        np.zeros(1)
        if cost == "l1"
        else np.median(y[:: -(-len(y) // _SOME)].astype(np.float64), axis=0)
    )
    most = max(1, _COPY // x.shape[1])
    height = min(len(x), max(1, int(size**0.5)), most)
    for rows in slices(len(x), height):
        part = x[rows] - origin
        for columns in slices(len(y), min(max(1, size // height), most)):
            other = y[columns] - origin
            block = (
                cdist(part, other, "cityblock")
                if cost == "l1"
                else _squares(part, other, x[rows], y[columns])
            )
            yield rows, columns, np.sqrt(block, out=block) if cost == "euclidean" else block


def _squares(x: np.ndarray, y: np.ndarray, real_x: np.ndarray, real_y: np.ndarray) -> np.ndarray:
    """Returns squared distances of float64 points `[n, d]` and `[m, d]`.

    The points are `real_x` and `real_y`, moved to the origin.
    """
    size_x, size_y = np.einsum("nd,nd->n", x, x), np.einsum("md,md->m", y, y)
    squares = np.matmul(-2.0 * x, y.T)
    squares += size_x[:, None]
    squares += size_y
    # The sum loses the digits that the squared norms have in common: nearly all of them where two
    # points nearly meet, or lie so far from the origin that moving them there has lost digits too.
    # Differences lose none.
    if squares.min() < _NEAR * (size_x.max() + size_y.max()):
        near = np.nonzero(squares < _NEAR * (size_x[:, None] + size_y))
        for some in slices(len(near[0]), max(1, _COPY // x.shape[1])):
            i, j = near[0][some], near[1][some]
            squares[i, j] = np.square(np.subtract(real_x[i], real_y[j], dtype=np.float64)).sum(
                axis=1
            )
    return squares


def slices(n: int, size: int) -> Iterator[slice]:
    """The range 0 ... n - 1 in pieces of at most `size`."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))
