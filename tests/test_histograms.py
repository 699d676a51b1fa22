"""Laws of distances between laws on the line and on common supports, and their worked examples."""

import numpy as np
import pytest

from tfwgan.transport.exact import exact_plan, w1
from tfwgan.transport.histograms import emd, js, kl, monotone, tv, wasserstein


def law(n, seed, zeros=0.3):
    rng = np.random.default_rng(seed)
    p = rng.random(n) * (rng.random(n) > zeros)
    p[rng.integers(n)] += 0.1
    return p / p.sum()


def test_six_boxes_take_42_and_7_per_box():
    work, plan = emd([1, 2, 3], [3, 1, 2], [7, 8, 9, 10], [1, 1, 2, 2])
    assert work == 42
    np.testing.assert_array_equal(plan, [[1, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 2]])
    np.testing.assert_allclose(
        emd([1, 2, 3], np.array([3, 1, 2]) / 6, [7, 8, 9, 10], np.array([1, 1, 2, 2]) / 6)[0], 7
    )
    np.testing.assert_allclose(w1([1.0, 1, 1, 2, 3, 3], [7.0, 8, 9, 9, 10, 10]), 7)


def test_the_cheaper_of_two_plans_counts():
    work, plan = emd([0, 4], [1, 1], [1, 3], [1, 1])
    assert work == 2
    np.testing.assert_array_equal(plan, np.eye(2))
    assert np.sum(plan[::-1] * np.abs(np.subtract.outer([0, 4], [1, 3]))) == 6


@pytest.mark.parametrize("theta", [-1.5, -1e-9, 0.0, 0.25, 1.0])
def test_of_disjoint_lines_only_w_tells_how_far(theta):
    """Across two parallel lines at 0 and theta the laws are one point each.

    This is example 1 of Arjovsky et al. (2017).
    """
    positions = np.unique([0.0, theta])
    p, q = (positions == 0).astype(float), (positions == theta).astype(float)
    apart = theta != 0
    assert wasserstein(p, q, positions) == abs(theta)
    assert js(p, q) == (np.log(2) if apart else 0)
    assert kl(p, q) == kl(q, p) == (np.inf if apart else 0)
    assert tv(p, q) == (1 if apart else 0)
    np.testing.assert_allclose(2 * js(p, q) - 2 * np.log(2), 0 if apart else -1.386294, atol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_exact_transport_whatever_the_order(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 12, 2)
    x, y, a, b = rng.normal(size=n), rng.normal(size=m), law(n, seed), law(m, seed + 100)
    work, plan = emd(x, a, y, b)
    np.testing.assert_allclose(work, exact_plan(x, y, a, b).value, atol=1e-12)
    np.testing.assert_allclose(plan.sum(axis=1), a, atol=1e-12)
    np.testing.assert_allclose(plan.sum(axis=0), b, atol=1e-12)
    assert (plan >= 0).all() and (plan > 0).sum() < n + m
    np.testing.assert_allclose(emd(x + 5, 3 * a, y + 5, 3 * b)[0], 3 * work, atol=1e-12)


def test_on_one_support_it_is_the_area_between_the_distribution_functions():
    p, q, positions = law(9, 0), law(9, 1), np.sort(np.random.default_rng(2).normal(size=9))
    area = np.sum(np.abs(np.cumsum(p - q))[:-1] * np.diff(positions))
    np.testing.assert_allclose(wasserstein(p, q, positions), area, atol=1e-12)
    np.testing.assert_allclose(wasserstein(q, p, positions), area, atol=1e-12)


def test_the_plan_of_whole_numbers_is_exact():
    i, j, mass = monotone([7] * 3, [3] * 7)
    assert mass.sum() == 21 and set(mass) <= {1, 2, 3}
    np.testing.assert_array_equal(np.bincount(i, mass), [7] * 3)
    np.testing.assert_array_equal(np.bincount(j, mass), [3] * 7)


@pytest.mark.parametrize("seed", range(20))
def test_divergences_keep_their_order(seed):
    p, q = law(8, seed), law(8, seed + 50)
    assert 0 <= tv(p, q) <= 1 and 0 <= js(p, q) <= np.log(2) and kl(p, q) >= 0
    assert js(p, q) == pytest.approx(js(q, p)) and tv(p, q) == tv(q, p)
    assert kl(p, p) == js(p, p) == tv(p, p) == wasserstein(p, p, np.arange(8)) == 0
    assert tv(p, q) <= np.sqrt(kl(p, q) / 2) + 1e-12  # Pinsker
    assert tv(p, q) ** 2 / 2 - 1e-12 <= js(p, q) <= np.log(2) * tv(p, q) + 1e-12
    assert tv(p, q) - 1e-12 <= wasserstein(p, q, np.arange(8)) <= 7 * tv(p, q) + 1e-12


def test_kl_is_its_formula_and_not_symmetric():
    np.testing.assert_allclose(kl([0.5, 0.5], [0.25, 0.75]), 0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    assert kl([1.0, 0.0], [0.5, 0.5]) == pytest.approx(np.log(2))
    assert kl([0.5, 0.5], [1.0, 0.0]) == np.inf
    assert np.isfinite(kl([1.0 - 1e-9, 1e-9], [1.0, 1e-320]))


BAD = {
    "sums": (lambda: emd([0], [1], [1], [2]), "equal sums, got 1 and 2"),
    "negative": (lambda: emd([0, 1], [2, -1], [1], [1]), "masses_x must be finite, at least 0"),
    "nothing": (lambda: emd([0], [0], [1], [0]), "not all 0"),
    "NaN": (lambda: emd([0], [np.nan], [1], [1]), "masses_x must be finite"),
    "shape": (lambda: emd([0], [1], [1, 2], [1]), r"masses_y must have shape \(2,\)"),
    "plane": (
        lambda: emd([[0, 0]], [1], [1], [1]),
        "positions_x must lie on the line, got 2 coordinates",
    ),
    "positions": (lambda: wasserstein([1.0], [1.0], [np.inf]), "positions_x must be finite"),
    "support": (lambda: kl([1.0], [0.5, 0.5]), "same outcomes"),
    "empty": (lambda: tv([], []), "same outcomes"),
    "no law": (
        lambda: js([0.5, 0.6], [0.5, 0.5]),
        "p must be at least 0 and sum to 1, got the sum 1.1",
    ),
    "negative law": (lambda: tv([0.5, 0.5], [1.5, -0.5]), "q must be at least 0"),
}


@pytest.mark.parametrize("call, says", BAD.values(), ids=BAD)
def test_bad_arguments_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
