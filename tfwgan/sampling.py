"""Paths between latents: straight lines and great circles.

On great circles Gaussian latents keep their typical length.
"""

from collections.abc import Callable

import numpy as np


def lerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points on the straight line from `a` to `b`.

    Args:
        a: `[..., d]`.
        b: `[..., d]`.
        t: Positions `[k]`, 0 at `a` and 1 at `b`.

    Returns:
        `[..., k, d]`.
    """
    t = np.asarray(t)[:, None]
    return (1 - t) * np.asarray(a)[..., None, :] + t * np.asarray(b)[..., None, :]


def slerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points on the great circle from `a` to `b` (Shoemake, 1985; White, 2016).

    Lengths are interpolated linearly.

    Parallel vectors give the straight line. Opposite ones have no unique great circle: one is
    chosen.

    Args:
        a: `[..., d]`.
        b: `[..., d]`.
        t: Positions `[k]`, 0 at `a` and 1 at `b`.

    Returns:
        `[..., k, d]`.
    """
    a, b, t = np.asarray(a, np.float64), np.asarray(b, np.float64), np.asarray(t, np.float64)
    length_a, length_b = (np.linalg.norm(v, axis=-1, keepdims=True) for v in (a, b))
    tiny = np.finfo(np.float64).tiny
    u, v = a / np.maximum(length_a, tiny), b / np.maximum(length_b, tiny)
    angle = (
        2 * np.arctan2(np.linalg.norm(u - v, axis=-1), np.linalg.norm(u + v, axis=-1))[..., None]
    )
    across = v - np.sum(u * v, axis=-1, keepdims=True) * u
    size = np.linalg.norm(across, axis=-1, keepdims=True)
    across = np.where(size > 1e-12, across / np.maximum(size, tiny), _perpendicular(u))
    turn = t * angle
    direction = (
        np.cos(turn)[..., None] * u[..., None, :] + np.sin(turn)[..., None] * across[..., None, :]
    )
    return lerp(length_a, length_b, t) * direction


def rows(
    ends: np.ndarray,
    columns: int,
    path: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray] = slerp,
) -> np.ndarray:
    """Paths through `[n + 1, d]` points as rows `[n, columns, d]`.

    Each row ends where the next begins.
    """
    return path(ends[:-1], ends[1:], np.linspace(0, 1, columns))


def _perpendicular(u: np.ndarray) -> np.ndarray:
    """A unit vector at a right angle to each unit vector `[..., d]`; zero if d is 1."""
    axis = np.zeros_like(u)
    np.put_along_axis(axis, np.argmin(np.abs(u), axis=-1, keepdims=True), 1.0, axis=-1)
    across = axis - np.sum(u * axis, axis=-1, keepdims=True) * u
    return across / np.maximum(
        np.linalg.norm(across, axis=-1, keepdims=True), np.finfo(np.float64).tiny
    )
