"""These are laws of distances along random lines.

They are exact on every line, bound W1 and have gradients. The sort below them has laws too.
"""

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import wasserstein_distance

from tfwgan.program.datasets import load
from tfwgan.transport import sliced
from tfwgan.transport.exact import w1
from tfwgan.transport.sliced import (
    coupling,
    directions,
    full_dim_swd,
    projected_w1,
    row_order,
    sorted_rows,
    swd,
)

DISTANCES = [swd, full_dim_swd, projected_w1]
SIZES = [(7, 7), (7, 12), (12, 7), (1, 5), (6, 4), (9, 1), (1, 1)]


def sets(n, m, d=3, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(n, d)), random.normal(size=(m, d)) + 0.5


def close(function, x, y, direction, h=1e-6):
    """The slope of `function` along a direction of both sets, by differences."""
    return (
        function(x + h * direction[0], y + h * direction[1])
        - function(x - h * direction[0], y - h * direction[1])
    ) / (2 * h)


def test_directions_are_unit_columns_of_a_seed():
    columns = directions(5, 200, 3).numpy()
    assert columns.shape == (5, 200) and columns.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(columns, axis=0), 1, rtol=1e-6)
    assert np.abs(columns.mean(axis=1)).max() < 0.15
    np.testing.assert_array_equal(columns, directions(5, 200, np.int64(3)))
    assert np.abs(columns - directions(5, 200, 4)).max() > 0.1
    pair = tf.constant([8, 9], tf.int64)
    np.testing.assert_array_equal(
        directions(4, 6, pair), tf.function(lambda s: directions(4, 6, s))(pair)
    )


@pytest.mark.parametrize("n, m", [*SIZES, (64, 48), (1000, 999)])
def test_swd_is_the_mean_of_the_distances_on_the_lines(n, m):
    x, y = sets(n, m)
    lines = directions(3, 16, 5).numpy()
    expected = np.mean([wasserstein_distance(x @ line, y @ line) for line in lines.T])
    np.testing.assert_allclose(swd(x, y, 16, 5), expected, rtol=1e-9)
    np.testing.assert_allclose(
        swd(x.astype(np.float32), y.astype(np.float32), 16, 5), expected, rtol=1e-4
    )


@pytest.mark.parametrize("n, m", [*SIZES, (60, 60), (35, 21)])
def test_a_coupling_is_a_plan_in_order(n, m):
    i, j, mass = (part.numpy() for part in coupling(n, m))
    assert (np.diff(i) >= 0).all() and (np.diff(j) >= 0).all() and (mass >= 0).all()
    np.testing.assert_allclose(np.bincount(i, mass, n), 1 / n, rtol=1e-12)
    np.testing.assert_allclose(np.bincount(j, mass, m), 1 / m, rtol=1e-12)


@pytest.mark.slow
def test_sliced_is_below_w1_and_coupled_along_lines_above():
    for seed in range(150):
        random = np.random.default_rng(seed)
        n, m, d = random.integers(1, 12, 3)
        x, y = sets(n, m, d, seed)
        if seed % 3 == 0:
            x, y = np.rint(x), np.rint(y)
        exact = w1(x, y)
        assert swd(x, y, 8, seed) <= exact + 1e-12
        assert exact <= full_dim_swd(x, y, 8, seed) + 1e-6


@pytest.mark.parametrize("n, m", SIZES)
def test_coupled_along_lines_is_the_cost_of_the_sorted_pairs(n, m):
    x, y = sets(n, m)
    i, j, mass = (part.numpy() for part in coupling(n, m))
    costs = []
    for line in directions(3, 4, 0).numpy().T:
        a, b = x[np.argsort(x @ line)], y[np.argsort(y @ line)]
        costs.append(np.sum(mass * np.linalg.norm(a[i] - b[j], axis=1)))
    np.testing.assert_allclose(full_dim_swd(x, y, 4), np.mean(costs), rtol=1e-9)


