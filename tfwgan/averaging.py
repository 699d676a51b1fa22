"""The running average of a generator, from which samples are drawn: it moves less than training."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfwgan.errors import UsageError, one_line


def copy_of(layer: keras.layers.Layer) -> keras.layers.Layer:
    """A layer of the same weights that is not trained.

    Raises:
        UsageError: If a class of one's own does not say how to make another (`get_config`).
    """
    try:
        if isinstance(layer, keras.Model):
            copy = keras.models.clone_model(layer)
        else:
            copy = type(layer).from_config(layer.get_config())
        copy.set_weights(layer.get_weights())
    except (NotImplementedError, TypeError, ValueError) as error:
        raise UsageError(
            f"the running average (`ema`) needs a copy of {layer.name}, and Keras can't make one: "
            f"{one_line(error)[:200]}; give its class a get_config, or train with `ema=0`."
        ) from None
    copy.trainable = False
    return copy


def decay_at(decay: float, step: tf.Tensor) -> tf.Tensor:
    """The decay of the average at a step, counted from 0: at first less than `decay`.

    A short memory at first lets the random initial weights be forgotten soon.
    """
    t = tf.cast(step, tf.float32) + 1.0
    return tf.minimum(decay, (1.0 + t) / (10.0 + t))


def move(averages: Sequence, variables: Sequence, decay: tf.Tensor) -> None:
    """Moves each average towards its variable: ``a <- a + (1 - decay) (v - a)``."""
    for average, variable in zip(averages, variables, strict=True):
        average.assign(average + (1.0 - decay) * (variable - average))
