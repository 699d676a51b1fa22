"""Losses of critic and generator as functions of scores alone. Real samples score high everywhere.

`real` and `fake` are scores `[b]`; every function returns a scalar to minimise, a mean over the batch.
"""

import tensorflow as tf


def wasserstein_critic(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """``E f(fake) - E f(real)``, the negative of the dual (Arjovsky et al., 2017, eq. 2)."""
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


def wasserstein_generator(fake: tf.Tensor) -> tf.Tensor:
    """``-E f(fake)`` (Arjovsky et al., 2017, algorithm 1)."""
    return -tf.reduce_mean(fake)


def gan_critic(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """``-E log s(f(real)) - E log(1 - s(f(fake)))`` with the logistic function s (Goodfellow et al., 2014, eq. 1)."""
    return tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))


def gan_generator(fake: tf.Tensor) -> tf.Tensor:
    """``-E log s(f(fake))``, the non-saturating loss (Goodfellow et al., 2014, section 3)."""
    return tf.reduce_mean(tf.nn.softplus(-fake))
