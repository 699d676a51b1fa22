"""The network simplex solves optimal transport between finite sets exactly.

No number is ever given without a status.
"""

import math
import time
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from tfwgan.transport.costs import Cost, cost_matrix, masses
from tfwgan.transport.pairs import TensorLike, flat_pair
from tfwgan.transport.simplex import Potentials, largest_paid, run_simplex

_ROUNDS = 4  # of smaller costs, before a gap is left open


@dataclass(frozen=True)
class Transport:
    """What a solver found out about one transport problem; W is its least cost.

    Attributes:
        value: W, which is `upper` then; None if the solver was stopped early.
        lower: At most W, up to rounding: the value of the potentials.
        upper: At least W, up to rounding: the cost of the plan.
        plan: Mass moved from each point to each, float64 `[n, m]`; its row and column sums are the
            weights.
        potentials: f `[n]` and g `[m]` with ``f_i + g_j <= c_ij``. A constant moves freely between
            them: here both contribute the same half of `lower`.
        converged: Whether the plan is proven optimal: `lower` and `upper` agree to eight digits.
        seconds: Time of the solver.
    """

    value: float | None
    lower: float
    upper: float
    plan: np.ndarray
    potentials: Potentials
    converged: bool
    seconds: float

    def proven(self) -> "Transport":
        """The same, for those who need the value: it is `upper`.

        Raises:
            NotConverged: If it is not known.
        """
        if not self.converged:
            raise NotConverged(self.lower, self.upper)
        return self


class NotConverged(RuntimeError):
    """The solver was stopped early, and all that is known is that W lies in [`lower`, `upper`]."""

    def __init__(self, lower: float, upper: float) -> None:
        super().__init__(
            f"The transport problem was not solved: its cost lies between {lower:.6g} and "
            f"{upper:.6g}; "
            "raise max_iterations, or take fewer points, and none that are very far from all "
            "others."
        )
        self.lower, self.upper = lower, upper


def w1(x: ArrayLike, y: ArrayLike) -> float:
    """The Wasserstein-1 distance between the uniform laws on two sets, for the Euclidean distance.

    It is the least mean way of moving one set onto the other (Villani, 2009, "Optimal Transport:
    Old and New", definition 6.1). To move a set as a whole costs the length of its shift:

        >>> import numpy as np
        >>> from tfwgan import w1
        >>> x = np.random.default_rng(0).normal(size=(50, 2))
        >>> round(w1(x, x + [3.0, 4.0]), 8)
        5.0
        >>> w1([[0.0], [1.0]], [[0.0], [3.0]])
        1.0

    Args:
        x: Samples `[n, ...]`, finite real numbers.
        y: Samples `[m, ...]` of as many coordinates; n and m may differ.

    Returns:
        The distance, at least 0, proven to eight digits.

    Raises:
        ValueError: If the points are wrong.
        NotConverged: If the solver's limit, which is far above what it has ever needed, was hit.
    """
    return exact_plan(x, y).proven().upper


def exact_plan(
    x: ArrayLike,
    y: ArrayLike,
    weights_x: ArrayLike | None = None,
    weights_y: ArrayLike | None = None,
    warm_start: Potentials | None = None,
    cost: Cost = "euclidean",
    max_iterations: int | None = None,
) -> Transport:
    """The cheapest way of moving one weighted set of points to another.

        >>> from tfwgan import exact_plan
        >>> x, y = [[0.0], [4.0]], [[1.0], [2.0], [6.0]]
        >>> found = exact_plan(x, y, weights_y=[0.5, 0.25, 0.25])
        >>> found.value
        1.5
        >>> found.plan
        array([[0.5 , 0.  , 0.  ],
               [0.  , 0.25, 0.25]])

    It is found by the network simplex (Bonneel et al., 2011, "Displacement interpolation using
    Lagrangian mass transport") of the package POT.

    Args:
        x: Samples `[n, ...]`, finite real numbers.
        y: Samples `[m, ...]` of as many coordinates.
        weights_x: Masses `[n]`, at least 0, of sum 1; by default uniform.
        weights_y: Masses `[m]`.
        warm_start: Potentials of a similar problem of the same size: a shorter way to the same
            result.
        cost: As in `cost_matrix`.
        max_iterations: Pivots of the simplex; by default more than any problem has needed.

    Returns:
        The plan, its cost, and what is proven of it, also if the solver was stopped early.

    Raises:
        ValueError: If an argument is wrong.
    """
    return solve(cost_matrix(x, y, cost), weights_x, weights_y, warm_start, max_iterations)


