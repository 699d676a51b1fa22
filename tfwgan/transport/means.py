"""OTMeans: k equally weighted points near to a data set in the Wasserstein-1 distance.

A balanced k-means of the median type. Each step finds the exact optimal plan from the points to all
the data and moves each point towards what it is sent to. As with k-means, where this ends depends
on where it starts: the best of several starts is a measure of what k atoms can reach, and no proof
that none can be nearer.
"""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import tensorflow as tf
from scipy import sparse

from tfwgan import rng
from tfwgan.errors import UsageError
from tfwgan.files import write_atomically
from tfwgan.transport.costs import cost_matrix, points, slices
from tfwgan.transport.exact import Transport, solve

Method = Literal["weiszfeld", "mean", "gradient"]

# Weiszfeld's step minimises a bound on the cost that is the same in all directions, so every step
# of less than twice its length lowers the cost too. Of those tried, this length takes the fewest
# steps and ends lowest.
_STRETCH = 1.8
_SMALL = 2**20  # coordinates of data whose distances are always computed in float64
_LARGE = 2**14  # samples above which part of them is treated first
_NEAR = 1e-2  # squared distances below this part of the squared norms need more than float32
_AT = 1e-3  # part of W1 within which a point is at a sample
_WORK = (
    2**18
)  # distances, of all starts together, that are found for each step unless more is asked for
_MANY = 8  # starts, if they are cheap
_SHORTEST = 2.0**-40  # step, as part of a full one, that is worth making


@dataclass(frozen=True)
class Means:
    """What `ot_means` found, from the best of its starts.

    Attributes:
        centroids: The points, float32 `[k, ...]`, in the range of the data.
        value: Their W1 distance to the data, exact. That no k points are nearer is not proven.
        history: W1 at the start and after each step on all the data, never rising.
        converged: Whether the points are stationary up to the tolerance: the last step changed W1
            by less, and no point is pulled by more than such a change needs.
        steps: How many steps were made on all the data, those included that were taken back.
        starts: From how many starts this is the best.
        seconds: Time it took, all starts together.
    """

    centroids: np.ndarray
    value: float
    history: list[float]
    converged: bool
    steps: int
    starts: int
    seconds: float


