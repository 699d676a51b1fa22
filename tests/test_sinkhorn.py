"""Laws of entropic transport."""

import numpy as np
import pytest
import tensorflow as tf

from tfwgan.transport.costs import cost_matrix
from tfwgan.transport.exact import exact_plan, w1
from tfwgan.transport.sinkhorn import sinkhorn, sinkhorn_loss


def sets(n=12, m=9, d=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 1.0


@pytest.mark.parametrize("cost", ["euclidean", "squared", "l1"])
@pytest.mark.parametrize("epsilon", [10.0, 1.0, 0.1])
def test_it_lies_between_the_exact_cost_and_that_plus_the_entropy(epsilon, cost):
    x, y = sets()
    exact = exact_plan(x, y, cost=cost).value
    result = sinkhorn(x, y, epsilon, cost, debias=False)
    assert result.converged and result.error <= 1e-6
    assert exact - 1e-5 <= result.value <= exact + epsilon * np.log(9) + 1e-5


def test_it_falls_to_w1_with_epsilon():
    x, y = sets()
    truth = w1(x, y)
    values = [
        sinkhorn(x, y, epsilon, debias=False).value for epsilon in (1.0, 0.3, 0.1, 0.03, 0.01)
    ]
    assert (np.diff(values) < 0).all()
    np.testing.assert_allclose(values[-1], truth, rtol=0.02)
    np.testing.assert_allclose(sinkhorn(x, y, 0.01).value, truth, rtol=0.01)


def test_the_value_is_that_of_the_plan():
    x, y = sets()
    result = sinkhorn(x, y, 0.3, debias=False, tolerance=1e-10)
    entropy = np.sum(result.plan * np.log(result.plan * result.plan.size))
    np.testing.assert_allclose(
        result.value, np.sum(result.plan * cost_matrix(x, y)) + 0.3 * entropy, rtol=1e-8
    )
    np.testing.assert_allclose(result.plan.sum(axis=1), 1 / 12, atol=1e-9)
    np.testing.assert_allclose(result.plan.sum(axis=0), 1 / 9, atol=1e-9)


@pytest.mark.parametrize("epsilon", [5.0, 0.5])
def test_the_divergence_is_three_problems_and_a_divergence(epsilon):
    x, y = sets()
    single = [
        sinkhorn(*pair, epsilon, debias=False).value
        for pair in ((x, y), (x, x.copy()), (y, y.copy()))
    ]
    np.testing.assert_allclose(
        sinkhorn(x, y, epsilon).value, single[0] - (single[1] + single[2]) / 2, atol=1e-5
    )
    np.testing.assert_allclose(sinkhorn(x, x[::-1], epsilon).value, 0, atol=1e-5)
    np.testing.assert_allclose(
        sinkhorn(x, y, epsilon).value, sinkhorn(y, x, epsilon).value, atol=1e-5
    )
    assert sinkhorn(x, y, epsilon).value > 0.01


def test_of_a_large_epsilon_nothing_but_the_mean_cost_is_left():
    x, y = sets()
    np.testing.assert_allclose(
        sinkhorn(x, y, 1e5, debias=False).value, cost_matrix(x, y).mean(), rtol=1e-4
    )


def test_single_points_are_at_their_distance():
    assert sinkhorn([[0.0, 0.0]], [[3.0, 4.0]], 0.1).value == pytest.approx(5.0)
    assert sinkhorn([[1.0]], [[1.0]], 0.1).value == 0.0


def test_what_has_not_converged_says_so():
    x, y = sets(40, 40)
    result = sinkhorn(x, y, 1e-3, max_iterations=30)
    assert not result.converged and result.iterations == 30 and result.error > 1e-6
    assert np.isfinite(result.value)


def test_a_tiny_epsilon_neither_overflows_nor_gives_nan():
    x, y = sets()
    result = sinkhorn(1e3 * x, 1e3 * y, 1e-3, max_iterations=50)
    assert np.isfinite(result.value) and np.isfinite(result.plan).all() and not result.converged


@pytest.mark.parametrize("debias", [True, False])
def test_the_loss_has_the_value_and_the_slope_of_the_distance(debias):
    x, y = sets(6, 5, 3)
    options = dict(debias=debias, tolerance=1e-10, max_iterations=3000)
    variables = [tf.Variable(x), tf.Variable(y)]
    with tf.GradientTape() as tape:
        loss = sinkhorn_loss(*variables, 0.5, **options)
    gradients = tape.gradient(loss, variables)
    np.testing.assert_allclose(loss, sinkhorn(x, y, 0.5, **options).value, rtol=1e-9)
    rng, h = np.random.default_rng(1), 1e-5
    for _ in range(3):
        dx, dy = rng.normal(size=x.shape), rng.normal(size=y.shape)
        up, down = (sinkhorn(x + s * dx, y + s * dy, 0.5, **options).value for s in (h, -h))
        slope = np.sum(gradients[0] * dx) + np.sum(gradients[1] * dy)
        np.testing.assert_allclose(slope, (up - down) / (2 * h), atol=1e-6)


@pytest.mark.parametrize("epsilon", [1.0, 0.1])
def test_equal_sets_don_t_pull(epsilon):
    x = tf.Variable(np.random.default_rng(0).normal(size=(8, 20)).astype(np.float32) + 3)
    with tf.GradientTape() as tape:
        loss = sinkhorn_loss(x, tf.reverse(x.value(), [0]), epsilon, tolerance=1e-8)
    np.testing.assert_allclose(loss, 0, atol=1e-5)
    np.testing.assert_allclose(tape.gradient(loss, x), np.zeros((8, 20)), atol=1e-4)


@pytest.mark.parametrize("signature", [[None, 2, 2, 1], [4, 2, 2, 1], None])
def test_the_loss_works_in_a_graph_on_images(signature):
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(n, 2, 2, 1)).astype(np.float32) for n in (4, 9))

    @tf.function(
        input_signature=[
            tf.TensorSpec(signature),
            tf.TensorSpec(None if signature is None else y.shape),
        ]
    )
    def slope(x, y):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = sinkhorn_loss(x * 1.0, y, 0.2)
        return loss, tape.gradient(loss, x)

    loss, gradient = slope(x, y)
    assert loss.dtype == tf.float32
    np.testing.assert_allclose(loss, sinkhorn(x, y, 0.2).value, atol=1e-3)
    assert gradient.shape == x.shape and np.abs(gradient).max() > 0


