"""Laws of bounds on W1: they hold for every function, and the best function meets them."""

import numpy as np
import pytest

from tfwgan.transport.certificate import c_transform_bound, certify, feasible_upper, scaling_bound
from tfwgan.transport.costs import cost_matrix
from tfwgan.transport.exact import exact_plan, solve, w1


def random_problem(rng):
    """Makes clouds and lattices of unequal sizes, and a function on them.

    The function is noise, slopes, potentials with noise, or constants.
    """
    n, m, d = rng.integers(1, 6, 3)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + rng.normal()
    if rng.random() < 0.3:
        x, y = np.rint(x), np.rint(y)
    kind = rng.integers(4)
    if kind == 0:
        f, h = rng.normal(size=n), rng.normal(size=m)
    elif kind == 1:
        slope = rng.normal(size=d) * 10 ** rng.uniform(-2, 2)
        f, h = x @ slope, y @ slope
    elif kind == 2:
        f, h = exact_plan(x, y).potentials
        f, h = f + 0.1 * rng.normal(size=n), -h + 0.1 * rng.normal(size=m)
    else:
        f, h = np.full(n, 2.0), np.full(m, rng.integers(1, 4))
    return x, y, f, h


@pytest.mark.slow
def test_no_bound_is_wrong_in_ten_thousand_cases():
    rng = np.random.default_rng(0)
    nonzero = 0
    for _ in range(10_000):
        x, y, f, h = random_problem(rng)
        result = solve(cost_matrix(x, y))
        bounds = certify(x, y, f, h)
        slack = 1e-9 * (1 + np.abs(f).max() + np.abs(h).max())
        assert bounds.scaling <= result.value + slack and bounds.c_transform <= result.value + slack
        assert 0 <= bounds.lower <= result.value + slack
        nonzero += bounds.lower > 0
    assert nonzero > 3000


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])  # of the space
@pytest.mark.parametrize("shift", [0.0, -1e3, 1e9, 1e16, 1e100, -1e300])  # of the function
def test_no_bound_is_above_w1_by_rounding(shift, size):
    rng = np.random.default_rng(0)
    for _ in range(100):
        x, y, f, h = random_problem(rng)
        x, y = size * x, size * y
        truth = exact_plan(x, y).value * (1 + 1e-12)
        for scale in (size, 1.0, 1e10 * size):  # of the function too
            bounds = certify(x, y, scale * f + shift, scale * h + shift)
            assert 0 <= bounds.lower <= truth
            assert c_transform_bound(x, y, scale * f + shift) <= truth


@pytest.mark.parametrize("shift", [0.0, 3.0, -1e5])
def test_a_constant_added_to_the_best_potential_costs_nothing(shift):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 2)), rng.normal(size=(50, 2)) + 0.1
    result = exact_plan(x, y)
    f, g = result.potentials
    bounds = certify(x, y, f + shift, shift - g)
    np.testing.assert_allclose([bounds.raw, bounds.lower], result.value, rtol=1e-8)


@pytest.mark.parametrize("n, m", [(30, 30), (20, 47)])
def test_the_best_potential_meets_w1(n, m):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 5)), rng.normal(size=(m, 5)) + 0.3
    result = exact_plan(x, y)
    f, g = result.potentials
    bounds = certify(x, y, f, -g)
    for bound in (
        bounds.raw,
        bounds.scaling,
        bounds.c_transform,
        bounds.lower,
        c_transform_bound(x, y, f),
    ):
        np.testing.assert_allclose(bound, result.value, atol=1e-9)
    np.testing.assert_allclose(bounds.slope, 1.0, atol=1e-9)
    np.testing.assert_allclose(scaling_bound(x, y, 7 * f, -7 * g), result.value, atol=1e-9)


def test_all_bounds_are_those_of_their_formulas():
    rng = np.random.default_rng(0)
    x, y, f, h = (
        rng.normal(size=(9, 3)),
        rng.normal(size=(7, 3)),
        rng.normal(size=9) + 1,
        rng.normal(size=7),
    )
    distance = np.linalg.norm(x[:, None] - y, axis=2)
    bounds = certify(x, y, f, h)
    np.testing.assert_allclose(bounds.raw, f.mean() - h.mean())
    np.testing.assert_allclose(bounds.slope, ((f[:, None] - h) / distance).max())
    np.testing.assert_allclose(bounds.scaling, bounds.raw / bounds.slope)
    from_x = f.mean() + (distance - f[:, None]).min(axis=0).mean()
    from_y = (distance + h).min(axis=1).mean() - h.mean()
    np.testing.assert_allclose(bounds.c_transform, max(from_x, from_y))
    np.testing.assert_allclose(c_transform_bound(x, y, f), from_x)
    np.testing.assert_allclose(c_transform_bound(y, x, -h), from_y)


