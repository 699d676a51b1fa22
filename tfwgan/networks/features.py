"""What a critic says, by name, whether it has one head or several."""

from collections.abc import Mapping
from typing import Any

import keras


def heads(said: Any) -> Mapping:
    """What a critic returned, or its symbolic output: a lone score is the head ``score``."""
    return said if isinstance(said, Mapping) else {"score": said}


def with_features(critic: keras.Model) -> keras.Model:
    """The same critic, weights shared, with one more output, ``features``: what the scoring layer ``head`` reads."""
    return keras.Model(critic.input, {**heads(critic.output), "features": critic.get_layer("head").input})


def couples_batch(critic: keras.Model) -> bool:
    """Whether what a critic says of a sample in training depends on the others of its batch, through batch norm.

    A penalty on its slope at each sample has no meaning then (Gulrajani et al., 2017, section 4).
    """
    inside = [couples_batch(layer) for layer in critic.layers if isinstance(layer, keras.Model)]
    return any(inside) or any(isinstance(layer, keras.layers.BatchNormalization) for layer in critic.layers)
