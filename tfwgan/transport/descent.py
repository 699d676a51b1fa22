"""The descent of OTMeans: steps of k points towards what the optimal plan sends them to."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
import tensorflow as tf
from scipy import sparse

from tfwgan.transport.costs import cost_matrix, slices
from tfwgan.transport.exact import Transport, solve

Method = Literal["weiszfeld", "mean", "gradient"]
# Points `[k, d]`, their plan, the history of W1, whether they converged, and the steps made.
Descended: TypeAlias = tuple[np.ndarray, Transport, list[float], bool, int]

# Weiszfeld's step minimises a bound on the cost that is the same in all directions, so every step
# of less than twice its length lowers the cost too. Of those tried, this length takes the fewest
# steps and ends lowest.
_STRETCH = 1.8
_SMALL = 2**20  # coordinates of data whose distances are always computed in float64
_NEAR = 1e-2  # squared distances below this part of the squared norms need more than float32
_AT = 1e-3  # part of W1 within which a point is at a sample
_SHORTEST = 2.0**-40  # step, as part of a full one, that is worth making


class Descent:
    """Steps of points on data `[n, d]`."""

    def __init__(self, x: np.ndarray, method: Method, lr: float) -> None:
        self.x, self.method, self.lr = x, method, lr
        self.low, self.high = x.min(axis=0), x.max(axis=0)
        if x.size > _SMALL:
            # Near the origin the squared norms are small, and so are the errors of the distances
            # made from them.
            self.origin = x.mean(axis=0, dtype=np.float64).astype(np.float32)
            # This is four times as fast below as its transpose.
            self.centred = tf.transpose(tf.constant(x) - self.origin)
            self.sizes = np.concatenate(
                [_sizes(x[rows] - self.origin) for rows in slices(len(x), 4096)]
            )

    def run(
        self,
        c: np.ndarray,
        warm: np.ndarray | None,
        max_steps: int,
        tolerance: float,
        on_step: Callable[[int, float], None] | None,
    ) -> Descended:
        """Moves points `[k, d]` until they rest or the steps are used up.

        It returns them, their plan, the history, whether it converged, and the steps made.
        """
        costs, now = self._solve(c, warm)
        history, length, steps, converged = [now.upper], 1.0, 0, now.upper == 0
        if on_step is not None:
            on_step(0, now.upper)
        while steps < max_steps and not converged and length > _SHORTEST:
            target, stretch, pull = self._target(c, costs, now)
            # The first step, from a start that means nothing, goes to the target.
            stretch = np.minimum(stretch, 1.0) if steps == 0 else stretch
            # To cut off what lies outside the data's range brings the points nearer to all samples.
            part = np.float32(length) * stretch
            moved = np.clip((1 - part) * c + part * target, self.low, self.high)
            moved_costs, then = self._solve(moved, now.potentials[0])
            steps += 1
            change = now.upper - then.upper
            # A step may also change little because it is short, or stuck beside a sample.
            converged = (
                abs(change) <= tolerance * now.upper and pull <= 10 * tolerance
            ) or then.upper == 0
            if change >= 0:
                c, costs, now = moved, moved_costs, then
                history.append(now.upper)
                length = min(1.0, 2 * length)
            else:
                length /= 2
            if on_step is not None:
                on_step(steps, now.upper)
        return c, now, history, converged, steps

    def _solve(self, c: np.ndarray, f: np.ndarray | None) -> tuple[np.ndarray, Transport]:
        """Returns distances `[k, n]` and the optimal plan.

        `f` are the points' potentials of a similar problem.
        """
        costs = self._distances(c)
        warm = None if f is None else (f, np.min(costs - f[:, None], axis=0))
        return costs, solve(costs, warm_start=warm).proven()

    def _distances(self, c: np.ndarray) -> np.ndarray:
        """Returns distances float64 `[k, n]`, from products in float32.

        They are computed anew where two points nearly meet.
        """
        if self.x.size <= _SMALL:
            return cost_matrix(c, self.x)
        centred = c - self.origin
        squares = tf.matmul(-2 * centred, self.centred).numpy().astype(np.float64)
        squares += _sizes(centred)[:, None]
        squares += self.sizes
        near = np.nonzero(squares < _NEAR * (_sizes(centred)[:, None] + self.sizes))
        for some in slices(len(near[0]), max(1, 2**22 // c.shape[1])):
            i, j = near[0][some], near[1][some]
            squares[i, j] = _sizes(c[i] - self.x[j])
        return np.sqrt(squares, out=squares)

    def _target(
        self, c: np.ndarray, costs: np.ndarray, now: Transport
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Finds where points `[k, d]` move to under a plan, and how far they are from rest.

        It returns the targets, which part of the way to go, `[k, 1]`, and the distance from rest.

        That is the mean square of the force on a point, as part of the most that its mass can be
        pulled by. A step of Weiszfeld's lowers W1 by a fifth to a half of this part of it.
        """
        k = len(c)
        i, j = np.nonzero(now.plan)
        mass, distance = now.plan[i, j], costs[i, j]
        # A sample at the point itself has no direction to pull in: it holds the point with a force
        # of at most its mass. So do samples next to it, which would pull it all their way, if those
        # farther off are stronger.
        near = distance <= _AT * now.upper
        total, target, force = self._pulled(c, i[~near], j[~near], mass[~near], distance[~near])
        beside = np.bincount(i[near], mass[near], k)
        rest = float(k * np.square(np.maximum(0.0, force - beside)).sum())
        if self.method == "mean":
            return self._average(c, i, j, mass), np.ones([k, 1], np.float32), rest
        held = (distance == 0) | (near & (force > beside)[i])
        if (held != near).any():
            total, target, force = self._pulled(c, i[~held], j[~held], mass[~held], distance[~held])
        hold = np.bincount(i[held], mass[held], k)
        free = np.maximum(0.0, 1.0 - np.divide(hold, force, out=np.zeros(k), where=force > 0))
        stretch = np.where(hold > 0, free, _STRETCH)
        if self.method == "gradient":
            stretch = free * self.lr * now.upper * total * k
        return target, stretch[:, None].astype(np.float32), rest

    def _pulled(
        self, c: np.ndarray, i: np.ndarray, j: np.ndarray, mass: np.ndarray, distance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tells what masses sent from points i to samples j do.

        It returns weights `[k]`, averages `[k, d]`, and the force `[k]`.
        """
        weights = mass / distance
        total, target = np.bincount(i, weights, len(c)), self._average(c, i, j, weights)
        return total, target, total * np.sqrt(_sizes(target - c))

    def _average(
        self, c: np.ndarray, i: np.ndarray, j: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Averages `[k, d]` of the samples j with weights, for each point i; of none: the point."""
        total = np.bincount(i, weights, len(c))
        shares = sparse.csr_array(
            ((weights / total[i]).astype(np.float32), (i, j)), shape=(len(c), len(self.x))
        )
        return np.where(total[:, None] > 0, shares @ self.x, c)


def _sizes(x: np.ndarray) -> np.ndarray:
    """Squared norms of `[n, d]`, float64."""
    return np.einsum("nd,nd->n", x, x, dtype=np.float64)
