"""What a critic's last layer reads, as an output of its own."""

from collections.abc import Mapping

import keras


def with_features(critic: keras.Model) -> keras.Model:
    """The same critic, weights shared, with one more output, ``features``: what the scoring layer ``head`` reads."""
    said = critic.output if isinstance(critic.output, Mapping) else {"score": critic.output}
    return keras.Model(critic.input, {**said, "features": critic.get_layer("head").input})
