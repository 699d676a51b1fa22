"""Laws of the interval around W1: it holds W1 at every moment, narrows only, and closes."""

import numpy as np
import pytest

from tfwgan.errors import UsageError
from tfwgan.transport import w1
from tfwgan.transport.auction import Auction
from tfwgan.transport.bracket import w1_bracket
from tfwgan.transport.costs import cost_matrix
from tfwgan.transport.lists import Scan, Streamed


class BruteForce:
    """The oracle that keeps all costs."""

    def __init__(self, x, y, k=64):
        self.costs, self.k = cost_matrix(x, y), k

    def __call__(self, rows, prices):
        values = self.costs[rows] + prices
        order = np.argsort(values, axis=1)
        columns, bound = order[:, : self.k], np.full(len(rows), np.inf)
        if self.k < len(prices):
            bound = np.take_along_axis(values, order[:, self.k : self.k + 1], axis=1)[:, 0]
        costs = np.take_along_axis(self.costs[rows], columns, axis=1)
        return Scan(columns, costs, bound, np.zeros(len(rows)))


def problem(seed):
    """Two random sets: of any sizes, with duplicates, collapsed, far apart, on a grid."""
    rng = np.random.default_rng(seed)
    n, m, d = rng.integers(1, 40), rng.integers(1, 40), rng.integers(1, 6)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) * rng.choice([0.1, 1, 3])
    kind = seed % 6
    if kind == 1:
        x = x[rng.integers(0, n, n)]  # duplicates
    elif kind == 2:
        x[:] = x[0]  # collapsed
    elif kind == 3:
        y = np.concatenate([y, x])[: max(1, m)]  # common points
    elif kind == 4:
        x, y = np.rint(2 * x), np.rint(2 * y)  # ties
    elif kind == 5:
        x, y = x + 1e4, y + 1e4
    return x, y


@pytest.mark.parametrize("k", [1, 3, 64])
@pytest.mark.parametrize("seed", range(36))
def test_the_interval_holds_w1_at_every_moment_and_closes(seed, k):
    x, y = problem(seed)
    exact, slack = w1(x, y), 1e-9 * (1 + np.abs(x).max())
    larger, smaller = (x, y) if len(x) >= len(y) else (y, x)
    oracle = (Streamed if seed < 6 else BruteForce)(larger, smaller, k)
    found = w1_bracket(x, y, tolerance=1e-3, oracle=oracle)
    assert found.gap <= 1e-3
    for before, after in zip(found.history, found.history[1:], strict=False):
        assert before.lower <= after.lower + slack and after.upper <= before.upper
    for _, lower, upper in found.history:
        assert lower <= exact + slack and exact <= upper + slack
    marginals = np.bincount(found.i, found.mass, len(x)), np.bincount(found.j, found.mass, len(y))
    np.testing.assert_allclose(marginals[0], 1 / len(x), rtol=1e-9)
    np.testing.assert_allclose(marginals[1], 1 / len(y), rtol=1e-9)
    cost = found.mass @ np.linalg.norm(x[found.i] - y[found.j], axis=1)
    assert cost == pytest.approx(found.upper, abs=slack)


@pytest.mark.parametrize("budget", [0, 1e-3, 0.05])
def test_any_budget_gives_a_valid_interval(budget):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 6)), rng.normal(size=(300, 6))
    found, exact = w1_bracket(x, y, budget_seconds=budget, tolerance=1e-6), w1(x, y)
    assert found.lower <= exact <= found.upper and found.mass.sum() == pytest.approx(1)


def test_prices_of_before_are_a_good_start():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 4)), rng.normal(size=(300, 4))
    first = w1_bracket(x, y, tolerance=1e-3)
    moved = x + 0.01 * rng.normal(size=x.shape)
    again = w1_bracket(moved, y, budget_seconds=0, prices=first.prices)
    cold = w1_bracket(moved, y, budget_seconds=0)
    assert cold.lower < again.lower <= w1(moved, y)


@pytest.mark.parametrize("shift", [0.0, 100.0])
@pytest.mark.parametrize("k", [1, 5, 30])
def test_the_streamed_oracle_proves_its_bound(shift, k):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 7)) + shift, rng.normal(size=(30, 7)) + shift
    y[:5] = x[:5]  # no distance at all
    prices, rows = rng.uniform(0, 2, 30), np.array([3, 0, 49, 7])
    found = Streamed(x, y, k)(rows, prices)
    values = cost_matrix(x, y)[rows] + prices
    np.testing.assert_allclose(
        found.costs + prices[found.columns], np.take_along_axis(values, found.columns, 1), 1e-9
    )
    for value, columns, bound in zip(values, found.columns, found.bound, strict=True):
        others = np.delete(value, columns)
        assert len(set(columns)) == k and (not len(others) or bound <= others.min())
    if k < 30:
        least = np.sort(values, axis=1)[:, k]
        assert (least <= found.bound + found.slack + 1e-9).all() and (
            found.slack < 0.02 + shift
        ).all()


def test_an_auction_ends_within_epsilon_of_the_least_cost():
    rng = np.random.default_rng(2)
    for n, m in ((60, 60), (60, 30), (45, 30)):
        x, y = rng.normal(size=(n, 3)), rng.normal(size=(m, 3))
        units = np.lcm(n, m)
        auction = Auction(BruteForce(x, y, 8), n, m, units // n, units // m, np.zeros(m))
        for epsilon in (0.5, 0.05, 0.005):
            before = auction.prices.copy()
            assert auction.run(epsilon, lambda: False, last=True)
            assert (auction.prices >= before).all() and not auction.left.any()
            i, j, amount = auction.flows()
            cost = amount @ np.linalg.norm(x[i] - y[j], axis=1) / units
            assert cost - auction.lower() <= epsilon + 1e-12 and cost >= w1(x, y) - 1e-12


@pytest.mark.parametrize(
    "options, said",
    [
        ({"budget_seconds": -1}, "budget_seconds"),
        ({"tolerance": 0}, "tolerance"),
        ({"tolerance": float("nan")}, "tolerance"),
        ({"prices": np.zeros(3)}, "`prices` must be 5"),
        ({"prices": np.full(5, np.nan)}, "finite"),
    ],
)
def test_wrong_arguments_are_refused(options, said):
    with pytest.raises(UsageError, match=said):
        w1_bracket(np.zeros((9, 2)), np.ones((5, 2)), **options)
    with pytest.raises(ValueError, match="equal dimensions"):
        w1_bracket(np.zeros((9, 2)), np.ones((5, 3)))
