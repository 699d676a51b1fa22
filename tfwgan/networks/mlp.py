"""These are the multilayer perceptrons of the mode-collapse experiments.

They are SimpleMLP of GANs-Implementations, and serve for points and digits.
"""

import functools
import math
from collections.abc import Callable

import keras

from tfwgan.errors import UsageError
from tfwgan.networks.blocks import Activation, Norm, activate, dense, normalize
from tfwgan.networks.conditional import Condition, CriticCond, GeneratorCond
from tfwgan.networks.lipschitz import certified_dense, check_certified
from tfwgan.networks.spectral import SpectralNorm

_dense = functools.partial(dense, init="zero_bias")


def mlp_generator(
    z_dim: int,
    image_shape: tuple[int, ...],
    dim: int = 256,
    mults: tuple[int, ...] = (1, 1, 1),
    norm: Norm = "none",
    cond: GeneratorCond = "none",
    n_classes: int | None = None,
) -> keras.Model:
    """Maps `z [b, z_dim]` to points or images `[b, *image_shape]` in [-1, 1]; a tanh comes last.

    Args:
        z_dim: Latent size.
        image_shape: Shape of one point or image.
        dim: Unit of width.
        mults: Width of each hidden layer, in units of `dim`.
        norm: Normalisation of every hidden layer.
        cond: How it uses labels.
        n_classes: Number of labels, None if there are none.
    """
    condition, z = Condition(cond, n_classes), keras.Input([z_dim], name="z")
    x = _trunk(condition.join(z), _widths(dim, mults), norm, norm, normalize=condition.normalize)
    x = _dense(x, math.prod(image_shape), f"dense_{len(mults)}")
    x = keras.layers.Activation("tanh", name="tanh")(x)
    x = keras.layers.Reshape(image_shape, name="image")(x)
    return keras.Model(condition.inputs(z=z), x, name="generator")


def mlp_critic(
    image_shape: tuple[int, ...],
    dim: int = 256,
    mults: tuple[int, ...] = (1, 1, 1),
    norm: Norm = "none",
    sn: bool = False,
    sn_norm: SpectralNorm = "kernel",
    lipschitz: bool = False,
    joint: bool = False,
    cond: CriticCond = "none",
    z_dim: int | None = None,
    n_classes: int | None = None,
) -> keras.Model:
    """Maps points or images `[b, *image_shape]` to scores `[b]`.

    The first hidden layer is never normalised.

    Args:
        image_shape: Shape of one point or image.
        dim: Unit of width.
        mults: Width of each hidden layer, in units of `dim`.
        norm: Normalisation of the hidden layers after the first.
        sn: Spectral normalisation of every layer.
        sn_norm: Its norm; dense layers have but one.
        lipschitz: Orthonormal layers and GroupSort, which make it 1-Lipschitz.
        joint: Reads a latent `z [b, z_dim]` together with each image (VEEGAN; Srivastava et al.,
            2017).
        cond: How it uses labels.
        z_dim: Latent size, for `joint`.
        n_classes: Number of labels, None if there are none.
    """
    if lipschitz:
        check_certified(norm, sn, cond)
    if joint and z_dim is None:
        raise UsageError("joint=True needs the size of the latents.")
    linear = certified_dense if lipschitz else functools.partial(_dense, sn=sn, sn_norm=sn_norm)
    condition, inputs = (
        Condition(cond, n_classes),
        {"image": keras.Input(image_shape, name="image")},
    )
    x = keras.layers.Flatten(name="flatten")(inputs["image"])
    if joint:
        inputs["z"] = keras.Input([z_dim], name="z")
        x = keras.layers.Concatenate(name="with_z")([x, inputs["z"]])
    x = _trunk(
        condition.join(x),
        _widths(dim, mults),
        "none",
        norm,
        linear,
        act="sort" if lipschitz else "leaky",
    )
    scores = condition.scores(functools.partial(linear, x), x, linear)
    return keras.Model(condition.inputs(**inputs), scores, name="critic")


def mlp_reconstructor(
    image_shape: tuple[int, ...],
    z_dim: int,
    dim: int = 256,
    mults: tuple[int, ...] = (1, 1, 1),
    norm: Norm = "batch",
) -> keras.Model:
    """Maps points or images `[b, *image_shape]` back to latents `[b, z_dim]`.

    VEEGAN has such a network (Srivastava et al., 2017).

    Args:
        image_shape: Shape of one point or image.
        z_dim: Latent size.
        dim: Unit of width.
        mults: Width of each hidden layer, in units of `dim`.
        norm: Normalisation of the hidden layers after the first.
    """
    image = keras.Input(image_shape, name="image")
    x = _trunk(keras.layers.Flatten(name="flatten")(image), _widths(dim, mults), "none", norm)
    return keras.Model(
        {"image": image}, _dense(x, z_dim, f"dense_{len(mults)}"), name="reconstructor"
    )


def _trunk(
    x: keras.KerasTensor,
    widths: list[int],
    first_norm: Norm,
    norm: Norm,
    linear: Callable[..., keras.KerasTensor] = _dense,
    normalize: Callable[..., keras.KerasTensor] = normalize,
    act: Activation = "leaky",
) -> keras.KerasTensor:
    for i, width in enumerate(widths):
        x = linear(x, width, f"dense_{i}")
        x = normalize(x, norm if i else first_norm, f"norm_{i}", "zero_bias")
        x = activate(x, act, f"act_{i}")
    return x


def _widths(dim: int, mults: tuple[int, ...]) -> list[int]:
    if dim < 1 or not mults or min(mults) < 1:
        raise UsageError(f"dim and mults must be at least 1, got dim={dim} and mults={mults}.")
    return [dim * mult for mult in mults]