def test_on_the_line_all_are_exact():
    for n, m in SIZES:
        x, y = sets(n, m, 1)
        for value in (swd(x, y), full_dim_swd(x, y), projected_w1(x, y, dim=1)):
            np.testing.assert_allclose(value, w1(x, y), rtol=1e-6)


@pytest.mark.parametrize("distance", DISTANCES)
def test_distances_know_no_order_no_origin_and_no_shape(distance):
    x, y = sets(9, 6, 4)
    random = np.random.default_rng(1)
    expected = distance(x, y, n_projections=8).numpy()
    np.testing.assert_allclose(
        distance(random.permutation(x), random.permutation(y), n_projections=8), expected, rtol=1e-9
    )
    np.testing.assert_allclose(distance(x + 3.0, y + 3.0, n_projections=8), expected, rtol=1e-6)
    np.testing.assert_allclose(distance(5 * x, 5 * y, n_projections=8), 5 * expected, rtol=1e-6)
    np.testing.assert_allclose(distance(y, x, n_projections=8), expected, rtol=1e-9)
    images = (x.reshape(9, 2, 2, 1), y.reshape(6, 2, 2, 1))
    np.testing.assert_allclose(distance(*images, n_projections=8), expected, rtol=1e-9)
    np.testing.assert_allclose(distance(x, random.permutation(x), n_projections=8), 0, atol=1e-6)
    np.testing.assert_allclose(distance(x, np.repeat(x, 3, axis=0), n_projections=8), 0, atol=1e-6)


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_translate_is_as_far_as_its_shift_seen_along_the_lines(distance):
    x, _ = sets(10, 1, 3)
    shift = np.array([1.0, -2.0, 0.5])
    expected = np.linalg.norm(shift)
    if distance is swd:
        expected = np.abs(shift @ directions(3, 8, 0).numpy()).mean()
    if distance is projected_w1:
        expected = np.mean(
            [
                np.linalg.norm(shift @ lines)
                for lines in np.split(directions(3, 16, 0).numpy(), 8, axis=1)
            ]
        )
        np.testing.assert_allclose(
            distance(x, x + shift, dim=2, n_projections=8), expected, rtol=1e-6
        )
    else:
        np.testing.assert_allclose(distance(x, x + shift, n_projections=8), expected, rtol=1e-6)


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_seed_is_a_choice_of_lines(distance):
    x, y = sets(8, 8)
    assert (
        distance(x, y, n_projections=4, seed=1).numpy()
        == distance(x, y, n_projections=4, seed=1).numpy()
    )
    assert (
        distance(x, y, n_projections=4, seed=1).numpy()
        != distance(x, y, n_projections=4, seed=2).numpy()
    )
    pair = tf.constant([5, 6], tf.int64)
    graph = tf.function(lambda x, y, seed: distance(x, y, n_projections=4, seed=seed))
    np.testing.assert_allclose(
        graph(x, y, pair), distance(x, y, n_projections=4, seed=pair), rtol=1e-12
    )


@pytest.mark.parametrize("n, m", SIZES)
@pytest.mark.parametrize("distance", DISTANCES)
def test_gradients_are_slopes(distance, n, m):
    def function(x, y):
        return distance(x, y, n_projections=4)

    x, y = (tf.constant(points) for points in sets(n, m))
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        value = function(x, y)
    gradients = tape.gradient(value, [x, y])
    direction = (
        np.random.default_rng(1).normal(size=(n, 3)),
        np.random.default_rng(2).normal(size=(m, 3)),
    )
    slope = sum(
        np.sum(gradient * part) for gradient, part in zip(gradients, direction, strict=True)
    )
    np.testing.assert_allclose(slope, close(function, x, y, direction), rtol=1e-5, atol=1e-8)
    for only, other in ((x, y), (y, x)):
        with tf.GradientTape() as tape:
            tape.watch(only)
            value = function(*((only, other) if only is x else (other, only)))
        np.testing.assert_allclose(
            tape.gradient(value, only), gradients[0 if only is x else 1], atol=1e-12
        )


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_coinciding_points_pull_nowhere(distance, dtype):
    x = tf.cast(sets(6, 1)[0], dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = distance(x, x[::-1], n_projections=4)
    gradient = tape.gradient(value, x)
    assert value.dtype == gradient.dtype == dtype
    np.testing.assert_allclose(value, 0, atol=1e-6)
    np.testing.assert_allclose(gradient, 0, atol=1e-6)


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_graph_for_batches_of_any_size_agrees(distance):
    @tf.function(input_signature=[tf.TensorSpec([None, 3])] * 2)
    def graph(x, y):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = distance(x, y, n_projections=4)
        return value, tape.gradient(value, x)

    for n, m in ((5, 5), (4, 6)):
        x, y = (tf.constant(points, tf.float32) for points in sets(n, m))
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = distance(x, y, n_projections=4)
        for one, other in zip(graph(x, y), (value, tape.gradient(value, x)), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 10), (2000, 64), (4, 100_000)])
