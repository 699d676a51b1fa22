"""A user's own networks get the form that the trainer works with.

They become functional and read tensors by name.
"""

from typing import Any

import keras

from tfwgan.errors import UsageError
from tfwgan.networks.features import heads

_NAMES = ("z", "image", "label")


def generator_of(network: keras.Model, z_dim: int) -> keras.Model:
    """A generator that reads ``z``, and perhaps ``label``, by name.

    Args:
        network: Any Keras model or layer from `z [b, z_dim]` to samples `[b, ...]`: functional,
            `Sequential`, of a class of one's own. One that also reads labels has inputs of these
            names.
        z_dim: Of the prior.

    Raises:
        UsageError: If it reads something else, or makes samples of unknown shape.
    """
    network = _by_name(network, "generator", "z", (z_dim,))
    if "z" in network.input and tuple(network.input["z"].shape[1:]) != (z_dim,):
        raise UsageError(
            f"the generator reads latents {list(network.input['z'].shape[1:])}, and the prior "
            f"draws [{z_dim}]."
        )
    shape = getattr(network.output, "shape", None)
    if shape is None or len(shape) < 2 or None in shape[1:]:
        raise UsageError(
            f"the generator has to make samples [batch, ...] of known shape, got {shape}."
        )
    return network


def critic_of(network: keras.Model, shape: tuple[int, ...]) -> keras.Model:
    """Returns a critic that reads its inputs by name and returns scores `[b]`.

    It reads ``image``, and perhaps ``label`` and ``z``.

    Args:
        network: Any Keras model or layer from samples to scores `[b]` or `[b, 1]`, or to a
            dictionary of ``score`` and further heads. One that reads more than images has inputs of
            these names.
        shape: Of a sample.

    Raises:
        UsageError: If it reads or returns something else.
    """
    network = _by_name(network, "critic", "image", shape)
    if "image" in network.input and tuple(network.input["image"].shape[1:]) != shape:
        raise UsageError(
            f"the critic reads samples {list(network.input['image'].shape[1:])}, and the generator "
            f"makes {list(shape)}."
        )
    outputs = heads(network.output)
    score = outputs.get("score")
    if score is None or len(score.shape) not in (1, 2) or score.shape[1:] not in ((), (1,)):
        found = dict(outputs).keys() if score is None else list(score.shape)
        raise UsageError(
            f"the critic has to give one score per sample, [batch] or [batch, 1], got {found}."
        )
    if len(score.shape) == 1:
        return network
    flat = keras.ops.squeeze(score, axis=1)
    flattened = {**outputs, "score": flat} if isinstance(network.output, dict) else flat
    return keras.Model(network.input, flattened, name=network.name)


def _by_name(network: keras.Model, role: str, only: str, shape: tuple[int, ...]) -> keras.Model:
    """Returns the same network, its layers and weights, with its inputs by name.

    A lone input gets the name `only`, which every network of this role reads.
    """
    if not isinstance(network, keras.layers.Layer):
        raise UsageError(f"the {role} has to be a Keras model, got {type(network).__name__}.")
    inputs: Any = getattr(network, "input", None) if isinstance(network, keras.Model) else None
    if isinstance(inputs, dict):
        return network
    listed = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    if len(listed) == 1 and getattr(listed[0], "name", None) != only:
        # A class of one's own, a Sequential that has not seen its input, or an input of another
        # name.
        named = keras.Input(shape if inputs is None else listed[0].shape[1:], name=only)
        return keras.Model({only: named}, network(named), name=network.name)
    names = [one.name for one in listed]
    if not set(names) <= set(_NAMES):
        known = ", ".join(_NAMES)
        raise UsageError(
            f"the {role} has inputs {', '.join(names)}; name them {known}, by "
            "keras.Input(name=...)."
        )
    return keras.Model(dict(zip(names, listed, strict=True)), network.output, name=network.name)
