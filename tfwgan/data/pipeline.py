"""This module turns a data set into the endless stream of elements that training reads.

The stream can start anywhere.
"""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfwgan import rng
from tfwgan.data.dataset import Dataset
from tfwgan.errors import UsageError


def batches(
    dataset: Dataset,
    *,
    batch_size: int,
    n_critic: int,
    seed: int,
    flip: bool = False,
    first_batch: int = 0,
    steps: int | None = None,
) -> tf.data.Dataset:
    """One element per generator step, holding the `n_critic` batches that its critic steps read.

    Items come in an endless sequence of shuffled epochs, each of which holds every item exactly
    once; item i of batch j of a run stands at position ``j * batch_size + i``. So batches run
    across the ends of epochs, none is ever short, and starting late costs nothing.

        >>> import numpy as np
        >>> from tfwgan import Dataset, batches
        >>> dataset = Dataset("ruler", np.linspace(-1, 1, 12, dtype=np.float32)[:, np.newaxis])
        >>> stream = batches(dataset, batch_size=3, n_critic=2, seed=0, steps=2)
        >>> read = [element["image"].numpy() for element in stream]
        >>> [part.shape for part in read]
        [(3, 2, 1), (3, 2, 1)]
        >>> np.array_equal(np.sort(np.ravel(read)), np.ravel(dataset.items))  # one epoch
        True

    Args:
        dataset: The items.
        batch_size: Items per critic step, over all devices, 1 to the number of items.
        n_critic: Critic steps per generator step, at least 1.
        seed: Of the order.
        flip: Mirror each image left to right with probability 1/2, another half of them in every
            epoch.
        first_batch: How many batches the steps before the first element read, at least 0.
        steps: Number of elements; None never ends.

    Returns:
        Elements ``{"image": float32 [batch_size, n_critic, *shape] in [-1, 1]}``, with ``"label":
        int32 [batch_size, n_critic]`` if the set has labels. Critic step j reads ``[:, j]``.

    Raises:
        UsageError: If a number is out of range, a batch is larger than the set, or points are to be
            mirrored.
    """
    _check(dataset, batch_size, n_critic, flip, first_batch, 0 if steps is None else steps)
    key, flips = rng.stream(seed, "data"), rng.stream(seed, "flips")
    gather, labels = _reader(dataset)

    @tf.autograph.experimental.do_not_convert  # nothing in it needs that, and it takes a second
    def element(number: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = first_batch + number * n_critic + tf.range(n_critic, dtype=tf.int64)
        position = batch * batch_size + tf.range(batch_size, dtype=tf.int64)[:, tf.newaxis]
        index = rng.shuffled_epochs(tf.reshape(position, [-1]), len(dataset), key)
        index = tf.reshape(index, [batch_size, n_critic])
        items = gather(index)
        if flip:
            items = _flipped(items, batch, flips)
        if dataset.is_image:
            items = tf.cast(items, tf.float32) / 127.5 - 1.0
        named = {"image": items}
        return named if labels is None else {**named, "label": tf.gather(labels, index)}

    stream = tf.data.Dataset.counter().map(element)
    return (stream if steps is None else stream.take(steps)).prefetch(2)


def _check(
    dataset: Dataset, batch_size: int, n_critic: int, flip: bool, first_batch: int, steps: int
) -> None:
    """Raises `UsageError` if a number is out of range, or points are to be mirrored."""
    for name, value, least in (
        ("batch_size", batch_size, 1),
        ("n_critic", n_critic, 1),
        ("first_batch", first_batch, 0),
        ("steps", steps, 0),
    ):
        if value < least:
            raise UsageError(f"{name} must be at least {least}, got {value}.")
    if batch_size > len(dataset):
        raise UsageError(
            f"batch_size={batch_size} is larger than {dataset.name}, which has {len(dataset)} "
            f"items; use `batch_size={len(dataset)}` or less."
        )
    if flip and not dataset.is_image:
        raise UsageError(f"flip mirrors images, and {dataset.name} has points.")


def _reader(dataset: Dataset) -> tuple[Callable[[tf.Tensor], tf.Tensor], tf.Tensor | None]:
    """A function from rows to items, and all labels if there are any."""
    if isinstance(dataset.items, np.memmap):
        labels = None if dataset.labels is None else tf.constant(dataset.labels)
        return _mapped_items(dataset), labels
    everything, labels = dataset.tensors
    return functools.partial(tf.gather, everything), labels


def _flipped(items: tf.Tensor, batch: tf.Tensor, key: int) -> tf.Tensor:
    """Images `[b, n_critic, h, w, c]`, a random half of them mirrored, by the batch's number."""
    b = items.shape[0]
    mirrored = [rng.integers([b], rng.seed_pair(key, one), 2) for one in tf.unstack(batch)]
    mirrored = tf.stack(mirrored, axis=1)[..., tf.newaxis, tf.newaxis, tf.newaxis]
    return tf.where(mirrored == 1, tf.reverse(items, [3]), items)


def _mapped_items(dataset: Dataset) -> Callable[[tf.Tensor], tf.Tensor]:
    """Reads only the rows asked for: a tensor would hold the whole file in memory."""

    def gather(index: tf.Tensor) -> tf.Tensor:
        items = tf.numpy_function(
            lambda rows: np.asarray(dataset.items[rows]), [index], dataset.items.dtype
        )
        return tf.ensure_shape(items, [*index.shape, *dataset.shape])

    return gather
