"""ReLU and leaky ReLU whose slope is a constant to every gradient.

The derivative of their derivative is 0. TensorFlow's own kernels hand these zeros on, and a
gradient penalty, which differentiates twice, sends them back through every layer before: work for
nothing, a tenth of a critic's update. Here the slope is a number that no gradient enters. Values
and gradients are the same numbers.
"""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("tfwgan")
class ReLU(keras.layers.ReLU):
    """Keras' layer, without its second gradient."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """``max(x, 0)``."""
        return _sloped(inputs, 0.0)


@keras.saving.register_keras_serializable("tfwgan")
class LeakyReLU(keras.layers.LeakyReLU):
    """Keras' layer, without its second gradient."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """``max(x, slope x)``."""
        return _sloped(inputs, self.negative_slope)


def _sloped(x: tf.Tensor, slope: float) -> tf.Tensor:
    one = tf.ones([], x.dtype)
    return x * tf.stop_gradient(tf.where(x > 0, one, tf.cast(slope, x.dtype)))
