"""What every data set is to the rest of the package: an array of items, perhaps with labels; and its outline."""

import functools
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfwgan.spec import UsageError


@dataclass(frozen=True, eq=False)
class Dataset:
    """A finite set of images or points.

    Attributes:
        name: What to call the set in messages and file names.
        items: uint8 images `[n, h, w, c]`, or float32 points `[n, d]` in [-1, 1]. May be memory-mapped.
        labels: int32 `[n]` in 0 ... n_classes - 1, or None.
        class_names: One name per class, or None.

    Raises:
        UsageError: If there is no item.
        ValueError: If an array is not as above.
    """

    name: str
    items: np.ndarray
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        image = self.items.dtype == np.uint8 and self.items.ndim == 4
        point = self.items.dtype == np.float32 and self.items.ndim == 2
        if not (image or point):
            raise ValueError(
                f"{self.name}: items must be uint8 [n, h, w, c] or float32 [n, d], "
                f"got {self.items.dtype} {list(self.items.shape)}."
            )
        if len(self.items) < 1:
            raise UsageError(f"{self.name} is empty; at least 1 item is needed.")
        if point and not np.abs(self.items).max() <= 1.0:
            raise ValueError(f"{self.name}: points must lie in [-1, 1].")
        if self.labels is None:
            return
        if self.labels.dtype != np.int32 or self.labels.shape != (len(self.items),):
            raise ValueError(f"{self.name}: labels must be int32 [{len(self.items)}], got {self.labels.dtype}.")
        if self.labels.min() < 0 or self.labels.max() >= self.n_classes:
            raise ValueError(f"{self.name}: labels must lie in 0 ... {self.n_classes - 1}.")

    def __len__(self) -> int:
        return len(self.items)

    @property
    def size(self) -> int:
        """Number of items."""
        return len(self.items)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one item: `(h, w, c)` or `(d,)`."""
        return self.items.shape[1:]

    @property
    def is_image(self) -> bool:
        """Whether the items are images, not points."""
        return self.items.ndim == 4

    @property
    def n_classes(self) -> int | None:
        """Number of classes; None without labels."""
        if self.labels is None:
            return None
        return len(self.class_names) if self.class_names else int(self.labels.max()) + 1

    @functools.cached_property
    def fingerprint(self) -> dict[str, Any]:
        """What these data are, as JSON values: name, shape, size, n_classes, and a digest of all items and labels."""
        digest = hashlib.blake2b(digest_size=16)
        for array in (self.items, self.labels):
            for start in range(0, 0 if array is None else len(array), 4096):
                digest.update(np.ascontiguousarray(array[start : start + 4096]).reshape(-1).view(np.uint8))
        about = {"name": self.name, "shape": list(self.shape), "size": self.size, "n_classes": self.n_classes}
        return {**about, "digest": digest.hexdigest()}

    @functools.cached_property
    def tensors(self) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Items and labels on the CPU, where tf.data works; kept, so that a new pipeline copies nothing."""
        with tf.device("CPU:0"):
            return tf.constant(self.items), None if self.labels is None else tf.constant(self.labels)

    def real(self, indices: np.ndarray | slice) -> np.ndarray:
        """The items at `indices`, the way networks see them: float32 `[len(indices), *shape]` in [-1, 1]."""
        items = np.asarray(self.items[indices])
        return items.astype(np.float32) / 127.5 - 1.0 if self.is_image else items


@dataclass(frozen=True)
class Outline:
    """What is known of a data set whose items are not at hand: enough to build networks and count their work.

    Attributes:
        name: As of the `Dataset`, like all that follow.
        shape: Shape of one item.
        n_classes: Number of classes; None without labels.
        size: Number of items; None if unknown.
    """

    name: str
    shape: tuple[int, ...]
    n_classes: int | None
    size: int | None

    @classmethod
    def of(cls, dataset: "Dataset | Outline") -> "Outline":
        """The outline of a data set."""
        return cls(dataset.name, dataset.shape, dataset.n_classes, dataset.size)

    @property
    def is_image(self) -> bool:
        """Whether the items are images, not points."""
        return len(self.shape) == 3

    def blank(self, n: int) -> Dataset:
        """A data set of this kind: `n` items of zeros, all of class 0."""
        items = np.zeros((n, *self.shape), np.uint8 if self.is_image else np.float32)
        if self.n_classes is None:
            return Dataset(self.name, items)
        return Dataset(self.name, items, np.zeros(n, np.int32), tuple(map(str, range(self.n_classes))))
