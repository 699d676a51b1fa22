"""Features: what scores compare in the place of pixels. One function from images to `[n, d]`.

An extractor has a name and a digest, because a score is a property of the network behind it as much
as of the images: the same samples have one FID for each network, and no two of these compare.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfwgan.errors import UsageError

# Of images `[b, ...]`: features `[b, d]`, and logits `[b, k]` of those that classify.
Apply = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]


@dataclass(frozen=True)
class Extractor:
    """One way from images to features.

        >>> import numpy as np
        >>> from tfwgan.metrics.features import pixels
        >>> features, logits = pixels()(np.zeros((5, 4, 4, 1), np.uint8))
        >>> features.shape, float(features[0, 0]), logits is None
        ((5, 16), -1.0, True)

    Attributes:
        name: What the numbers are called after: letters, digits and underscores.
        digest: Of what it computes with: the same digest means the same features.
        preprocessing: What is done to an image first, in a sentence.
        apply: From a batch `[b, ...]`, uint8 images or float32 points in [-1, 1], to float32
            features `[b, d]`, and logits `[b, k]` if it classifies.
        n_classes: How many classes it tells apart, if it classifies.
        memory: What those who ask for the same features want to share, by the items' digest.
    """

    name: str
    digest: str
    preprocessing: str
    apply: Apply
    n_classes: int | None = None
    memory: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __call__(
        self,
        items: np.ndarray,
        batch_size: int = 256,
        on_batch: Callable[[int], None] = lambda done: None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Features of all items.

        Args:
            items: uint8 images `[n, h, w, c]` or float32 points `[n, d]`; may be memory-mapped.
            batch_size: How many are computed at once; changes nothing but time and memory.
            on_batch: Told how many items are done.

        Returns:
            Features, float32 `[n, d]`, and logits, float32 `[n, k]` or None.

        Raises:
            UsageError: If there is no item, one is not fit for it, or a feature is not finite.
        """
        if len(items) < 1:
            raise UsageError(f"There is no item to take {self.name} of.")
        found: list[np.ndarray] = []  # whole from the first batch on, so that nothing is copied
        for start in range(0, len(items), batch_size):
            rows = slice(start, min(start + batch_size, len(items)))
            features, logits = self.apply(np.asarray(items[rows]))
            parts = [features] if logits is None else [features, logits]
            if not all(np.isfinite(part).all() for part in parts):
                raise UsageError(f"{self.name} gives features that are NaN or infinite.")
            found = found or [np.empty((len(items), part.shape[1]), np.float32) for part in parts]
            for whole, part in zip(found, parts, strict=True):
                whole[rows] = part
            on_batch(rows.stop)
        return found[0], found[1] if len(found) > 1 else None


def digest_of(*parts: np.ndarray | str) -> str:
    """16 hexadecimal digits that tell weights and words apart from all others (BLAKE2b)."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        if isinstance(part, str):
            digest.update(part.encode() + b"\0")
        else:
            digest.update(f"{part.dtype.name}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part, part.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


def flat(items: np.ndarray) -> np.ndarray:
    """Numbers of items as networks see them, `[b, d]`: pixels in [-1, 1], points as they are."""
    rows = items.reshape(len(items), -1).astype(np.float32)
    return rows / np.float32(127.5) - np.float32(1.0) if items.dtype == np.uint8 else rows


def pixels() -> Extractor:
    """The pixels themselves, in [-1, 1]; of points, their coordinates."""
    preprocessing = "none; scaled to [-1, 1]"
    return Extractor(
        "pixels", digest_of("pixels"), preprocessing, lambda items: (flat(items), None)
    )


def projections(dim: int = 256, seed: int = 0) -> Extractor:
    """Random projections of the pixels: they keep distances to a factor of 1 ± √(8 log n / dim).

    That is for n points (Johnson and Lindenstrauss, 1984, as in Dasgupta and Gupta, 2003, "An
    elementary proof of a theorem of Johnson and Lindenstrauss"). Their Fréchet distance sees means
    and spread of pixels, no shapes: of use where there is no network for the images.

    Args:
        dim: Number of features.
        seed: Of the projection, at least 0.
    """
    if dim < 1 or seed < 0:
        raise UsageError(f"`dim` must be at least 1 and `seed` at least 0, got {dim} and {seed}.")
    matrices: dict[int, np.ndarray] = {}

    def apply(items: np.ndarray) -> tuple[np.ndarray, None]:
        rows = flat(items)
        d = rows.shape[1]
        if d not in matrices:
            normal = np.random.default_rng([seed, d]).normal(size=(d, dim))
            matrices[d] = (normal / dim**0.5).astype(np.float32)
        return rows @ matrices[d], None

    digest = digest_of(f"projections {dim} {seed}")
    name = f"projections{dim}" + (f"_seed{seed}" if seed else "")
    return Extractor(name, digest, "none; scaled to [-1, 1]", apply)
