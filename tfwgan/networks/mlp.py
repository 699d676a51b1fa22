"""The multilayer perceptrons of the mode-collapse experiments (the third seed's SimpleMLP), for points and digits."""

import math

import keras

from tfwgan.networks.blocks import Norm, activate, dense, normalize
from tfwgan.spec import UsageError


def mlp_generator(
    z_dim: int, image_shape: tuple[int, ...], dim: int = 256, mults: tuple[int, ...] = (1, 1, 1), norm: Norm = "none"
):
    """From `z [b, z_dim]` to points or images `[b, *image_shape]` in [-1, 1]; the last layer is a tanh.

    Args:
        z_dim: Latent size.
        image_shape: Shape of one point or image.
        dim: Unit of width.
        mults: Width of each hidden layer, in units of `dim`.
        norm: Normalisation of every hidden layer.
    """
    z = keras.Input([z_dim], name="z")
    x = _trunk(z, _widths(dim, mults), norm, norm)
    x = dense(x, math.prod(image_shape), f"dense_{len(mults)}", "zero_bias")
    x = keras.layers.Activation("tanh", name="tanh")(x)
    return keras.Model({"z": z}, keras.layers.Reshape(image_shape, name="image")(x), name="generator")


def mlp_critic(image_shape: tuple[int, ...], dim: int = 256, mults: tuple[int, ...] = (1, 1, 1), norm: Norm = "none"):
    """From points or images `[b, *image_shape]` to scores `[b]`; the first hidden layer is never normalised.

    Args:
        image_shape: Shape of one point or image.
        dim: Unit of width.
        mults: Width of each hidden layer, in units of `dim`.
        norm: Normalisation of the hidden layers after the first.
    """
    image = keras.Input(image_shape, name="image")
    x = _trunk(keras.layers.Flatten(name="flatten")(image), _widths(dim, mults), "none", norm)
    x = dense(x, 1, f"dense_{len(mults)}", "zero_bias")
    return keras.Model({"image": image}, keras.layers.Reshape((), name="score")(x), name="critic")


def _trunk(x, widths: list[int], first_norm: Norm, norm: Norm):
    for i, width in enumerate(widths):
        x = dense(x, width, f"dense_{i}", "zero_bias")
        x = normalize(x, norm if i else first_norm, f"norm_{i}", "zero_bias")
        x = activate(x, "leaky", f"act_{i}")
    return x


def _widths(dim: int, mults: tuple[int, ...]) -> list[int]:
    if dim < 1 or not mults or min(mults) < 1:
        raise UsageError(f"dim and mults must be at least 1, got dim={dim} and mults={mults}.")
    return [dim * mult for mult in mults]
