"""Along random lines optimal transport is a matter of sorting.

The distances found there are differentiable in both sets.

All work eagerly and in graphs, but not compiled with XLA: on CPUs NumPy does the sorting.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from tfwgan import rng
from tfwgan.errors import UsageError
from tfwgan.transport.costs import slices
from tfwgan.transport.exact import w1_loss
from tfwgan.transport.pairs import TensorLike, distances, flat_pair

_BLOCK = 2**18  # numbers sorted in one go by one thread: what stays in a processor's cache


def directions(d: int | tf.Tensor, n: int, seed: int | tf.Tensor) -> tf.Tensor:
    """Random directions, uniform on the sphere.

    Args:
        d: Dimension of the space.
        n: Number of directions.
        seed: A number, or the int64 `[2]` seed of one draw. The same seed gives the same directions
            everywhere.

    Returns:
        float32 `[d, n]`, columns of length 1.

    Raises:
        UsageError: If no direction is asked for.
    """
    if n < 1:
        raise UsageError(f"n_projections must be at least 1, got {n}.")
    columns = rng.normal([d, n], seed_pair(seed, "directions"))
    return columns / tf.norm(columns, axis=0)


def seed_pair(seed: int | tf.Tensor, purpose: str) -> tf.Tensor:
    """The int64 `[2]` seed of one draw, from a number or from itself."""
    is_number = isinstance(seed, int | np.integer)
    return (
        rng.seed_pair(rng.stream(int(seed), purpose), 0)
        if is_number
        else tf.convert_to_tensor(seed)
    )


def swd(
    x: TensorLike, y: TensorLike, n_projections: int = 128, seed: int | tf.Tensor = 0
) -> tf.Tensor:
    """The sliced Wasserstein-1 distance (Rabin et al., 2011), for any two numbers of points.

    The paper is "Wasserstein barycenter and its application to texture mixing"; here distances are
    not squared. A projection shortens every way, so this is at most W1; on the line it is W1:

        >>> import numpy as np
        >>> from tfwgan import swd, w1
        >>> x = np.random.default_rng(0).normal(size=(50, 2))
        >>> y = x + [3.0, 4.0]
        >>> 0.0 < float(swd(x, y)) < w1(x, y)
        True
        >>> float(swd([[0.0], [1.0]], [[0.0], [3.0]]))
        1.0

    Args:
        x: Samples `[n, ...]`, real numbers.
        y: Samples `[m, ...]` of as many coordinates; n and m may differ.
        n_projections: Number of directions, at least 1.
        seed: As in `directions`.

    Returns:
        A scalar, the mean over the directions of the exact distance of the projections; at most W1.

    Raises:
        ValueError: If the samples are no real numbers, the shapes don't fit, or no direction is
            asked for.
    """
    x, y = flat_pair(x, y)
    lines = tf.cast(directions(x.shape[1] or tf.shape(x)[1], n_projections, seed), x.dtype)
    return tf.reduce_mean(line_w1(*(tf.matmul(lines, points, True, True) for points in (x, y))))


def full_dim_swd(
    x: TensorLike, y: TensorLike, n_projections: int = 128, seed: int | tf.Tensor = 0
) -> tf.Tensor:
    """The cost in the whole space of the plans that are optimal along random lines; else as `swd`.

    Each plan couples the points in the order of their projections. So this is at least W1, for any
    two numbers of points. Memory grows as n times m.
    """
    x, y = flat_pair(x, y)
    n, m = tf.shape(x, tf.int64)[0], tf.shape(y, tf.int64)[0]
    lines = tf.cast(directions(x.shape[1] or tf.shape(x)[1], n_projections, seed), x.dtype)
    order_x, order_y = (row_order(tf.matmul(lines, points, True, True)) for points in (x, y))
    i, j, mass = coupling(n, m)
    moves = tf.gather(order_x, i, axis=1) * m + tf.gather(order_y, j, axis=1)
    masses = tf.broadcast_to(mass / n_projections, tf.shape(moves))
    plan = tf.math.unsorted_segment_sum(tf.reshape(masses, [-1]), tf.reshape(moves, [-1]), n * m)
    return _cost(x, y, tf.reshape(plan, [n, m]))


def projected_w1(
    x: TensorLike, y: TensorLike, dim: int = 64, n_projections: int = 16, seed: int | tf.Tensor = 0
) -> tf.Tensor:
    """The mean exact W1 distance of projections on several random directions at a time.

    Args:
        x: Samples `[n, ...]`.
        y: Samples `[m, ...]`.
        dim: Directions per projection. They have length 1, but are not orthogonal.
        n_projections: Number of projections.
        seed: As in `directions`.

    Raises:
        ValueError: If the shapes don't fit, or a number is below 1.
    """
    if dim < 1 or n_projections < 1:
        raise UsageError(
            f"dim and n_projections must be at least 1, got {dim} and {n_projections}."
        )
    x, y = flat_pair(x, y)
    columns = tf.cast(directions(x.shape[1] or tf.shape(x)[1], dim * n_projections, seed), x.dtype)
    return (
        tf.add_n([w1_loss(x @ lines, y @ lines) for lines in tf.split(columns, n_projections, 1)])
        / n_projections
    )


def line_w1(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """W1 between sets of numbers, row by row: `[k, n]` and `[k, m]` to `[k]`."""
    x, y = sorted_rows(x), sorted_rows(y)
    if x.shape[1] is not None and x.shape[1] == y.shape[1]:
        return _mean_gap(x, y, tf.fill([x.shape[1]], tf.constant(1.0 / x.shape[1], x.dtype)))
    i, j, mass = coupling(tf.shape(x)[1], tf.shape(y)[1])
    return _mean_gap(tf.gather(x, i, axis=1), tf.gather(y, j, axis=1), tf.cast(mass, x.dtype))


def coupling(n: int | tf.Tensor, m: int | tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The optimal plan between n and m sorted numbers of equal weights.

    Returns:
        int64 `[n + m]` i and j, and float64 `[n + m]` how much mass number i sends to number j;
        some masses are 0.
    """
    n, m = tf.cast(n, tf.int64), tf.cast(m, tf.int64)
    # Number i holds the quantiles from i/n to (i + 1)/n. Between neighbouring ones of i/n and j/m
    # both partners stay; in units of 1/(nm) all are whole numbers.
    edges = tf.sort(tf.concat([m * tf.range(n), n * tf.range(m), [n * m]], axis=0))
    starts = edges[:-1]
    return starts // m, starts // n, (edges[1:] - starts) / (n * m)


