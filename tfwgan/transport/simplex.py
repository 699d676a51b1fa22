"""One run of POT's network simplex becomes a plan and potentials that bound the least cost.

The solver's plan is repaired where its marginals are off, and its potentials are made feasible, so
that both bounds hold also after an early stop or in spite of rounding.
"""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tfwgan.transport.costs import slices

Potentials = tuple[np.ndarray, np.ndarray]

# A plan is proven optimal when its cost is above the value of potentials by at most this part of
# it.
_GAP = 1e-8


@dataclass(frozen=True)
class Solution:
    """This is what one run of the simplex found.

    `optimal` is what the run says itself, and all else is as in `exact.Transport`.
    """

    lower: float
    upper: float
    plan: np.ndarray
    potentials: Potentials
    optimal: bool

    @property
    def gap(self) -> float:
        """How far the bounds are apart."""
        return self.upper - self.lower

    @property
    def converged(self) -> bool:
        """Whether the plan is proven optimal."""
        return bool(self.optimal and self.gap <= _GAP * abs(self.upper))


def run_simplex(
    cost: np.ndarray,
    cut: np.ndarray,
    start: Potentials | None,
    a: np.ndarray,
    b: np.ndarray,
    scale: float,
    limit: int,
) -> Solution:
    """Runs the simplex on costs `cut` of at most `cost`.

    Its plan is judged by `cost`, and its bound holds for both.
    """
    # POT's tolerance is a number: costs are to be near 1. Dividing by a power of two changes none
    # of their digits.
    unit = 2.0 ** (np.frexp(max(cut.max(), -cut.min()))[1] - 1.0)
    weights = (np.rint(a * scale), np.rint(b * scale)) if scale > 1 else (a, b)
    plan, f, optimal = _run(
        *weights, cut / unit, limit, *(side / unit for side in start) if start else (None, None)
    )
    plan /= scale
    f *= unit
    missing = max(np.abs(plan.sum(axis=1) - a).max(), np.abs(plan.sum(axis=0) - b).max())
    optimal = optimal and missing < 1e-9
    if not optimal:
        plan = _repaired(plan, a, b)
    upper = float(np.einsum("nm,nm->", plan, cost))
    f, g = _feasible(cut, f, a)
    # Rounding, or an early stop, may leave potentials that are worse than none.
    if a @ f + b @ g < (1 - _GAP) * upper:
        f, g = max(
            (f, g), _feasible(cut, np.zeros(len(a)), a), key=lambda fg: a @ fg[0] + b @ fg[1]
        )
    f, g = _centred(f, g, a, b)
    lower = max(float(a @ f + b @ g), float(cut.min()))  # no plan pays less than the least cost
    return Solution(min(lower, upper), upper, plan, (f, g), optimal)


def largest_paid(found: Solution, a: np.ndarray, b: np.ndarray) -> float:
    """Bounds the costs that an optimal plan pays, if it moves no mass smaller than a point's.

    That is so for equally many points of equal mass. In any case a plan that is optimal for costs
    cut off here, and pays none that was cut, is optimal for the costs themselves.
    """
    return 2.0 * found.upper / min(a[a > 0].min(), b[b > 0].min())


def _run(
    a: np.ndarray,
    b: np.ndarray,
    cost: np.ndarray,
    limit: int,
    f: np.ndarray | None,
    g: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Returns the plan `[n, m]`, the potentials `[n]` of its rows, and whether it is optimal.

    The potentials are 0 where there is no mass.
    """
    rows, columns = a > 0, b > 0
    some = np.ix_(rows, columns)
    whole = rows.all() and columns.all()
    part = cost if whole else np.ascontiguousarray(cost[some])
    f, g = (side if side is None else side[kept] for side, kept in ((f, rows), (g, columns)))
    flow, _, potentials, _, code = _emd()(
        a[rows], b[columns] * (a.sum() / b.sum()), part, limit, 1, f, g
    )
    if whole:
        return flow, potentials, code == 1
    plan, all_potentials = np.zeros(cost.shape), np.zeros(len(a))
    plan[some], all_potentials[rows] = flow, potentials
    return plan, all_potentials, code == 1


@functools.cache
def _emd() -> Callable:
    """Imports POT's solver when it is first needed, with NumPy only.

    Else POT would import TensorFlow, PyTorch and JAX.

    `ot.emd` would warn of what its status says, and warnings can't be silenced in one of several
    threads.
    """
    for backend in ("TENSORFLOW", "PYTORCH", "JAX", "CUPY"):
        os.environ[f"POT_BACKEND_DISABLE_{backend}"] = "1"
    from ot.lp import emd_wrap

    return emd_wrap.emd_c


def _repaired(plan: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A plan with the given marginals near one without (Altschuler et al., 2017, algorithm 2)."""
    plan = (
        plan * np.minimum(1.0, a / np.maximum(plan.sum(axis=1), np.finfo(np.float64).tiny))[:, None]
    )
    plan *= np.minimum(1.0, b / np.maximum(plan.sum(axis=0), np.finfo(np.float64).tiny))
    rest_a, rest_b = np.maximum(a - plan.sum(axis=1), 0), np.maximum(b - plan.sum(axis=0), 0)
    return plan + np.outer(rest_a, rest_b / rest_b.sum()) if rest_b.sum() > 0 else plan


def _feasible(cost: np.ndarray, f: np.ndarray, a: np.ndarray) -> Potentials:
    """The best potentials that any f on the points with mass leads to: two c-transforms."""
    mass = np.where(a > 0, f, -np.inf)
    g = np.full(cost.shape[1], np.inf)
    for rows in slices(len(cost), 256):
        np.minimum(g, (cost[rows] - mass[rows, None]).min(axis=0), out=g)
    return np.concatenate([(cost[rows] - g).min(axis=1) for rows in slices(len(cost), 256)]), g


def _centred(f: np.ndarray, g: np.ndarray, a: np.ndarray, b: np.ndarray) -> Potentials:
    """Returns the same potentials, a constant moved between them.

    Then both contribute the same to the value.
    """
    shift = (a @ f - b @ g) / 2
    return f - shift, g + shift
