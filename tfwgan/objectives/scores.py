"""Losses of critic and generator as functions of scores alone. Real samples score high everywhere.

`real` and `fake` are scores `[b]`; every function returns a scalar to minimise, a mean over the
batch. Where a loss compares scores with targets, `y_real` and `y_fake` are those, scalars or `[b]`.
"""

import tensorflow as tf


def wasserstein_critic(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """``E f(fake) - E f(real)``, the negative of the dual (Arjovsky et al., 2017, eq. 2)."""
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


def wasserstein_generator(fake: tf.Tensor) -> tf.Tensor:
    """``-E f(fake)`` (Arjovsky et al., 2017, algorithm 1)."""
    return -tf.reduce_mean(fake)


def gan_critic(real: tf.Tensor, fake: tf.Tensor, y_real=1.0, y_fake=0.0) -> tf.Tensor:
    """``-E log s(f(real)) - E log(1 - s(f(fake)))`` (Goodfellow et al., 2014, eq. 1).

    Here s is the logistic function. With other targets than 1 and 0 both terms are cross
    entropies against them.
    """
    return _cross_entropy(real, y_real) + _cross_entropy(fake, y_fake)


def gan_generator(fake: tf.Tensor) -> tf.Tensor:
    """``-E log s(f(fake))``, the non-saturating loss (Goodfellow et al., 2014, section 3)."""
    return tf.reduce_mean(tf.nn.softplus(-fake))


def rpgan_critic(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """``E softplus(f(fake) - f(real))`` over pairs (Jolicoeur-Martineau, 2019, eq. 4)."""
    return tf.reduce_mean(tf.nn.softplus(fake - real))


def rpgan_generator(fake: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    """``E softplus(f(real) - f(fake))`` over pairs (Jolicoeur-Martineau, 2019, eq. 5)."""
    return tf.reduce_mean(tf.nn.softplus(real - fake))


def lsgan_critic(real: tf.Tensor, fake: tf.Tensor, y_real=1.0, y_fake=0.0) -> tf.Tensor:
    """``E (f(real) - 1)^2 / 2 + E f(fake)^2 / 2`` (Mao et al., 2017, eq. 2, a = 0, b = 1)."""
    return 0.5 * (
        tf.reduce_mean(tf.square(real - y_real)) + tf.reduce_mean(tf.square(fake - y_fake))
    )


def lsgan_generator(fake: tf.Tensor) -> tf.Tensor:
    """``E (f(fake) - c)^2 / 2`` with c = 1 (Mao et al., 2017, eq. 2)."""
    return 0.5 * tf.reduce_mean(tf.square(fake - 1.0))


def hinge_critic(real: tf.Tensor, fake: tf.Tensor, margin_real=1.0, margin_fake=1.0) -> tf.Tensor:
    """``E max(0, 1 - f(real)) + E max(0, 1 + f(fake))`` (Lim and Ye, 2017), or other margins."""
    return tf.reduce_mean(tf.nn.relu(margin_real - real)) + tf.reduce_mean(
        tf.nn.relu(margin_fake + fake)
    )


def _cross_entropy(score: tf.Tensor, y) -> tf.Tensor:
    """``-E (y log s(score) + (1 - y) log(1 - s(score)))``."""
    return tf.reduce_mean(tf.nn.softplus(-score) + (1.0 - y) * score)
