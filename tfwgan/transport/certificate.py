"""Bounds on W1 that hold whatever a critic has learned, and without solving a transport problem.

By Kantorovich and Rubinstein's duality, W1 is the largest ``E f(x) - E f(y)`` of a 1-Lipschitz f.
On two finite sets any function can be made to obey: by dividing it by its steepest rise from a y to
an x (the *scaling* bound), or by replacing its values on one set by the best that its values on the
other allow (the *c-transform* bound; Villani, 2009, chapter 5). Both cost one pass over all pairs
of points, in blocks.

A constant added to f proves nothing more, so values are moved to the middle of their range first;
what rounding may have added to a bound is taken off it.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tfwgan.transport.costs import blocks, masses, pair, slices
from tfwgan.transport.histograms import monotone

_ULPS = (
    8 * np.finfo(np.float64).eps
)  # rounding of the few operations on a value, as part of the largest
_DIGITS = 1e-11  # rounding of a distance, as part of it, see `costs.cost_matrix`


@dataclass(frozen=True)
class Certificate:
    """What one function proves about W1.

    Attributes:
        raw: ``E f(x) - E f(y)``: the critic's own estimate, which proves nothing.
        slope: The steepest rise ``(f(x) - f(y)) / |x - y|`` between the sets; 0 if f rises nowhere,
            infinite if it rises between points that coincide.
        scaling: ``raw / slope``, at most W1; 0 if `raw` is not above its rounding error.
        c_transform: The better of two bounds, from the values on x and from those on y; at most W1,
            maybe negative.

    Rounding errors are taken off both bounds.
    """

    raw: float
    slope: float
    scaling: float
    c_transform: float

    @property
    def lower(self) -> float:
        """The best of the bounds, at least 0 and at most W1."""
        return max(0.0, self.scaling, self.c_transform)


def certify(
    x: ArrayLike,
    y: ArrayLike,
    f_x: ArrayLike,
    f_y: ArrayLike,
    weights_x: ArrayLike | None = None,
    weights_y: ArrayLike | None = None,
) -> Certificate:
    """All lower bounds on W1 that the values of a function prove, in one pass over the pairs.

    The distance to the origin is 1-Lipschitz and reads off W1 to the origin. A critic that is ten
    times as steep claims ten times as much, and proves the same:

        >>> import numpy as np
        >>> from tfwgan import certify, w1
        >>> x, y = np.array([[3.0, 4.0], [6.0, 8.0]]), np.zeros((2, 2))
        >>> f_x, f_y = np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)
        >>> w1(x, y)
        7.5
        >>> for steepness in (1.0, 10.0):
        ...     found = certify(x, y, steepness * f_x, steepness * f_y)
        ...     print(found.raw, found.slope, round(float(found.lower), 6), found.lower <= w1(x, y))
        7.5 1.0 7.5 True
        75.0 10.0 7.5 True

    Args:
        x: Samples `[n, ...]`, finite real numbers, where f is to be high.
        y: Samples `[m, ...]` of as many coordinates.
        f_x: Any finite values on x, `[n]`, such as a critic's scores of real images.
        f_y: Any finite values on y, `[m]`.
        weights_x: Masses of the points, `[n]`, at least 0, of sum 1; by default uniform.
        weights_y: `[m]`.

    Returns:
        The bounds (Villani, 2009, "Optimal Transport: Old and New", theorem 5.10), and the values
        that they were made of.

    Raises:
        ValueError: If an argument is wrong.
    """
    x, y = pair(x, y)
    f, h = _centred(_values(f_x, len(x), "f_x"), _values(f_y, len(y), "f_y"))
    a, b = masses(weights_x, len(x), "weights_x"), masses(weights_y, len(y), "weights_y")
    if not (a.all() and b.all()):  # W1 knows nothing of points without mass
        x, f, a, y, h, b = x[a > 0], f[a > 0], a[a > 0], y[b > 0], h[b > 0], b[b > 0]
    slope, best_x, best_y = 0.0, np.full(len(x), np.inf), np.full(len(y), np.inf)
    for rows, columns, distance in blocks(x, y):
        best_y[columns] = np.minimum(best_y[columns], (distance - f[rows, None]).min(axis=0))
        best_x[rows] = np.minimum(best_x[rows], (distance + h[columns]).min(axis=1))
        rise = f[rows, None] - h[columns]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            np.divide(rise, distance, out=rise)
        slope = max(slope, float(np.fmax.reduce(rise, axis=None)))  # passes over 0 / 0
    raw = _sum(a * f) - _sum(b * h)
    proven = _below(raw, f, h)
    scaling = proven / slope if proven > 0 and slope > 0 else 0.0
    from_x, from_y = _sum(a * f) + _sum(b * best_y), _sum(a * best_x) - _sum(b * h)
    return Certificate(
        raw, slope, scaling, max(_below(from_x, f, best_y), _below(from_y, best_x, h))
    )


def scaling_bound(x: ArrayLike, y: ArrayLike, f_x: ArrayLike, f_y: ArrayLike) -> float:
    """``E f(x) - E f(y)`` over the steepest rise of f from a y to an x: at least 0, at most W1.

    Arguments and errors as in `certify`.
    """
    return certify(x, y, f_x, f_y).scaling


def c_transform_bound(x: ArrayLike, y: ArrayLike, f_x: ArrayLike) -> float:
    """Returns the lower bound ``E f(x) + E_y min_x (|x - y| - f(x))`` of W1.

    It is at most W1, and equal to it, up to rounding, at an optimal potential.

    Dividing f by its slope first never makes the bound worse than scaling.

    Args:
        x: Samples `[n, ...]`, of equal masses.
        y: Samples `[m, ...]`, of equal masses.
        f_x: Any finite values on x, `[n]`.

    Raises:
        ValueError: If points or values are wrong.
    """
    x, y = pair(x, y)
    (f,) = _centred(_values(f_x, len(x), "f_x"))
    best = np.full(len(y), np.inf)
    for rows, columns, distance in blocks(x, y):
        best[columns] = np.minimum(best[columns], (distance - f[rows, None]).min(axis=0))
    return _below(_sum(f) / len(f) + _sum(best) / len(best), f, best)


def feasible_upper(x: ArrayLike, y: ArrayLike, directions: int = 16, seed: int = 0) -> float:
    """Returns the cost of some plan, which is hence at least W1.

    The plan is the cheapest of those that keep the order along a direction.

    Without a matrix of pairs, O(n log n). Exact on the line; loose in many dimensions.

    Args:
        x: Samples `[n, ...]`.
        y: Samples `[m, ...]`.
        directions: How many random directions to try, besides that from mean to mean.
        seed: Which.

    Raises:
        ValueError: If an argument is wrong.
    """
    x, y = pair(x, y)
    if directions < 0:
        raise ValueError(f"directions must be at least 0, got {directions}.")
    apart = x.mean(axis=0, dtype=np.float64) - y.mean(axis=0, dtype=np.float64)
    normals = np.concatenate(
        [apart[None], np.random.default_rng(seed).normal(size=(directions, x.shape[1]))]
    )
    along_x, along_y = (
        np.concatenate([part[rows] @ normals.T for rows in slices(len(part), 4096)])
        for part in (x, y)
    )
    i, j, mass = monotone(np.full(len(x), len(y)), np.full(len(y), len(x)))
    costs = []
    for order_x, order_y in zip(
        np.argsort(along_x, axis=0).T, np.argsort(along_y, axis=0).T, strict=True
    ):
        parts = (
            mass[some]
            @ np.linalg.norm(
                np.subtract(x[order_x[i[some]]], y[order_y[j[some]]], dtype=np.float64), axis=1
            )
            for some in slices(len(i), 4096)
        )
        costs.append(sum(parts))
    return float(min(costs) / (len(x) * len(y)))


def _centred(*values: np.ndarray) -> list[np.ndarray]:
    """Values less the middle of their range."""
    middle = min(part.min() for part in values) / 2 + max(part.max() for part in values) / 2
    return [part - middle for part in values]


def _sum(values: np.ndarray) -> float:
    """The sum, rounded once; infinite if it is too large."""
    return math.fsum(values) if np.isfinite(values).all() else float(np.sum(values))


def _below(bound: float, *values: np.ndarray) -> float:
    """Takes from a bound what rounding may have added to it.

    Rounded are the values that it was made of, and distances.
    """
    largest = sum(float(np.abs(part).max()) for part in values)
    return bound - _ULPS * largest - _DIGITS * abs(bound)


def _values(values: ArrayLike, n: int, name: str) -> np.ndarray:
    """Values of a function, float64 `[n]`."""
    values = np.asarray(values, np.float64)
    if values.shape not in ((n,), (n, 1)):
        raise ValueError(f"{name} must have shape {(n,)}, one value per point, got {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, but some of its values are NaN or infinite.")
    return values.reshape(n)
