"""Laws of penalties, on critics whose slope is known by heart."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfwgan.objectives.penalties import (
    PENALTIES,
    gradient_norms,
    interpolates,
    squared_gradient_norms,
)

EXPECTED = {
    "gp": lambda s: (s - 1) ** 2,
    "lp": lambda s: max(0, s - 1) ** 2,
    "r1": lambda s: s**2 / 2,
    "r2": lambda s: s**2 / 2,
}
SHAPES = [(1,), (2,), (2, 2, 1)]


def linear(w):
    """The critic of slope `w`."""
    return lambda x: tf.reduce_sum(w * x, axis=list(range(1, len(x.shape))))


def batch(shape, n=5, seed=0):
    r = np.random.default_rng(seed)
    real, fake = (tf.constant(r.normal(size=(n, *shape)), tf.float32) for _ in range(2))
    return real, fake, tf.constant(r.uniform(size=n), tf.float32)


def slope(shape, length):
    w = np.random.default_rng(1).normal(size=shape)
    return tf.Variable(length * w / np.linalg.norm(w), dtype=tf.float32)


def test_every_penalty_has_a_law():
    assert PENALTIES.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("length", [0.0, 0.5, 1.0, 3.0])
def test_penalties_of_a_linear_critic_depend_on_its_slope_only(name, shape, length):
    for seed in range(3):
        penalty = PENALTIES[name](linear(slope(shape, length)), *batch(shape, seed=seed))
        assert penalty.shape == ()
        np.testing.assert_allclose(penalty, EXPECTED[name](length), atol=5e-6)


@settings(deadline=None, max_examples=30, database=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=5, max_size=5), st.floats(0, 4))
def test_the_mix_does_not_matter_to_a_linear_critic(mix, length):
    real, fake, _ = batch((2,))
    for name, expected in EXPECTED.items():
        penalty = PENALTIES[name](linear(slope((2,), length)), real, fake, tf.constant(mix))
        np.testing.assert_allclose(penalty, expected(length), atol=1e-5)


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("length", [0.0, 1e-9, 1.0, 2.0])
def test_the_gradient_of_a_penalty_is_finite_at_any_slope(name, length):
    w = slope((3,), length)
    with tf.GradientTape() as tape:
        penalty = PENALTIES[name](linear(w), *batch((3,)))
    gradient = tape.gradient(penalty, w)
    assert np.isfinite(gradient).all()
    if length >= 1:
        up, down = EXPECTED[name](length + 1e-6), EXPECTED[name](length - 1e-6)
        expected = (up - down) / 2e-6
        np.testing.assert_allclose(gradient, expected * w / length, atol=1e-5)


@pytest.mark.parametrize("name", PENALTIES)
def test_the_gradient_is_finite_for_a_dead_critic(name):
    w, b = tf.Variable([[1.0], [1.0]]), tf.Variable([-100.0])
    with tf.GradientTape() as tape:
        penalty = PENALTIES[name](lambda x: tf.nn.relu(x @ w + b)[:, 0], *batch((2,)))
    assert np.isfinite(tape.gradient(penalty, w, unconnected_gradients="zero")).all()


def bowl(x):
    """The critic |x|^2 / 2, whose slope at x is |x|."""
    return tf.reduce_sum(tf.square(x), axis=list(range(1, len(x.shape)))) / 2


@pytest.mark.parametrize("shape", SHAPES)
def test_penalties_are_means_over_samples_at_the_right_places(shape):
    real, fake, mix = batch(shape)
    between = interpolates(real, fake, mix)
    norms = {k: np.linalg.norm(v.numpy().reshape(5, -1), axis=1) for k, v in
             {"real": real, "fake": fake, "between": between}.items()}  # fmt: skip
    expected = {
        "gp": np.mean((norms["between"] - 1) ** 2),
        "lp": np.mean(np.maximum(0, norms["between"] - 1) ** 2),
        "r1": np.mean(norms["real"] ** 2) / 2,
        "r2": np.mean(norms["fake"] ** 2) / 2,
    }
    for name, penalty in PENALTIES.items():
        np.testing.assert_allclose(penalty(bowl, real, fake, mix), expected[name], rtol=1e-5)
    np.testing.assert_allclose(gradient_norms(bowl, real), norms["real"], rtol=1e-5)
    np.testing.assert_allclose(squared_gradient_norms(bowl, real), norms["real"] ** 2, rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_interpolates_lie_on_the_segment_with_one_weight_per_sample(shape):
    real, fake, mix = batch(shape)
    between = interpolates(real, fake, mix).numpy()
    for x, y, t, z in zip(real.numpy(), fake.numpy(), mix.numpy(), between, strict=True):
        np.testing.assert_allclose(z, y + t * (x - y), atol=1e-6)


def test_interpolates_hit_both_ends():
    real, fake, _ = batch((2, 2, 1))
    np.testing.assert_array_equal(interpolates(real, fake, tf.ones(5)), real)
    np.testing.assert_array_equal(interpolates(real, fake, tf.zeros(5)), fake)


def test_the_slope_of_one_sample_does_not_depend_on_the_others():
    real, *_ = batch((3,))
    alone = [gradient_norms(bowl, real[i : i + 1])[0] for i in range(5)]
    np.testing.assert_allclose(gradient_norms(bowl, real), alone, rtol=1e-6)