def test_the_sort_and_its_gradient_are_those_of_tensorflow(shape, dtype):
    random = np.random.default_rng(0)
    values, weights = (
        tf.constant(random.normal(size=shape).astype(dtype)),
        random.normal(size=shape).astype(dtype),
    )
    results = []
    for sort in (sorted_rows, tf.sort):
        with tf.GradientTape() as tape:
            tape.watch(values)
            result = sort(values)
            total = tf.reduce_sum(result * weights)
        results.append((result.numpy(), tape.gradient(total, values).numpy()))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])
    np.testing.assert_array_equal(tf.gather(values, row_order(values), batch_dims=1), results[0][0])


def test_without_numpy_the_sort_is_the_same(monkeypatch):
    values = tf.constant(np.random.default_rng(0).normal(size=(5, 9)).astype(np.float32))
    results = []
    for gpu in (False, True):
        monkeypatch.setattr(sliced, "_has_gpu", lambda gpu=gpu: gpu)
        with tf.GradientTape() as tape:
            tape.watch(values)
            result = sorted_rows(values)
            total = tf.reduce_sum(result * tf.range(9.0))
        results.append((result, tape.gradient(total, values), row_order(values)))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_numbers_are_sorted_too(dtype):
    tiny, huge = np.finfo(dtype).tiny, np.finfo(dtype).max
    values = np.array([[0.0, -huge, np.inf, -1.0, tiny / 4, huge, -np.inf, -tiny / 4, 1.0]], dtype)
    np.testing.assert_array_equal(sorted_rows(tf.constant(values)), np.sort(values))
    np.testing.assert_array_equal(
        np.take_along_axis(values, row_order(tf.constant(values)).numpy(), 1), np.sort(values)
    )


@pytest.mark.parametrize("distance", [swd, full_dim_swd])
def test_what_is_not_a_number_stays_visible(distance):
    x, y = sets(5, 5)
    x[2, 1] = np.nan
    assert np.isnan(distance(x, y))


def test_lines_tell_sets_of_squares_apart():
    squares = load("squares").real(slice(None))
    some = squares[np.random.default_rng(0).choice(len(squares), 64, replace=False)]
    mean, black = squares.mean(axis=0, keepdims=True), -np.ones_like(squares[:1])
    assert 0.035 < swd(some, squares) < 0.065
    np.testing.assert_allclose(swd(mean, squares), 0.247, rtol=0.05)
    np.testing.assert_allclose(swd(black, squares), 0.251, rtol=0.05)


@pytest.mark.parametrize(
    "call, answer",
    [
        (lambda x: swd(x, x[:, :2]), "equal dimensions, got 3 and 2"),
        (lambda x: swd(x, x, n_projections=0), "n_projections must be at least 1, got 0"),
        (
            lambda x: full_dim_swd(x, x, n_projections=-1),
            "n_projections must be at least 1, got -1",
        ),
        (lambda x: projected_w1(x, x, dim=0), "got 0 and 16"),
        (lambda x: projected_w1(x, x, n_projections=0), "got 64 and 0"),
    ],
)
def test_wrong_arguments_are_told(call, answer):
    with pytest.raises(ValueError, match=answer):
        call(sets(4, 4)[0])