@tf.custom_gradient
def sorted_rows(values: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """Each row of `[k, n]` in ascending order; NaN last."""
    # The permutation is not needed before a gradient is asked for, and costs twice the values
    # alone.
    if _has_gpu():
        result = tf.sort(values)
    else:
        result = _numpy(lambda rows: np.sort(rows, axis=1), values.dtype, values)

    def gradient(slopes: tf.Tensor) -> tf.Tensor:
        if _has_gpu():
            return tf.gather(slopes, tf.argsort(tf.argsort(values)), batch_dims=1)
        return _numpy(_unsorted, values.dtype, values, slopes)

    return result, gradient


@tf.custom_gradient
def _mean_gap(x: tf.Tensor, y: tf.Tensor, mass: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """``sum_i mass_i |x_i - y_i|`` for each row of `[k, n]`; the masses `[n]` get no gradient.

    TensorFlow's own gradient of this keeps four arrays of the size of `x` until it is asked for,
    this one keeps one.
    """
    gap = tf.stop_gradient(x) - tf.stop_gradient(
        y
    )  # without the stops a tape would keep `x` and `y` too

    def gradient(slopes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, None]:
        pull = tf.sign(gap) * mass * slopes[:, None]
        return pull, -pull, None

    return tf.linalg.matvec(tf.abs(gap), mass), gradient


def row_order(values: tf.Tensor) -> tf.Tensor:
    """The permutations, int64 `[k, n]`, that sort each row of `[k, n]`."""
    if _has_gpu():
        return tf.cast(tf.argsort(values), tf.int64)
    return _numpy(_order, tf.int64, values)


@tf.custom_gradient
def _cost(x: tf.Tensor, y: tf.Tensor, plan: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """Returns the Euclidean cost of a float64 plan `[n, m]` between points `[n, d]` and `[m, d]`.

    The plan gets no gradient.
    """
    dtype = x.dtype
    x, y = (tf.cast(tf.stop_gradient(points), tf.float64) for points in (x, y))
    ways = distances(x, y)

    def gradient(slope: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, None]:
        origin = tf.reduce_mean(y, axis=0)
        near_x, near_y = x - origin, y - origin
        # Where points meet for the precision of these products, they don't pull.
        sizes = tf.reduce_sum(tf.square(near_x), axis=1)[:, None] + tf.reduce_sum(
            tf.square(near_y), axis=1
        )
        pull = tf.cast(slope, tf.float64) * tf.where(
            ways > 1e-7 * tf.sqrt(sizes), plan / ways, tf.zeros_like(plan)
        )
        pull_x = tf.reduce_sum(pull, axis=1)[:, None] * near_x - pull @ near_y
        pull_y = tf.reduce_sum(pull, axis=0)[:, None] * near_y - tf.matmul(
            pull, near_x, transpose_a=True
        )
        return tf.cast(pull_x, dtype), tf.cast(pull_y, dtype), None

    return tf.cast(tf.reduce_sum(plan * ways), dtype), gradient


def _has_gpu() -> bool:
    return bool(
        tf.config.get_visible_devices("GPU")
    )  # those that --devices=cpu hides are still physical ones


def _numpy(function: Callable[..., np.ndarray], dtype: tf.DType, *arrays: tf.Tensor) -> tf.Tensor:
    """Applies a function of arrays `[k, n]` to blocks of their rows, one thread per core.

    NumPy sorts about ten times faster than TensorFlow where the processor has AVX-512, and lets go
    of the interpreter while it does.
    """

    def in_blocks(*arrays: np.ndarray) -> np.ndarray:
        result = np.empty(arrays[0].shape, dtype.as_numpy_dtype)

        def work(rows: slice) -> None:
            result[rows] = function(*(array[rows] for array in arrays))

        blocks = list(slices(len(result), max(1, _BLOCK // max(1, result.shape[1]))))
        if len(blocks) < 2:
            work(slice(None))
            return result
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(work, blocks))
        return result

    result = tf.numpy_function(in_blocks, arrays, dtype)
    result.set_shape(arrays[0].shape)
    return result


def _order(values: np.ndarray) -> np.ndarray:
    """What sorts each row of `[k, n]`, int64."""
    if values.dtype != np.float32 or values.shape[1] >= 2**31:
        return np.argsort(values, axis=1)
    # Each number and its place as one whole number: twice as fast as argsort. The bits of a float,
    # read as a whole number, keep the order of the positive ones, and reverse that of the negative
    # ones, whose bits are flipped here.
    bits = values.view(np.int32)
    keys = (bits ^ ((bits >> 31) & 0x7FFFFFFF)).astype(np.int64)
    keys <<= 32
    keys |= np.arange(values.shape[1])
    keys.sort(axis=1)
    keys &= 0xFFFFFFFF
    return keys


def _unsorted(values: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Numbers `[k, n]` that belong to the sorted rows of `values`, back in the places of these."""
    result = np.empty_like(slopes)
    np.put_along_axis(result, _order(values), slopes, axis=1)
    return result
