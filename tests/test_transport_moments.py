"""Laws of nearest neighbours, the Frechet distance and the kernel discrepancy."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from tfwgan.transport.costs import cost_matrix
from tfwgan.transport.exact import w1
from tfwgan.transport.kernels import median_distance, mmd
from tfwgan.transport.moments import frechet, frechet_of_moments
from tfwgan.transport.neighbours import nearest, nn


def sets(n=30, m=40, d=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), 1.5 * rng.normal(size=(m, d)) + 0.5


@pytest.mark.parametrize("n, m", [(7, 5), (2100, 1300), (1, 1)])
def test_the_nearest_is_that_of_the_matrix(n, m):
    x, y = sets(n, m)
    costs = cost_matrix(x, y)
    index, distance = nearest(x, y)
    np.testing.assert_array_equal(index, costs.argmin(axis=1))
    np.testing.assert_allclose(distance, costs.min(axis=1), rtol=1e-12)
    np.testing.assert_allclose(nn(x, y), distance.mean())


def test_copies_are_at_no_distance_and_nn_is_at_most_w1():
    x, y = sets()
    index, distance = nearest(y[[3, 0, 3]], y)
    np.testing.assert_array_equal(index, [3, 0, 3])
    assert (distance == 0).all() and nn(y[:1], y) == 0 and nn(y, y[:1]) > 0
    assert nn(x, y) <= w1(x, y) and nn(y, x) <= w1(x, y)
    assert nearest([[0.0]], [[1.0], [-1.0], [1.0]])[0] == [0]


def direct(x, y):
    """The Frechet distance as its formula says, good for many more points than dimensions."""
    cov_x, cov_y = np.cov(x.T), np.cov(y.T)
    return np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(
        cov_x + cov_y - 2 * np.real(sqrtm(cov_x @ cov_y))
    )


@pytest.mark.parametrize("n, m, d", [(30, 40, 4), (200, 50, 10), (9, 300, 5)])
def test_frechet_is_its_formula(n, m, d):
    x, y = sets(n, m, d)
    np.testing.assert_allclose(frechet(x, y), direct(x, y), rtol=1e-9)
    moments = x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T)
    np.testing.assert_allclose(frechet_of_moments(*moments), direct(x, y), rtol=1e-9)


def test_frechet_of_equal_covariances_is_the_squared_shift():
    x, _ = sets(20, d=6)
    np.testing.assert_allclose(frechet(x, x + 2.0), 24.0)
    np.testing.assert_allclose(frechet(x, x[::-1]), 0, atol=1e-12)


def test_frechet_of_diagonal_covariances_is_known():
    a, b = np.array([1.0, 4.0, 0.0]), np.array([9.0, 1.0, 2.0])
    value = frechet_of_moments(np.zeros(3), np.diag(a), np.ones(3), np.diag(b))
    np.testing.assert_allclose(value, 3 + np.sum((np.sqrt(a) - np.sqrt(b)) ** 2))


@pytest.mark.parametrize("n, m, d", [(5, 7, 50), (5, 200, 50), (1, 1, 3), (1, 30, 3)])
def test_frechet_of_fewer_points_than_dimensions_does_not_change_with_empty_dimensions(n, m, d):
    x, y = sets(n, m, d)
    both = np.concatenate([x, y])
    centre = both.mean(0)
    basis = np.linalg.svd(both - centre, full_matrices=False)[2][
        : n + m
    ]  # all dimensions that the points span
    np.testing.assert_allclose(
        frechet(x, y), frechet((x - centre) @ basis.T, (y - centre) @ basis.T), rtol=1e-9
    )
    wide = [np.pad(z, ((0, 0), (0, 30))) for z in (x, y)]
    np.testing.assert_allclose(frechet(*wide), frechet(x, y), rtol=1e-9)
    np.testing.assert_allclose(frechet(y, x), frechet(x, y), rtol=1e-9)
    assert frechet(x, x) == pytest.approx(0, abs=1e-9)


def test_frechet_of_single_points_is_their_squared_distance():
    assert frechet([[0.0, 0.0]], [[3.0, 4.0]]) == pytest.approx(25.0)


@pytest.mark.parametrize("unbiased", [False, True])
@pytest.mark.parametrize("sigma", [0.1, 1.0, 10.0])
def test_mmd_is_its_double_loop(sigma, unbiased):
    x, y = sets(6, 5, 3)

    def kernel(a, b):
        return np.exp(-np.sum((a - b) ** 2) / (2 * sigma**2))

    def mean(u, v):
        pairs = [
            kernel(a, b)
            for i, a in enumerate(u)
            for j, b in enumerate(v)
            if not (unbiased and u is v and i == j)
        ]
        return sum(pairs) / len(pairs)

    expected = mean(x, x) + mean(y, y) - 2 * mean(x, y)
    np.testing.assert_allclose(mmd(x, y, sigma, unbiased=unbiased), expected, rtol=1e-9, atol=1e-14)


def test_mmd_of_two_points_shows_the_place_of_sigma_in_the_kernel():
    np.testing.assert_allclose(mmd([[0.0]], [[3.0]], sigma=2.0), 2 - 2 * np.exp(-9 / 8))


def test_mmd_knows_equal_sets_and_the_unbiased_one_is_zero_on_average():
    x, y = sets()
    assert mmd(x, x[::-1]) == pytest.approx(0, abs=1e-12)
    assert mmd(x, y) == pytest.approx(mmd(y, x)) and mmd(x, y) > 0.01
    rng = np.random.default_rng(0)
    values = [mmd(*rng.normal(size=(2, 20, 2)), sigma=1.0, unbiased=True) for _ in range(300)]
    assert abs(np.mean(values)) < 4 * np.std(values) / 300**0.5
    assert min(values) < 0


def test_the_default_width_is_the_median_distance():
    x, y = sets()
    both = np.concatenate([x, y])
    median = np.median(cost_matrix(both, both)[np.triu_indices(70, 1)])
    assert median_distance(x, y) == pytest.approx(median)
    assert mmd(x, y) == mmd(x, y, sigma=median_distance(x, y))
    np.testing.assert_allclose(mmd(7 * x + 1, 7 * y + 1), mmd(x, y))
    x, y = sets(1500, 1200)
    assert median_distance(x, y) == pytest.approx(np.median(cost_matrix(x, y)), rel=0.1)


def test_sets_of_one_value_have_no_discrepancy():
    assert mmd(np.ones((3, 2)), np.ones((4, 2))) == 0
    assert np.isfinite(mmd(np.ones((9, 2)), [[1.0, 1.0], [1.0, 2.0]]))


X, Y = np.zeros((2, 1)), np.ones((3, 1))
BAD = {
    "sigma": (lambda: mmd(X, Y, sigma=0.0), "sigma must be above 0 and finite, got 0"),
    "NaN sigma": (lambda: mmd(X, Y, sigma=np.nan), "sigma must be above 0"),
    "one point": (lambda: mmd(X[:1], Y, unbiased=True), "at least two points"),
    "mmd": (lambda: mmd(X, np.zeros((3, 2))), "equal dimensions"),
    "frechet": (lambda: frechet(X, np.zeros((3, 2))), "equal dimensions"),
    "frechet NaN": (lambda: frechet(X, np.full((3, 1), np.nan)), "y must be finite"),
    "nearest": (lambda: nearest(X, np.zeros((0, 1))), "y must hold at least one point"),
    "moments": (lambda: frechet_of_moments([0.0], [[1.0]], [0.0, 0.0], np.eye(2)), "covariances"),
    "NaN moments": (
        lambda: frechet_of_moments([0.0], [[np.nan]], [0.0], [[1.0]]),
        "must be finite",
    ),
}


@pytest.mark.parametrize("call, says", BAD.values(), ids=BAD)
def test_bad_arguments_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
