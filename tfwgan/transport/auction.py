"""The auction algorithm for transport (Bertsekas and Castañon, 1989) on short lists of partners.

Persons bid for objects, each for the one whose cost and price together are least, and raise its
price to where the second best would do as well, plus epsilon. Then every pair is within epsilon of
what is best for the person, and the plan within epsilon of the least mean cost.

Every person has the same number of units to place and every object the same number to take, so that
sets of different sizes are matched in whole numbers.
"""

import time
from collections.abc import Callable

import numpy as np

from tfwgan.transport.lists import Oracle, Scan

_PARKED = 512  # rows that wait for a scan together: a product of matrices of few rows is slow
_UNPLACED = 0.005  # share of persons that a phase may leave to the next

Ready = Callable[[], bool]


class Auction:
    """The state of an auction: prices, who holds what, who knows whom.

    Args:
        oracle: Finds partners.
        persons: How many there are, P.
        objects: How many there are, O.
        supply: Units of each person; ``P supply = O capacity``.
        capacity: Units of each object.
        prices: To begin with, float64 `[O]`.

    Attributes:
        prices: They never fall.
        left: Units that each person has not placed, int64 `[P]`.
        bids: How many were made.
        scanned: How many rows were scanned.
    """

    def __init__(
        self,
        oracle: Oracle,
        persons: int,
        objects: int,
        supply: int,
        capacity: int,
        prices: np.ndarray,
    ) -> None:
        self.oracle, self.supply, self.capacity = oracle, supply, capacity
        self.prices, self.bids, self.scanned = prices.copy(), 0, 0
        self.left = np.full(persons, supply)
        self._all = np.arange(persons)
        found = oracle(self._all, self.prices)
        self._columns, self._costs = found.columns, found.costs
        self._bound, self._slack = found.bound, found.slack
        self.scanned += persons
        self._clear(objects, -(-capacity // supply) + 1)

    def _clear(self, objects: int, width: int) -> None:
        """Takes everything away from everybody."""
        self._holder = np.zeros((objects, width), np.int64)
        self._amount = np.zeros((objects, width), np.int64)
        self._paid = np.full((objects, width), np.inf)
        self.left[:] = self.supply

    def lower(self) -> float:
        """The dual value of the prices, at most W1 whenever it is asked for."""
        best = (self._costs + self.prices[self._columns]).min(axis=1)
        return float(np.minimum(best, self._bound).mean() - self.prices.mean())

    def flows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Who has placed how many units where: persons, objects, units, each `[f]`."""
        objects, slots = np.nonzero(self._amount)
        return self._holder[objects, slots], objects, self._amount[objects, slots]

    def free(self) -> np.ndarray:
        """Units that each object could take, int64 `[O]`."""
        return self.capacity - self._amount.sum(axis=1)

    def run(self, epsilon: float, stop: Ready, last: bool) -> bool:
        """One phase: everybody bids anew, at the prices that there are.

        Args:
            epsilon: Above 0.
            stop: Asked between rounds whether time is up.
            last: Whether to place everybody; else a few may stay behind.

        Returns:
            Whether the phase came to its end.
        """
        self._clear(*self._holder.shape)
        few = 0 if last else int(_UNPLACED * len(self.left))
        parked = np.zeros(len(self.left), bool)
        while not stop():
            active = np.flatnonzero((self.left > 0) & ~parked)
            if len(active) + parked.sum() <= few:
                return True
            if not len(active) or parked.sum() >= _PARKED:
                self._rescan(np.flatnonzero(parked))
                parked[:] = False
                continue
            objects, levels, known = self._bids(active, epsilon)
            parked[active[~known]] = True
            if known.any():
                self._accept(active[known], objects[known], levels[known])
        return False

    def _rescan(self, rows: np.ndarray) -> None:
        found: Scan = self.oracle(rows, self.prices)
        self._columns[rows], self._costs[rows] = found.columns, found.costs
        self._bound[rows], self._slack[rows] = found.bound, found.slack
        self.scanned += len(rows)

    def _bids(self, rows: np.ndarray, epsilon: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The best object of each row, the price it offers, and whether its list knows the best."""
        columns = self._columns[rows]
        values = self._costs[rows] + self.prices[columns]
        place = values.argmin(axis=1)
        at = np.arange(len(rows))
        best, objects = values[at, place], columns[at, place]
        values[at, place] = np.inf
        # Where rounding hides which is best, as among equal points, any of them will do: looking
        # again would tell no more.
        known = best <= self._bound[rows] + self._slack[rows]
        second = np.maximum(np.minimum(values.min(axis=1), self._bound[rows]), best)
        self.bids += int(known.sum())
        return objects, self.prices[objects] + (second - best) + epsilon, known

    def _accept(self, rows: np.ndarray, objects: np.ndarray, levels: np.ndarray) -> None:
        """Each object takes the highest bids, new ones and those that it holds, up to capacity."""
        touched = np.unique(objects)
        old_objects, slots = np.nonzero(self._amount[touched])
        where = touched[old_objects], slots
        object_ = np.concatenate([objects, where[0]])
        person = np.concatenate([rows, self._holder[where]])
        amount = np.concatenate([self.left[rows], self._amount[where]])
        paid = np.concatenate([levels, self._paid[where]])
        self.left[rows] = 0  # all of it is offered; what is not taken comes back below
        order = np.lexsort((-paid, object_))
        object_, person, amount, paid = object_[order], person[order], amount[order], paid[order]
        first = np.flatnonzero(np.r_[True, object_[1:] != object_[:-1]])
        group = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(object_)]))
        before = np.cumsum(amount) - amount
        before -= before[first][group]
        kept = np.clip(self.capacity - before, 0, amount)
        np.add.at(self.left, person, amount - kept)
        full = np.add.reduceat(kept, first) == self.capacity
        lowest = np.minimum.reduceat(np.where(kept > 0, paid, np.inf), first)
        self.prices[touched[full]] = lowest[full]
        rank = np.arange(len(object_)) - first[group]  # what is kept comes first in its group
        self._write(touched, object_, rank, person, kept, paid)

    def _write(
        self,
        touched: np.ndarray,
        objects: np.ndarray,
        rank: np.ndarray,
        person: np.ndarray,
        kept: np.ndarray,
        paid: np.ndarray,
    ) -> None:
        """Who holds the touched objects now."""
        some = kept > 0
        objects, rank = objects[some], rank[some]
        if (wider := int(rank.max()) + 1 - self._amount.shape[1]) > 0:
            pad = ((0, 0), (0, wider))
            self._holder, self._amount = (np.pad(z, pad) for z in (self._holder, self._amount))
            self._paid = np.pad(self._paid, pad, constant_values=np.inf)
        self._amount[touched] = 0
        self._holder[objects, rank] = person[some]
        self._amount[objects, rank] = kept[some]
        self._paid[objects, rank] = paid[some]


class Deadline:
    """Whether a number of seconds is over."""

    def __init__(self, seconds: float) -> None:
        self._start, self.seconds = time.perf_counter(), seconds

    @property
    def elapsed(self) -> float:
        """Seconds so far."""
        return time.perf_counter() - self._start

    def __call__(self) -> bool:
        """Whether it is."""
        return self.elapsed >= self.seconds