@pytest.mark.slow
def test_descending_the_loss_moves_points_onto_points():
    x, y = tf.Variable(sets(8, 8)[0]), sets(8, 8)[1]
    before = w1(x.numpy(), y)
    for step in range(50):
        with tf.GradientTape() as tape:
            loss = sinkhorn_loss(x, y, 0.1)
        x.assign_sub(8 * 0.5 * 0.94**step * tape.gradient(loss, x))
    assert w1(x.numpy(), y) < 0.1 * before


X, Y = np.zeros((2, 1)), np.ones((3, 1))
BAD = {
    "zero": (dict(epsilon=0.0), "epsilon must be above 0 and finite, got 0"),
    "negative": (dict(epsilon=-1.0), "epsilon must be above 0"),
    "NaN": (dict(epsilon=np.nan), "epsilon must be above 0"),
    "tolerance": (dict(epsilon=1.0, tolerance=0.0), "tolerance must be above 0"),
    "limit": (dict(epsilon=1.0, max_iterations=0), "max_iterations must be at least 1"),
}


@pytest.mark.parametrize("function", [sinkhorn, sinkhorn_loss])
@pytest.mark.parametrize("options, says", BAD.values(), ids=BAD)
def test_bad_numbers_are_refused(function, options, says):
    with pytest.raises(ValueError, match=says):
        function(X, Y, **options)


@pytest.mark.parametrize("function", [sinkhorn, sinkhorn_loss])
def test_unequal_dimensions_are_refused(function):
    with pytest.raises(ValueError, match="equal dimensions, got 1 and 2"):
        function(X, np.zeros((3, 2)), 1.0)
