"""Optimal transport with a reward for spreading is smooth.

It is computed by products of matrices alone.

``OT_epsilon(x, y) = min_P <P, c> + epsilon KL(P | a x b)`` (Cuturi, 2013) lies between W1 and
``W1 + epsilon log min(n, m)``. It is positive even between equal sets; the divergence
``S = OT(x, y) - OT(x, x) / 2 - OT(y, y) / 2`` is not, and is never negative (Feydy et al., 2019,
theorem 1).

All sums are of logarithms, in float64, so that a small epsilon neither overflows nor loses its
digits.
"""

import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from tfwgan.transport.costs import Cost, cost_matrix
from tfwgan.transport.pairs import TensorLike, distances, flat_pair


@dataclass(frozen=True)
class Entropic:
    """What Sinkhorn's iterations arrived at.

    Attributes:
        value: ``OT_epsilon``, or the divergence S; only as good as `error` says.
        converged: Whether `error` is within the tolerance.
        iterations: Most iterations of any of the problems, the cooling included.
        error: How far the marginals of the plans are from the weights, the largest sum of absolute
            differences.
        plan: Of x and y, float64 `[n, m]`; its marginals are right up to `error`.
    """

    value: float
    converged: bool
    iterations: int
    error: float
    plan: np.ndarray


def sinkhorn(
    x: ArrayLike,
    y: ArrayLike,
    epsilon: float,
    cost: Cost = "euclidean",
    debias: bool = True,
    tolerance: float = 1e-6,
    max_iterations: int = 5000,
) -> Entropic:
    """Entropic optimal transport between the uniform laws on two sets.

    ``OT_epsilon`` (Cuturi, 2013, "Sinkhorn distances: lightspeed computation of optimal transport")
    lies above W1 and nears it as epsilon falls. The divergence S (Feydy et al., 2019,
    "Interpolating between optimal transport and MMD using Sinkhorn divergences", theorem 1) is 0
    between equal sets:

        >>> from tfwgan import sinkhorn, w1
        >>> x, y = [[0.0], [1.0]], [[0.0], [3.0]]
        >>> w1(x, y)
        1.0
        >>> [round(sinkhorn(x, y, epsilon, debias=False).value, 2) for epsilon in (1.0, 0.1, 0.01)]
        [1.38, 1.07, 1.01]
        >>> abs(sinkhorn(x, x, epsilon=0.1).value) < 1e-9
        True

    Args:
        x: Samples `[n, ...]`, finite real numbers.
        y: Samples `[m, ...]` of as many coordinates.
        epsilon: Above 0, in units of the cost. The iterations needed grow as it falls.
        cost: As in `cost_matrix`.
        debias: Return the divergence S instead of ``OT_epsilon``.
        tolerance: The error of the marginals at which to stop.
        max_iterations: When to stop at the latest, at least 1.

    Returns:
        The value, with the plan and how far the iterations came.

    Raises:
        ValueError: If an argument is wrong.
    """
    options = _options(epsilon, tolerance, max_iterations)
    pairs = [(x, y), (x, x), (y, y)] if debias else [(x, y)]
    values, iterations, errors, plans = [], [], [], []
    for left, right in pairs:
        costs = tf.constant(cost_matrix(left, right, cost))
        f, g, steps = _potentials(costs, *options, symmetric=left is right)
        plan = _plan(costs, f, g, epsilon).numpy()
        values.append(float(tf.reduce_mean(f) + tf.reduce_mean(g) - epsilon * (plan.sum() - 1.0)))
        iterations.append(int(steps))
        errors.append(
            max(np.abs(plan.sum(axis) - 1 / plan.shape[1 - axis]).sum() for axis in (0, 1))
        )
        plans.append(plan)
    value = values[0] - sum(values[1:]) / 2
    return Entropic(
        value, bool(max(errors) <= tolerance), max(iterations), float(max(errors)), plans[0]
    )


def sinkhorn_loss(
    x: TensorLike,
    y: TensorLike,
    epsilon: float,
    debias: bool = True,
    tolerance: float = 1e-3,
    max_iterations: int = 500,
) -> tf.Tensor:
    """`sinkhorn` for the Euclidean distance as a loss of either set, also in a graph and on a GPU.

    By the envelope theorem its gradient is that of ``<P, c>`` with the plans held fixed; the
    iterations themselves are not differentiated. Points that coincide don't pull.

    Args:
        x: Samples `[n, ...]`.
        y: Samples `[m, ...]`.
        epsilon: Above 0, in units of the distance.
        debias: Take the divergence S instead of ``OT_epsilon``.
        tolerance: The error of the marginals at which to stop.
        max_iterations: When to stop at the latest.

    Returns:
        A scalar of the type of `x`.

    Raises:
        ValueError: If a number is wrong, or the shapes are known not to fit.
    """
    options = _options(epsilon, tolerance, max_iterations)
    x, y = flat_pair(x, y)
    dtype = x.dtype
    x, y = tf.cast(x, tf.float64), tf.cast(y, tf.float64)
    loss = _term(x, y, options, symmetric=False)
    if debias:
        loss -= (_term(x, x, options, symmetric=True) + _term(y, y, options, symmetric=True)) / 2
    return tf.cast(loss, dtype)