def solve(
    cost: ArrayLike,
    weights_x: ArrayLike | None = None,
    weights_y: ArrayLike | None = None,
    warm_start: Potentials | None = None,
    max_iterations: int | None = None,
) -> Transport:
    """Solves the transport problem of a given matrix of finite costs `[n, m]`.

    All else is as in `exact_plan`.

    The network simplex (Bonneel et al., 2011) as POT has it. Its rounding errors are those of the
    largest cost; where they leave a gap, it is run again with that cost cut off, see
    `simplex.largest_paid`.
    """
    start = time.perf_counter()
    cost = np.ascontiguousarray(cost, np.float64)
    if cost.ndim != 2 or not cost.size or not np.isfinite(cost).all():
        raise ValueError(
            f"cost must be a matrix [n, m] of finite numbers, got shape {cost.shape} with NaN or "
            "infinity."
        )
    n, m = cost.shape
    a, b = masses(weights_x, n, "weights_x"), masses(weights_y, m, "weights_y")
    max_iterations = 10**6 + 10 * n * m if max_iterations is None else max_iterations
    if max_iterations < 1:
        raise ValueError(f"max_iterations must be at least 1, got {max_iterations}.")
    # Uniform masses are scaled to whole numbers: sums and differences of these are exact, and so
    # are the marginals.
    scale = float(math.lcm(n, m)) if weights_x is None and weights_y is None else 1.0
    problem = a, b, scale, max_iterations
    best = run_simplex(cost, cost, _start(warm_start, n, m), *problem)
    for _ in range(_ROUNDS):
        limit = largest_paid(best, a, b)
        if best.converged or not best.optimal or not 0 < limit < cost.max():
            break
        again = run_simplex(cost, np.minimum(cost, limit), None, *problem)
        best = again if again.gap < best.gap else best
    value = best.upper if best.converged else None
    seconds = time.perf_counter() - start
    return Transport(
        value, best.lower, best.upper, best.plan, best.potentials, best.converged, seconds
    )


def w1_loss(x: TensorLike, y: TensorLike) -> tf.Tensor:
    """The Wasserstein-1 distance of `w1` as a loss of either set, also in a graph.

    By the envelope theorem its gradient is that of the cost of the optimal plan, held fixed: each
    point is pulled along the unit vectors from its partners; coinciding partners don't pull. NaN
    for points that are not finite.

    Args:
        x: Samples `[n, ...]`.
        y: Samples `[m, ...]`.

    Returns:
        A scalar of the type of `x`, of whole numbers as in `pairs.floating`.

    Raises:
        ValueError: If they are no real numbers, or the shapes are known not to fit.
    """
    x, y = flat_pair(x, y)
    i, j, mass = tf.numpy_function(_support, [x, y], [tf.int64, tf.int64, tf.float64])
    for tensor in (i, j, mass):
        tensor.set_shape([None])
    squares = tf.reduce_sum(tf.square(tf.gather(x, i) - tf.gather(y, j)), axis=1)
    # The square root has no gradient at 0: there it is taken of 1 instead, and not used.
    apart = squares > 0
    distances = tf.where(
        apart, tf.sqrt(tf.where(apart, squares, tf.ones_like(squares))), tf.zeros_like(squares)
    )
    return tf.reduce_sum(tf.cast(mass, x.dtype) * distances)


def _support(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the optimal plan moves mass from, where to, and how much."""
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return np.zeros(1, np.int64), np.zeros(1, np.int64), np.full(1, np.nan)
    plan = exact_plan(x, y).proven().plan
    i, j = np.nonzero(plan)
    return i, j, plan[i, j]


def _start(potentials: Potentials | None, n: int, m: int) -> Potentials | None:
    """Potentials to start from, checked."""
    if potentials is None:
        return None
    f, g = (np.asarray(side, np.float64) for side in potentials)
    if f.shape != (n,) or g.shape != (m,):
        raise ValueError(
            f"warm_start must have shapes {(n,)} and {(m,)}, got {f.shape} and {g.shape}."
        )
    if not (np.isfinite(f).all() and np.isfinite(g).all()):
        raise ValueError("warm_start must be finite.")
    return f, g