def ot_means(
    data: np.ndarray,
    k: int,
    method: Method = "weiszfeld",
    max_steps: int = 100,
    tolerance: float = 1e-5,
    seed: int = 0,
    initial: np.ndarray | None = None,
    lr: float = 1.0,
    on_step: Callable[[int, float], None] | None = None,
    starts: int | None = None,
) -> Means:
    """Finds k points of equal weights near to the data in W1: the best found of several starts, a local optimum.

    A step that would raise W1 is taken back and made at half the length, which grows again while
    steps succeed. With k = n the points are the data (of the method ``gradient``: nearly). Takes
    memory for a copy of the data and some matrices float64 `[k, n]`.

    Args:
        data: Samples `[n, ...]`, used as float32.
        k: Number of points, at most n.
        method: Where a point moves, given the masses m_j it receives from the samples at distances
            d_j: ``weiszfeld``, to the average with weights ``m_j / d_j``, which lowers W1
                (Weiszfeld, 1937; at a sample:
            Vardi and Zhang, 2000); ``mean``, to the average with weights m_j, as for squared
            distances, only as long as W1 falls; ``gradient``, against the gradient of W1.
        max_steps: Steps at most, from each start.
        tolerance: Stop when a step changes W1 by no more than this part of it.
        seed: Of the starts, see `_start`.
        initial: Points `[k, ...]` to start from instead, once.
        lr: Length of the steps of ``gradient``, in units of W1.
        on_step: Called with the number of the step and W1, at each start and after each step on all
            the data.
        starts: From how many starts; by default 8 for small n times k, and 1 from 131,073 on.

    Raises:
        ValueError: If an argument is wrong.
        NotConverged: If the solver of the transport problems hit its limit, which no known problem
            does.
    """
    begin = time.perf_counter()
    shape = np.shape(data)[1:]
    x = points(data, "data").astype(np.float32, copy=False)
    if not 1 <= k <= len(x):
        raise UsageError(
            f"k must lie in 1 ... {len(x)}, the number of samples (these themselves are at distance 0), got {k}."
        )
    if method not in get_args(Method):
        raise UsageError(f"method must be one of {', '.join(get_args(Method))}, got {method!r}.")
    starts = max(1, min(_MANY, _WORK // (len(x) * k))) if starts is None else starts
    if max_steps < 1 or not tolerance >= 0 or not lr > 0 or starts < 1:
        raise UsageError(
            "max_steps and starts must be at least 1, tolerance at least 0 and lr above 0, "
            f"got {max_steps}, {starts}, {tolerance} and {lr}."
        )
    if initial is not None and np.shape(initial) != (k, *shape):
        raise UsageError(f"initial must have shape {[k, *shape]}, got {list(np.shape(initial))}.")
    starts = 1 if initial is not None else starts
    descent, best, made = _Descent(x, method, lr), None, 0
    while made < starts and (best is None or best[1].value > 0):
        if initial is not None:
            c, warm = points(initial, "initial").astype(np.float32), None
        else:
            c, warm = _begun(x, k, method, lr, max_steps, tolerance, seed, made)
        found = descent.run(c, warm, max_steps, tolerance, on_step)
        best = found if best is None or found[1].value < best[1].value else best
        made += 1
    c, transport, history, converged, steps = best
    seconds = time.perf_counter() - begin
    return Means(c.reshape(k, *shape), transport.value, history, converged, steps, made, seconds)


def _begun(
    x: np.ndarray,
    k: int,
    method: Method,
    lr: float,
    max_steps: int,
    tolerance: float,
    seed: int,
    number: int,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Points `[k, d]` to start from, and their potentials if they have some: of large data, found on a part of them."""
    generator = np.random.default_rng(rng.stream(seed + number, "start of OTMeans"))
    order = generator.permutation(len(x))
    c = _start(x, k, order, generator, number)
    if len(x) <= _LARGE or k > len(x) // 8:
        return c, None
    part = _Descent(x[np.sort(order[: max(_LARGE // 2, 4 * k)])], method, lr)
    c, transport, *_ = part.run(c, None, max_steps, tolerance, None)
    return c, transport.potentials[0]


def _start(
    x: np.ndarray, k: int, order: np.ndarray, generator: np.random.Generator, number: int
) -> np.ndarray:
    """Points `[k, d]` of data `[n, d]` in a random order.

    Number 0 is the mean of the data, moved a tenth of the way to one sample for each point. Any
    other goes a third of the way, to samples that are spread out: each is drawn with a probability
    in proportion to its distance from those before it (Arthur and Vassilvitskii, 2007, for
    distances that are not squared).
    """
    chosen, way = list(order[:k]), 0.1
    if number:
        chosen, way, nearest = list(order[:1]), 1 / 3, np.full(len(x), np.inf)
        while len(chosen) < k:
            nearest = np.minimum(nearest, cost_matrix(x[chosen[-1:]], x)[0])
            total = nearest.sum()
            chosen.append(
                generator.choice(len(x), p=nearest / total) if total > 0 else order[len(chosen)]
            )
    mean = x.mean(axis=0, dtype=np.float64)
    return (mean + way * (x[chosen] - mean)).astype(np.float32)


def save(path: str | Path, means: Means) -> None:
    """Writes `centroids`, `value` and `history` as a file .npz, whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, centroids=means.centroids, value=means.value, history=means.history)
    write_atomically(Path(path), buffer.getvalue())


class _Descent:
    """Steps of points on data `[n, d]`."""

    def __init__(self, x: np.ndarray, method: Method, lr: float):
        self.x, self.method, self.lr = x, method, lr
        self.low, self.high = x.min(axis=0), x.max(axis=0)
        if x.size > _SMALL:
            # Near the origin the squared norms are small, and so are the errors of the distances
            # made from them.
            self.origin = x.mean(axis=0, dtype=np.float64).astype(np.float32)
            self.centred = tf.transpose(
                tf.constant(x) - self.origin
            )  # four times as fast below as its transpose
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
    ) -> tuple[np.ndarray, Transport, list[float], bool, int]:
        """Moves points `[k, d]`; returns them, their plan, the history, whether it converged, and the steps made."""
        costs, now = self._solve(c, warm)
        history, length, steps, converged = [now.value], 1.0, 0, now.value == 0
        if on_step is not None:
            on_step(0, now.value)
        while steps < max_steps and not converged and length > _SHORTEST:
            target, stretch, pull = self._target(c, costs, now)
            # The first step, from a start that means nothing, goes to the target.
            stretch = np.minimum(stretch, 1.0) if steps == 0 else stretch
            # To cut off what lies outside the data's range brings the points nearer to all samples.
            part = np.float32(length) * stretch
            moved = np.clip((1 - part) * c + part * target, self.low, self.high)
            moved_costs, then = self._solve(moved, now.potentials[0])
            steps += 1
            change = now.value - then.value
            # A step may also change little because it is short, or stuck beside a sample.
            converged = (
                abs(change) <= tolerance * now.value and pull <= 10 * tolerance
            ) or then.value == 0
            if change >= 0:
                c, costs, now = moved, moved_costs, then
                history.append(now.value)
                length = min(1.0, 2 * length)
            else:
                length /= 2
            if on_step is not None:
                on_step(steps, now.value)
        return c, now, history, converged, steps

    def _solve(self, c: np.ndarray, f: np.ndarray | None) -> tuple[np.ndarray, Transport]:
        """Distances `[k, n]` and the optimal plan; `f` are the points' potentials of a similar problem."""
        costs = self._distances(c)
        warm = None if f is None else (f, np.min(costs - f[:, None], axis=0))
        return costs, solve(costs, warm_start=warm).proven()

    def _distances(self, c: np.ndarray) -> np.ndarray:
        """float64 `[k, n]`: from products in float32, but computed anew where two points nearly meet."""
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
        """Where points `[k, d]` move to under a plan, which part of the way, `[k, 1]`, and how far they are from rest.

        That is the mean square of the force on a point, as part of the most that its mass can be
        pulled by. A step of Weiszfeld's lowers W1 by a fifth to a half of this part of it.
        """
        k = len(c)
        i, j = np.nonzero(now.plan)
        mass, distance = now.plan[i, j], costs[i, j]
        # A sample at the point itself has no direction to pull in: it holds the point with a force
        # of at most its mass. So do samples next to it, which would pull it all their way, if those
        # farther off are stronger.
        near = distance <= _AT * now.value
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
            stretch = free * self.lr * now.value * total * k
        return target, stretch[:, None].astype(np.float32), rest

    def _pulled(
        self, c: np.ndarray, i: np.ndarray, j: np.ndarray, mass: np.ndarray, distance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What masses sent from points i to samples j do: weights `[k]`, averages `[k, d]`, and the force `[k]`."""
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
