"""EigenGAN (He, Kan and Shan, 2021) is a generator that finds the main directions of variation.

It finds them layer by layer.

A picture grows from 4 pixels to its size in layers that each double it. Into every layer a linear
subspace of its feature maps is injected, whose few coordinates are codes of the latent vector; a
penalty keeps its basis orthonormal. So early layers come to hold what a picture shows, late ones
its colours, and moving one code moves one property.

All transposed convolutions of stride 1 in the original are written as the plain ones that they are.
"""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

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

_BASE = 4
_MAX_MULT = 32


def eigengan_generator(
    z_dim: int,
    image_shape: tuple[int, ...],
    n_basis: int = 6,
    dim: int = 16,
    mults: tuple[int, ...] | None = None,
    norm: Norm = "none",
    ortho: float = 1.0,
    init: Init = "normal",
) -> keras.Model:
    """Maps `z [b, z_dim]` to images `[b, size, size, channels]` in [-1, 1]; a tanh comes last.

    The first n_layers * n_basis coordinates of z are the codes, layer by layer from the coarsest,
    see `subspaces`; the other ones are noise from which the 4x4 feature map is made. The model's
    `losses` are the penalties that keep the bases orthonormal, one for each layer.

    Args:
        z_dim: Latent size, 6 * 6 + 512 in the original, of 256 pixels.
        image_shape: `(size, size, channels)`, size 4 * 2^n_layers.
        n_basis: Codes of each layer.
        dim: Unit of width.
        mults: Width of each layer's output, in units of `dim`; by default halving down to 1, from
            32 at most.
        norm: Normalisation in front of every activation but the last.
        ortho: Weight of the penalties, at least 0.
        init: Initialisation. With the original's all outputs are near 0 at first; ``he`` keeps
            their scale.

    Raises:
        UsageError: If it can't draw such images, or z has too few coordinates.
    """
    n_layers = doublings(image_shape)
    widths = _widths(dim, mults, [min(_MAX_MULT, 2**i) for i in reversed(range(n_layers))])
    if n_basis < 1 or ortho < 0:
        raise UsageError(
            f"n_basis must be at least 1 and ortho at least 0, got {n_basis} and {ortho}."
        )
    n_codes = n_layers * n_basis
    if z_dim <= n_codes:
        raise UsageError(
            f"{n_layers} layers of {n_basis} codes and some noise need more than {z_dim} "
            "coordinates; "
            f"use `z_dim={n_codes + 1}` or more."
        )
    z = keras.Input([z_dim], name="z")
    x = dense(z[:, n_codes:], _BASE**2 * widths[0], "stem", init)
    x = keras.layers.Reshape([_BASE, _BASE, widths[0]], name="stem_reshape")(x)
    for i, width in enumerate(widths):
        h = SubspaceLayer(i * n_basis, n_basis, x.shape[1:], ortho, name=f"subspace_{i}")(z)
        x = keras.layers.Add(name=f"add_{i}")(
            [x, conv(h, x.shape[-1], 1, 1, "same", f"h_{i}", init)]
        )
        x = activate(normalize(x, norm, f"norm_{i}", init), "leaky", f"act_{i}")
        x, h = _double(x, width, f"up_{i}", init), _double(h, width, f"h_{i}_up", init)
        x = keras.layers.Add(name=f"add_{i}_up")([x, h])
        x = activate(normalize(x, norm, f"norm_{i}_up", init), "leaky", f"act_{i}_up")
        x = conv(x, width, 3, 1, "same", f"conv_{i}", init)
    x = conv(activate(x, "leaky", "act"), image_shape[2], 7, 1, "same", "to_image", init)
    return keras.Model({"z": z}, keras.layers.Activation("tanh", name="tanh")(x), name="generator")


def eigengan_critic(
    image_shape: tuple[int, ...],
    dim: int = 16,
    mults: tuple[int, ...] | None = None,
    norm: Norm = "none",
    init: Init = "normal",
) -> keras.Model:
    """From images `[b, size, size, channels]` to scores `[b]`.

    Args:
        image_shape: `(size, size, channels)`, size 4 * 2^n_layers.
        dim: Width of the first layer, the unit of all.
        mults: Width of each halving layer, in units of `dim`; by default doubling, up to the
            generator's widest.
        norm: Normalisation of all feature maps from the second layer to the last halving.
        init: Initialisation. With the original's all outputs are near 0 at first; ``he`` keeps
            their scale.

    Raises:
        UsageError: If it can't read such images.
    """
    n_layers = doublings(image_shape)
    widest = min(_MAX_MULT, 2 ** (n_layers - 1))
    widths = _widths(dim, mults, [min(widest, 2**i) for i in range(1, n_layers + 1)])
    image = keras.Input(image_shape, name="image")
    x = conv(image, dim, 7, 1, "same", "stem", init)
    for i, width in enumerate(widths):
        x = activate(normalize(x, norm if i else "none", f"norm_{i}", init), "leaky", f"act_{i}")
        x = conv(x, x.shape[-1], 3, 1, "same", f"conv_{i}", init)
        x = activate(normalize(x, norm, f"norm_{i}_down", init), "leaky", f"act_{i}_down")
        x = _halve(x, width, f"down_{i}", init)
    x = conv(activate(x, "leaky", "act"), x.shape[-1], 3, 1, "same", "conv", init)
    x = keras.layers.Flatten(name="flatten")(activate(x, "leaky", "act_conv"))
    x = activate(dense(x, widths[-1], "hidden", init), "leaky", "act_hidden")
    x = dense(x, 1, "head", init)
    return keras.Model({"image": image}, keras.layers.Reshape((), name="score")(x), name="critic")


