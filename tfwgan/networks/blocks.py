"""This module holds the layers that networks are made of.

They have the initialisations and constants of the systems they come from.

Three initialisations are known. ``torch`` draws weights and biases from U(-1/sqrt(fan_in),
1/sqrt(fan_in)), PyTorch's default and so that of most published WGAN code; ``zero_bias`` is the
same with biases 0. ``normal`` is DCGAN's: weights N(0, 0.02) cut at two standard deviations, biases
0. Both draw batch-norm scales from N(1, 0.02). ``he`` is WGAN-GP's for residual networks: weights
uniform of variance 4 / (fan_in + fan_out), biases 0.
"""

import functools
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import keras

from tfwgan.errors import UsageError
from tfwgan.networks.lipschitz import GroupSort
from tfwgan.networks.rectifiers import LeakyReLU, ReLU
from tfwgan.networks.spectral import (
    SpectralConv2D,
    SpectralConv2DTranspose,
    SpectralDense,
    SpectralNorm,
)

Init = Literal["torch", "normal", "zero_bias", "he"]
Norm = Literal["none", "batch", "instance", "layer"]
Activation = Literal["relu", "leaky", "sort"]

LayerMaker: TypeAlias = Callable[..., keras.layers.Layer]

_EPSILON = 1e-5


def dense(
    x: keras.KerasTensor,
    units: int,
    name: str,
    init: Init = "torch",
    use_bias: bool = True,
    *,
    sn: bool = False,
    sn_norm: SpectralNorm = "kernel",
) -> keras.KerasTensor:
    """Fully connected layer; with `sn` it is spectrally normalised."""
    layer = _kind(keras.layers.Dense, SpectralDense, sn, sn_norm)(
        units,
        use_bias=use_bias,
        kernel_initializer=_kernel(init),
        bias_initializer=_bias(init, x.shape[-1]),
        name=name,
    )
    return layer(x)


def conv(
    x: keras.KerasTensor,
    filters: int,
    kernel: int,
    stride: int,
    padding: str,
    name: str,
    init: Init = "torch",
    use_bias: bool = True,
    *,
    sn: bool = False,
    sn_norm: SpectralNorm = "kernel",
) -> keras.KerasTensor:
    """Convolution; ``same`` padding is symmetric for even sizes when kernel - stride is even."""
    kind = _kind(keras.layers.Conv2D, SpectralConv2D, sn, sn_norm)
    fan_in = x.shape[-1] * kernel**2
    return _convolution(kind, fan_in, filters, kernel, stride, padding, name, init, use_bias)(x)


def conv_transpose(
    x: keras.KerasTensor,
    filters: int,
    kernel: int,
    stride: int,
    padding: str,
    name: str,
    init: Init = "torch",
    use_bias: bool = True,
    *,
    sn: bool = False,
    sn_norm: SpectralNorm = "kernel",
) -> keras.KerasTensor:
    """Applies a transposed convolution.

    PyTorch counts its fan-in as filters * kernel^2, and so does Keras' scaling.
    """
    kind = _kind(keras.layers.Conv2DTranspose, SpectralConv2DTranspose, sn, sn_norm)
    fan_in = filters * kernel**2
    return _convolution(kind, fan_in, filters, kernel, stride, padding, name, init, use_bias)(x)


def normalize(
    x: keras.KerasTensor, norm: Norm, name: str, init: Init = "torch"
) -> keras.KerasTensor:
    """Batch, instance or layer normalisation, or none.

    Instance normalisation has no weights, as in the seed systems; on vectors it standardises each
    one.
    """
    if norm == "none":
        return x
    if norm == "batch":
        gamma = "ones" if init in ("torch", "he") else keras.initializers.RandomNormal(1.0, 0.02)
        layer = batch_norm(name, gamma_initializer=gamma)
    elif len(x.shape) == 2:
        affine = norm == "layer"
        layer = keras.layers.LayerNormalization(
            epsilon=_EPSILON, center=affine, scale=affine, name=name
        )
    else:
        affine = norm == "layer"
        groups = 1 if affine else -1
        layer = keras.layers.GroupNormalization(
            groups, epsilon=_EPSILON, center=affine, scale=affine, name=name
        )
    return layer(x)


def batch_norm(name: str, **options: Any) -> keras.layers.Layer:
    """Normalises by the statistics of the global batch, also under a distribution strategy."""
    return keras.layers.BatchNormalization(
        momentum=0.9, epsilon=_EPSILON, synchronized=True, name=name, **options
    )


def activate(x: keras.KerasTensor, activation: Activation, name: str) -> keras.KerasTensor:
    """ReLU, leaky ReLU of slope 0.2, or GroupSort."""
    kinds: dict[str, LayerMaker] = {
        "relu": ReLU,
        "leaky": functools.partial(LeakyReLU, 0.2),
        "sort": GroupSort,
    }
    return kinds[activation](name=name)(x)


def doublings(image_shape: tuple[int, ...]) -> int:
    """The k of square images of 4 * 2^k pixels a side, k at least 1.

    Raises:
        UsageError: If the images are not of that kind.
    """
    if len(image_shape) != 3 or image_shape[0] != image_shape[1]:
        raise UsageError(
            f"it works on square images, not on data of shape {image_shape}; MLP and FC take any "
            "shape."
        )
    fits = [4 << k for k in range(1, 9)]
    near = min(fits, key=lambda fit: abs(fit - image_shape[0]))
    if near != image_shape[0]:
        raise UsageError(f"it can't double 4 pixels to {image_shape[0]}; try `image_size={near}`.")
    return fits.index(near) + 1


def _kind(plain: type, spectral: type, sn: bool, sn_norm: SpectralNorm) -> LayerMaker:
    return functools.partial(spectral, sn_norm=sn_norm) if sn else plain


def _convolution(
    kind: LayerMaker,
    fan_in: int,
    filters: int,
    kernel: int,
    stride: int,
    padding: str,
    name: str,
    init: Init,
    use_bias: bool,
) -> keras.layers.Layer:
    return kind(
        filters,
        kernel,
        strides=stride,
        padding=padding,
        use_bias=use_bias,
        kernel_initializer=_kernel(init),
        bias_initializer=_bias(init, fan_in),
        name=name,
    )


def _kernel(init: Init) -> keras.initializers.Initializer:
    if init == "normal":
        return keras.initializers.TruncatedNormal(0.0, 0.02)
    if init == "he":
        return keras.initializers.VarianceScaling(2.0, "fan_avg", "uniform")
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def _bias(init: Init, fan_in: int) -> keras.initializers.Initializer | str:
    if init != "torch":
        return "zeros"
    return keras.initializers.RandomUniform(-(fan_in**-0.5), fan_in**-0.5)
