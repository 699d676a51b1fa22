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
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from tfwgan import rng
from tfwgan.errors import UsageError
from tfwgan.files import write_atomically
from tfwgan.transport.costs import cost_matrix, points
from tfwgan.transport.descent import Descended, Descent, Method

_LARGE = 2**14  # samples above which part of them is treated first
# Distances, of all starts together, that are found for each step unless more is asked for.
_WORK = 2**18
_MANY = 8  # starts, if they are cheap


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
    data: ArrayLike,
    k: int,
    method: Method = "weiszfeld",
    max_steps: int = 100,
    tolerance: float = 1e-5,
    seed: int = 0,
    initial: ArrayLike | None = None,
    lr: float = 1.0,
    on_step: Callable[[int, float], None] | None = None,
    starts: int | None = None,
) -> Means:
    """Finds k points of equal weights near to the data in W1.

    They are the best that was found from several starts, a local optimum. A single point is the
    data's geometric median:

        >>> from tfwgan import ot_means
        >>> found = ot_means([[0.0], [1.0], [10.0]], k=1)
        >>> found.centroids.round(2)
        array([[1.]], dtype=float32)
        >>> found.converged, round(found.value, 2)
        (True, 3.33)

    A step that would raise W1 is taken back and made at half the length, which grows again while
    steps succeed. With k = n the points are the data (of the method ``gradient``: nearly). Takes
    memory for a copy of the data and some matrices float64 `[k, n]`.

    Args:
        data: Samples `[n, ...]`, finite real numbers, used as float32.
        k: Number of points, 1 to n.
        method: Where a point moves, given the masses m_j it receives from the samples at distances
            d_j: ``weiszfeld``, to the average with weights ``m_j / d_j``, which lowers W1
            (Weiszfeld, 1937; at a sample: Vardi and Zhang, 2000, "The multivariate L1-median and
            associated data depth"); ``mean``, to the average with weights m_j, as for squared
            distances, only as long as W1 falls; ``gradient``, against the gradient of W1.
        max_steps: Steps at most, from each start.
        tolerance: Stop when a step changes W1 by no more than this part of it.
        seed: Of the starts, see `_start`.
        initial: Points `[k, ...]` to start from instead, once.
        lr: Length of the steps of ``gradient``, in units of W1.
        on_step: Called with the number of the step and W1, at each start and after each step on all
            the data.
        starts: From how many starts; by default 8 for small n times k, and 1 from 131,073 on.

    Returns:
        The points, their distance to the data, and how it was reached.

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
            f"k must lie in 1 ... {len(x)}, the number of samples (these themselves are at "
            f"distance 0), got {k}."
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
    descent = Descent(x, method, lr)

    def descended(number: int) -> Descended:
        if initial is not None:
            c, warm = points(initial, "initial").astype(np.float32), None
        else:
            c, warm = _begun(x, k, method, lr, max_steps, tolerance, seed, number)
        return descent.run(c, warm, max_steps, tolerance, on_step)

    best, made = descended(0), 1
    while made < starts and best[1].upper > 0:
        best, made = min(best, descended(made), key=lambda found: found[1].upper), made + 1
    c, transport, history, converged, steps = best
    seconds = time.perf_counter() - begin
    return Means(c.reshape(k, *shape), transport.upper, history, converged, steps, made, seconds)


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
    """Returns points `[k, d]` to start from, and their potentials if they have some.

    Of large data, they are found on a part of the data.
    """
    generator = np.random.default_rng(rng.stream(seed + number, "start of OTMeans"))
    order = generator.permutation(len(x))
    c = _start(x, k, order, generator, number)
    if len(x) <= _LARGE or k > len(x) // 8:
        return c, None
    part = Descent(x[np.sort(order[: max(_LARGE // 2, 4 * k)])], method, lr)
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
