"""Semi-discrete transport: a few atoms of equal mass against data that is only seen in batches.

The dual problem has one number per atom: ``max_psi E_x min_k (|x - y_k| - psi_k) + mean psi``
(Genevay et al., 2016, eq. 5; Chen et al., 2019). Its gradient compares each atom's mass with the
part of the data that chose it, so atoms that are chosen too often become dearer. Whatever psi is,
the value is at most W1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import logsumexp

from tfwgan.transport.certificate import c_transform_bound
from tfwgan.transport.costs import cost_matrix, points

Sampler = Callable[[np.random.Generator, int], np.ndarray]

_COOLING = (1e-1, 1e-2, 1e-3, 1e-4)  # smoothing of the polish, in mean distances


@dataclass(frozen=True)
class SemiDiscrete:
    """What the ascent arrived at.

    Attributes:
        potentials: psi, float64 `[k]`, of mean 0.
        lower: The dual value on all of the data, at most W1; None if the data is a sampler.
        history: The dual value of each step's batch, `[steps]`: noisy, and no bound.
    """

    potentials: np.ndarray
    lower: float | None
    history: np.ndarray


def semi_discrete(
    atoms: ArrayLike,
    data: ArrayLike | Sampler,
    steps: int = 2000,
    batch_size: int = 256,
    learning_rate: float = 20.0,
    seed: int = 0,
    averaged: bool = True,
    polish: bool = False,
) -> SemiDiscrete:
    """Maximises the dual by stochastic gradient ascent (Genevay et al., 2016, algorithm 2).

    Args:
        atoms: `[k, ...]`.
        data: Samples `[n, ...]`, or a function that draws some: ``(generator, count) -> [count,
            ...]``.
        steps: Steps of the ascent; step t has the length ``learning_rate / sqrt(t)``.
        batch_size: Samples per step, drawn with replacement.
        learning_rate: Above 0, in units of k times the spread of the distances over sqrt(steps),
            which suit any data.
        seed: Of the batches.
        averaged: Return the mean of the potentials over the second half of the steps, which is less
            noisy.
        polish: Go on with L-BFGS on a smoothed dual of the whole data, which then needs the matrix
            of all distances.

    Raises:
        ValueError: If an argument is wrong.
    """
    atoms = points(atoms, "atoms")
    for name, number in (
        ("steps", steps),
        ("batch_size", batch_size),
        ("learning_rate", learning_rate),
    ):
        if not 0 < number < np.inf:
            raise ValueError(f"{name} must be above 0, got {number}.")
    if polish and callable(data):
        raise ValueError("polish=True needs all of the data as an array, got a sampler.")
    rng = np.random.default_rng(seed)
    draw = data if callable(data) else _sampler(points(data, "data"))
    k = len(atoms)
    psi, mean, history = np.zeros(k), np.zeros(k), np.zeros(steps)
    step_size = (
        learning_rate * k * float(cost_matrix(draw(rng, batch_size), atoms).std()) / steps**0.5
    )
    for step in range(steps):
        reduced = cost_matrix(draw(rng, batch_size), atoms) - psi
        choice = reduced.argmin(axis=1)
        history[step] = reduced.min(axis=1).mean() + psi.mean()
        psi = psi + step_size / (step + 1) ** 0.5 * (
            1 / k - np.bincount(choice, minlength=k) / len(choice)
        )
        tail = step + 1 - steps // 2
        mean = mean + (psi - mean) / tail if tail > 0 else psi
    psi = mean if averaged else psi
    psi = psi - psi.mean()
    if callable(data):
        return SemiDiscrete(psi, None, history)
    lower = c_transform_bound(atoms, data, psi)
    if polish:
        polished = _polished(cost_matrix(data, atoms), psi)
        better = c_transform_bound(atoms, data, polished)
        psi, lower = (polished, better) if better > lower else (psi, lower)
    return SemiDiscrete(psi, lower, history)


def _sampler(data: np.ndarray) -> Sampler:
    """Draws from a finite set."""
    return lambda rng, count: data[rng.integers(len(data), size=count)]


def _polished(costs: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """Returns potentials of mean 0, mostly better ones, for distances `[n, k]`.

    They are found by L-BFGS, the minimum smoothed less and less.
    """
    n, k = costs.shape
    unit = costs.mean() or 1.0  # L-BFGS stops at slopes and changes that are small as numbers
    costs, psi = costs / unit, psi / unit

    def minus_dual(psi: np.ndarray, epsilon: float) -> tuple[float, np.ndarray]:
        exponents = (psi - costs) / epsilon
        log_sums = logsumexp(exponents, axis=1, keepdims=True)
        share = np.exp(exponents - log_sums).sum(axis=0) / n
        return epsilon * log_sums.mean() - psi.mean(), share - 1 / k

    for epsilon in _COOLING:
        psi = minimize(
            minus_dual, psi, (epsilon,), "L-BFGS-B", jac=True, options={"maxiter": 200}
        ).x
    return unit * (psi - psi.mean())
