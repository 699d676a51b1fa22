"""This is the residual pair of WGAN-GP's CIFAR-10 experiments, as its code has it.

The experiments are those of Gulrajani et al. (2017, appendix F).

All layers have one width. Images of 4 * 2^k pixels a side are drawn by k residual blocks that
double; the critic halves them to 8 pixels, where two more blocks follow.
"""

import functools
from collections.abc import Callable
from typing import Literal

import keras

from tfwgan.errors import UsageError
from tfwgan.networks.blocks import Init, Norm, activate, conv, dense, doublings, normalize
from tfwgan.networks.conditional import Condition, CriticCond, GeneratorCond
from tfwgan.networks.spectral import SpectralNorm


def resnet_generator(
    z_dim: int,
    image_shape: tuple[int, ...],
    nf: int = 128,
    norm: Norm = "batch",
    init: Init = "he",
    cond: GeneratorCond = "none",
    n_classes: int | None = None,
) -> keras.Model:
    """Maps `z [b, z_dim]` to images `[b, size, size, channels]` in [-1, 1]; a tanh comes last.

    Args:
        z_dim: Latent size.
        image_shape: `(size, size, channels)`.
        nf: Width of every layer.
        norm: Normalisation in front of every ReLU.
        init: Initialisation.
        cond: How it uses labels.
        n_classes: Number of labels, None if there are none.

    Raises:
        UsageError: If it can't draw such images.
    """
    k = _blocks(image_shape, nf)
    condition, z = Condition(cond, n_classes), keras.Input([z_dim], name="z")
    normed = functools.partial(condition.normalize, norm=norm, init=init)
    convolution = functools.partial(conv, stride=1, padding="same", init=init)
    x = dense(condition.join(z), 16 * nf, "stem", init)
    x = keras.layers.Reshape([4, 4, nf], name="stem_reshape")(x)
    for i in range(k):
        x = _block(x, nf, f"up_{i}", convolution, normed, resize="up")
    x = activate(normed(x, name="norm"), "relu", "act")
    x = convolution(x, image_shape[-1], 3, name="to_image")
    x = keras.layers.Activation("tanh", name="tanh")(x)
    return keras.Model(condition.inputs(z=z), x, name="generator")


def resnet_critic(
    image_shape: tuple[int, ...],
    nf: int = 128,
    norm: Norm = "none",
    init: Init = "he",
    pool: Literal["mean", "sum"] = "mean",
    sn: bool = False,
    sn_norm: SpectralNorm = "kernel",
    cond: CriticCond = "none",
    n_classes: int | None = None,
) -> keras.Model:
    """Maps images `[b, size, size, channels]` to scores `[b]`.

    With cond=ac it returns a dict of the scores and of labels.

    Args:
        image_shape: `(size, size, channels)`.
        nf: Width of every layer.
        norm: Normalisation in front of every ReLU but those of the first block and the last one.
        init: Initialisation.
        pool: What the last layer reads: each channel's mean (WGAN-GP's), or its sum (Miyato and
            Koyama's).
        sn: Spectral normalisation of every layer.
        sn_norm: Its norm.
        cond: How it uses labels.
        n_classes: Number of labels, None if there are none.

    Raises:
        UsageError: If it can't read such images.
    """
    k = _blocks(image_shape, nf)
    condition, image = Condition(cond, n_classes), keras.Input(image_shape, name="image")
    normed = functools.partial(normalize, norm=norm, init=init)
    convolution = functools.partial(
        conv, stride=1, padding="same", init=init, sn=sn, sn_norm=sn_norm
    )
    x = _first_block(condition.join(image), nf, "first", convolution)
    for i in range(k - 2):
        x = _block(x, nf, f"down_{i}", convolution, normed, resize="down")
    for i in range(2):
        x = _block(x, nf, f"plain_{i}", convolution, normed)
    x = activate(x, "relu", "act")
    x = (keras.ops.mean if pool == "mean" else keras.ops.sum)(x, axis=(1, 2))
    linear = functools.partial(dense, init=init, sn=sn, sn_norm=sn_norm)
    scores = condition.scores(functools.partial(linear, x), x, linear)
    return keras.Model(condition.inputs(image=image), scores, name="critic")


def _block(
    x: keras.KerasTensor,
    nf: int,
    name: str,
    convolution: Callable[..., keras.KerasTensor],
    normed: Callable[..., keras.KerasTensor],
    resize: Literal["up", "down"] | None = None,
) -> keras.KerasTensor:
    """Adds to maps `[b, h, w, nf]`, perhaps resized, two 3x3 convolutions of them.

    The convolutions stand behind normalisations and ReLUs.

    A block that resizes has a 1x1 convolution beside it, at the smaller size: it commutes with
    doubling and with means.
    """
    y = activate(normed(x, name=f"{name}_norm_0"), "relu", f"{name}_act_0")
    y = _up(y, f"{name}_up") if resize == "up" else y
    y = convolution(y, nf, 3, name=f"{name}_conv_0")
    y = activate(normed(y, name=f"{name}_norm_1"), "relu", f"{name}_act_1")
    y = convolution(y, nf, 3, name=f"{name}_conv_1")
    if resize == "up":
        x = _up(convolution(x, nf, 1, name=f"{name}_beside"), f"{name}_beside_up")
    if resize == "down":
        y = _down(y, f"{name}_down")
        x = convolution(_down(x, f"{name}_beside_down"), nf, 1, name=f"{name}_beside")
    return keras.layers.Add(name=f"{name}_add")([x, y])


def _first_block(
    x: keras.KerasTensor, nf: int, name: str, convolution: Callable[..., keras.KerasTensor]
) -> keras.KerasTensor:
    """Maps images to half their size (OptimizedResBlockDisc1).

    There is no normalisation, and no ReLU in front of the image.
    """
    y = convolution(x, nf, 3, name=f"{name}_conv_0")
    y = convolution(activate(y, "relu", f"{name}_act"), nf, 3, name=f"{name}_conv_1")
    x = convolution(_down(x, f"{name}_beside_down"), nf, 1, name=f"{name}_beside")
    return keras.layers.Add(name=f"{name}_add")([x, _down(y, f"{name}_down")])


def _up(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.UpSampling2D(name=name)(x)


def _down(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.AveragePooling2D(2, name=name)(x)


def _blocks(image_shape: tuple[int, ...], nf: int) -> int:
    """How many blocks lead from 4 pixels to the image."""
    if nf < 1:
        raise UsageError(f"nf must be at least 1, got {nf}.")
    return doublings(image_shape)
