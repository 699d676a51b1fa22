"""These are laws of spectral normalisation.

Sigma is a singular value, its gradient is the paper's, and nothing moves by itself.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import two_devices

from tfwgan import rng
from tfwgan.networks import blocks, spectral

SHAPE = (5, 6, 3)
DENSE = (lambda **options: spectral.SpectralDense(4, **options), (7,))
CONVOLUTIONS = [
    (kind, k, stride, padding)
    for kind in (spectral.SpectralConv2D, spectral.SpectralConv2DTranspose)
    for k, stride, padding in [
        (3, 1, "same"),
        (3, 1, "valid"),
        (4, 2, "same"),
        (3, 2, "valid"),
        (4, 2, "valid"),
    ]
]


def convolution(kind, k, stride, padding):
    return lambda **options: kind(4, k, strides=stride, padding=padding, **options), SHAPE


LAYERS = [DENSE, *(convolution(*row) for row in CONVOLUTIONS)]
IDS = ["dense", *(f"{row[0].__name__} {row[1]} {row[2]} {row[3]}" for row in CONVOLUTIONS)]
NORMS = pytest.mark.parametrize("sn_norm", ["kernel", "operator"])
every_layer = pytest.mark.parametrize("make, shape", LAYERS, ids=IDS)


def built(make, shape, **options):
    with rng.seeded_initializers(0):
        layer = make(bias_initializer="random_normal", **options)
        layer.build((None, *shape))
    return layer


def inputs(shape, n=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype(np.float32)


def matrix(layer, shape):
    """The layer's kernel as the matrix whose norm it divides by."""
    kernel = layer.kernel.numpy()
    if layer.sn_norm == "operator" and kernel.ndim == 4:
        plain = {spectral.SpectralConv2D: keras.layers.Conv2D}.get(
            type(layer), keras.layers.Conv2DTranspose
        )
        same = plain(
            4, layer.kernel_size, strides=layer.strides, padding=layer.padding, use_bias=False
        )
        same.build((None, *shape))
        same.set_weights([kernel])
        units = np.eye(int(np.prod(shape)), dtype=np.float32).reshape(-1, *shape)
        return same(units).numpy().reshape(len(units), -1).T
    transposed = isinstance(layer, spectral.SpectralConv2DTranspose)
    return np.moveaxis(kernel, -2 if transposed else -1, 0).reshape(4, -1)


def norm(layer, shape):
    return np.linalg.svd(matrix(layer, shape), compute_uv=False)[0]


def converged(make, shape, **options):
    """A layer whose u is the singular vector itself."""
    layer = built(make, shape, **options)
    layer.u.assign(np.linalg.svd(matrix(layer, shape))[0][:, 0].reshape(layer.u.shape))
    return layer


@pytest.mark.slow
@every_layer
@NORMS
def test_sigma_is_the_largest_singular_value(make, shape, sn_norm):
    layer = built(make, shape, sn_norm=sn_norm)
    np.testing.assert_allclose(layer.sigma(), norm(layer, shape), rtol=0.05)  # at once
    refresh = tf.function(layer.refresh)
    for _ in range(500):
        refresh()
    np.testing.assert_allclose(layer.sigma(), norm(layer, shape), rtol=5e-3)
    assert layer.sigma() <= norm(layer, shape) * (1 + 1e-6)


@every_layer
@NORMS
def test_the_singular_vector_stays(make, shape, sn_norm):
    layer = converged(make, shape, sn_norm=sn_norm)
    np.testing.assert_allclose(layer.sigma(), norm(layer, shape), rtol=1e-6)
    u = layer.u.numpy()
    layer.refresh()
    np.testing.assert_allclose(layer.u, u, atol=1e-5)


@every_layer
@NORMS
def test_outputs_are_those_of_the_kernel_divided_by_sigma(make, shape, sn_norm):
    layer, divided = built(make, shape, sn_norm=sn_norm), built(make, shape, sn_norm=sn_norm)
    kernel, bias, u = layer.get_weights()
    plain = type(divided).__mro__[2]  # the Keras layer
    divided.set_weights([kernel / layer.sigma().numpy(), bias, u])
    np.testing.assert_allclose(
        layer(inputs(shape)), plain.call(divided, inputs(shape)), rtol=1e-4, atol=1e-5
    )


@every_layer
@NORMS
def test_scale_of_the_kernel_does_not_matter(make, shape, sn_norm):
    layer = built(make, shape, sn_norm=sn_norm)
    before = layer(inputs(shape)).numpy()
    layer.kernel.assign(7.0 * layer.kernel)
    np.testing.assert_allclose(layer(inputs(shape)), before, rtol=1e-4, atol=1e-5)


@every_layer
@NORMS
def test_sigma_only_grows_towards_the_norm(make, shape, sn_norm):
    layer = built(make, shape, sn_norm=sn_norm)
    layer.u.assign(
        tf.linalg.normalize(
            tf.constant(np.random.default_rng(1).normal(size=layer.u.shape), tf.float32)
        )[0]
    )
    sigmas = [float(layer.sigma())]
    for _ in range(30):
        layer.refresh()
        sigmas.append(float(layer.sigma()))
    assert np.diff(sigmas).min() > -1e-6 and sigmas[0] < 0.95 * sigmas[-1]
    assert sigmas[-1] <= norm(layer, shape) * (1 + 1e-6)


