"""Laws of certified critics: no pair of points is pulled apart, and what can be kept is kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import critic

from tfwgan import rng
from tfwgan.errors import UsageError
from tfwgan.networks.lipschitz import GroupSort, OrthonormalConv2D, OrthonormalDense, orthonormal


def numbers(*shape, seed=0, scale=1.0):
    return (scale * np.random.default_rng(seed).normal(size=shape)).astype(np.float32)


SIZES = [(1, 1), (5, 1), (1, 5), (8, 8), (40, 8), (8, 40), (65, 64)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scale", [0.0, 0.01, 1.0, 30.0])
def test_every_kernel_becomes_orthonormal(size, scale):
    matrix = orthonormal(tf.constant(numbers(*size, scale=scale))).numpy()
    assert matrix.shape == size
    np.testing.assert_allclose(np.linalg.svd(matrix, compute_uv=False), 1.0, atol=1e-5)


def test_every_direction_is_orthonormal_for_some_kernel():
    """A column w with w[0] > -1 comes from the raw column (0, v), v = -w[1:] / (1 + w[0])."""
    w = numbers(6, 1)
    w /= np.linalg.norm(w)
    raw = np.concatenate([[[0.0]], -w[1:] / (1 + w[0])]).astype(np.float32)
    np.testing.assert_allclose(orthonormal(tf.constant(raw)), w, atol=1e-6)


@pytest.mark.parametrize("size", [(7, 3), (3, 7), (5, 5)])
def test_gradient_of_an_orthonormal_kernel_is_its_slope(size):
    raw, direction, weights = (tf.constant(numbers(*size, seed=s), tf.float64) for s in range(3))
    with tf.GradientTape() as tape:
        tape.watch(raw)
        value = tf.reduce_sum(orthonormal(raw) * weights)
    values = [tf.reduce_sum(orthonormal(raw + t * direction) * weights) for t in (1e-5, -1e-5)]
    slope = tf.reduce_sum(tape.gradient(value, raw) * direction)
    np.testing.assert_allclose(slope, (values[0] - values[1]) / 2e-5, rtol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_group_sort_permutes(n):
    x = numbers(6, 3, n)
    y = GroupSort()(x).numpy()
    np.testing.assert_array_equal(np.sort(y, axis=-1), np.sort(x, axis=-1))
    half = n // 2
    assert np.all(y[..., :half] >= y[..., half : 2 * half])


@pytest.mark.parametrize(
    "k, stride, side",
    [(1, 1, 4), (2, 2, 6), (3, 3, 6), (3, 2, 7), (2, 1, 5), (3, 1, 5), (4, 3, 10)],
)
def test_orthonormal_convolutions_stretch_no_image(k, stride, side):
    with rng.seeded_initializers(0):
        layer = OrthonormalConv2D(5, k, strides=stride, use_bias=False)
        layer.build((None, side, side, 2))
    units = np.eye(side * side * 2, dtype=np.float32).reshape(-1, side, side, 2)
    singular = np.linalg.svd(layer(units).numpy().reshape(len(units), -1), compute_uv=False)
    assert singular[0] <= 1 + 1e-5
    if k == stride:
        np.testing.assert_allclose(singular[0], 1.0, atol=1e-5)


def test_the_bound_for_overlapping_patches_is_attained():
    layer = OrthonormalConv2D(
        4, 2, kernel_initializer="zeros"
    )  # the identity from the four pixels to four channels
    image = np.zeros([1, 5, 5, 1], np.float32)
    image[0, 2, 2] = 1.0
    np.testing.assert_allclose(lengths(layer(image).numpy()), 1.0, rtol=1e-6)


CERTIFIED = [
    ("FC-nf=16", (2,)),
    ("FC-nf=15-depth=3", (8, 8, 1)),
    ("MLP-dim=16", (2,)),
    ("MLP-dim=16-mults=(2,1)", (8, 8, 1)),
    ("CNN-nf=4", (16, 16, 2)),
    ("CNN-nf=4-k=2-depth=2", (8, 8, 1)),
    ("CNN-nf=3-pad=1-GAP=False", (12, 12, 1)),
    ("CNN-nf=4-k=5-depth=1", (9, 11, 1)),
]


def lengths(x):
    return np.linalg.norm(x.reshape(len(x), -1).astype(np.float64), axis=1)


@pytest.mark.parametrize("text, shape", CERTIFIED)
@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_no_pair_is_pulled_apart(text, shape, scale):
    model = critic(f"{text}-lipschitz=True", shape)
    for i, variable in enumerate(
        model.trainable_variables
    ):  # any weights, not only those of the beginning
        variable.assign(numbers(*variable.shape, seed=i, scale=scale))
    x, y = numbers(4000, *shape), numbers(4000, *shape, seed=1)
    y[1000:] = x[1000:] + 0.1 * y[1000:]  # far and near ones
    rises = np.abs(model({"image": x}).numpy().astype(np.float64) - model({"image": y}))
    assert np.all(rises <= lengths(x - y) * (1 + 1e-5) + 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("text, shape", CERTIFIED)
def test_no_steepest_pair_exceeds_one(text, shape):
    """Gradient ascent on the slope between pairs, and on the gradient's own length."""
    model = critic(f"{text}-lipschitz=True", shape)
    x, y = tf.Variable(numbers(64, *shape)), tf.Variable(numbers(64, *shape, seed=1))
    optimizer = keras.optimizers.Adam(0.05)

    @tf.function
    def ascend():
        with tf.GradientTape() as tape:
            way = tf.reshape(x - y, [64, -1])
            slope = (model({"image": x}) - model({"image": y})) / tf.norm(way, axis=1)
            loss = -tf.reduce_sum(slope)
        optimizer.apply(tape.gradient(loss, [x, y]), [x, y])
        return slope

    first = ascend().numpy()
    for _ in range(150):
        last = ascend().numpy()
    assert (
        last.max() <= 1 + 1e-4
        and last.mean() > first.mean()
        and last.max() > 0.3 * ("CNN" not in text)
    )
    with tf.GradientTape() as tape:
        scores = model({"image": x})
    assert lengths(tape.gradient(scores, x).numpy()).max() <= 1 + 1e-5


