"""Layers that stretch no distance make critics 1-Lipschitz by construction, without a penalty.

A dense layer has an orthonormal matrix, which shortens no more than it must. Between them GroupSort
(Anil et al., 2019) sorts where ReLUs would cut off, so that gradients keep their length; with
ReLUs, only linear networks keep it. The Wasserstein distance that such a critic reads off never
exceeds the true one, but for rounding, however short its training.

The orthonormal matrices are Cayley transforms (Trockman and Kolter, 2021): exact for every raw
kernel, where iterations (Björck's, or spectral normalisation's) are only as orthonormal as they
have converged.
"""

import math
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from tfwgan.errors import UsageError

# A configuration is what Keras loads a layer from.
Initial: TypeAlias = str | dict[str, Any] | keras.initializers.Initializer


def orthonormal(kernel: tf.Tensor) -> tf.Tensor:
    """Makes a matrix `[n, m]` with orthonormal columns, or orthonormal rows if n < m.

    It is a smooth function of a raw matrix.

    With the raw kernel split into a square U and the rows V below it, A = U - U^T + V^T V, and the
    result is (I - A) (I + A)^-1 on top of -2 V (I + A)^-1. No singular value of I + A is below 1:
    that is always well posed.
    """
    n, m = kernel.shape
    if n < m:
        return tf.transpose(orthonormal(tf.transpose(kernel)))
    top, below = kernel[:m], kernel[m:]
    eye = tf.eye(m, dtype=kernel.dtype)
    a = top - tf.transpose(top) + tf.matmul(below, below, transpose_a=True)
    # From the right, X (I + A)^-1 is the transposed solution for (I + A)^T; I - A and (I + A)^-1
    # commute.
    numerator = tf.concat([eye - a, -2.0 * below], axis=0)
    matrix = tf.transpose(tf.linalg.solve(eye + a, tf.transpose(numerator), adjoint=True))
    # Large kernels leave errors of rounding, which a step of Björck's iteration squares.
    return 1.5 * matrix - 0.5 * tf.matmul(matrix, tf.matmul(matrix, matrix, transpose_a=True))


@keras.saving.register_keras_serializable("tfwgan")
class OrthonormalDense(keras.layers.Dense):
    """`keras.layers.Dense` on vectors with an orthonormal kernel."""

    def __init__(
        self, units: int, kernel_initializer: Initial = "orthogonal", **kwargs: Any
    ) -> None:
        super().__init__(units, kernel_initializer=kernel_initializer, **kwargs)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Vectors `[b, n]` to `[b, units]`."""
        outputs = tf.matmul(inputs, orthonormal(tf.convert_to_tensor(self.kernel)))
        return outputs if self.bias is None else outputs + self.bias


@keras.saving.register_keras_serializable("tfwgan")
class OrthonormalConv2D(keras.layers.Conv2D):
    """This is an unpadded `keras.layers.Conv2D` whose kernel is orthonormal.

    The kernel is orthonormal as a matrix from patches to channels.

    A pixel lies in at most ceil(k / stride)^2 patches, so all patches of an image together are at
    most ceil(k / stride) times as long as the image, and the kernel is divided by that. Some
    kernels, which pick out the corners of their patches, need it; others could do with less, but
    how much less the power iteration would tell only from below, which certifies nothing. For k =
    stride patches don't overlap and nothing is lost.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        kernel_initializer: Initial = "orthogonal",
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, kernel_size, kernel_initializer=kernel_initializer, **kwargs)

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """The convolution with the kernel made orthonormal."""
        kernel = tf.convert_to_tensor(kernel)
        matrix = orthonormal(tf.reshape(kernel, [-1, self.filters]))
        patches = math.prod(
            math.ceil(k / s) for k, s in zip(self.kernel_size, self.strides, strict=True)
        )
        return super().convolution_op(inputs, tf.reshape(matrix, kernel.shape) / patches**0.5)


@keras.saving.register_keras_serializable("tfwgan")
class GroupSort(keras.layers.Layer):
    """Sorts pairs of features (MaxMin; Anil et al., 2019).

    The maxima come first, then the minima; an odd last feature stays.
    """

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """A permutation of each place's features `[..., n]`."""
        n = x.shape[-1]
        a, b, rest = tf.split(x, [n // 2, n // 2, n % 2], axis=-1)
        return tf.concat([tf.maximum(a, b), tf.minimum(a, b), rest], axis=-1)


def certified_dense(
    x: keras.KerasTensor, units: int, name: str, use_bias: bool = True
) -> keras.KerasTensor:
    """Fully connected layer that stretches nothing."""
    return OrthonormalDense(units, use_bias=use_bias, name=name)(x)


def certified_mean(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Takes the mean of maps `[b, h, w, c]` over their places, times sqrt(h w).

    This factor is as much as is still 1-Lipschitz.
    """
    mean = keras.layers.GlobalAveragePooling2D(name=name)(x)
    return keras.layers.Rescaling(math.prod(x.shape[1:3]) ** 0.5, name=f"{name}_scale")(mean)


def check_certified(norm: str, sn: bool, cond: str = "none") -> None:
    """Refuses what would break the certificate, or do its work a second time.

    Raises:
        UsageError: If there is any.
    """
    if norm != "none" or sn or cond == "projection":
        raise UsageError(
            "lipschitz=True brings its own layers; it needs norm=none, sn=False and no "
            "cond=projection."
        )
