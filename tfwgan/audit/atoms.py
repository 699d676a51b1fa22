"""This module reports what became of the atoms of a discrete generator (prior ``const=N``).

It tells which data each atom stands for, and which atoms are wasted.

Lengths are compared with the mean distance between two real samples, so that one tolerance fits
every data set.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfwgan.errors import UsageError
from tfwgan.transport.costs import blocks, cost_matrix
from tfwgan.transport.exact import Transport, solve


@dataclass(frozen=True)
class Atoms:
    """The report on N atoms and M real samples.

    Attributes:
        fake: The atoms `[N, ...]`.
        real: The real samples `[M, ...]`.
        transport: The optimal plan between them; every atom carries mass 1/N.
        assignment: The atom that each real sample is (mostly) sent to by the plan, `[M]`.
        share: Share of the real samples whose nearest atom this is, `[N]`; 0 is a dead atom.
        cost: Mean distance of each atom to the data that the plan sends to it, `[N]`.
        nearest_real: Index of the real sample nearest to each atom, `[N]`.
        nearest_distance: The distance to it, `[N]`.
        scale: Mean distance between two real samples.
        tolerance: Atoms are copies, or duplicates, within this times `scale`.
        duplicates: Groups of atoms that are (nearly) the same, each a tuple of indices.
    """

    fake: np.ndarray
    real: np.ndarray
    transport: Transport
    assignment: np.ndarray
    share: np.ndarray
    cost: np.ndarray
    nearest_real: np.ndarray
    nearest_distance: np.ndarray
    scale: float
    tolerance: float
    duplicates: tuple[tuple[int, ...], ...]

    @property
    def dead(self) -> np.ndarray:
        """Indices of the atoms that are nearest to no real sample."""
        return np.flatnonzero(self.share == 0)

    @property
    def copies(self) -> np.ndarray:
        """Indices of the atoms that are (nearly) a real sample."""
        return np.flatnonzero(self.nearest_distance <= self.tolerance * self.scale)

    def summary(self) -> str:
        """The report in one line."""
        report, distance = self.as_dict(), float(self.nearest_distance.mean())
        w1 = "W1 not solved" if self.transport.value is None else f"W1 {self.transport.value:.4f}"
        return (
            f"{report['atoms']} atoms against {report['real_samples']} real samples: {w1}, "
            f"{len(self.dead)} dead, "
            f"{report['distinct_atoms']} distinct, {len(self.copies)} copies; mean nearest "
            "distance "
            f"{distance:.4f} ({distance / (self.scale or 1.0):.1%} of the mean distance between "
            "real samples)."
        )

    def as_dict(self) -> Mapping[str, Any]:
        """The report as JSON values."""
        transport, n = self.transport, len(self.fake)
        duplicates = {atom: group for group in self.duplicates for atom in group}
        return {
            "atoms": n,
            "real_samples": len(self.real),
            "w1": transport.value,
            "w1_lower": transport.lower,
            "w1_upper": transport.upper,
            "mean_distance_of_real_samples": self.scale,
            "tolerance": self.tolerance,
            "mean_nearest_distance": float(self.nearest_distance.mean()),
            "dead": self.dead.tolist(),
            "copies": self.copies.tolist(),
            "duplicates": [list(group) for group in self.duplicates],
            "distinct_atoms": n - sum(len(group) - 1 for group in self.duplicates),
            "per_atom": [
                {
                    "atom": i,
                    "share": float(self.share[i]),
                    "cost": float(self.cost[i]),
                    "nearest_real": int(self.nearest_real[i]),
                    "nearest_distance": float(self.nearest_distance[i]),
                    "dead": bool(self.share[i] == 0),
                    "copy": bool(self.nearest_distance[i] <= self.tolerance * self.scale),
                    "duplicate_of": [j for j in duplicates.get(i, ()) if j != i],
                }
                for i in range(n)
            ],
        }


def inspect_atoms(fake: np.ndarray, real: np.ndarray, tolerance: float = 0.05) -> Atoms:
    """Compares all atoms with all real samples, whose order changes nothing but their indices.

    Args:
        fake: The atoms, float32 `[N, ...]`.
        real: Real samples of the same shape, float32 `[M, ...]`.
        tolerance: Share of the mean distance between real samples within which two things count as
            the same.

    Raises:
        ValueError: If a set is empty or not finite, or the shapes differ.
        UsageError: If the tolerance is negative.
    """
    if not tolerance >= 0:
        raise UsageError(f"tolerance must be at least 0, got {tolerance}.")
    if np.shape(fake)[1:] != np.shape(real)[1:]:
        raise ValueError(
            f"atoms and real samples must have one shape, got {np.shape(fake)[1:]}, "
            f"{np.shape(real)[1:]}."
        )
    costs = cost_matrix(fake, real)
    transport = solve(costs)
    plan = transport.plan
    nearest_atom = costs.argmin(axis=0)
    nearest_real = costs.argmin(axis=1)
    scale = mean_distance(real)
    return Atoms(
        fake=fake,
        real=real,
        transport=transport,
        assignment=plan.argmax(axis=0),
        share=np.bincount(nearest_atom, minlength=len(fake)) / len(real),
        cost=(plan * costs).sum(axis=1) / plan.sum(axis=1),
        nearest_real=nearest_real,
        nearest_distance=costs[np.arange(len(fake)), nearest_real],
        scale=scale,
        tolerance=tolerance,
        duplicates=_groups(cost_matrix(fake, fake) <= tolerance * scale),
    )


def mean_distance(points: np.ndarray, limit: int = 2000) -> float:
    """Mean Euclidean distance between two different points of `[n, ...]`, whatever their order.

    Where there are more than `limit` points, the distances of `limit` of them to all are averaged.
    Which these are is a function of the points alone: they are taken evenly from the order of their
    checksums, which has nothing to do with where they lie. A single point gives 0.
    """
    points = np.asarray(points)
    n, some = len(points), points
    if n > limit:
        order = np.argsort(
            [zlib.crc32(np.ascontiguousarray(point).data) for point in points], kind="stable"
        )
        some = points[order[np.arange(limit) * n // limit]]
    total = sum(float(block.sum()) for _, _, block in blocks(some, points))
    return total / (len(some) * max(1, n - 1))


def nearest_patches(
    fake: np.ndarray, real: np.ndarray, p: int, margin: int = 4, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For one patch of each atom, the most alike patch of a real image around the same place.

    The patch is the one of largest variance among 16 random places, so that it is seldom plain
    background.

    Args:
        fake: Atoms `[N, h, w, c]`.
        real: Real images `[M, h, w, c]`.
        p: Side of the patches, at most h and w.
        margin: How far the place may differ, in pixels.
        seed: Of the places.

    Returns:
        Corners of the atoms' patches `[N, 2]`; the real images `[N]` and the corners there `[N,
        2]`.

    Raises:
        UsageError: If the samples are no images or the patch does not fit.
    """
    if fake.ndim != 4 or not 1 <= p <= min(fake.shape[1:3]):
        raise UsageError(
            f"patches of {p} x {p} need images at least as large, got samples of shape "
            f"{fake.shape[1:]}."
        )
    rows, columns = fake.shape[1] - p + 1, fake.shape[2] - p + 1
    rng = np.random.default_rng(seed)
    corners, images, found = [], [], []
    for atom in fake:
        places = np.stack([rng.integers(rows, size=16), rng.integers(columns, size=16)], axis=1)
        patches = [_patch(atom, place, p) for place in places]
        clearest = int(np.argmax([patch.var() for patch in patches]))
        (top, left), query, best = places[clearest], patches[clearest], (np.inf, 0, (0, 0))
        for i in range(max(0, top - margin), min(rows, top + margin + 1)):
            for j in range(max(0, left - margin), min(columns, left + margin + 1)):
                distances = np.square(real[:, i : i + p, j : j + p] - query).sum(axis=(1, 2, 3))
                image = int(distances.argmin())
                best = min(best, (float(distances[image]), image, (i, j)))
        corners.append((top, left))
        images.append(best[1])
        found.append(best[2])
    return np.array(corners), np.array(images), np.array(found)


