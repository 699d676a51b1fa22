"""Distances between the patches of images depend on how parts look.

Which part belongs to which image does not count.

The projections of all patches on one direction are a convolution with that direction as the filter,
so that patches are never laid out in memory.
"""

from collections.abc import Callable

import tensorflow as tf

from tfwgan.errors import UsageError
from tfwgan.transport.costs import slices
from tfwgan.transport.exact import w1_loss
from tfwgan.transport.pairs import TensorLike, floating
from tfwgan.transport.sliced import directions, line_w1, seed_pair

# Directions at a time: what they make of 64 images fits in memory that is used again and again.
_CHUNK = 32
_MOST = 2**25  # projections of one set at a time, at most, but for those on a single direction


def patch_swd(
    x: TensorLike,
    y: TensorLike,
    p: int = 16,
    s: int = 1,
    n_projections: int = 128,
    seed: int | tf.Tensor = 0,
) -> tf.Tensor:
    """The sliced W1 distance between all patches of one set of images and all of another.

    It judges by parts (Elnekave and Weiss, 2025; by convolutions as in Elnekave and Weiss, 2022,
    "Generating natural images with direct patch distributions matching"). A square that lies
    elsewhere has the same patches, and is another image:

        >>> import numpy as np
        >>> from tfwgan import patch_swd, swd
        >>> x = np.zeros((1, 8, 8, 1), np.float32)
        >>> x[0, 1:3, 1:3] = 1.0
        >>> y = np.roll(x, (3, 2), axis=(1, 2))
        >>> float(patch_swd(x, y, p=2)), float(swd(x, y)) > 0.1
        (0.0, True)

    Args:
        x: Images `[n, h, w, c]`, real numbers.
        y: Images `[m, h, w, c]`; n and m may differ.
        p: Side of a patch, 1 to the smaller of h and w.
        s: Step from one patch to the next, at least 1.
        n_projections: Number of directions, at least 1.
        seed: As in `sliced.directions`.

    Returns:
        A scalar of the type of `x`, of whole numbers as in `pairs.floating`.

    Raises:
        ValueError: If the images differ in shape or are none, or a number is out of range.
    """
    return _mean_over_lines(
        x, y, p, s, n_projections, seed, lambda values: tf.reshape(values, [-1, values.shape[3]])
    )


def local_patch_swd(
    x: TensorLike,
    y: TensorLike,
    p: int = 16,
    s: int = 8,
    n_projections: int = 128,
    seed: int | tf.Tensor = 0,
) -> tf.Tensor:
    """The sliced W1 distance between the patches at a place is averaged over all places.

    All else is as in `patch_swd`.
    """
    return _mean_over_lines(
        x,
        y,
        p,
        s,
        n_projections,
        seed,
        lambda values: tf.reshape(values, [-1, values.shape[1:].num_elements()]),
    )


def patch_w1(
    x: TensorLike,
    y: TensorLike,
    p: int = 16,
    s: int = 8,
    seed: int | tf.Tensor = 0,
    max_patches: int = 4096,
) -> tf.Tensor:
    """The exact W1 distance between all patches of one set of images and all of another.

    Args:
        x: Images `[n, h, w, c]`.
        y: Images `[m, h, w, c]`.
        p: Side of a patch.
        s: Step from one patch to the next.
        seed: Which patches are taken if there are too many; of equally many images the same ones.
        max_patches: Patches per set at most; time grows with about its square.

    Raises:
        ValueError: If the images differ in shape or are none, or a number is out of range.
    """
    if max_patches < 1:
        raise UsageError(f"max_patches must be at least 1, got {max_patches}.")
    seed = seed_pair(seed, "patches")
    return w1_loss(
        *(_some_patches(images, p, s, seed, max_patches) for images in image_pair(x, y, p, s))
    )