def gaussians(n, dimensions, shift):
    real, fake = numbers(n, dimensions, scale=0.1), numbers(n, dimensions, seed=1, scale=0.1)
    return real + shift, fake


def exact(real, fake):
    from scipy.optimize import linear_sum_assignment

    cost = np.linalg.norm(real[:, None] - fake[None], axis=2)
    return cost[linear_sum_assignment(cost)].mean()


PAIRS = {
    "two points on a line": (np.float32([[0.3]]), np.float32([[-0.9]])),
    "two points": (np.float32([[0.3, -0.2]]), np.float32([[-0.9, 0.8]])),
    "gaussians on a line": gaussians(64, 1, 0.7),
    "gaussians": gaussians(64, 2, 0.7),
}


@pytest.mark.slow
@pytest.mark.parametrize("real, fake", PAIRS.values(), ids=PAIRS)
def test_a_trained_critic_comes_near_w1_and_never_above(real, fake):
    model = critic("FC-nf=32-lipschitz=True", real.shape[1:])
    optimizer, w1, best = keras.optimizers.Adam(0.01), exact(real, fake), 0.0

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            gap = tf.reduce_mean(model({"image": real})) - tf.reduce_mean(model({"image": fake}))
            loss = -gap
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return gap

    for _ in range(300):
        gap = float(step())
        assert gap <= w1 * (1 + 1e-5)
        best = max(best, gap)
    assert best >= 0.95 * w1


@pytest.mark.slow
@pytest.mark.parametrize("text", ["FC-nf=8", "CNN-nf=4-k=2-depth=2"])
def test_copies_and_compiled_calls_say_the_same(text):
    model, x = critic(f"{text}-lipschitz=True", (8, 8, 1)), {"image": numbers(5, 8, 8, 1)}
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(x), model(x))
    np.testing.assert_allclose(tf.function(model, jit_compile=True)(x), model(x), atol=1e-5)


def test_a_layer_can_do_without_bias():
    layer = OrthonormalDense(3, use_bias=False)
    np.testing.assert_allclose(
        lengths(layer(numbers(4, 2)).numpy()), lengths(numbers(4, 2)), rtol=1e-5
    )


@pytest.mark.parametrize("name", ["FC", "MLP", "CNN"])
@pytest.mark.parametrize("more", ["norm=batch", "norm=layer", "sn=True"])
def test_certified_critics_have_no_second_normalisation(name, more):
    with pytest.raises(UsageError, match="lipschitz=True brings its own layers") as caught:
        critic(f"{name}-lipschitz=True-{more}", (32, 32, 1))
    assert "\n" not in str(caught.value)
