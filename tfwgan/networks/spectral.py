"""Spectral normalisation divides linear layers by their largest singular value.

The method is that of Miyato et al. (2018).

A layer keeps its raw kernel W as the trainable weight and computes with W / sigma. With u a unit
vector near the leading left singular vector, sigma = |W^T u|; its gradient for constant u is u v^T,
v = W^T u / |W^T u|, the one that the paper gives, so v need not be stored. Only `refresh` moves u,
by one step of the power iteration, and all calls between two refreshes see the same weights.
(`keras.layers.SpectralNormalization` overwrites the kernel in every training call instead.)

Which matrix W is, `sn_norm` says: ``kernel``, the paper's, has a row for each output channel and a
column for each other entry of the kernel; ``operator`` is the map of whole images that a
convolution is, strides and padding included, whose norm may be several times as large. For a dense
layer the two are one.
"""

from typing import Any, Literal

import keras
import tensorflow as tf

SpectralNorm = Literal["kernel", "operator"]

_WARM_UP = 30


class _Spectral(keras.layers.Layer):
    """This class holds what the layers share.

    It stands in front of a linear Keras layer whose weights are `kernel` and `bias`: what it calls
    super is that layer.

    Args:
        *args: The Keras layer's.
        sn_norm: The norm to divide by.
        **kwargs: The Keras layer's.
    """

    _output_axis = -1  # of the kernel

    def __init__(self, *args: Any, sn_norm: SpectralNorm = "kernel", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sn_norm = sn_norm

    def get_config(self) -> dict[str, Any]:
        """The Keras layer's configuration and `sn_norm`."""
        return {**super().get_config(), "sn_norm": self.sn_norm}

    def save_own_variables(self, store: dict) -> None:
        """Saves all weights, u included; the Keras layer would save its own only."""
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: dict) -> None:
        """Loads all weights, u included."""
        keras.layers.Layer.load_own_variables(self, store)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the weights, and brings u near the singular vector of the initial kernel.

        Raises:
            ValueError: If the operator norm is wanted and the sides of the images are not known.
        """
        super().build(input_shape)
        self._by_kernel = self.sn_norm == "kernel" or len(self.kernel.shape) == 2
        self._in_shape = (1, *input_shape[1:])
        self._out_shape = self.compute_output_shape(self._in_shape)
        if not self._by_kernel and None in input_shape[1:]:
            raise ValueError(
                f"{self.name} can't know its operator norm on images of unknown size "
                f"{input_shape[1:]}."
            )
        self.u = self.add_weight(
            (self.kernel.shape[self._output_axis],) if self._by_kernel else self._out_shape,
            "random_normal",
            trainable=False,
            aggregation="only_first_replica",  # all replicas compute the same
            name="u",
        )
        for _ in range(_WARM_UP):
            self.refresh()

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """The layer's outputs with its kernel divided by sigma."""
        return super().call(
            inputs / self.sigma()
        )  # the same by linearity, and the bias stays whole

    def sigma(self) -> tf.Tensor:
        """Returns the norm of W as far as u knows it, a scalar that is at most the true norm.

        Its gradient takes u as constant.
        """
        return _norm(self._backward(tf.convert_to_tensor(self.u)))

    def refresh(self) -> None:
        """One step of the power iteration, after which sigma is at least what it was."""
        v = self._backward(tf.convert_to_tensor(self.u))
        u = self._forward(v / _norm(v))
        self.u.assign(u / _norm(u))

    def _forward(self, v: tf.Tensor) -> tf.Tensor:
        """The product W v."""
        if self._by_kernel:
            return tf.tensordot(self._rows(), v, v.shape.rank)
        return self._map_images(v)

    def _backward(self, u: tf.Tensor) -> tf.Tensor:
        """The product W^T u."""
        if self._by_kernel:
            return tf.tensordot(u, self._rows(), 1)
        return self._map_images_back(u)

    def _rows(self) -> tf.Tensor:
        """The kernel with its output channels first."""
        kernel = tf.convert_to_tensor(self.kernel)
        return tf.experimental.numpy.moveaxis(kernel, self._output_axis, 0)

    def _convolve(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.conv2d(
            x, tf.convert_to_tensor(self.kernel), self.strides, self.padding.upper()
        )

    def _convolve_back(self, y: tf.Tensor, shape: tuple[int | None, ...]) -> tf.Tensor:
        """The adjoint of `_convolve` on inputs of a shape, which `build` has found to be known."""
        return tf.nn.conv2d_transpose(
            y, tf.convert_to_tensor(self.kernel), shape, self.strides, self.padding.upper()
        )


@keras.saving.register_keras_serializable("tfwgan")
class SpectralDense(_Spectral, keras.layers.Dense):
    """`keras.layers.Dense` on vectors, of spectral norm 1."""


@keras.saving.register_keras_serializable("tfwgan")
class SpectralConv2D(_Spectral, keras.layers.Conv2D):
    """`keras.layers.Conv2D`, of spectral norm 1."""

    def _map_images(self, x: tf.Tensor) -> tf.Tensor:
        return self._convolve(x)

    def _map_images_back(self, y: tf.Tensor) -> tf.Tensor:
        return self._convolve_back(y, self._in_shape)


@keras.saving.register_keras_serializable("tfwgan")
class SpectralConv2DTranspose(_Spectral, keras.layers.Conv2DTranspose):
    """This is `keras.layers.Conv2DTranspose` with spectral norm 1.

    As the adjoint of a convolution, it has the norm of that one.
    """

    _output_axis = -2

    def _map_images(self, x: tf.Tensor) -> tf.Tensor:
        return self._convolve_back(x, self._out_shape)

    def _map_images_back(self, y: tf.Tensor) -> tf.Tensor:
        return self._convolve(y)


def _norm(x: tf.Tensor) -> tf.Tensor:
    """Euclidean norm of all of a tensor, above 0 so that a kernel of zeros stays harmless."""
    return tf.sqrt(tf.reduce_sum(tf.square(x)) + 1e-12)


def refresh(network: keras.Model) -> None:
    """Does one step of the power iteration in every layer with a spectral norm.

    It is called once per update, and after averaging.
    """
    for layer in network.layers:
        if isinstance(layer, _Spectral):
            layer.refresh()
