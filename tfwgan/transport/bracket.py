"""An interval around W1 that only narrows, for sets too large for an exact plan."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tfwgan.errors import UsageError
from tfwgan.transport.auction import Auction, Deadline
from tfwgan.transport.costs import pair, slices
from tfwgan.transport.histograms import monotone
from tfwgan.transport.lists import Oracle, Streamed

_SHRINK = 4.0  # of epsilon, from a phase to the next
_COPY = 2**23  # coordinates copied as float64 at a time


class Moment(NamedTuple):
    """What was known at a time, in seconds since the start."""

    seconds: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Bracket:
    """An interval that holds W1, and a plan that attains its upper end.

    Attributes:
        lower: At most W1, proven by `prices`.
        upper: At least W1: the cost of the plan.
        i: Rows of x, int64 `[f]`.
        j: Rows of y, int64 `[f]`.
        mass: What the plan moves from one to the other, float64 `[f]`, of sum 1.
        prices: Of the points of the smaller set; those of a set go on where they were, see
            `w1_bracket`.
        history: Narrowing intervals, by time.
        seconds: In all.
        scans: How often a row was compared with all partners, on average.
        bids: How often it bade.
    """

    lower: float
    upper: float
    i: np.ndarray
    j: np.ndarray
    mass: np.ndarray
    prices: np.ndarray
    history: tuple[Moment, ...]
    seconds: float
    scans: float
    bids: float

    @property
    def gap(self) -> float:
        """How wide the interval is, as part of its upper end; 0 if both are 0."""
        return (self.upper - self.lower) / self.upper if self.upper > 0 else 0.0


def w1_bracket(
    x: ArrayLike,
    y: ArrayLike,
    *,
    budget_seconds: float = 60.0,
    tolerance: float = 0.01,
    prices: np.ndarray | None = None,
    oracle: Oracle | None = None,
) -> Bracket:
    """An interval that holds W1, without a matrix of pairs: memory grows with n, not with n².

    An auction (Bertsekas, 1988, "The auction algorithm: a distributed relaxation method for the
    assignment problem") with falling epsilon, on lists of the nearest partners. Its prices prove
    the lower end at any moment, its plan the upper one; the best of each is kept. It ends when the
    interval is narrow enough, or when time is up: whatever the budget, the interval is valid.

        >>> import numpy as np
        >>> from tfwgan.transport import w1, w1_bracket
        >>> rng = np.random.default_rng(0)
        >>> x, y = rng.normal(size=(300, 5)), rng.normal(size=(200, 5))
        >>> found = w1_bracket(x, y)
        >>> found.lower <= w1(x, y) <= found.upper, found.gap <= 0.01
        (True, True)

    Args:
        x: Samples `[n, ...]`, finite real numbers, of equal masses.
        y: Samples `[m, ...]` of as many coordinates, of equal masses; n and m may differ.
        budget_seconds: When to stop at the latest, a scan or so later.
        tolerance: `Bracket.gap` at which it is narrow enough, above 0.
        prices: Of an earlier bracket with the same smaller set, such as that of the evaluation
            before.
        oracle: Finds partners of the larger set's points in the smaller one; by default `Streamed`.

    Raises:
        ValueError: If an argument is wrong.
    """
    x, y = pair(x, y)
    if not (budget_seconds >= 0 and 0 < tolerance < math.inf):
        raise UsageError(
            f"`budget_seconds` must be at least 0 and `tolerance` above 0, got {budget_seconds} "
            f"and {tolerance}."
        )
    swapped = len(x) < len(y)
    persons, objects = (y, x) if swapped else (x, y)
    time_is_up = Deadline(budget_seconds)
    units = math.lcm(len(persons), len(objects))
    start = np.zeros(len(objects)) if prices is None else np.asarray(prices, np.float64)
    if start.shape != (len(objects),) or not np.isfinite(start).all():
        raise UsageError(f"`prices` must be {len(objects)} finite numbers, got {start.shape}.")
    auction = Auction(
        oracle or Streamed(persons, objects),
        len(persons),
        len(objects),
        units // len(persons),
        units // len(objects),
        start,
    )
    search = _Search(auction, persons, objects, units, time_is_up)
    search.run(tolerance)
    i, j, mass = search.plan
    if swapped:
        i, j = j, i
    return Bracket(
        search.lower,
        search.upper,
        i,
        j,
        mass,
        auction.prices,
        tuple(search.history),
        time_is_up.elapsed,
        auction.scanned / len(persons),
        auction.bids / len(persons),
    )


class _Search:
    """Phases of an auction with falling epsilon, and the best of what they prove."""

    def __init__(
        self,
        auction: Auction,
        persons: np.ndarray,
        objects: np.ndarray,
        units: int,
        time_is_up: Deadline,
    ) -> None:
        self.auction, self.persons, self.objects = auction, persons, objects
        self.units, self.time_is_up = units, time_is_up
        self.lower, self.upper = 0.0, math.inf
        self.history: list[Moment] = []
        self.look()

    def run(self, tolerance: float) -> None:
        """Narrows the interval until it is narrow enough, or time is up."""
        epsilon = self.upper / _SHRINK
        if len(self.objects) == 1:  # there is one plan
            self.lower = self.upper
        while self.upper - self.lower > tolerance * self.upper and not self.time_is_up():
            last = epsilon <= tolerance * self.upper
            self.auction.run(epsilon, self.time_is_up, last)
            self.look()
            epsilon /= _SHRINK

    def look(self) -> None:
        """Takes up what the auction proves by now."""
        self.lower = max(self.lower, self.auction.lower())
        i, j, units = self._completed()
        mass = units / self.units
        cost = _cost(self.persons, self.objects, i, j, mass)
        if cost < self.upper:
            self.upper, self.plan = cost, (i, j, mass)
        self.lower = min(self.lower, self.upper)  # both are exact at an optimum, up to rounding
        self.history.append(Moment(self.time_is_up.elapsed, self.lower, self.upper))

    def _completed(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The flows so far, and the rest placed in the order from mean to mean."""
        i, j, units = self.auction.flows()
        left, free = self.auction.left, self.auction.free()
        rest_i, rest_j = np.flatnonzero(left), np.flatnonzero(free)
        if not len(rest_i):
            return i, j, units
        way = self.persons.mean(axis=0) - self.objects.mean(axis=0)
        rest_i = rest_i[np.argsort(self.persons[rest_i] @ way)]
        rest_j = rest_j[np.argsort(self.objects[rest_j] @ way)]
        at_i, at_j, more = monotone(left[rest_i], free[rest_j])
        some = more > 0
        return (
            np.concatenate([i, rest_i[at_i[some]]]),
            np.concatenate([j, rest_j[at_j[some]]]),
            np.concatenate([units, more[some]]),
        )


def _cost(x: np.ndarray, y: np.ndarray, i: np.ndarray, j: np.ndarray, mass: np.ndarray) -> float:
    """The cost of a plan."""
    parts = (
        mass[some] @ np.linalg.norm(np.subtract(x[i[some]], y[j[some]], dtype=np.float64), axis=1)
        for some in slices(len(i), max(1, _COPY // x.shape[1]))
    )
    return float(sum(parts))
