"""This is the convolutional pair of GANs-Implementations for CIFAR-10.

It may be conditional, and may have the heads of InfoGAN.

It is like DCGAN, with a unit of width that counts from the wide end, biases everywhere, and images
of 4 * 2^k pixels a side.
"""

import functools

import keras

from tfwgan.errors import UsageError
from tfwgan.networks.blocks import (
    Init,
    Norm,
    activate,
    conv,
    conv_transpose,
    dense,
    doublings,
    normalize,
)
from tfwgan.networks.conditional import Condition, CriticCond, GeneratorCond
from tfwgan.networks.spectral import SpectralNorm


def simple_cnn_generator(
    z_dim: int,
    image_shape: tuple[int, ...],
    dim: int = 256,
    mults: tuple[int, ...] | None = None,
    norm: Norm = "batch",
    init: Init = "normal",
    cond: GeneratorCond = "none",
    n_classes: int | None = None,
) -> keras.Model:
    """Maps `z [b, z_dim]` to images `[b, size, size, channels]` in [-1, 1]; a tanh comes last.

    Args:
        z_dim: Latent size.
        image_shape: `(size, size, channels)`.
        dim: Unit of width.
        mults: Width of each hidden layer, from 4 pixels on, in units of `dim`; by default halving
            to 1.
        norm: Normalisation of every hidden layer.
        init: Initialisation.
        cond: How it uses labels.
        n_classes: Number of labels, None if there are none.

    Raises:
        UsageError: If it can't draw such images.
    """
    first, *widths = _widths(image_shape, dim, mults)[:: -1 if mults is None else 1]
    condition, z = Condition(cond, n_classes), keras.Input([z_dim], name="z")
    x = condition.join(z)
    x = keras.layers.Reshape([1, 1, x.shape[-1]], name="z_reshape")(x)
    x = conv_transpose(x, first, 4, 1, "valid", "stem", init)
    for i, width in enumerate([*widths, image_shape[-1]]):
        x = activate(condition.normalize(x, norm, f"norm_{i}", init), "relu", f"act_{i}")
        x = conv_transpose(x, width, 4, 2, "same", f"up_{i}", init)
    x = keras.layers.Activation("tanh", name="tanh")(x)
    return keras.Model(condition.inputs(z=z), x, name="generator")


def simple_cnn_critic(
    image_shape: tuple[int, ...],
    dim: int = 256,
    mults: tuple[int, ...] | None = None,
    norm: Norm = "batch",
    init: Init = "normal",
    sn: bool = False,
    sn_norm: SpectralNorm = "kernel",
    categories: int = 0,
    codes: int = 0,
    cond: CriticCond = "none",
    n_classes: int | None = None,
) -> keras.Model:
    """Maps images `[b, size, size, channels]` to scores `[b]`.

    With other heads it returns a dict of the scores and of what those heads give.

    Args:
        image_shape: `(size, size, channels)`.
        dim: Unit of width.
        mults: Width of each layer, down to 4 pixels, in units of `dim`; by default doubling from 1.
        norm: Normalisation of every hidden layer but the first.
        init: Initialisation.
        sn: Spectral normalisation of every layer.
        sn_norm: Its norm.
        categories: Size of InfoGAN's categorical code; more than 0 adds its logits, `category [b,
            categories]`.
        codes: Number of InfoGAN's continuous codes; more than 0 adds their means, `code [b,
            codes]`.
        cond: How it uses labels; with ac there are also logits `label [b, n_classes]`.
        n_classes: Number of labels, None if there are none.

    Raises:
        UsageError: If it can't read such images.
    """
    if min(categories, codes) < 0:
        raise UsageError(f"categories and codes must be at least 0, got {categories} and {codes}.")
    widths = _widths(image_shape, dim, mults)
    condition, image = Condition(cond, n_classes), keras.Input(image_shape, name="image")
    convolution = functools.partial(conv, init=init, sn=sn, sn_norm=sn_norm)
    x = condition.join(image)
    for i, width in enumerate(widths):
        x = convolution(x, width, 4, 2, "same", f"down_{i}")
        x = activate(normalize(x, norm if i else "none", f"norm_{i}", init), "leaky", f"act_{i}")

    def head(units: int, name: str) -> keras.KerasTensor:
        return keras.layers.Flatten(name=f"{name}_flat")(convolution(x, units, 4, 1, "valid", name))

    linear = functools.partial(dense, init=init, sn=sn, sn_norm=sn_norm)
    scores = condition.scores(
        head, keras.ops.sum(x, axis=(1, 2)), linear, category=categories, code=codes
    )
    return keras.Model(condition.inputs(image=image), scores, name="critic")


def _widths(image_shape: tuple[int, ...], dim: int, mults: tuple[int, ...] | None) -> list[int]:
    """Width of each of the k layers that halve or double; as given, or doubling from `dim` on."""
    k = doublings(image_shape)
    mults = tuple(1 << i for i in range(k)) if mults is None else mults
    if len(mults) != k:
        raise UsageError(f"images of {image_shape[0]} pixels a side take {k} mults, got {mults}.")
    if min(dim, *mults) < 1:
        raise UsageError(f"dim and mults must be at least 1, got dim={dim} and mults={mults}.")
    return [dim * mult for mult in mults]
