"""These are laws of exact transport.

It is the linear program, a metric, and never a number without a status.
"""

import sys
import time
import warnings

import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import linear_sum_assignment, linprog

from tfwgan.program.datasets import load
from tfwgan.transport.costs import cost_matrix
from tfwgan.transport.exact import NotConverged, exact_plan, solve, w1, w1_loss


def sets(n, m, d=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.5


def linear_program(cost, a, b):
    """The least cost by a solver of general linear programs."""
    n, m = cost.shape
    sums = np.concatenate([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    return linprog(
        cost.ravel(), A_eq=sums, b_eq=np.concatenate([a, b]), method="highs", options=tight
    ).fun


def random_problem(seed):
    """Makes small sets of unequal sizes, and weights, also zero ones.

    The sets are clouds, or lattices with duplicates and meeting points.
    """
    rng = np.random.default_rng(seed)
    n, m, d = rng.integers(1, 9, 3)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    if seed % 3 == 1:
        x, y = np.rint(x), np.rint(y)
    a, b = np.full(n, 1 / n), np.full(m, 1 / m)
    if seed % 2:
        a, b = (
            rng.random(n) ** 3 * (rng.random(n) > 0.2) + 1e-9,
            rng.random(m) * (rng.random(m) > 0.3),
        )
        b[rng.integers(m)] += 0.5
        a, b = a / a.sum(), b / b.sum()
    return x, y, a, b


def check(result, cost, a, b):
    """What holds of every result."""
    assert (result.plan >= 0).all() and result.plan.shape == cost.shape
    np.testing.assert_allclose(result.plan.sum(axis=1), a, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(result.plan.sum(axis=0), b, rtol=1e-12, atol=1e-15)
    f, g = result.potentials
    scale = np.abs(cost).max()
    assert (f[:, None] + g - cost).max() <= 1e-13 * max(scale, 1)
    np.testing.assert_allclose([a @ f, b @ g], result.lower / 2, atol=1e-12 * max(scale, 1))
    np.testing.assert_allclose(np.sum(result.plan * cost), result.upper, rtol=1e-12, atol=1e-15)
    assert result.lower <= result.upper


@pytest.mark.parametrize("cost", ["euclidean", "squared", "l1"])
def test_it_solves_the_linear_program(cost):
    for seed in range(100):
        x, y, a, b = random_problem(seed)
        weights = (a, b) if seed % 2 else (None, None)
        result = exact_plan(x, y, *weights, cost=cost)
        costs = cost_matrix(x, y, cost)
        check(result, costs, a, b)
        assert result.converged
        np.testing.assert_allclose(result.value, linear_program(costs, a, b), atol=1e-9)
        np.testing.assert_allclose(result.lower, result.value, atol=1e-9)


def test_equal_sizes_are_an_assignment():
    for seed in range(100):
        x, y = sets(12, 12, 3, seed)
        cost = cost_matrix(x, y)
        np.testing.assert_allclose(w1(x, y), cost[linear_sum_assignment(cost)].mean(), atol=1e-12)


def test_on_the_line_it_couples_in_order():
    x, y = sets(40, 40, 1)
    np.testing.assert_allclose(
        w1(x, y), np.abs(np.sort(x, axis=0) - np.sort(y, axis=0)).mean(), atol=1e-12
    )


@pytest.mark.parametrize("n, m", [(10, 10), (7, 10), (64, 100)])
def test_it_is_a_metric(n, m):
    x, y = sets(n, m, 3)
    z = np.random.default_rng(9).normal(size=(13, 3)) * 2
    np.testing.assert_allclose(w1(x, y), w1(y, x), atol=1e-12)
    assert w1(x, z) <= w1(x, y) + w1(y, z) + 1e-12
    assert w1(x, x[::-1]) == 0
    np.testing.assert_allclose(w1(x, np.repeat(x, 3, axis=0)), 0, atol=1e-12)


def test_it_moves_and_scales_with_the_points():
    x, y = sets(20, 15, 6)
    shift = 10 * np.random.default_rng(1).normal(size=6)
    np.testing.assert_allclose(w1(x + shift, y + shift), w1(x, y), rtol=1e-12)
    np.testing.assert_allclose(w1(x, x + shift), np.linalg.norm(shift), rtol=1e-12)
    for factor in (1e-140, 1e-60, 1e-9, 3.0, 1e9, 1e60, 1e140):
        np.testing.assert_allclose(w1(factor * x, factor * y), factor * w1(x, y), rtol=1e-9)


def test_repeating_a_point_is_giving_it_weight():
    x, y = sets(5, 6)
    counts = np.array([1, 4, 2, 1, 2])
    np.testing.assert_allclose(
        w1(np.repeat(x, counts, axis=0), y), exact_plan(x, y, counts / 10).value, rtol=1e-12
    )


def test_points_without_weight_don_t_matter():
    x, y = sets(6, 5)
    far = np.concatenate([x, 1e3 + x])
    result = exact_plan(far, y, np.r_[np.full(6, 1 / 6), np.zeros(6)])
    check(result, cost_matrix(far, y), np.r_[np.full(6, 1 / 6), np.zeros(6)], np.full(5, 0.2))
    np.testing.assert_allclose(result.value, w1(x, y), rtol=1e-12)


@pytest.mark.parametrize("far", [1e4, 1e9, 1e16, 1e20, 1e60, 1e140])
@pytest.mark.parametrize(
    "n, d, several", [(1, 1, 1), (6, 1, 1), (5, 3, 2), (40, 2, 3), (20, 500, 1)]
)
def test_what_is_far_away_in_both_sets_changes_no_distance(far, n, d, several):
    x, y = sets(n, n, d)
    away = far * np.random.default_rng(1).normal(size=(several, d))
    result = exact_plan(np.concatenate([x, away]), np.concatenate([away, y]))
    assert result.converged
    np.testing.assert_allclose(result.value, w1(x, y) * n / (n + several), rtol=1e-7)


def test_an_optimum_is_claimed_only_where_the_bounds_meet():
    rng, claimed = np.random.default_rng(0), 0
    for seed in range(300):
        x, y, a, b = random_problem(seed)
        scale = 10.0 ** rng.uniform(-20, 20)
        x[rng.integers(len(x))] += 10.0 ** rng.uniform(0, 20)  # far from all, in one set
        y[rng.integers(len(y))] *= 10.0 ** rng.uniform(-20, 20)
        result = exact_plan(scale * x, scale * y, *(a, b) if seed % 2 else ())
        assert result.lower <= result.upper and result.converged is (result.value is not None)
        claimed += result.converged
        assert not result.converged or result.upper - result.lower <= 1e-7 * result.upper
    assert claimed > 290


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_costs_that_are_no_numbers_are_refused(wrong):
    for shape in ((1, 1), (3, 2)):
        cost = np.zeros(shape)
        cost[-1, -1] = wrong
        with pytest.raises(ValueError, match="cost must be a matrix"):
            solve(cost)


@pytest.mark.parametrize("n, m", [(300, 300), (64, 1000), (211, 503)])
def test_larger_problems_close_the_gap(n, m):
    x, y = sets(n, m, 10)
    result = exact_plan(x, y)
    check(result, cost_matrix(x, y), np.full(n, 1 / n), np.full(m, 1 / m))
    np.testing.assert_allclose(result.lower, result.value, rtol=1e-12)


@pytest.mark.parametrize("limit", [1, 10, 100, 300, 1000])
def test_stopped_early_it_gives_an_interval(limit):
    for n, m, weights in [
        (60, 60, None),
        (40, 90, None),
        (30, 50, np.random.default_rng(0).dirichlet(np.ones(30))),
    ]:
        x, y = sets(n, m)
        truth = exact_plan(x, y, weights).value
        result = exact_plan(x, y, weights, max_iterations=limit)
        a = np.full(n, 1 / n) if weights is None else weights
        check(result, cost_matrix(x, y), a, np.full(m, 1 / m))
        assert result.lower <= truth + 1e-12 and result.upper >= truth - 1e-12
        assert result.lower > 0.3 * truth and result.upper < 3 * truth
        assert result.value is None or result.value == pytest.approx(truth, abs=1e-12)
        assert result.converged is (result.value is not None)
    assert limit > 100 or not result.converged


def test_w1_raises_what_it_knows(monkeypatch):
    x, y = sets(50, 50)
    truth = w1(x, y)
    monkeypatch.setattr(
        "tfwgan.transport.exact.exact_plan",
        lambda x, y: solve(cost_matrix(x, y), max_iterations=20),
    )
    with pytest.raises(NotConverged, match="between .* raise max_iterations") as error:
        w1(x, y)
    assert error.value.lower <= truth <= error.value.upper
    assert issubclass(NotConverged, RuntimeError)


def test_a_warm_start_changes_nothing_but_the_time():
    for seed in range(10):
        x, y = sets(20, 55, 5, seed)
        cold = exact_plan(x, y)
        moved = x + 0.05 * np.random.default_rng(seed).normal(size=x.shape)
        for start in (cold.potentials, tuple(-side for side in cold.potentials)):
            warm = exact_plan(moved, y, warm_start=start)
            np.testing.assert_allclose(warm.value, w1(moved, y), atol=1e-12)
            np.testing.assert_allclose(warm.lower, warm.value, atol=1e-12)


@pytest.mark.slow
def test_a_warm_start_is_three_times_faster():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(10, 784))
    x, y = (
        (centres[rng.integers(10, size=n)] + 0.5 * rng.normal(size=(n, 784))).astype(np.float32)
        for n in (64, 10_000)
    )
    start = exact_plan(x, y).potentials
    moved = x + 0.002 * rng.normal(size=x.shape)

    def seconds(**options):
        times, values = [], []
        for _ in range(8):
            begin = time.perf_counter()
            values.append(exact_plan(moved, y, **options).value)
            times.append(time.perf_counter() - begin)
        return min(times), values[0]

    (cold, value), (warm, same) = seconds(), seconds(warm_start=start)
    assert abs(value - same) <= 1e-9
    assert warm <= cold / 3


def test_squares_have_known_distances():
    squares = load("squares").real(slice(None))
    black = -np.ones_like(squares[:64])
    np.testing.assert_allclose(w1(black, squares), 20.0, rtol=1e-12)
    mean = np.repeat(squares.mean(axis=0, keepdims=True), 64, axis=0)
    np.testing.assert_allclose(w1(mean, squares), 19.6726, atol=1e-4)


def test_the_solver_leaves_warnings_alone():
    def refuse(*_, **__):
        raise AssertionError("warnings can't be silenced in one of several threads")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warnings, "catch_warnings", refuse)
        patch.setattr(warnings, "warn", refuse)
        assert not exact_plan(*sets(40, 40), max_iterations=5).converged
        assert np.isfinite(w1_loss(*sets(5, 5)))


def test_pot_does_not_bring_its_tensorflow_backend():
    w1(*sets(3, 3))
    assert not sys.modules["ot.backend"].tf and not sys.modules["ot.backend"].torch


@pytest.mark.parametrize("n, m", [(6, 6), (5, 8)])
def test_the_loss_has_the_value_and_the_slope_of_the_distance(n, m):
    x, y = sets(n, m, 3)
    variables = [tf.Variable(x), tf.Variable(y)]
    with tf.GradientTape() as tape:
        loss = w1_loss(*variables)
    gradients = tape.gradient(loss, variables)
    np.testing.assert_allclose(loss, w1(x, y), rtol=1e-12)
    rng, h = np.random.default_rng(1), 1e-6
    for _ in range(5):
        dx, dy = rng.normal(size=x.shape), rng.normal(size=y.shape)
        slope = (w1(x + h * dx, y + h * dy) - w1(x - h * dx, y - h * dy)) / (2 * h)
        np.testing.assert_allclose(
            np.sum(gradients[0] * dx) + np.sum(gradients[1] * dy), slope, atol=1e-7
        )


def test_meeting_points_don_t_pull():
    x = tf.Variable([[0.0, 0.0], [5.0, 0.0]])
    with tf.GradientTape() as tape:
        loss = w1_loss(x, [[0.0, 0.0], [8.0, 4.0]])
    np.testing.assert_allclose(loss, 2.5)
    np.testing.assert_allclose(
        tf.convert_to_tensor(tape.gradient(loss, x)), [[0, 0], [-0.3, -0.4]], atol=1e-7
    )


@pytest.mark.parametrize("signature", [[None, 2, 2, 1], [4, 2, 2, 1], None])
def test_the_loss_works_in_a_graph_on_images(signature):
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(n, 2, 2, 1)).astype(np.float32) for n in (4, 9))
    spec = tf.TensorSpec(signature)

    @tf.function(
        input_signature=[spec, tf.TensorSpec(None if signature is None else [None, 2, 2, 1])]
    )
    def slope(x, y):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = w1_loss(x * 1.0, y)
        return loss, tape.gradient(loss, x)

    loss, gradient = slope(x, y)
    np.testing.assert_allclose(loss, w1(x, y), rtol=1e-6)
    assert gradient.shape == x.shape and np.abs(gradient).max() > 0


