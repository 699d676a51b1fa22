"""To the rest of the package every data set is an array of items, perhaps with labels.

An outline says what is known of a set without its items.
"""

import functools
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfwgan.errors import UsageError

_PIECE = 16 << 20  # bytes that are read at once


@dataclass(frozen=True, eq=False)
class Dataset:
    """A finite set of images or points.

        >>> import numpy as np
        >>> from tfwgan import Dataset
        >>> images = np.zeros((5, 8, 8, 1), np.uint8)
        >>> dataset = Dataset("black", images, labels=np.array([0, 1, 0, 1, 0]))
        >>> dataset.size, dataset.shape, dataset.n_classes
        (5, (8, 8, 1), 2)
        >>> float(dataset.real(slice(1)).max())  # networks see [-1, 1]
        -1.0

    Attributes:
        name: What to call the set in messages and file names.
        items: uint8 images `[n, h, w, c]` of any number of channels, or float32 points `[n, d]` in
            [-1, 1]. May be memory-mapped.
        labels: int32 `[n]` in 0 ... n_classes - 1, or None. Whole numbers of another type are
            converted.
        class_names: One name per class, or None.
        remarks: What to know about how the set came about, each on one line: files that were left
            out, and the like.

    Raises:
        UsageError: If there is no item, or an array is not as above; it says how to convert what
            can be converted.
    """

    name: str
    items: np.ndarray
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] | None = None
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _replace(
            self, items=self.items if isinstance(self.items, np.ndarray) else np.asarray(self.items)
        )
        image = self.items.dtype == np.uint8 and self.items.ndim == 4
        point = self.items.dtype == np.float32 and self.items.ndim == 2
        if not (image or point) or image and _channels_first(self.items.shape):
            raise UsageError(
                f"{self.name}: items must be uint8 images [n, h, w, c] or float32 points [n, d], "
                f"got {self.items.dtype} {list(self.items.shape)}{_conversion(self.items)}."
            )
        if len(self.items) < 1:
            raise UsageError(f"{self.name} is empty; at least 1 item is needed.")
        if 0 in self.shape:
            raise UsageError(f"{self.name}: an item of shape {list(self.shape)} holds no number.")
        if point and not np.abs(self.items).max() <= 1.0:
            raise UsageError(
                f"{self.name}: points must lie in [-1, 1]; divide them by their largest absolute "
                "value."
            )
        if self.class_names is not None:
            _replace(self, class_names=tuple(map(str, self.class_names)))
        if self.labels is not None:
            _replace(self, labels=_labels(self.labels, len(self.items), self.name))
            if self.class_names and self.labels.max() >= len(self.class_names):
                raise UsageError(
                    f"{self.name}: labels must lie in 0 ... {len(self.class_names) - 1}, one for "
                    "each class name."
                )

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
        """Returns what tells this set from every other one, in values of JSON.

        It is computed once, by reading all items.

        Two sets have the same `digest` if their items and labels are the same numbers in the same
        order, however they lie in memory or wherever their files do. It is 128 bits of BLAKE2b over
        the items in C order, then the labels.
        """
        digest = hashlib.blake2b(digest_size=16)
        step = max(1, _PIECE // self.items[0].nbytes)
        for start in range(0, len(self.items), step):
            digest.update(_little_endian(self.items[start : start + step]))
        if self.labels is not None:
            digest.update(_little_endian(self.labels))
        return {
            "name": self.name,
            "shape": list(self.shape),
            "size": self.size,
            "n_classes": self.n_classes,
            "digest": digest.hexdigest(),
        }

    @functools.cached_property
    def tensors(self) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Returns items and labels on the CPU, where tf.data works.

        They are kept, so that a new pipeline copies nothing.
        """
        with tf.device("CPU:0"):
            return tf.constant(self.items), None if self.labels is None else tf.constant(
                self.labels
            )

    def real(self, indices: np.ndarray | slice) -> np.ndarray:
        """Returns the items at `indices` the way networks see them.

        They are float32 `[len(indices), *shape]` in [-1, 1].
        """
        items = np.asarray(self.items[indices])
        return items.astype(np.float32) / 127.5 - 1.0 if self.is_image else items


@dataclass(frozen=True)
class Outline:
    """An outline is what is known of a data set whose items are not at hand.

    It is enough to build networks and to count their work.

    Attributes:
        name: As of the `Dataset`, like all that follow.
        shape: Shape of one item.
        n_classes: Number of classes; None without labels.
        size: Number of items; None if unknown.
        remarks: As of the `Dataset`.
        class_names: As of the `Dataset`.
    """

    name: str
    shape: tuple[int, ...]
    n_classes: int | None
    size: int | None
    remarks: tuple[str, ...] = ()
    class_names: tuple[str, ...] | None = None

    @classmethod
    def of(cls, dataset: "Dataset | Outline") -> "Outline":
        """The outline of a data set."""
        names = dataset.class_names
        return cls(
            dataset.name, dataset.shape, dataset.n_classes, dataset.size, dataset.remarks, names
        )

    @property
    def is_image(self) -> bool:
        """Whether the items are images, not points."""
        return len(self.shape) == 3

    def blank(self, n: int) -> Dataset:
        """A data set of this kind: `n` items of zeros, all of class 0."""
        items = np.zeros((n, *self.shape), np.uint8 if self.is_image else np.float32)
        if self.n_classes is None:
            return Dataset(self.name, items, remarks=self.remarks)
        return Dataset(
            self.name,
            items,
            np.zeros(n, np.int32),
            self.class_names or tuple(map(str, range(self.n_classes))),
            self.remarks,
        )


def _replace(dataset: Dataset, **values: Any) -> None:
    """Puts what was converted in the place of what was given, while the frozen object is made."""
    for name, value in values.items():
        object.__setattr__(dataset, name, value)


def _channels_first(shape: tuple[int, ...]) -> bool:
    """Whether images `[n, c, h, w]` were meant: few "rows", and a square behind them."""
    return shape[1] in (1, 3, 4) and shape[2] == shape[3] > 4


def _conversion(items: np.ndarray) -> str:
    """Says, as the end of a message, how to make items out of an array of another kind.

    The text is empty if that can't be told.
    """
    if items.ndim == 2 and np.issubdtype(items.dtype, np.number):
        return "; of points give items.astype(np.float32)"
    steps = []
    if items.ndim == 3:
        steps.append("items = items[..., np.newaxis]")
    elif items.ndim == 4 and _channels_first(items.shape):
        steps.append("items = items.transpose(0, 2, 3, 1)")
    elif items.ndim != 4:
        return ""
    numeric = items.size and (items.dtype == bool or np.issubdtype(items.dtype, np.number))
    if items.dtype != np.uint8 and numeric and not np.iscomplexobj(items):
        low, high = float(items.min()), float(items.max())
        if items.dtype == bool or low >= 0 and high <= 1:
            steps.append("items = np.rint(items * 255.0).astype(np.uint8)")
        elif low >= -1 and high <= 1:
            steps.append("items = np.rint((items + 1) * 127.5).astype(np.uint8)")
        elif low >= 0 and high <= 255:
            steps.append("items = np.rint(items).astype(np.uint8)")
        else:
            return f" in {low:g} ... {high:g}; scale them to 0 ... 255, then items.astype(np.uint8)"
    return f"; convert with {'; '.join(steps)}" if steps else ""


def _labels(labels: Any, n: int, name: str) -> np.ndarray:
    """Labels as int32 `[n]`, at least 0."""
    labels = np.asarray(labels)
    if labels.shape != (n,) or not np.issubdtype(labels.dtype, np.integer):
        hint = "; give labels.ravel()" if labels.shape == (n, 1) else ""
        raise UsageError(
            f"{name}: labels must be whole numbers [{n}], got {labels.dtype} "
            f"{list(labels.shape)}{hint}."
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high > np.iinfo(np.int32).max:
        raise UsageError(
            f"{name}: labels must lie in 0 ... {np.iinfo(np.int32).max}, got {low} ... {high}."
        )
    return labels.astype(np.int32, copy=False)


def _little_endian(array: np.ndarray) -> memoryview:
    """The same numbers in C order, low bytes first."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data
