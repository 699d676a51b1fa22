"""Fully connected networks on images of any shape: the critic that sees it all at once (the first seed's FC)."""

import math

import keras

from tfwgan.networks.blocks import Norm, activate, dense, normalize
from tfwgan.spec import UsageError


def fc_generator(z_dim: int, image_shape: tuple[int, ...], nf: int = 128, depth: int = 2, norm: Norm = "none"):
    """`depth` dense layers from `z [b, z_dim]` to images `[b, *image_shape]` in [-1, 1].

    Args:
        z_dim: Latent size.
        image_shape: Shape of one image or point.
        nf: Width of the hidden layers.
        depth: Number of dense layers, at least 2.
        norm: Normalisation of the hidden layers.
    """
    _check(nf, depth)
    z = keras.Input([z_dim], name="z")
    x = z
    for i in range(depth - 1):
        x = dense(x, nf, f"dense_{i}")
        x = normalize(x, norm, f"norm_{i}")
        x = activate(x, "leaky", f"act_{i}")
    x = dense(x, math.prod(image_shape), f"dense_{depth - 1}")
    x = keras.layers.Activation("tanh", name="tanh")(x)
    x = keras.layers.Reshape(image_shape, name="image")(x)
    return keras.Model({"z": z}, x, name="generator")


def fc_critic(image_shape: tuple[int, ...], nf: int = 128, depth: int = 4, norm: Norm = "none"):
    """`depth` dense layers from images `[b, *image_shape]` to scores `[b]`; the first layer is never normalised.

    Args:
        image_shape: Shape of one image or point.
        nf: Width of the hidden layers.
        depth: Number of dense layers, at least 2.
        norm: Normalisation of the hidden layers after the first.
    """
    _check(nf, depth)
    image = keras.Input(image_shape, name="image")
    x = keras.layers.Flatten(name="flatten")(image)
    for i in range(depth - 1):
        x = dense(x, nf, f"dense_{i}")
        x = normalize(x, norm if i else "none", f"norm_{i}")
        x = activate(x, "leaky", f"act_{i}")
    x = dense(x, 1, f"dense_{depth - 1}")
    return keras.Model({"image": image}, keras.layers.Reshape((), name="score")(x), name="critic")


def _check(nf: int, depth: int) -> None:
    if nf < 1 or depth < 2:
        raise UsageError(f"nf must be at least 1 and depth at least 2, got nf={nf} and depth={depth}.")
