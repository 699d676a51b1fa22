"""Penalties on the slope of a critic, one gradient per sample.

All take `score`, the critic as a function from samples `[b, ...]` to scores `[b]`, and return a scalar, the mean over
the batch, without its weight.
"""

from collections.abc import Callable

import tensorflow as tf

Score = Callable[[tf.Tensor], tf.Tensor]


def squared_slopes(score: Score, x: tf.Tensor) -> tf.Tensor:
    """Squared Euclidean norm of the critic's gradient at each sample, `[b]`."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(score(x))
    gradient = tape.gradient(total, x)
    return tf.reduce_sum(tf.square(gradient), axis=list(range(1, len(x.shape))))


def slopes(score: Score, x: tf.Tensor) -> tf.Tensor:
    """Euclidean norm of the critic's gradient at each sample, `[b]`."""
    # The square root has no gradient at 0, where a dead critic sits.
    return tf.sqrt(squared_slopes(score, x) + 1e-12)


def interpolates(real: tf.Tensor, fake: tf.Tensor, mix: tf.Tensor) -> tf.Tensor:
    """Points between real and generated samples (Gulrajani et al., 2017, algorithm 1).

    Args:
        real: Samples `[b, ...]`.
        fake: Samples of the same shape.
        mix: One weight of the real sample per pair, `[b]`, uniform on [0, 1).
    """
    mix = tf.reshape(mix, [-1] + [1] * (len(real.shape) - 1))
    return mix * real + (1.0 - mix) * fake


def gradient_penalty(score: Score, real: tf.Tensor, fake: tf.Tensor, mix: tf.Tensor) -> tf.Tensor:
    """``E (|grad f| - 1)^2`` between the samples: slopes of exactly 1 (Gulrajani et al., 2017, eq. 3)."""
    return tf.reduce_mean(tf.square(slopes(score, interpolates(real, fake, mix)) - 1.0))


def lipschitz_penalty(score: Score, real: tf.Tensor, fake: tf.Tensor, mix: tf.Tensor) -> tf.Tensor:
    """``E max(0, |grad f| - 1)^2`` between the samples: slopes of at most 1 (Petzka et al., 2018, eq. 8)."""
    return tf.reduce_mean(tf.square(tf.nn.relu(slopes(score, interpolates(real, fake, mix)) - 1.0)))


def r1_penalty(score: Score, real: tf.Tensor, fake: tf.Tensor, mix: tf.Tensor) -> tf.Tensor:
    """``E |grad f|^2 / 2`` at real samples; its weight is gamma (Mescheder et al., 2018, eq. 9)."""
    del fake, mix
    return 0.5 * tf.reduce_mean(squared_slopes(score, real))


def r2_penalty(score: Score, real: tf.Tensor, fake: tf.Tensor, mix: tf.Tensor) -> tf.Tensor:
    """``E |grad f|^2 / 2`` at generated samples; its weight is gamma (Mescheder et al., 2018, eq. 10)."""
    del real, mix
    return 0.5 * tf.reduce_mean(squared_slopes(score, fake))


PENALTIES = {"gp": gradient_penalty, "lp": lipschitz_penalty, "r1": r1_penalty, "r2": r2_penalty}