def test_the_loss_of_points_that_are_not_finite_is_nan():
    assert np.isnan(w1_loss(tf.constant([[np.nan]]), tf.constant([[1.0]])))


X, Y = np.zeros((2, 1)), np.ones((3, 1))
BAD = {
    "sum": (dict(weights_x=[0.5, 0.6]), "weights_x must sum to 1, got 1.1"),
    "negative": (
        dict(weights_y=[1.5, -0.5, 0.0]),
        "weights_y must be finite and at least 0, got -0.5",
    ),
    "NaN weight": (dict(weights_x=[np.nan, 1.0]), "weights_x must be finite"),
    "number of weights": (dict(weights_x=[1.0]), r"weights_x must have shape \(2,\).*got \(1,\)"),
    "warm shape": (dict(warm_start=(np.zeros(3), np.zeros(3))), "warm_start must have shapes"),
    "warm NaN": (dict(warm_start=(np.full(2, np.nan), np.zeros(3))), "warm_start must be finite"),
    "limit": (dict(max_iterations=0), "max_iterations must be at least 1, got 0"),
    "cost": (dict(cost="cosine"), "cost must be one of"),
}


@pytest.mark.parametrize("options, says", BAD.values(), ids=BAD)
def test_bad_arguments_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        exact_plan(X, Y, **options)


def test_bad_points_are_refused():
    for function in (w1, exact_plan):
        with pytest.raises(ValueError, match="equal dimensions, got 1 and 2"):
            function(X, np.zeros((3, 2)))
    with pytest.raises(ValueError, match="equal dimensions, got 1 and 2"):
        w1_loss(tf.zeros([2, 1]), tf.zeros([2, 2]))
