"""Fully connected networks work on images of any shape.

The critic, the FC of Elnekave and Weiss (2025), sees an image all at once.
"""

import functools
import math

import keras

from tfwgan.errors import UsageError
from tfwgan.networks.blocks import Norm, activate, dense, normalize
from tfwgan.networks.conditional import Condition, CriticCond, GeneratorCond
from tfwgan.networks.lipschitz import certified_dense, check_certified
from tfwgan.networks.spectral import SpectralNorm


def fc_generator(
    z_dim: int,
    image_shape: tuple[int, ...],
    nf: int = 128,
    depth: int = 2,
    norm: Norm = "none",
    cond: GeneratorCond = "none",
    n_classes: int | None = None,
) -> keras.Model:
    """`depth` dense layers from `z [b, z_dim]` to images `[b, *image_shape]` in [-1, 1].

    Args:
        z_dim: Latent size.
        image_shape: Shape of one image or point.
        nf: Width of the hidden layers.
        depth: Number of dense layers, at least 2.
        norm: Normalisation of the hidden layers.
        cond: How it uses labels.
        n_classes: Number of labels, None if there are none.
    """
    _check(nf, depth)
    condition, z = Condition(cond, n_classes), keras.Input([z_dim], name="z")
    x = condition.join(z)
    for i in range(depth - 1):
        x = dense(x, nf, f"dense_{i}")
        x = condition.normalize(x, norm, f"norm_{i}")
        x = activate(x, "leaky", f"act_{i}")
    x = dense(x, math.prod(image_shape), f"dense_{depth - 1}")
    x = keras.layers.Activation("tanh", name="tanh")(x)
    x = keras.layers.Reshape(image_shape, name="image")(x)
    return keras.Model(condition.inputs(z=z), x, name="generator")


def fc_critic(
    image_shape: tuple[int, ...],
    nf: int = 128,
    depth: int = 4,
    norm: Norm = "none",
    sn: bool = False,
    sn_norm: SpectralNorm = "kernel",
    lipschitz: bool = False,
    cond: CriticCond = "none",
    n_classes: int | None = None,
) -> keras.Model:
    """Maps images `[b, *image_shape]` to scores `[b]` by `depth` dense layers.

    The first layer is never normalised.

    Args:
        image_shape: Shape of one image or point.
        nf: Width of the hidden layers.
        depth: Number of dense layers, at least 2.
        norm: Normalisation of the hidden layers after the first.
        sn: Spectral normalisation of every layer.
        sn_norm: Its norm; dense layers have but one.
        lipschitz: Orthonormal layers and GroupSort, which make it 1-Lipschitz.
        cond: How it uses labels.
        n_classes: Number of labels, None if there are none.
    """
    _check(nf, depth)
    if lipschitz:
        check_certified(norm, sn, cond)
    linear = certified_dense if lipschitz else functools.partial(dense, sn=sn, sn_norm=sn_norm)
    condition, image = Condition(cond, n_classes), keras.Input(image_shape, name="image")
    x = condition.join(keras.layers.Flatten(name="flatten")(image))
    for i in range(depth - 1):
        x = linear(x, nf, f"dense_{i}")
        x = normalize(x, norm if i else "none", f"norm_{i}")
        x = activate(x, "sort" if lipschitz else "leaky", f"act_{i}")
    scores = condition.scores(functools.partial(linear, x), x, linear)
    return keras.Model(condition.inputs(image=image), scores, name="critic")


def _check(nf: int, depth: int) -> None:
    if nf < 1 or depth < 2:
        raise UsageError(
            f"nf must be at least 1 and depth at least 2, got nf={nf} and depth={depth}."
        )
