"""The layers that networks are made of, with the initialisations and constants of the systems they come from.

Three initialisations are known. ``torch`` draws weights and biases from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), PyTorch's
default and so that of most published WGAN code; ``zero_bias`` is the same with biases 0. ``normal`` is DCGAN's:
weights N(0, 0.02) cut at two standard deviations, biases 0. The last two draw batch-norm scales from N(1, 0.02).
"""

from typing import Literal

import keras

Init = Literal["torch", "normal", "zero_bias"]
Norm = Literal["none", "batch", "instance", "layer"]
Activation = Literal["relu", "leaky"]

_EPSILON = 1e-5


def dense(x, units: int, name: str, init: Init = "torch", use_bias: bool = True):
    """Fully connected layer."""
    layer = keras.layers.Dense(
        units,
        use_bias=use_bias,
        kernel_initializer=_kernel(init),
        bias_initializer=_bias(init, x.shape[-1]),
        name=name,
    )
    return layer(x)


def conv(x, filters: int, kernel: int, stride: int, padding: str, name: str, init: Init = "torch", use_bias=True):
    """Convolution; ``same`` padding is symmetric for even sizes when kernel - stride is even."""
    fan_in = x.shape[-1] * kernel**2
    return _convolution(keras.layers.Conv2D, fan_in, filters, kernel, stride, padding, name, init, use_bias)(x)


def conv_transpose(
    x, filters: int, kernel: int, stride: int, padding: str, name: str, init: Init = "torch", use_bias=True
):
    """Transposed convolution. PyTorch counts its fan-in as filters * kernel^2, and so does Keras' scaling."""
    fan_in = filters * kernel**2
    return _convolution(keras.layers.Conv2DTranspose, fan_in, filters, kernel, stride, padding, name, init, use_bias)(x)


def normalize(x, norm: Norm, name: str, init: Init = "torch"):
    """Batch, instance or layer normalisation, or none.

    Batch statistics are those of the global batch under a distribution strategy. Instance normalisation has no
    weights, as in the seed systems; on vectors it standardises each one.
    """
    if norm == "none":
        return x
    if norm == "batch":
        gamma = "ones" if init == "torch" else keras.initializers.RandomNormal(1.0, 0.02)
        layer = keras.layers.BatchNormalization(
            momentum=0.9, epsilon=_EPSILON, gamma_initializer=gamma, synchronized=True, name=name
        )
    elif len(x.shape) == 2:
        affine = norm == "layer"
        layer = keras.layers.LayerNormalization(epsilon=_EPSILON, center=affine, scale=affine, name=name)
    else:
        affine = norm == "layer"
        groups = 1 if affine else -1
        layer = keras.layers.GroupNormalization(groups, epsilon=_EPSILON, center=affine, scale=affine, name=name)
    return layer(x)


def activate(x, activation: Activation, name: str):
    """ReLU, or leaky ReLU of slope 0.2."""
    layer = keras.layers.ReLU(name=name) if activation == "relu" else keras.layers.LeakyReLU(0.2, name=name)
    return layer(x)


def _convolution(kind: type, fan_in: int, filters, kernel, stride, padding, name, init: Init, use_bias: bool):
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


def _kernel(init: Init):
    if init == "normal":
        return keras.initializers.TruncatedNormal(0.0, 0.02)
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def _bias(init: Init, fan_in: int):
    if init != "torch":
        return "zeros"
    return keras.initializers.RandomUniform(-(fan_in**-0.5), fan_in**-0.5)
