"""Penalties on the slope of a critic, one gradient per sample.

All take `score`, the critic as a function from samples to scores `[b]`, and return a scalar, the
mean over the batch, without its weight. Samples are a tensor `[b, ...]`, or tensors by name where
the critic reads more than an image: the gradient is that in all parts that it reads, labels
excepted.
"""

from collections.abc import Mapping

import tensorflow as tf

from tfwgan.protocols import Samples, Score


def squared_gradient_norms(score: Score, x: Samples) -> tf.Tensor:
    """Squared Euclidean norm of the critic's gradient at each sample, `[b]`."""
    parts = [part for part in tf.nest.flatten(x) if part.dtype.is_floating]
    with tf.GradientTape() as tape:
        tape.watch(parts)
        total = tf.reduce_sum(score(x))
    gradients = [gradient for gradient in tape.gradient(total, parts) if gradient is not None]
    return tf.add_n(
        [tf.reduce_sum(tf.square(g), axis=list(range(1, len(g.shape)))) for g in gradients]
    )


def gradient_norms(score: Score, x: Samples) -> tf.Tensor:
    """Euclidean norm of the critic's gradient at each sample, `[b]`."""
    # The square root has no gradient at 0, where a dead critic sits.
    return tf.sqrt(squared_gradient_norms(score, x) + 1e-12)


def interpolates(real: Samples, fake: Samples, mix: tf.Tensor) -> Samples:
    """Points between real and generated samples (Gulrajani et al., 2017, algorithm 1).

    Labels are the real ones.

    Args:
        real: Samples.
        fake: Samples of the same shape; parts that the real ones lack are left out.
        mix: One weight of the real sample per pair, `[b]`, uniform on [0, 1).
    """
    if isinstance(real, Mapping):
        return {name: interpolates(part, fake[name], mix) for name, part in real.items()}
    if not real.dtype.is_floating:
        return real
    mix = tf.reshape(mix, [-1] + [1] * (len(real.shape) - 1))
    return mix * real + (1.0 - mix) * fake


def gradient_penalty(score: Score, real: Samples, fake: Samples, mix: tf.Tensor) -> tf.Tensor:
    """``E (|grad f| - 1)^2`` between the samples (Gulrajani et al., 2017, eq. 3).

    It asks for slopes of exactly 1.

        >>> import tensorflow as tf
        >>> from tfwgan import gradient_penalty
        >>> real, fake = tf.ones([4, 2]), tf.zeros([4, 2])
        >>> float(gradient_penalty(lambda x: 3.0 * x[:, 0], real, fake, tf.fill([4], 0.5)))
        4.0

    Args:
        score: The critic, from samples `[b, ...]` to scores `[b]`.
        real: Real samples `[b, ...]`, or tensors by name.
        fake: Generated samples of the same shapes.
        mix: Weights of the real samples in the points between, `[b]`, uniform on [0, 1).

    Returns:
        A scalar of at least 0, without its weight.
    """
    return tf.reduce_mean(tf.square(gradient_norms(score, interpolates(real, fake, mix)) - 1.0))


def lipschitz_penalty(score: Score, real: Samples, fake: Samples, mix: tf.Tensor) -> tf.Tensor:
    """``E max(0, |grad f| - 1)^2`` between the samples (Petzka et al., 2018, eq. 8).

    It asks for slopes of at most 1.

        >>> import tensorflow as tf
        >>> from tfwgan import lipschitz_penalty
        >>> real, fake = tf.ones([4, 2]), tf.zeros([4, 2])
        >>> float(lipschitz_penalty(lambda x: 3.0 * x[:, 0], real, fake, tf.fill([4], 0.5)))
        4.0

    Args:
        score: The critic, from samples `[b, ...]` to scores `[b]`.
        real: Real samples `[b, ...]`, or tensors by name.
        fake: Generated samples of the same shapes.
        mix: Weights of the real samples in the points between, `[b]`, uniform on [0, 1).

    Returns:
        A scalar of at least 0, without its weight.
    """
    return tf.reduce_mean(
        tf.square(tf.nn.relu(gradient_norms(score, interpolates(real, fake, mix)) - 1.0))
    )


def r1_penalty(score: Score, real: Samples, fake: Samples, mix: tf.Tensor) -> tf.Tensor:
    """``E |grad f|^2 / 2`` at real samples, weight gamma (Mescheder et al., 2018, eq. 9).

        >>> import tensorflow as tf
        >>> from tfwgan import r1_penalty
        >>> real, fake = tf.ones([4, 2]), tf.zeros([4, 2])
        >>> float(r1_penalty(lambda x: 3.0 * x[:, 0], real, fake, tf.fill([4], 0.5)))
        4.5

    Args:
        score: The critic, from samples `[b, ...]` to scores `[b]`.
        real: Real samples `[b, ...]`, or tensors by name.
        fake: Generated samples of the same shapes.
        mix: Weights of the real samples in the points between, `[b]`, uniform on [0, 1).

    Returns:
        A scalar of at least 0, without its weight.
    """
    del fake, mix
    return 0.5 * tf.reduce_mean(squared_gradient_norms(score, real))


def r2_penalty(score: Score, real: Samples, fake: Samples, mix: tf.Tensor) -> tf.Tensor:
    """``E |grad f|^2 / 2`` at generated samples, weight gamma (Mescheder et al., 2018, eq. 10).

        >>> import tensorflow as tf
        >>> from tfwgan import r2_penalty
        >>> real, fake = tf.ones([4, 2]), tf.zeros([4, 2])
        >>> float(r2_penalty(lambda x: 3.0 * x[:, 0], real, fake, tf.fill([4], 0.5)))
        4.5

    Args:
        score: The critic, from samples `[b, ...]` to scores `[b]`.
        real: Real samples `[b, ...]`, or tensors by name.
        fake: Generated samples of the same shapes.
        mix: Weights of the real samples in the points between, `[b]`, uniform on [0, 1).

    Returns:
        A scalar of at least 0, without its weight.
    """
    del real, mix
    return 0.5 * tf.reduce_mean(squared_gradient_norms(score, fake))


PENALTIES = {"gp": gradient_penalty, "lp": lipschitz_penalty, "r1": r1_penalty, "r2": r2_penalty}
