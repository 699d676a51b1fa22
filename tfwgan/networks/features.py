"""Networks are called on tensors by name, and what they say has names.

This holds whether they have one head or several.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def heads(output: Any) -> Mapping[str, Any]:
    """What a critic returned, or its symbolic output: a lone score is the head ``score``."""
    return output if isinstance(output, Mapping) else {"score": output}


def with_features(critic: keras.Model) -> keras.Model:
    """Returns the same critic, weights shared, with one more output, ``features``.

    That output is what the scoring layer ``head`` reads.
    """
    return keras.Model(
        critic.input, {**heads(critic.output), "features": critic.get_layer("head").input}
    )


def feed(
    network: keras.Model, tensors: Mapping[str, tf.Tensor], training: bool = False
) -> tf.Tensor:
    """Calls a network on those of the tensors that it names among its inputs."""
    return network({name: tensors[name] for name in network.input}, training=training)


def in_chunks(
    function: Callable[..., tf.Tensor], *tensors: tf.Tensor | np.ndarray, size: int = 256
) -> np.ndarray:
    """Returns what a function makes of rows.

    It takes `size` rows at a time, so that memory suffices for any number of them.
    """
    n = len(tensors[0])
    parts = [
        function(*(tf.convert_to_tensor(one[i : i + size]) for one in tensors))
        for i in range(0, n, size)
    ]
    return np.concatenate([np.asarray(part) for part in parts])


def couples_batch(critic: keras.Model) -> bool:
    """Tells whether batch norm makes a critic couple the samples of a batch in training.

    If so, what it says of a sample depends on the others of its batch.

    A penalty on its slope at each sample has no meaning then (Gulrajani et al., 2017, section 4).
    """
    inside = [couples_batch(layer) for layer in critic.layers if isinstance(layer, keras.Model)]
    return any(inside) or any(
        isinstance(layer, keras.layers.BatchNormalization) for layer in critic.layers
    )