def test_blocks_change_nothing():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1100, 3)), rng.normal(size=(1500, 3))
    whole = cost_matrix(x, y)
    f, h = np.sin(3 * x[:, 0]), np.sin(3 * y[:, 0]) - 0.1
    bounds = certify(x, y, f, h)
    np.testing.assert_allclose(bounds.slope, ((f[:, None] - h) / whole).max(), rtol=1e-12)
    np.testing.assert_allclose(
        c_transform_bound(x, y, f), f.mean() + (whole - f[:, None]).min(axis=0).mean()
    )


def test_dividing_by_the_slope_first_never_makes_the_c_transform_worse_than_scaling():
    rng = np.random.default_rng(1)
    for _ in range(100):
        x, y, f, h = random_problem(rng)
        bounds = certify(x, y, f, h)
        if bounds.scaling > 0:
            assert c_transform_bound(x, y, f / bounds.slope) >= bounds.scaling - 1e-9


@pytest.mark.parametrize(
    "x, f_x, y, f_y",
    [
        ([0.0, 1.0], [1.0, 1.0], [0.0, 3.0], [0.0, 0.0]),  # rises between points that coincide
        ([0.0, 1.0], [2.0, 2.0], [0.0, 3.0], [2.0, 2.0]),  # constant
        ([0.0, 1.0], [0.0, 0.0], [0.0, 3.0], [1.0, 1.0]),  # falls
        ([0.0], [1.0], [0.0], [1.0]),
    ],
)
def test_a_function_that_proves_nothing_gives_zero(x, f_x, y, f_y):
    assert certify(x, y, f_x, f_y).scaling == 0


def test_weights_are_those_of_w1():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 2)), rng.normal(size=(6, 2))
    a, b = rng.dirichlet(np.ones(8)), rng.dirichlet(np.ones(6))
    a[0] = 0
    a /= a.sum()
    result = exact_plan(x, y, a, b)
    f, g = result.potentials
    f[0] = 1e6  # a point without mass has no say
    bounds = certify(x, y, f[:, None], -g[:, None], a, b)
    np.testing.assert_allclose([bounds.scaling, bounds.c_transform], result.value, atol=1e-9)


@pytest.mark.parametrize("n, m, d", [(20, 20, 2), (20, 33, 5), (7, 100, 1), (1, 5, 3)])
def test_a_feasible_plan_costs_at_least_w1(n, m, d):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, y = (
            rng.normal(size=(n, d)).astype(np.float32),
            rng.normal(size=(m, d)).astype(np.float32),
        )
        upper = feasible_upper(x, y, seed=seed)
        assert w1(x, y) - 1e-9 <= upper <= cost_matrix(x, y).max() + 1e-9
        if d == 1 or n == 1:
            np.testing.assert_allclose(upper, w1(x, y), rtol=1e-9)


def test_the_upper_bound_of_a_translate_is_the_shift():
    x = np.random.default_rng(0).normal(size=(50, 6))
    np.testing.assert_allclose(feasible_upper(x, x + 2.0, directions=0), 2 * 6**0.5)
    np.testing.assert_allclose(feasible_upper(x, x[::-1]), 0, atol=1e-12)


X, Y = np.zeros((2, 1)), np.ones((3, 1))
BAD = {
    "NaN": (lambda: certify(X, Y, [np.nan, 0.0], np.zeros(3)), "f_x must be finite"),
    "values": (
        lambda: certify(X, Y, np.zeros(2), np.zeros(2)),
        r"f_y must have shape \(3,\).*got \(2,\)",
    ),
    "points": (lambda: certify(X, np.zeros((3, 2)), np.zeros(2), np.zeros(3)), "equal dimensions"),
    "weights": (
        lambda: certify(X, Y, np.zeros(2), np.zeros(3), [1.0, 1.0]),
        "weights_x must sum to 1, got 2",
    ),
    "one side": (lambda: c_transform_bound(X, Y, [np.inf, 0.0]), "f_x must be finite"),
    "empty": (lambda: feasible_upper(np.zeros((0, 1)), Y), "at least one point"),
    "directions": (lambda: feasible_upper(X, Y, directions=-1), "directions must be at least 0"),
}


@pytest.mark.parametrize("call, says", BAD.values(), ids=BAD)
def test_bad_arguments_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
