"""Laws of EigenGAN: orthonormal subspaces, codes that move the picture, and PyTorch's padding."""

import keras
import numpy as np
import pytest
import small_networks
import tensorflow as tf
from small_networks import n_weights, noise

from tfwgan import rng
from tfwgan.errors import UsageError
from tfwgan.networks import eigengan
from tfwgan.networks.eigengan import subspaces

SHAPES = [(8, 8, 1), (32, 32, 3), (64, 64, 1)]


def generator(options="", shape=(32, 32, 3), z_dim=40):
    return small_networks.generator(f"EigenGAN{options}", shape, z_dim)


def critic(options="", shape=(32, 32, 3)):
    return small_networks.critic(f"EigenGAN{options}", shape)


def subspace_layers(model):
    return [layer for layer in model.layers if isinstance(layer, eigengan.SubspaceLayer)]


@pytest.mark.slow
def test_they_have_as_many_weights_as_the_original():
    assert n_weights(generator(shape=(256, 256, 3), z_dim=36 + 512)) == 22_994_951
    assert n_weights(critic(shape=(256, 256, 3))) == 13_635_601


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("norm", ["none", "batch", "instance"])
def test_a_picture_is_drawn_and_the_loss_reaches_every_weight(shape, norm):
    model = generator(f"-dim=4-norm={norm}", shape)
    images = model({"z": 100 * noise(5, 40)}).numpy()
    assert images.shape == (5, *shape) and -1 <= images.min() < images.max() <= 1
    weights = model.trainable_variables
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model({"z": noise(6, 40)}, training=True) * noise(6, *shape, seed=1))
    for variable, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
        # A normalisation takes away what was added to all places, so that the gradient of a bias
        # may be 0.
        assert gradient is not None and np.isfinite(gradient).all(), variable.path
        assert norm != "none" or np.abs(gradient).max() > 0, variable.path


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("norm", ["none", "instance", "layer"])
def test_a_critic_scores_each_image_and_a_penalty_reaches_every_kernel(shape, norm):
    model = critic(f"-dim=4-norm={norm}", shape)
    scores = model({"image": noise(5, *shape)}).numpy()
    assert scores.shape == (5,) and len(np.unique(scores)) == 5
    kernels = [variable for variable in model.trainable_variables if variable.name == "kernel"]
    image = noise(3, *shape)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(image)
            score = tf.reduce_sum(model({"image": image}, training=True))
        penalty = tf.reduce_sum(inner.gradient(score, image) ** 2)
    for kernel, gradient in zip(kernels, outer.gradient(penalty, kernels), strict=True):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0, kernel.path


def test_the_penalty_is_0_at_first_and_positive_when_a_basis_is_disturbed():
    model = generator()
    assert len(model.losses) == len(subspace_layers(model)) == 3
    np.testing.assert_allclose(model.losses, 0, atol=1e-9)
    for i, layer in enumerate(subspace_layers(model)):
        layer.basis.assign_add(0.01 * noise(*layer.basis.shape))
        assert model.losses[i] > 1e-5
        np.testing.assert_allclose(model.losses[i + 1 :], 0, atol=1e-9)


@pytest.mark.parametrize("n, d, weight", [(3, 5, 1.0), (1, 4, 0.5), (6, 6, 2.0)])
def test_the_penalty_has_its_closed_form(n, d, weight):
    rows = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    expected = (
        weight * sum((rows[i] @ rows[j] - (i == j)) ** 2 for i in range(n) for j in range(n)) / n**2
    )
    np.testing.assert_allclose(
        eigengan.Orthonormality(weight)(tf.constant(rows)), expected, rtol=1e-5
    )
    # Rows of length 2 have inner products 4 with themselves and 0 with each other.
    np.testing.assert_allclose(
        eigengan.Orthonormality(weight)(2 * tf.eye(n, d)), weight * 9 / n, rtol=1e-6
    )


def test_the_weight_of_the_penalty_is_an_option():
    plain, heavy = generator("-n_basis=2"), generator("-n_basis=2-ortho=3")
    for model in (plain, heavy):
        subspace_layers(model)[0].basis.assign_add(tf.ones_like(subspace_layers(model)[0].basis))
    np.testing.assert_allclose(heavy.losses[0], 3 * plain.losses[0], rtol=1e-6)


def test_a_subspace_is_spanned_by_the_scaled_rows_of_its_basis():
    layer = eigengan.SubspaceLayer(first=2, n_basis=3, feature_shape=(2, 2, 4))
    np.testing.assert_allclose(layer.basis @ tf.transpose(layer.basis), np.eye(3), atol=1e-6)
    z = noise(5, 9)
    np.testing.assert_allclose(
        tf.norm(tf.reshape(layer(z), [5, -1]), axis=1), tf.norm(z[:, 2:5], axis=1), rtol=1e-5
    )
    layer.importance.assign([1.0, 0.0, -2.0])
    layer.origin.assign(noise(16))
    expected = (
        z.numpy()[:, [2]] * layer.basis[0] - 2 * z.numpy()[:, [4]] * layer.basis[2] + layer.origin
    )
    np.testing.assert_allclose(layer(z), tf.reshape(expected, [5, 2, 2, 4]), atol=1e-6)


