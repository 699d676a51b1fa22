"""Two sets of samples as tensors, and the distances between all of their points."""

from typing import TypeAlias

import tensorflow as tf
from numpy.typing import ArrayLike

TensorLike: TypeAlias = tf.Tensor | ArrayLike  # what TensorFlow makes a tensor of

_CHUNK = 2**22  # coordinates of differences at a time
_NEAR = 1e-4  # squared distances below this part of the squared norms are computed again


def floating(x: TensorLike, dtype: tf.DType | None = None) -> tf.Tensor:
    """Returns samples as real numbers of a type.

    Whole numbers and booleans become float32 up to 16 bits, else float64.

    Raises:
        ValueError: If they are no real numbers.
    """
    x = tf.convert_to_tensor(x)
    if not (x.dtype.is_floating or x.dtype.is_integer or x.dtype.is_bool):
        raise ValueError(f"x and y must hold real numbers, got {x.dtype.name}.")
    own = x.dtype if x.dtype.is_floating else tf.float32 if x.dtype.size <= 2 else tf.float64
    return tf.cast(x, dtype or own)


def flat_pair(x: TensorLike, y: TensorLike) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns batches `[n, ...]` and `[m, ...]` as points `[n, d]` and `[m, d]` of one type.

    The type is that of `floating` of the first.

    Raises:
        ValueError: If they are no real numbers, or their dimensions are known to differ.
    """
    x = floating(x)
    y = floating(y, x.dtype)
    sizes = [tensor.shape[1:].num_elements() for tensor in (x, y)]
    if None not in sizes and sizes[0] != sizes[1]:
        raise ValueError(f"x and y must have equal dimensions, got {sizes[0]} and {sizes[1]}.")
    return tuple(
        tf.reshape(tensor, [tf.shape(tensor)[0], size or -1])
        for tensor, size in zip((x, y), sizes, strict=True)
    )


def distances(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Returns Euclidean distances `[n, m]` of float64 points `[n, d]` and `[m, d]`.

    They are right to 11 digits, and not differentiable.

    Through products of matrices: the difference of every pair of points would not fit in memory.
    Those pairs whose distance would lose its digits so, because they nearly meet or lie far out,
    are few, and get their difference.
    """
    x, y = tf.stop_gradient(x), tf.stop_gradient(y)
    origin = tf.reduce_mean(y, axis=0)
    moved_x, moved_y = x - origin, y - origin
    sizes = tf.reduce_sum(tf.square(moved_x), axis=1)[:, None] + tf.reduce_sum(
        tf.square(moved_y), axis=1
    )
    squares = sizes - 2.0 * tf.matmul(moved_x, moved_y, transpose_b=True)
    return tf.sqrt(_by_differences(squares, tf.where(squares < _NEAR * sizes), x, y))


def _by_differences(squares: tf.Tensor, some: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Returns squared distances `[n, m]`, those of some pairs `[k, 2]` computed again.

    The pairs are taken a chunk at a time.
    """
    size = tf.maximum(1, _CHUNK // tf.maximum(1, tf.shape(x)[1]))

    def again(start: tf.Tensor, squares: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pairs = some[start : start + size]
        apart = tf.gather(x, pairs[:, 0]) - tf.gather(y, pairs[:, 1])
        return start + size, tf.tensor_scatter_nd_update(
            squares, pairs, tf.reduce_sum(tf.square(apart), axis=1)
        )

    count = tf.shape(some)[0]
    return tf.while_loop(lambda start, _: start < count, again, (tf.constant(0), squares))[1]