@every_layer
@NORMS
def test_gradient_of_the_raw_kernel_is_the_slope_with_u_and_v_constant(make, shape, sn_norm):
    layer, x = converged(make, shape, sn_norm=sn_norm), inputs(shape)
    weights, kernel = inputs(layer(x).shape[1:], seed=1), layer.kernel.numpy().astype(np.float64)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) * weights)
    gradient = tape.gradient(loss, layer.kernel.value).numpy()
    left, _, right = np.linalg.svd(matrix(layer, shape).astype(np.float64))
    direction = np.random.default_rng(2).normal(size=kernel.shape)

    def at(t):
        """The loss computed by hand: outputs of the raw kernel, divided by u^T W v."""
        layer.kernel.assign(kernel + t * direction)
        sigma = left[:, 0] @ matrix(layer, shape).astype(np.float64) @ right[0]
        raw = (layer(x) - layer.bias).numpy().astype(np.float64) * float(layer.sigma())
        return np.sum((raw / sigma + layer.bias.numpy()) * weights)

    slope = (at(1e-2) - at(-1e-2)) / 2e-2
    np.testing.assert_allclose(
        np.sum(gradient * direction), slope, rtol=2e-3, atol=2e-3 * np.abs(weights).sum()
    )


def test_kernel_norm_may_be_far_below_the_operator_norm():
    ones = {"kernel_initializer": "ones", "use_bias": False}
    kernel, operator = (
        built(
            lambda n=name, **_: spectral.SpectralConv2D(1, 3, padding="same", sn_norm=n, **ones),
            (16, 16, 1),
        )
        for name in ("kernel", "operator")
    )
    np.testing.assert_allclose(kernel.sigma(), 3.0, rtol=1e-5)
    np.testing.assert_allclose(operator.sigma(), (1 + 2 * np.cos(np.pi / 17)) ** 2, rtol=1e-2)


def test_calls_leave_u_alone():
    layer = built(*convolution(spectral.SpectralConv2D, 3, 1, "same"))
    before = layer.u.numpy()
    first, second = (layer(inputs(SHAPE)).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(layer.u, before)


def network(sn_norm):
    image = keras.Input((8, 8, 2), name="image")
    with rng.seeded_initializers(0):
        x = blocks.conv(image, 4, 4, 2, "same", "conv", sn=True, sn_norm=sn_norm)
        x = blocks.conv_transpose(x, 3, 4, 2, "same", "up", sn=True, sn_norm=sn_norm)
        x = blocks.dense(keras.layers.Flatten()(x), 1, "dense", sn=True, sn_norm=sn_norm)
    return keras.Model({"image": image}, x)


@pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # Keras' own saving
@NORMS
def test_copies_say_the_same(sn_norm, tmp_path):
    model, x = network(sn_norm), {"image": inputs((8, 8, 2))}
    copy = keras.models.clone_model(model)
    assert [v.path.split("/")[-1] for v in copy.weights] == ["kernel", "bias", "u"] * 3
    assert [
        layer.get_config()["sn_norm"] for layer in copy.layers if hasattr(layer, "sn_norm")
    ] == [sn_norm] * 3
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(x), model(x))
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(x), model(x))


@NORMS
def test_unknown_sides_have_no_operator_norm(sn_norm):
    layer = spectral.SpectralConv2D(2, 3, sn_norm=sn_norm)
    if sn_norm == "kernel":
        assert layer(keras.Input((None, None, 1))).shape == (None, None, None, 2)
    else:
        with pytest.raises(ValueError, match="unknown size"):
            layer.build((None, None, None, 1))


def steps(model, x, n, replicas, compiled=False):
    """`n` refreshes and steps of plain descent, each replica on its own rows."""

    def step():
        for layer in model.layers:
            if hasattr(layer, "refresh"):
                layer.refresh()
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(model({"image": rng.own_rows(x)}) - 1.0))
        variables = [v.value for v in model.trainable_variables]
        gradients = tape.gradient(loss, variables)
        if replicas > 1:
            gradients = tf.distribute.get_replica_context().all_reduce("sum", gradients)
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            variable.assign(variable - 0.01 * gradient)

    run = tf.function(step, jit_compile=compiled)
    for _ in range(n):
        tf.distribute.get_strategy().run(run) if replicas > 1 else run()
    return model.get_weights()


@pytest.mark.slow
@NORMS
def test_two_devices_and_xla_equal_one_device(sn_norm):
    x, strategy = tf.constant(inputs((8, 8, 2), n=4)), two_devices()
    one = steps(network(sn_norm), x, 3, replicas=1)
    with strategy.scope():
        two = steps(network(sn_norm), x, 3, replicas=2)
    compiled = steps(network(sn_norm), x, 3, replicas=1, compiled=True)
    for a, b, c in zip(one, two, compiled, strict=True):
        np.testing.assert_allclose(b, a, atol=1e-5)
        np.testing.assert_allclose(c, a, atol=1e-5)