@pytest.mark.parametrize(
    "options, size, z_dim", [("", 32, 40), ("-n_basis=2", 64, 9), ("-n_basis=1", 8, 2)]
)
def test_every_coordinate_of_z_moves_the_picture(options, size, z_dim):
    model = generator(options + "-dim=4-init=torch", (size, size, 1), z_dim)
    z = np.tile(noise(1, z_dim), (z_dim + 1, 1))
    z[np.arange(z_dim), np.arange(z_dim)] += 3
    *moved, origin = model({"z": z}).numpy()
    assert all(np.abs(image - origin).max() > 1e-6 for image in moved)


@pytest.mark.parametrize("size, n_layers", [(8, 1), (32, 3), (64, 4), (256, 6)])
def test_each_layer_has_codes_of_its_own_from_the_coarsest_to_the_finest(size, n_layers):
    model = generator("-n_basis=5-dim=1", (size, size, 1))
    for network in (model, keras.models.clone_model(model)):
        ranges = subspaces(network)
        assert len(ranges) == n_layers
        np.testing.assert_array_equal(np.concatenate(ranges), np.arange(5 * n_layers))
        sides = {layer.first: layer.feature_shape[0] for layer in subspace_layers(network)}
        assert [sides[indices[0]] for indices in ranges] == [4 << i for i in range(n_layers)]


def test_other_networks_have_no_subspaces():
    assert subspaces(critic()) == []


def test_a_copy_draws_the_same_pictures():
    model = generator()
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy({"z": noise(3, 40)}), model({"z": noise(3, 40)}))
    assert len(copy.losses) == 3
    copy.trainable = False
    assert copy.losses == []


def layer_of(shape, make):
    x = keras.Input(shape)
    with rng.seeded_initializers(0):
        return keras.Model(x, make(x))


def test_a_doubling_layer_pads_as_pytorch_does():
    model = layer_of((5, 5, 2), lambda x: eigengan._double(x, 3, "up", "torch"))
    kernel, bias = model.get_weights()
    x = noise(2, 5, 5, 2).numpy()
    # Pixel (i, j) is stamped on rows 2 i - 1 ... 2 i + 1 and columns 2 j - 1 ... 2 j + 1 (padding
    # 1, output padding 1).
    canvas = np.zeros((2, 12, 12, 3))
    for i in range(5):
        for j in range(5):
            canvas[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += np.einsum(
                "bc,hwfc->bhwf", x[:, i, j], kernel
            )
    np.testing.assert_allclose(model(x), canvas[:, 1:11, 1:11] + bias, atol=1e-5)


def test_a_halving_layer_pads_as_pytorch_does():
    model = layer_of((6, 6, 2), lambda x: eigengan._halve(x, 3, "down", "torch"))
    kernel, bias = model.get_weights()
    x = noise(2, 6, 6, 2).numpy()
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    for i in range(3):
        for j in range(3):
            window = padded[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
            expected = np.einsum("bhwc,hwcf->bf", window, kernel) + bias
            np.testing.assert_allclose(model(x)[:, i, j], expected, atol=1e-5)


MISTAKES = [
    (
        lambda: generator(z_dim=18),
        "3 layers of 6 codes and some noise need more than 18 coordinates; use `z_dim=19`",
    ),
    (lambda: generator(shape=(28, 28, 1)), "it can't double 4 pixels to 28; try `image_size=32`."),
    (lambda: generator(shape=(4, 4, 1)), "try `image_size=8`."),
    (lambda: critic(shape=(2,)), "it works on square images, not on data of shape (2,)"),
    (lambda: critic(shape=(32, 64, 3)), "it works on square images"),
    (
        lambda: generator("-n_basis=0"),
        "n_basis must be at least 1 and ortho at least 0, got 0 and 1.0",
    ),
    (lambda: generator("-ortho=-1"), "ortho at least 0, got 6 and -1.0"),
    (
        lambda: generator("-n_basis=17-dim=1-mults=(1,1,1)", z_dim=60),
        "17 directions can't be orthogonal in 16",
    ),
    (
        lambda: generator("-mults=(2,1)"),
        "images of this size take 3 mults, such as (4, 2, 1), got (2, 1).",
    ),
    (lambda: critic("-mults=(1,0,1)"), "dim and mults must be at least 1"),
    (lambda: critic("-dim=0"), "dim and mults must be at least 1"),
]


@pytest.mark.parametrize("build, message", MISTAKES, ids=[row[1] for row in MISTAKES])
def test_impossible_networks_are_refused(build, message):
    with pytest.raises(UsageError) as caught:
        build()
    assert message in str(caught.value) and "\n" not in str(caught.value)
