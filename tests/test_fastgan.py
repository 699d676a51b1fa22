"""These are laws of FastGAN, old and new.

They concern sizes, ranges, noise that is a function of z, and gates between maps.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import critic, generator, n_weights, noise

from tfwgan.errors import UsageError
from tfwgan.networks import fastgan, spectral
from tfwgan.program import experiment
from tfwgan.program.config import Config

NAMES = ("FastGAN", "NewFastGAN")
SHAPES = [(32, 32, 3), (64, 64, 1)]
RGB = {size: (size, size, 3) for size in (32, 64, 128, 256)}


@pytest.fixture(autouse=True)
def no_warm_up(monkeypatch):
    """Leaves out the power iterations at the start, which take seconds in large nets."""
    monkeypatch.setattr(spectral, "_WARM_UP", 1)


GENERATOR_WEIGHTS = [
    ("FastGAN", 128, 64, 22_666_438),
    ("FastGAN", 128, 100, 23_846_086),
    ("FastGAN", 128, 128, 24_763_590),
    ("FastGAN-skip_connections=False", 128, 64, 20_024_518),
    ("FastGAN-skip_connections=False", 128, 100, 21_204_166),
    ("FastGAN-skip_connections=False", 128, 128, 22_121_670),
    ("NewFastGAN", 64, 128, 24_006_020),
    ("NewFastGAN", 128, 128, 24_753_862),
    ("NewFastGAN", 256, 128, 24_921_958),
]
CRITIC_WEIGHTS = [
    ("FastGAN", 128, 23_164_368),
    ("NewFastGAN", 64, 7_349_952),
    ("NewFastGAN", 128, 7_617_376),
    ("NewFastGAN", 256, 7_684_016),
]


@pytest.mark.slow
@pytest.mark.parametrize("text, size, z_dim, n", GENERATOR_WEIGHTS)
def test_generators_have_as_many_weights_as_the_originals(text, size, z_dim, n):
    assert n_weights(generator(text, RGB[size], z_dim)) == n


@pytest.mark.parametrize("text, size, n", CRITIC_WEIGHTS)
def test_critics_have_as_many_weights_as_the_originals(text, size, n):
    assert n_weights(critic(text, RGB[size])) == n


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("text", ["FastGAN-nf=4", "FastGAN-nf=4-norm=none", "NewFastGAN-nf=4"])
def test_a_picture_is_drawn_and_the_loss_reaches_every_weight(text, shape):
    model = generator(text, shape, z_dim=20)
    weights = model.trainable_variables
    assert len({variable.path for variable in weights}) == len(weights)
    for variable in weights:
        if variable.name == "strength":  # starts at 0
            variable.assign(0.5)
    with tf.GradientTape() as tape:
        images = model({"z": noise(6, 20)}, training=True)
        loss = tf.reduce_sum(images * noise(6, *shape, seed=1))
    assert images.shape == (6, *shape)
    for variable, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0, variable.path


@pytest.mark.slow
@pytest.mark.parametrize("size", RGB)
@pytest.mark.parametrize("name", NAMES)
def test_images_of_every_size_are_in_range(name, size):
    model = generator(f"{name}-nf=2", RGB[size], z_dim=20)
    before = keras.Model(model.input, model.get_layer("tanh").input)
    images, z = model({"z": noise(2, 20)}).numpy(), {"z": noise(2, 20)}
    assert images.shape == (2, *RGB[size]) and np.abs(images).max() <= 1
    np.testing.assert_allclose(images, np.tanh(before(z)), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("norm", ["none", "instance", "layer"])
@pytest.mark.parametrize("name", NAMES)
def test_a_critic_scores_each_image_and_a_penalty_reaches_every_kernel(name, norm, shape):
    model = critic(f"{name}-nf=4-norm={norm}", shape)
    image = noise(3, *shape)
    kernels = [variable for variable in model.trainable_variables if variable.name == "kernel"]
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(image)
            scores = model({"image": image}, training=True)
        slopes = inner.gradient(scores, image)
        penalty = 1e6 * tf.reduce_sum(
            slopes**2
        )  # slopes are far below 1, and their squares near what float32 holds
    assert scores.shape == (3,) and len(np.unique(scores)) == 3
    for kernel, gradient in zip(kernels, outer.gradient(penalty, kernels), strict=True):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0, kernel.path
    # Without batch normalisation a score is its own image's only.
    np.testing.assert_allclose(
        model({"image": image[:1]}, training=True), scores[:1], rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("size", RGB)
@pytest.mark.parametrize("name", NAMES)
def test_critics_read_every_size_down_to_8_pixels(name, size):
    model = critic(f"{name}-nf=8", RGB[size])
    assert model.get_layer("last").input.shape[1:3] == (8, 8) and model.output.shape == (None,)
    assert model({"image": noise(2, *RGB[size])}).shape == (2,)


@pytest.mark.parametrize("build", [generator, critic])
@pytest.mark.parametrize("name", NAMES)
def test_every_linear_layer_is_spectrally_normalised_and_has_no_bias(build, name):
    model = build(f"{name}-nf=2", RGB[64])
    linear = [layer for layer in model.layers if hasattr(layer, "kernel")]
    assert len(linear) > 8
    assert all(hasattr(layer, "refresh") and layer.bias is None for layer in linear)


@pytest.mark.parametrize(
    "build, text, size, skips",
    [
        (generator, "FastGAN", 32, []),
        (generator, "FastGAN", 64, ["skip_64"]),
        (generator, "NewFastGAN", 256, ["skip_64", "skip_128", "skip_256"]),
        (generator, "FastGAN-skip_connections=False", 256, []),
        (critic, "NewFastGAN", 32, []),
        (critic, "NewFastGAN", 64, ["skip_2"]),
        (critic, "NewFastGAN", 256, ["skip_2", "skip_3", "skip_4"]),
        (critic, "NewFastGAN-skip_connections=False", 256, []),
        (critic, "FastGAN", 256, []),
    ],
)
def test_small_maps_gate_large_ones(build, text, size, skips):
    model = build(f"{text}-nf=2", RGB[size])
    found = [layer for layer in model.layers if isinstance(layer, keras.layers.Multiply)]
    assert [layer.name for layer in found] == skips
    for layer in found:
        (_, height, width, channels), gates = (tensor.shape for tensor in layer.input)
        assert gates == (None, 1, 1, channels) and height == width >= 8


def test_gates_multiply_channels_by_numbers_between_0_and_1():
    model = generator("FastGAN-nf=4", RGB[64], z_dim=20)
    layer = model.get_layer("skip_64")
    x, gates, y = keras.Model(model.input, [*layer.input, layer.output])({"z": noise(5, 20)})
    assert 0 < gates.numpy().min() < gates.numpy().max() < 1
    np.testing.assert_allclose(y, x * gates, rtol=1e-6)


def test_the_score_of_the_new_critic_is_the_mean_of_its_map():
    model = critic("NewFastGAN-nf=4", RGB[64])
    scores, maps = keras.Model(model.input, [model.output, model.get_layer("head").output])(
        {"image": noise(3, *RGB[64])}
    )
    assert maps.shape == (3, 5, 5, 1)
    np.testing.assert_allclose(scores, tf.reduce_mean(maps, [1, 2, 3]), rtol=1e-5)


def test_noise_starts_at_0_and_is_added_to_every_channel():
    layer, x, z = fastgan.NoiseInjection("noise"), noise(3, 4, 4, 5), noise(3, 20, seed=1)
    np.testing.assert_array_equal(layer(x, z), x)
    layer.strength.assign(2.0)
    np.testing.assert_allclose(
        layer(x, z) - x, np.repeat(2 * layer.noise(z, 4, 4), 5, axis=3), atol=1e-5
    )


def test_noise_is_nearly_normal_and_independent_between_places_layers_and_latents():
    one, other = (
        fastgan.NoiseInjection(name).noise(noise(200, 64), 16, 16).numpy() for name in ("a", "b")
    )
    for x in (one, other):
        # A sum of signs with weights w has the fourth moment 3 - 2 sum w^4, and for w = z / |z| it
        # is about 3 - 6 / 64.
        np.testing.assert_allclose(
            [x.mean(), (x**2).mean(), (x**4).mean()], [0, 1, 3 - 6 / 64], atol=0.12
        )
    neighbours = np.corrcoef(one[:, 1:].ravel(), one[:, :-1].ravel())[0, 1]
    layers = np.corrcoef(one.ravel(), other.ravel())[0, 1]
    assert max(abs(neighbours), abs(layers)) < 0.05
    z = noise(200, 64).numpy()
    latents = np.corrcoef(one.reshape(200, -1))
    cosines = (z @ z.T) / np.outer(np.linalg.norm(z, axis=1), np.linalg.norm(z, axis=1))
    np.testing.assert_allclose(latents, cosines, atol=0.35)


@pytest.mark.slow
@pytest.mark.parametrize("xla", [False, True])
def test_an_image_is_a_function_of_its_latent(xla):
    model = generator("FastGAN-nf=2", RGB[32], z_dim=20)
    for layer in model.layers:
        if isinstance(layer, fastgan.NoiseInjection):
            layer.strength.assign(0.5)
    z = noise(4, 20)
    images = model({"z": z})
    np.testing.assert_array_equal(model({"z": z}), images)
    np.testing.assert_allclose(model({"z": z[2:]}), images[2:], atol=1e-5)
    compiled = tf.function(lambda z: model({"z": z}), jit_compile=xla)
    np.testing.assert_allclose(compiled(z), images, atol=1e-4)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy({"z": z}), images)


MISTAKES = [
    (
        lambda: generator("FastGAN", (8, 8, 1)),
        "images of 32 to 256 pixels a side, not 8; try `image_size=32`.",
    ),
    (lambda: critic("NewFastGAN", (512, 512, 3)), "not 512; try `image_size=256`."),
    (lambda: critic("FastGAN", (28, 28, 1)), "try `image_size=32`."),
    (lambda: generator("NewFastGAN", (2,)), "it works on square images, not on data of shape (2,)"),
    (lambda: critic("FastGAN", (32, 64, 3)), "it works on square images"),
    (lambda: generator("FastGAN-nf=0", RGB[64]), "nf must be at least 1, got 0"),
    (lambda: critic("NewFastGAN-nf=0", RGB[64]), "nf must be at least 1, got 0"),
]


@pytest.mark.parametrize("build, message", MISTAKES, ids=[row[1] for row in MISTAKES])
def test_impossible_networks_are_refused(build, message):
    with pytest.raises(UsageError) as caught:
        build()
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.slow
def test_spectral_norms_follow_their_kernels_through_a_run(tmp_path):
    """Of the critic, the generator and its average, which no gradient step touches."""
    nets = {"gen_arch": "FastGAN-nf=1", "disc_arch": "FastGAN-nf=1-norm=instance", "ema": 0.9}
    rates = {"g_opt": "adam-lr=1e-3", "d_opt": "adam-lr=1e-3"}
    config = Config(
        **nets,
        **rates,
        data="squares-size=32-square=9",
        z_dim=8,
        batch_size=8,
        n_critic=1,
        steps=100,
    )
    trainer = experiment.build(config).trainer
    trainer.fit(
        experiment.build(config).batches(), steps_per_epoch=config.steps, shuffle=False, verbose=0
    )
    for network in (trainer.critic, trainer.generator, trainer.average_generator):
        layers = [layer for layer in network.layers if hasattr(layer, "refresh")]
        assert len(layers) > 3
        for layer in layers:
            rows = np.moveaxis(layer.kernel.numpy(), layer._output_axis, 0)
            norm = np.linalg.svd(rows.reshape(len(rows), -1), compute_uv=False)[0]
            assert 0.95 * norm < float(layer.sigma()) < 1.001 * norm, (network.name, layer.name)