def image_pair(x: TensorLike, y: TensorLike, p: int, s: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns two sets of images as tensors of one type, see `pairs.floating`.

    They have patches of side `p` at steps of `s`.

    Raises:
        UsageError: If they don't.
        ValueError: If they are no real numbers.
    """
    x = floating(x)
    y = floating(y, x.dtype)
    for images in (x, y):
        if images.shape.rank != 4 or None in images.shape[1:]:
            raise UsageError(
                "patches are cut from images [n, h, w, c], got samples of shape "
                f"{list(images.shape)}."
            )
    if x.shape[1:] != y.shape[1:]:
        raise UsageError(
            f"both sets must hold images of one shape, got {list(x.shape[1:])} and "
            f"{list(y.shape[1:])}."
        )
    if not 1 <= p <= min(x.shape[1:3]):
        raise UsageError(
            f"p must lie in 1 ... {min(x.shape[1:3])}, the side of the images, got {p}."
        )
    if s < 1:
        raise UsageError(f"s must be at least 1, got {s}.")
    return x, y


def leave_out(shape: tuple[int, ...], p: int, s: int) -> bool:
    """Tells whether patches leave rows or columns of images `[h, w, c]` to none of them.

    The patches have side `p` and stand at steps of `s`.
    """
    return s > p or any((side - p) % s for side in shape[:2])


def _mean_over_lines(
    x: TensorLike,
    y: TensorLike,
    p: int,
    s: int,
    n_projections: int,
    seed: int | tf.Tensor,
    sets: Callable[[tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """The mean 1-D distance of sets of projections.

    Args:
        x: Images `[n, h, w, c]`.
        y: Images `[m, h, w, c]`.
        p: Side of a patch.
        s: Step from one patch to the next.
        n_projections: Number of directions.
        seed: Of the directions.
        sets: Projections `[n, rows, columns, k]` to one column per set.
    """
    x, y = image_pair(x, y, p, s)
    filters = tf.cast(directions(p * p * x.shape[3], n_projections, seed), x.dtype)
    filters = tf.reshape(filters, [p, p, x.shape[3], n_projections])
    rows, columns = ((side - p) // s + 1 for side in x.shape[1:3])
    items = max(x.shape[0] or 1, y.shape[0] or 1)  # of unknown number, they are a batch of training
    means = []
    for some in slices(n_projections, max(1, min(_CHUNK, _MOST // (items * rows * columns)))):
        distances = line_w1(
            *(tf.transpose(sets(_project(images, filters[..., some], s))) for images in (x, y))
        )
        means.append(tf.reduce_mean(distances) * (len(range(n_projections)[some]) / n_projections))
    return tf.add_n(means)


def _project(images: tf.Tensor, filters: tf.Tensor, s: int) -> tf.Tensor:
    """Returns inner products of the patches of `[n, h, w, c]` with filters `[p, p, c, k]`.

    They are `[n, rows, columns, k]`.

    The filters get no gradient.
    """
    p, _, c, k = filters.shape

    @tf.custom_gradient
    def project(images: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def gradient(slopes: tf.Tensor) -> tf.Tensor:
            # In one go, as TensorFlow does it, this is far slower, for it fills few channels. Here
            # the columns of the patches are channels at first, and are then laid side by side.
            n, h, w = tf.shape(images)[0], images.shape[1], slopes.shape[2]
            columns = tf.reshape(filters, [p, 1, p * c, k])
            columns = tf.nn.conv2d_transpose(slopes, columns, [n, h, w, p * c], [s, 1], "VALID")
            places = tf.reshape(tf.eye(p * c, dtype=images.dtype), [1, p, c, p * c])
            return tf.nn.conv2d_transpose(columns, places, tf.shape(images), [1, s], "VALID")

        return tf.nn.conv2d(images, filters, s, "VALID"), gradient

    return project(images)


def _some_patches(images: tf.Tensor, p: int, s: int, seed: tf.Tensor, most: int) -> tf.Tensor:
    """Patches `[n, p, p, c]` of `[n, h, w, c]`, at most `most` of them, in random order."""
    n, (h, w, c) = tf.shape(images, tf.int64)[0], images.shape[1:]
    rows, columns = (h - p) // s + 1, (w - p) // s + 1
    chosen = tf.random.experimental.stateless_shuffle(
        tf.range(n * rows * columns), seed, alg="philox"
    )[:most]
    image, place = chosen // (rows * columns), chosen % (rows * columns)
    corners = (image * h + place // columns * s) * w + place % columns * s
    square = w * tf.range(p, dtype=tf.int64)[:, None] + tf.range(p, dtype=tf.int64)
    return tf.gather(tf.reshape(images, [-1, c]), corners[:, None, None] + square)
