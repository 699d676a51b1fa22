"""Laws of the layers that networks are made of: initial weights and normalisation."""

import keras
import numpy as np
import pytest

from tfwgan import rng
from tfwgan.networks import blocks

LAYERS = [
    ("dense", [200], lambda x, init: blocks.dense(x, 300, "layer", init), 200),
    ("conv", [8, 8, 32], lambda x, init: blocks.conv(x, 64, 4, 2, "same", "layer", init), 32 * 16),
    (
        "transposed",
        [8, 8, 32],
        lambda x, init: blocks.conv_transpose(x, 64, 4, 2, "same", "layer", init),
        64 * 16,
    ),
]


def initial(shape, make, init):
    x = keras.Input(shape)
    with rng.seeded_initializers(0):
        layer = keras.Model(x, make(x, init)).get_layer("layer")
    return layer.kernel.numpy(), layer.bias.numpy()


@pytest.mark.parametrize("name, shape, make, fan_in", LAYERS, ids=[row[0] for row in LAYERS])
def test_torch_weights_are_uniform_up_to_one_over_the_root_of_the_fan_in(name, shape, make, fan_in):
    kernel, bias = initial(shape, make, "torch")
    bound = fan_in**-0.5
    for weights in (kernel, bias):
        assert np.abs(weights).max() <= bound * (1 + 1e-6) and np.abs(weights).max() > 0.9 * bound
    np.testing.assert_allclose(kernel.std(), bound / 3**0.5, rtol=0.02)
    np.testing.assert_allclose(bias.std(), bound / 3**0.5, rtol=0.3)


@pytest.mark.parametrize("name, shape, make, fan_in", LAYERS, ids=[row[0] for row in LAYERS])
def test_zero_bias_differs_in_the_biases_only(name, shape, make, fan_in):
    kernel, bias = initial(shape, make, "zero_bias")
    assert np.all(bias == 0)
    np.testing.assert_allclose(kernel.std(), (3 * fan_in) ** -0.5, rtol=0.02)


@pytest.mark.parametrize("name, shape, make, fan_in", LAYERS, ids=[row[0] for row in LAYERS])
def test_normal_weights_have_a_deviation_of_about_two_percent(name, shape, make, fan_in):
    kernel, bias = initial(shape, make, "normal")
    assert np.all(bias == 0) and np.abs(kernel).max() <= 0.04
    # A normal cut at two deviations keeps 0.88 of its deviation.
    np.testing.assert_allclose(kernel.std(), 0.88 * 0.02, rtol=0.02)


@pytest.mark.parametrize("name, shape, make, fan_in", LAYERS, ids=[row[0] for row in LAYERS])
def test_he_weights_keep_variances_forwards_and_backwards_behind_relus(name, shape, make, fan_in):
    kernel, bias = initial(shape, make, "he")
    deviation = (
        4 / sum(side * (kernel.size / np.prod(kernel.shape[-2:])) for side in kernel.shape[-2:])
    ) ** 0.5
    assert np.all(bias == 0) and np.abs(kernel).max() <= 3**0.5 * deviation * (1 + 1e-6)
    np.testing.assert_allclose(kernel.std(), deviation, rtol=0.02)


@pytest.mark.parametrize(
    "init, spread", [("torch", 0.0), ("he", 0.0), ("normal", 0.02), ("zero_bias", 0.02)]
)
def test_scales_of_batch_norm_start_at_one_or_near_it(init, spread):
    x = keras.Input([500])
    with rng.seeded_initializers(0):
        layer = keras.Model(x, blocks.normalize(x, "batch", "layer", init)).get_layer("layer")
    np.testing.assert_allclose(layer.gamma.numpy().mean(), 1.0, atol=0.005)
    np.testing.assert_allclose(layer.gamma.numpy().std(), spread, rtol=0.1)
    assert np.all(layer.beta.numpy() == 0)


@pytest.mark.parametrize("shape", [(6,), (4, 4, 6)])
@pytest.mark.parametrize("norm, axes", [("batch", (0,)), ("instance", ()), ("layer", (-1,))])
def test_normalised_features_have_mean_0_and_deviation_1(norm, axes, shape):
    x = keras.Input(shape)
    model = keras.Model(x, blocks.normalize(x, norm, "layer"))
    places = tuple(range(1, len(shape)))
    axes = (*axes, *places) if len(shape) > 1 else axes or (-1,)
    y = model(np.random.default_rng(0).normal(3, 2, [8, *shape]), training=True).numpy()
    np.testing.assert_allclose(y.mean(axis=axes), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(axis=axes), 1, atol=1e-3)
    assert len(model.trainable_variables) == {"batch": 2, "instance": 0, "layer": 2}[norm]