def assignment_rows(atoms: Atoms, columns: int = 8) -> np.ndarray:
    """Makes a row of images for each atom.

    The atom comes first, then the nearest real image, then images that the plan sends to the atom.

    Returns:
        `[N * columns, h, w, c]`; places for which there is no image are gray.
    """
    rows = np.zeros([len(atoms.fake), columns, *atoms.fake.shape[1:]], np.float32)
    for i, row in enumerate(rows):
        row[0], row[1] = atoms.fake[i], atoms.real[atoms.nearest_real[i]]
        sent = np.flatnonzero(atoms.assignment == i)
        picked = (
            sent[np.linspace(0, len(sent) - 1, columns - 2).astype(int)]
            if len(sent) > columns - 2
            else sent
        )
        row[2 : 2 + len(picked)] = atoms.real[picked]
    return rows.reshape(-1, *atoms.fake.shape[1:])


def patch_rows(
    fake: np.ndarray, real: np.ndarray, p: int, margin: int = 4, seed: int = 0
) -> np.ndarray:
    """Makes four images for each atom.

    They are the atom, a patch of it enlarged, the real patch that is most alike, and the real image
    that this patch is from.

    Args and errors are those of `nearest_patches`. Frames mark the places.

    Returns:
        `[4 N, h, w, c]`.
    """
    corners, images, found = nearest_patches(fake, real, p, margin, seed)
    rows = []
    for atom, corner, image, place in zip(fake, corners, real[images], found, strict=True):
        patches = (
            _enlarged(_patch(atom, corner, p), atom.shape),
            _enlarged(_patch(image, place, p), atom.shape),
        )
        rows += [_framed(atom, corner, p), *patches, _framed(image, place, p)]
    return np.stack(rows)


def _enlarged(patch: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    p, (height, width, _) = len(patch), shape
    return patch[np.arange(height)[:, None] * p // height, np.arange(width) * p // width]


def _framed(image: np.ndarray, corner: tuple[int, int], p: int) -> np.ndarray:
    """The image with the border of a patch in gray."""
    image, (top, left) = image.copy(), corner
    inside = _patch(image, corner, p)[1:-1, 1:-1].copy()
    image[top : top + p, left : left + p] = 0.0
    image[top + 1 : top + p - 1, left + 1 : left + p - 1] = inside
    return image


def _patch(image: np.ndarray, corner: tuple[int, int], p: int) -> np.ndarray:
    top, left = corner
    return image[top : top + p, left : left + p]


def _groups(same: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """Connected groups of at least two in a symmetric boolean matrix."""
    from scipy.sparse.csgraph import connected_components

    count, group = connected_components(same, directed=False)
    members = [tuple(np.flatnonzero(group == i).tolist()) for i in range(count)]
    return tuple(sorted(member for member in members if len(member) > 1))