def _term(x: tf.Tensor, y: tf.Tensor, options: tuple[tf.Tensor, ...], symmetric: bool) -> tf.Tensor:
    """One ``OT_epsilon`` of float64 points `[n, d]` and `[m, d]`, with its gradient."""
    costs = distances(x, y)
    f, g, _ = _potentials(costs, *options, symmetric=symmetric)
    origin = tf.stop_gradient(tf.reduce_mean(y, axis=0))
    x, y = x - origin, y - origin
    # Where points meet for the precision of the products below, they don't pull.
    sizes = tf.reduce_sum(tf.square(x), axis=1)[:, None] + tf.reduce_sum(tf.square(y), axis=1)
    plan = _plan(costs, f, g, options[0])
    pull = tf.stop_gradient(
        tf.where(costs > 1e-6 * tf.sqrt(sizes), plan / costs, tf.zeros_like(costs))
    )
    # Half the sum of pull * |x - y|^2, which has the gradient of <P, c>, without the difference of
    # every pair.
    half = -tf.reduce_sum(x * (pull @ y)) + 0.5 * (
        tf.reduce_sum(pull * tf.reduce_sum(tf.square(x), axis=1)[:, None])
        + tf.reduce_sum(pull * tf.reduce_sum(tf.square(y), axis=1))
    )
    # The half goes first, however large it is, before the value comes.
    return (half - tf.stop_gradient(half)) + tf.reduce_mean(f) + tf.reduce_mean(g)


@tf.function(reduce_retracing=True)
def _potentials(
    costs: tf.Tensor,
    epsilon: tf.Tensor,
    tolerance: tf.Tensor,
    max_iterations: tf.Tensor,
    symmetric: bool,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Runs Sinkhorn's iterations (Peyre and Cuturi, 2019, eqs. 4.40-41).

    Epsilon is cooled down by halves (their remark 4.9).

    Returns:
        f `[n]`, g `[m]`, and the number of iterations. Of a symmetric problem f and g are equal,
        and found in few steps by averaging (Feydy et al., 2019, eq. 25).
    """

    def going_on(
        step: tf.Tensor, temperature: tf.Tensor, f: tf.Tensor, g: tf.Tensor, error: tf.Tensor
    ) -> tf.Tensor:
        del step, f, g
        return tf.logical_or(temperature > epsilon, error > tolerance)

    def iterate(
        step: tf.Tensor, temperature: tf.Tensor, f: tf.Tensor, g: tf.Tensor, error: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        del error
        cooled = tf.maximum(temperature / 2, epsilon)
        new_f = _softmin(costs, g, cooled, axis=1)
        # The columns of the plan of f and g are right; this is how far its rows are off.
        error = tf.reduce_mean(tf.abs(tf.exp((f - new_f) / cooled) - 1.0))
        error = tf.where(temperature > epsilon, tf.constant(math.inf, costs.dtype), error)
        if symmetric:
            f = g = (f + new_f) / 2
        else:
            f, g = new_f, _softmin(costs, new_f, cooled, axis=0)
        return step + 1, cooled, f, g, error

    start = (
        tf.constant(0),
        2 * tf.reduce_max(costs) + epsilon,
        tf.zeros_like(costs[:, 0]),
        tf.zeros_like(costs[0]),
        tf.constant(math.inf, costs.dtype),
    )
    step, _, f, g, _ = tf.while_loop(going_on, iterate, start, maximum_iterations=max_iterations)
    return tf.stop_gradient(f), tf.stop_gradient(g), step


def _softmin(costs: tf.Tensor, potential: tf.Tensor, epsilon: tf.Tensor, axis: int) -> tf.Tensor:
    """The smooth ``min (c - potential)`` over one axis, mean weights."""
    exponents = ((potential if axis == 1 else potential[:, None]) - costs) / epsilon
    n = tf.cast(tf.size(potential), costs.dtype)
    return epsilon * (tf.math.log(n) - tf.reduce_logsumexp(exponents, axis=axis))


def _plan(costs: tf.Tensor, f: tf.Tensor, g: tf.Tensor, epsilon: float | tf.Tensor) -> tf.Tensor:
    """The plan of potentials, `[n, m]`."""
    return tf.exp((f[:, None] + g - costs) / epsilon) / tf.cast(tf.size(costs), costs.dtype)


def _options(
    epsilon: float, tolerance: float, max_iterations: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the numbers as tensors, so that a graph is not traced for each.

    A ValueError is raised if one is out of range.
    """
    for name, number in (("epsilon", epsilon), ("tolerance", tolerance)):
        if not 0 < number < math.inf:
            raise ValueError(f"{name} must be above 0 and finite, got {number}.")
    if max_iterations < 1:
        raise ValueError(f"max_iterations must be at least 1, got {max_iterations}.")
    return (
        tf.constant(epsilon, tf.float64),
        tf.constant(tolerance, tf.float64),
        tf.constant(max_iterations, tf.int32),
    )
