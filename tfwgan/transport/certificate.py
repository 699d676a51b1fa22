"""Bounds on W1 that hold whatever a critic has learned, and without solving a transport problem.

By Kantorovich and Rubinstein's duality, W1 is the largest ``E f(x) - E f(y)`` of a 1-Lipschitz f. On two finite sets
any function can be made to obey: by dividing it by its steepest rise from a y to an x (the *scaling* bound), or by
replacing its values on one set by the best that its values on the other allow (the *c-transform* bound; Villani,
2009, chapter 5). Both cost one pass over all pairs of points, in blocks.
"""

from dataclasses import dataclass

import numpy as np

from tfwgan.transport.costs import blocks, masses, pair, slices
from tfwgan.transport.histograms import monotone


@dataclass(frozen=True)
class Certificate:
    """What one function proves about W1.

    Attributes:
        raw: ``E f(x) - E f(y)``: the critic's own estimate, which proves nothing.
        slope: The steepest rise ``(f(x) - f(y)) / |x - y|`` between the sets; 0 if f rises nowhere, infinite if it
            rises between points that coincide.
        scaling: ``raw / slope``, at most W1; 0 if `raw` is not positive.
        c_transform: The better of two bounds, from the values on x and from those on y; at most W1, maybe negative.
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
    x: np.ndarray,
    y: np.ndarray,
    f_x: np.ndarray,
    f_y: np.ndarray,
    weights_x: np.ndarray | None = None,
    weights_y: np.ndarray | None = None,
) -> Certificate:
    """All lower bounds on W1 that the values of a function prove, in one pass over the pairs.

    Args:
        x: Samples `[n, ...]`, where f is to be high.
        y: Samples `[m, ...]`.
        f_x: Any finite values on x, `[n]`, such as a critic's scores of real images.
        f_y: Any finite values on y, `[m]`.
        weights_x: Masses of the points, `[n]`; by default uniform.
        weights_y: `[m]`.

    Raises:
        ValueError: If an argument is wrong.
    """
    x, y = pair(x, y)
    f, h = _values(f_x, len(x), "f_x"), _values(f_y, len(y), "f_y")
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
    mean_x, mean_y = float(a @ f), float(b @ h)
    raw = mean_x - mean_y
    scaling = raw / slope if raw > 0 and slope > 0 else 0.0
    return Certificate(raw, slope, scaling, max(mean_x + float(b @ best_y), float(a @ best_x) - mean_y))


def scaling_bound(x: np.ndarray, y: np.ndarray, f_x: np.ndarray, f_y: np.ndarray) -> float:
    """``E f(x) - E f(y)`` over the steepest rise of f from a y to an x: at least 0, at most W1.

    Arguments and errors as in `certify`.
    """
    return certify(x, y, f_x, f_y).scaling


def c_transform_bound(x: np.ndarray, y: np.ndarray, f_x: np.ndarray) -> float:
    """``E f(x) + E_y min_x (|x - y| - f(x))``, at most W1 and equal to it at an optimal potential.

    Arguments and errors as in `certify`. Dividing f by its slope first never makes the bound worse than scaling.
    """
    x, y = pair(x, y)
    f = _values(f_x, len(x), "f_x")
    best = np.full(len(y), np.inf)
    for rows, columns, distance in blocks(x, y):
        best[columns] = np.minimum(best[columns], (distance - f[rows, None]).min(axis=0))
    return float(f.mean() + best.mean())


def feasible_upper(x: np.ndarray, y: np.ndarray, directions: int = 16, seed: int = 0) -> float:
    """The cost of some plan, hence at least W1: the cheapest of those that keep the order along a direction.

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
    normals = np.concatenate([apart[None], np.random.default_rng(seed).normal(size=(directions, x.shape[1]))])
    along_x, along_y = (np.concatenate([part[rows] @ normals.T for rows in slices(len(part), 4096)]) for part in (x, y))
    i, j, mass = monotone(np.full(len(x), len(y)), np.full(len(y), len(x)))
    costs = []
    for order_x, order_y in zip(np.argsort(along_x, axis=0).T, np.argsort(along_y, axis=0).T, strict=True):
        parts = (
            mass[some] @ np.linalg.norm(np.subtract(x[order_x[i[some]]], y[order_y[j[some]]], dtype=np.float64), axis=1)
            for some in slices(len(i), 4096)
        )
        costs.append(sum(parts))
    return float(min(costs) / (len(x) * len(y)))


def _values(values: np.ndarray, n: int, name: str) -> np.ndarray:
    """Values of a function, float64 `[n]`."""
    values = np.asarray(values, np.float64)
    if values.shape not in ((n,), (n, 1)):
        raise ValueError(f"{name} must have shape {(n,)}, one value per point, got {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, but some of its values are NaN or infinite.")
    return values.reshape(n)