def subspaces(generator: keras.Model) -> list[range]:
    """Returns which coordinates of z are the codes of each layer, from the coarsest.

    The result is empty for other generators.
    """
    layers = [layer for layer in generator.layers if isinstance(layer, SubspaceLayer)]
    return sorted((range(layer.first, layer.first + layer.n_basis) for layer in layers), key=min)


@keras.saving.register_keras_serializable("tfwgan")
class SubspaceLayer(keras.layers.Layer):
    """Features that codes stand for: h = (code * L) U + mu (the paper's subspace model).

    The rows of the basis U `[n_basis, features]` are orthonormal at first, the importances L are 1
    and the origin mu is 0. So h starts out as long as the code.

    Args:
        first: Index of the layer's first code in z.
        n_basis: Number of codes.
        feature_shape: Shape of h, one sample's.
        ortho: Weight of the penalty that keeps U orthonormal.
        name: Name of the layer.

    Raises:
        UsageError: If h has fewer dimensions than the subspace.
    """

    def __init__(
        self,
        first: int,
        n_basis: int,
        feature_shape: tuple[int, ...],
        ortho: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.first, self.n_basis, self.feature_shape, self.ortho = (
            first,
            n_basis,
            tuple(feature_shape),
            ortho,
        )
        n_features = math.prod(self.feature_shape)
        if n_basis > n_features:
            raise UsageError(
                f"{n_basis} directions can't be orthogonal in {n_features} dimensions; lower "
                "n_basis."
            )
        self.basis = self.add_weight(
            (n_basis, n_features),
            keras.initializers.Orthogonal(),
            regularizer=Orthonormality(ortho),
            name="basis",
        )
        self.importance = self.add_weight((n_basis,), "ones", name="importance")
        self.origin = self.add_weight((n_features,), "zeros", name="origin")
        self.built = True

    def get_config(self) -> dict:
        """The constructor's arguments."""
        own = {
            "first": self.first,
            "n_basis": self.n_basis,
            "feature_shape": self.feature_shape,
            "ortho": self.ortho,
        }
        return {"name": self.name, **own}

    def call(self, z: tf.Tensor) -> tf.Tensor:
        """Features `[b, *feature_shape]` of latents `[b, z_dim]`."""
        code = z[:, self.first : self.first + self.n_basis]
        h = tf.matmul(code * self.importance, self.basis) + self.origin
        return tf.reshape(h, [-1, *self.feature_shape])


@keras.saving.register_keras_serializable("tfwgan")
class Orthonormality(keras.regularizers.Regularizer):
    """The paper's regularisation is the mean squared entry of U U^T - I, times a weight.

    It is 0 for orthonormal rows only.
    """

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight

    def __call__(self, rows: tf.Tensor) -> tf.Tensor:
        """The penalty of a matrix `[n, d]`, a scalar that is at least 0."""
        gram = tf.matmul(rows, rows, transpose_b=True)
        return self.weight * tf.reduce_mean(tf.square(gram - tf.eye(rows.shape[0])))

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {"weight": self.weight}


def _double(x: keras.KerasTensor, filters: int, name: str, init: Init) -> keras.KerasTensor:
    """Applies a 3x3 transposed convolution of stride 2.

    It centres each output pair as PyTorch's padding 1 + 1 does.

    The first of the unpadded result's 2 s + 1 rows goes; ``same`` padding would drop the last, a
    shift by one pixel.
    """
    x = conv_transpose(x, filters, 3, 2, "valid", name, init)
    return keras.layers.Cropping2D(((1, 0), (1, 0)), name=f"{name}_crop")(x)


def _halve(x: keras.KerasTensor, filters: int, name: str, init: Init) -> keras.KerasTensor:
    """Applies a 3x3 convolution of stride 2 with a zero on all sides.

    The padding ``same`` would pad the lower right sides only.
    """
    return conv(
        keras.layers.ZeroPadding2D(1, name=f"{name}_pad")(x), filters, 3, 2, "valid", name, init
    )


def _widths(dim: int, mults: Sequence[int] | None, default: Sequence[int]) -> list[int]:
    mults = default if mults is None else mults
    if dim < 1 or not mults or min(mults) < 1:
        raise UsageError(f"dim and mults must be at least 1, got dim={dim} and mults={mults}.")
    if len(mults) != len(default):
        raise UsageError(
            f"images of this size take {len(default)} mults, such as {tuple(default)}, got {mults}."
        )
    return [dim * mult for mult in mults]
