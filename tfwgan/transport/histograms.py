"""Distances between laws on the line and on common supports: small, exact, to be understood."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import rel_entr
from scipy.stats import wasserstein_distance

from tfwgan.transport.costs import points


def emd(
    positions_x: ArrayLike, masses_x: ArrayLike, positions_y: ArrayLike, masses_y: ArrayLike
) -> tuple[float, np.ndarray]:
    """The least work of moving one heap of mass on the line to another, and how it is done.

    On the line it is optimal to keep the order: the leftmost mass goes to the leftmost place (Peyre
    and Cuturi, 2019, section 2.6).

    Args:
        positions_x: Where the mass is, `[n]`, in any order.
        masses_x: How much, `[n]`, at least 0.
        positions_y: Where it shall go, `[m]`.
        masses_y: How much of it, `[m]`, of the same sum.

    Returns:
        The work, mass times way, and the plan, float64 `[n, m]`: the mass moved from each place to
        each.

    Raises:
        ValueError: If positions or masses are wrong, or their sums differ.
    """
    (x, a), (y, b) = _heap(positions_x, masses_x, "x"), _heap(positions_y, masses_y, "y")
    if abs(a.sum() - b.sum()) > 1e-9 * max(a.sum(), b.sum()):
        raise ValueError(
            f"masses_x and masses_y must have equal sums, got {a.sum():g} and {b.sum():g}."
        )
    order_x, order_y = np.argsort(x, kind="stable"), np.argsort(y, kind="stable")
    i, j, mass = monotone(a[order_x], b[order_y])
    plan = np.zeros((len(x), len(y)))
    plan[order_x[i], order_y[j]] = mass
    return float(np.sum(plan * np.abs(x[:, None] - y))), plan


def monotone(masses_x: ArrayLike, masses_y: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The plan that keeps the order, also known as the rule of the north-west corner.

    Args:
        masses_x: `[n]`, at least 0, in order.
        masses_y: `[m]`, of the same sum; exact for whole numbers.

    Returns:
        From where, to where, and how much, each `[k]`, with k less than n + m.
    """
    ends_x, ends_y = np.cumsum(masses_x), np.cumsum(masses_y)
    total = min(ends_x[-1], ends_y[-1])  # they may differ by rounding
    # One mass is cut at the ends of the other, and each piece then has one source and one target.
    ends = np.minimum(np.union1d(ends_x, ends_y), total)
    starts = np.concatenate([[0], ends[:-1]])
    some = ends > starts
    i, j = (np.searchsorted(other, starts[some], side="right") for other in (ends_x, ends_y))
    return i, j, (ends - starts)[some]


def wasserstein(p: ArrayLike, q: ArrayLike, positions: ArrayLike) -> float:
    """The Wasserstein-1 distance of two laws on common positions of the line.

    Args:
        p: Probabilities `[n]`.
        q: Probabilities `[n]`.
        positions: `[n]`.

    Raises:
        ValueError: If they are no laws, or have no common support.
    """
    p, q = _laws(p, q)
    places, _ = _heap(positions, p, "x")
    return float(wasserstein_distance(places, places, p, q))


def kl(p: ArrayLike, q: ArrayLike) -> float:
    """Returns ``KL(p | q) = sum p log(p / q)`` in nats (Arjovsky et al., 2017).

    It is infinite if `p` has mass where `q` has none.

    Args:
        p: Probabilities `[n]`.
        q: Probabilities of the same outcomes, `[n]`.

    Raises:
        ValueError: If they are no laws, or have no common support.
    """
    # Rounding must not make it negative.
    return max(0.0, float(rel_entr(*_laws(p, q)).sum()))


def js(p: ArrayLike, q: ArrayLike) -> float:
    """Returns the Jensen-Shannon divergence ``KL(p | m) / 2 + KL(q | m) / 2``.

    Here ``m = (p + q) / 2``. The divergence lies between 0 and log 2.

    With the best discriminator the value of a GAN is ``2 JS - 2 log 2`` (Goodfellow et al., 2014,
    theorem 1).

    Args:
        p: Probabilities `[n]`.
        q: Probabilities of the same outcomes, `[n]`.

    Raises:
        ValueError: If they are no laws, or have no common support.
    """
    p, q = _laws(p, q)
    middle = p / 2 + q / 2
    return min(kl(p, middle) / 2 + kl(q, middle) / 2, float(np.log(2)))


def tv(p: ArrayLike, q: ArrayLike) -> float:
    """Returns the total variation ``sum |p - q| / 2``, from 0 to 1.

    It is the most that the probabilities of an event differ.

    Args:
        p: Probabilities `[n]`.
        q: Probabilities of the same outcomes, `[n]`.

    Raises:
        ValueError: If they are no laws, or have no common support.
    """
    p, q = _laws(p, q)
    return min(1.0, float(np.abs(p - q).sum() / 2))


def _heap(positions: ArrayLike, masses: ArrayLike, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Positions and masses as float64, checked."""
    positions = points(positions, f"positions_{name}").astype(np.float64)
    masses = np.asarray(masses, np.float64)
    if positions.shape[1] != 1:
        raise ValueError(
            f"positions_{name} must lie on the line, got {positions.shape[1]} coordinates."
        )
    if masses.shape != (len(positions),):
        raise ValueError(
            f"masses_{name} must have shape {(len(positions),)}, one per position, got "
            f"{masses.shape}."
        )
    if not np.isfinite(masses).all() or masses.min() < 0 or masses.sum() == 0:
        raise ValueError(f"masses_{name} must be finite, at least 0 and not all 0.")
    return positions[:, 0], masses


def _laws(p: ArrayLike, q: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Two laws on the same outcomes as float64, checked."""
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    if p.shape != q.shape or p.ndim != 1 or not p.size:
        raise ValueError(
            f"p and q must be probabilities of the same outcomes, got shapes {p.shape} and "
            f"{q.shape}."
        )
    for name, law in (("p", p), ("q", q)):
        if not np.isfinite(law).all() or law.min() < 0 or abs(law.sum() - 1) > 1e-6:
            raise ValueError(
                f"{name} must be at least 0 and sum to 1, got the sum {law.sum():.8g}."
            )
    return p / p.sum(), q / q.sum()
