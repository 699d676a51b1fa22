"""Laws of costs between points."""

import tracemalloc

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from tfwgan.transport.costs import blocks, cost_matrix, pair, points

COSTS = {"euclidean": "euclidean", "squared": "sqeuclidean", "l1": "cityblock"}


def sets(n=7, m=5, d=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d))


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("n, m, d", [(1, 1, 1), (7, 5, 1), (1, 9, 3), (40, 30, 100)])
def test_costs_are_those_of_scipy(cost, n, m, d):
    x, y = sets(n, m, d)
    np.testing.assert_allclose(cost_matrix(x, y, cost), cdist(x, y, COSTS[cost]), rtol=1e-12)


@pytest.mark.parametrize("cost", COSTS)
def test_blocks_tile_the_matrix(cost):
    x, y = sets(50, 33)
    seen = np.zeros((50, 33), int)
    whole = cost_matrix(x, y, cost)
    for rows, columns, block in blocks(x, y, cost, size=100):
        assert block.size <= 100 and block.dtype == np.float64
        seen[rows, columns] += 1
        np.testing.assert_allclose(block, whole[rows, columns], rtol=1e-12)
    assert (seen == 1).all()


@pytest.mark.parametrize("gap", [1e-1, 1e-3, 1e-6])
@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_distances_of_points_that_nearly_meet_keep_their_digits(gap, shift):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 4096)) + shift
    step = rng.normal(size=x.shape)
    y = x + gap * step / np.linalg.norm(step, axis=1, keepdims=True)
    exact = np.linalg.norm(x - y, axis=1)  # of the points as they were rounded
    np.testing.assert_allclose(
        np.diag(cost_matrix(x, y)), exact, rtol=1e-12 + 1e-15 * (1 + 1e4 * shift) / gap
    )
    np.testing.assert_allclose(np.diag(cost_matrix(x, y)), gap, rtol=1e-6 if shift == 0 else 1e-3)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("far", [1e3, 1e8, 1e20, 1e100])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_no_distance_depends_on_what_else_is_in_the_sets(cost, far, share):
    x, y = sets(50, 60, 30)
    alone = cost_matrix(x, y, cost)
    away = np.random.default_rng(2).normal(size=(60, 30)) * far
    some = np.arange(60) < 60 * share
    mixed = cost_matrix(np.concatenate([x, away]), np.where(some[:, None], away, y), cost)
    np.testing.assert_allclose(mixed[:50, ~some], alone[:, ~some], rtol=1e-11)
    assert (mixed[50 + np.flatnonzero(some), np.flatnonzero(some)] == 0).all()


@pytest.mark.parametrize("cost", COSTS)
def test_equal_points_cost_exactly_nothing(cost):
    x = (1e3 * np.random.default_rng(0).normal(size=(20, 300))).astype(np.float32)
    assert (np.diag(cost_matrix(x, x.copy(), cost)) == 0).all()


@pytest.mark.parametrize("cost", COSTS)
def test_costs_are_symmetric_and_never_negative(cost):
    x, y = sets(30, 20, 50)
    y[:5] = x[:5]
    np.testing.assert_allclose(cost_matrix(x, y, cost), cost_matrix(y, x, cost).T, rtol=1e-12)
    assert cost_matrix(x, y, cost).min() >= 0


def test_samples_of_any_shape_and_type_are_points():
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 3)).astype(np.uint8)
    assert points(images).shape == (6, 48)
    np.testing.assert_array_equal(
        cost_matrix(images, images), cost_matrix(images.astype(float), images.astype(float))
    )
    np.testing.assert_array_equal(cost_matrix([1.0, 3.0], [0.0]), [[1.0], [3.0]])


def test_points_are_not_copied():
    x = np.zeros((5, 2, 3), np.float32)
    assert np.shares_memory(points(x), x)


def test_streaming_takes_no_memory_of_the_size_of_data_or_matrix():
    x = np.random.default_rng(0).normal(size=(5000, 500)).astype(np.float32)
    tracemalloc.start()
    for _ in blocks(x, x):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The matrix alone would take 200 MB.
    assert peak < 64e6


GOOD = np.zeros((2, 3))
BAD = {
    "NaN": (np.full((2, 3), np.nan), GOOD, "x must be finite"),
    "infinite": (GOOD, np.full((2, 3), np.inf), "y must be finite"),
    "too large": (GOOD, np.full((2, 3), -1e151), "y must be finite, and at most 1e\\+150 in size"),
    "no points": (np.zeros((0, 3)), GOOD, "x must hold at least one point"),
    "no coordinates": (GOOD, np.zeros((2, 0)), "y must hold at least one point"),
    "a number": (np.float64(3), GOOD, "at least one point"),
    "words": (np.array(["a"]), GOOD, "x must hold real numbers"),
    "complex": (GOOD, np.zeros((2, 3), complex), "y must hold real numbers"),
    "dimensions": (GOOD, np.zeros((2, 4)), "equal dimensions, got 3 and 4"),
}


@pytest.mark.parametrize("function", [pair, cost_matrix])
@pytest.mark.parametrize("x, y, says", BAD.values(), ids=BAD)
def test_bad_points_are_refused(function, x, y, says):
    with pytest.raises(ValueError, match=says):
        function(x, y)


def test_an_unknown_cost_is_refused():
    with pytest.raises(ValueError, match="euclidean, squared, l1, got 'cosine'"):
        cost_matrix(GOOD, GOOD, "cosine")
