"""Activations that no second gradient enters: the same numbers, without the work for nothing."""

import functools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfwgan.networks import blocks, rectifiers
from tfwgan.program import cost, experiment
from tfwgan.program.config import Config

KINDS = [
    (rectifiers.ReLU, keras.layers.ReLU),
    (functools.partial(rectifiers.LeakyReLU, 0.2), functools.partial(keras.layers.LeakyReLU, 0.2)),
]


@pytest.mark.parametrize("ours, theirs", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
def test_values_and_gradients_are_those_of_keras(ours, theirs, dtype):
    x = tf.cast(np.r_[np.random.default_rng(0).normal(size=97), 0.0, -0.0, 1e-30], dtype)
    results = []
    for layer in (ours(dtype=dtype), theirs(dtype=dtype)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        results.append((y, tape.gradient(y, x)))
    for mine, other in zip(*results, strict=True):
        assert mine.dtype == x.dtype
        np.testing.assert_array_equal(mine.numpy(), other.numpy())


@pytest.mark.parametrize("kind", ["relu", "leaky"])
def test_a_penalty_has_the_same_gradients(kind, monkeypatch):
    def penalty_gradients():
        keras.utils.set_random_seed(0)
        x = image = keras.Input((8, 8, 2))
        for i in range(3):
            x = blocks.conv(x, 4 + i, 4, 2, "same", f"c{i}")
            x = blocks.activate(x, kind, f"a{i}")
        critic = keras.Model(image, blocks.dense(keras.layers.Flatten()(x), 1, "head"))
        images = tf.random.stateless_normal([5, 8, 8, 2], [1, 2])
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(images)
                scores = critic(images)
            slopes = inner.gradient(scores, images)
            loss = tf.reduce_mean((tf.norm(tf.reshape(slopes, [5, -1]), axis=1) - 1) ** 2)
        return [
            one.numpy() for one in tape.gradient(loss, critic.trainable_weights) if one is not None
        ]

    ours = penalty_gradients()
    monkeypatch.setattr(blocks, "ReLU", keras.layers.ReLU)
    monkeypatch.setattr(blocks, "LeakyReLU", keras.layers.LeakyReLU)
    theirs = penalty_gradients()
    for mine in ours:  # biases get no gradient at all here, and zeros there
        assert any(mine.shape == one.shape and np.array_equal(mine, one) for one in theirs)
    assert len(ours) == 4 and sum(map(np.any, theirs)) == 4


def work(layers, batch):
    """Operations of one forward pass through each layer with a kernel, for a batch."""
    found = []
    for layer in layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            places = layer.input.shape[1:3]
        elif isinstance(layer, keras.layers.Conv2D):
            places = layer.output.shape[1:3]
        elif isinstance(layer, keras.layers.Dense):
            places = ()
        else:
            continue
        found.append(2 * batch * math.prod(places) * math.prod(layer.kernel.shape))
    return found


@pytest.mark.parametrize(
    "settings",
    [
        {"data": "fashion_mini", "image_size": 32, "disc_arch": "DCGAN-norm=none-act=leaky"},
        {"data": "squares", "gen_arch": "FC-nf=64", "disc_arch": "FC-nf=64"},
        {"data": "ring8", "gen_arch": "MLP-norm=batch", "disc_arch": "MLP"},
    ],
)
def test_a_step_does_no_work_for_nothing(settings):
    made = experiment.build(Config(**settings, loss="wgan_gp", batch_size=8))
    critic, generator = (
        work(one.layers, 8) for one in (made.trainer.critic, made.trainer.generator)
    )
    f, g = sum(critic), sum(generator)
    # Real, fake and mixed samples forward; real and fake back to weights and to all inputs but the
    # samples; mixed ones back to the samples, and that again to the weights and to all slopes but
    # the score's.
    critic_update = 3 * f + 2 * f + 2 * (f - critic[0]) + f + f + (f - critic[-1])
    generator_update = g + 2 * f + g + (g - generator[0])
    counted = cost.flop_per_step(made.trainer, made.element_spec())
    assert counted == pytest.approx(5 * (g + critic_update) + generator_update, rel=0.02)


# Of Keras, which writes arrays to HDF5 in the way before NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("ours, theirs", KINDS)
def test_a_network_is_saved_and_loaded_by_keras(ours, theirs, tmp_path):
    image = keras.Input((4,))
    network = keras.Model(image, ours()(keras.layers.Dense(3)(image)))
    network.save(tmp_path / "network.keras")
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(x), network(x))
