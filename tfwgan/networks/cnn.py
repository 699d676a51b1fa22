"""This is the patch critic of Elnekave and Weiss (2025).

Unpadded strided convolutions are followed by one score, by averaging or by position.
"""

import functools

import keras

from tfwgan.errors import UsageError
from tfwgan.networks.blocks import Norm, activate, conv, dense, normalize
from tfwgan.networks.lipschitz import (
    OrthonormalConv2D,
    certified_dense,
    certified_mean,
    check_certified,
)
from tfwgan.networks.spectral import SpectralNorm


def cnn_critic(
    image_shape: tuple[int, ...],
    GAP: bool = True,  # noqa: N803 - the name its users know
    nf: int = 64,
    depth: int = 3,
    k: int = 3,
    pad: int = 0,
    norm: Norm = "none",
    sn: bool = False,
    sn_norm: SpectralNorm = "kernel",
    lipschitz: bool = False,
) -> keras.Model:
    """From images `[b, size, size, channels]` to scores `[b]`.

    With `GAP` the last feature map is averaged over all places, so that the score depends on
    patches and not on where they lie; without, a dense layer on the whole map sees their places.
    Neither head has a bias.

    Args:
        image_shape: `(height, width, channels)`.
        GAP: Global average pooling instead of the flattened feature map.
        nf: Width of the first layer; each next one is twice as wide.
        depth: Number of convolutions of stride 2.
        k: Side of the kernels.
        pad: Rows and columns of zeros around every input.
        norm: Normalisation from the second layer on.
        sn: Spectral normalisation of every layer.
        sn_norm: Its norm.
        lipschitz: Orthonormal layers and GroupSort, which make it 1-Lipschitz; least is lost with
            k=2.

    Raises:
        UsageError: If the image shrinks to nothing, or the options don't go together.
    """
    _check(image_shape, nf, depth, k, pad)
    if lipschitz:
        check_certified(norm, sn)
    plain = functools.partial(conv, use_bias=norm == "none", sn=sn, sn_norm=sn_norm)
    image = keras.Input(image_shape, name="image")
    x = image
    for i in range(depth):
        x = keras.layers.ZeroPadding2D(pad, name=f"pad_{i}")(x) if pad else x
        if min(x.shape[1:3]) < k:
            raise UsageError(
                f"{depth} layers of stride 2 are too many for {image_shape[0]}x{image_shape[1]} "
                "pixels."
            )
        if lipschitz:
            x = OrthonormalConv2D(nf << i, k, strides=2, name=f"conv_{i}")(x)
        else:
            x = plain(x, nf << i, k, 2, "valid", f"conv_{i}")
        x = normalize(x, norm if i else "none", f"norm_{i}")
        x = activate(x, "sort" if lipschitz else "relu", f"act_{i}")
    if not GAP:
        x = keras.layers.Flatten(name="flatten")(x)
    elif lipschitz:
        x = certified_mean(x, "pool")
    else:
        x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    linear = certified_dense if lipschitz else functools.partial(dense, sn=sn, sn_norm=sn_norm)
    x = linear(x, 1, "head", use_bias=False)
    return keras.Model({"image": image}, keras.layers.Reshape((), name="score")(x), name="critic")


def _check(image_shape: tuple[int, ...], nf: int, depth: int, k: int, pad: int) -> None:
    if min(nf, depth, k) < 1 or pad < 0:
        raise UsageError(
            f"nf, depth and k must be at least 1, pad at least 0, got {nf}, {depth}, {k} and {pad}."
        )
    if len(image_shape) != 3:
        raise UsageError(
            f"it reads images, not data of shape {image_shape}; MLP and FC take any shape."
        )


def receptive_field(depth: int = 3, k: int = 3) -> int:
    """Side in pixels of the patch that one place of the last feature map sees."""
    field = 1
    for _ in range(depth):
        field = 2 * (field - 1) + k
    return field
