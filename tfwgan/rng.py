"""Randomness without state: every random number is a function of (seed, purpose, counter).

Nothing has to be saved to resume a run, and since all replicas draw for the *global* batch and keep
their own rows, the number of devices changes nothing either. Philox is named explicitly, so that
CPU, GPU and XLA agree on its whole numbers; inside a step compiled with XLA, `normal` and `uniform`
make other floats of them.
"""

import contextlib
import hashlib
import random
from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf

Shape = Sequence[int | tf.Tensor]

_ALGORITHM = "philox"


def stream(seed: int, purpose: str) -> int:
    """The 62-bit key of one stream of random numbers, such as ``stream(0, "critic latents")``."""
    digest = hashlib.blake2b(f"{seed}/{purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 2


def seed_pair(key: int | tf.Tensor, counter: int | tf.Tensor) -> tf.Tensor:
    """The `[2]` seed of one draw: the key of its stream, and which draw of the stream it is."""
    return tf.stack([tf.cast(key, tf.int64), tf.cast(counter, tf.int64)])


def derive(seed: tf.Tensor, purpose: str) -> tf.Tensor:
    """The seed pair of one part of what a seed pair stands for."""
    return seed_pair(
        tf.bitwise.bitwise_xor(seed[0], tf.constant(stream(0, purpose), tf.int64)), seed[1]
    )


def normal(shape: Shape, seed: tf.Tensor) -> tf.Tensor:
    """Independent N(0, 1) numbers."""
    return tf.random.stateless_normal(shape, seed, alg=_ALGORITHM)


def uniform(shape: Shape, seed: tf.Tensor, low: float = 0.0, high: float = 1.0) -> tf.Tensor:
    """Independent U[low, high) numbers."""
    return tf.random.stateless_uniform(shape, seed, low, high, alg=_ALGORITHM)


def integers(shape: Shape, seed: tf.Tensor, high: int) -> tf.Tensor:
    """Independent int64 numbers, uniform on 0 ... high - 1."""
    return tf.random.stateless_uniform(shape, seed, 0, high, dtype=tf.int64, alg=_ALGORITHM)


def shuffled_epochs(position: tf.Tensor, size: int, key: int | tf.Tensor) -> tf.Tensor:
    """Which of `size` items stands at each position of an endless sequence of shuffled epochs.

    Every epoch (positions ``e * size ... (e + 1) * size - 1``) holds each item exactly once, in an
    order of its own. The answer for any position costs O(1): this is what makes the data order
    resume anywhere.

    Args:
        position: int64 `[n]`, at least 0.
        size: Number of items.
        key: Key of the stream.

    Returns:
        int64 `[n]`, in 0 ... size - 1.
    """
    position = tf.cast(position, tf.int64)
    epoch, place = position // size, position % size
    # The public wrapper pads the wrong axis of [n, 2] seeds; the kernel itself takes one [3] seed
    # per index. Of each of its words it uses only the lowest bits, 8 for small sets: hence the
    # hash, which makes every epoch another.
    words = _hash(
        tf.cast(key, tf.uint64)
        + tf.cast(epoch, tf.uint64) * tf.constant(0x9E3779B97F4A7C15, tf.uint64)
    )
    seed = tf.stack(
        [tf.bitwise.right_shift(words, shift) % 2**21 for shift in _uint64(0, 21, 42)], axis=1
    )
    last = tf.fill(tf.shape(position), tf.constant(size - 1, tf.int64))
    return tf.raw_ops.RandomIndexShuffle(
        index=place, seed=tf.cast(seed, tf.int64), max_index=last, rounds=4
    )


def _hash(x: tf.Tensor) -> tf.Tensor:
    """Scrambles uint64 numbers (the finaliser of SplitMix64; Steele et al., 2014, figure 16)."""
    shifts, factors = _uint64(30, 27, 31), _uint64(0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
    for shift, factor in zip(shifts, [*factors, None], strict=True):
        x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, shift))
        x = x if factor is None else x * factor
    return x


def _uint64(*numbers: int) -> list[tf.Tensor]:
    return [tf.constant(number, tf.uint64) for number in numbers]


def own_rows(batch: tf.Tensor) -> tf.Tensor:
    """The rows of a tensor drawn for the global batch that belong to the current replica."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return batch
    rows = tf.shape(batch)[0] // context.num_replicas_in_sync
    replica = tf.cast(context.replica_id_in_sync_group, rows.dtype)
    return batch[replica * rows : (replica + 1) * rows]


def per_row(n: int | tf.Tensor, sampler: Callable[[int | tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Draws for the global batch, and keeps the `n` rows of the current replica.

    Args:
        n: Rows of one replica.
        sampler: From a number of rows to random numbers `[rows, ...]`.
    """
    return own_rows(sampler(n * tf.distribute.get_strategy().num_replicas_in_sync))


@contextlib.contextmanager
def seeded_initializers(seed: int) -> Iterator[None]:
    """Makes the weights created inside a function of `seed`.

    Python's generator is left as it was.

    Keras seeds an initializer that was given no seed from Python's own generator.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
