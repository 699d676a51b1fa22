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
