"""A set of features with its provenance: how it was made, and with what it may be compared."""

import functools
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self, cast

import numpy as np

from tfwgan.errors import UsageError, one_line
from tfwgan.files import write_atomically
from tfwgan.metrics.features import Extractor, digest_of
from tfwgan.metrics.manifold import radii
from tfwgan.metrics.moments import moments
from tfwgan.transport.moments import Moments

# What two sets must have in common for a number between them to mean anything.
_COMMON = ("extractor", "extractor_digest", "preprocessing", "shape")
_NEEDED = ("data", "data_digest", "n", *_COMMON)  # what a file has to say
_GEOMETRY = ("effective_rank", "density")
_LARGE = 4096  # features whose covariance is still small beside them
_SOME = 5000  # samples that the geometry of a set is taken from
_K = 5  # whose distance is the density's


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """Features of a data set or of generated samples, and how they were made.

    Attributes:
        values: float32 `[n, d]`.
        about: ``data`` and ``data_digest`` (which samples), ``n``, ``shape`` (of an image),
            ``extractor``, ``extractor_digest``, ``preprocessing``, ``versions``; ``class_names`` of
            labelled samples whose classes have names.
        logits: float32 `[n, k]`, of extractors that classify.
        labels: int32 `[n]`, of labelled samples.
    """

    values: np.ndarray
    about: Mapping[str, Any]
    logits: np.ndarray | None = None
    labels: np.ndarray | None = None
    _radii: dict[int, np.ndarray] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(
        cls,
        items: np.ndarray,
        extractor: Extractor,
        name: str = "samples",
        labels: np.ndarray | None = None,
        on_batch: Callable[[int], None] = lambda done: None,
        digest: str | None = None,
        class_names: Sequence[str] | None = None,
    ) -> Self:
        """The features of items.

        Args:
            items: uint8 images `[n, h, w, c]` or float32 points `[n, d]`.
            extractor: What makes the features.
            name: Of the items, for messages.
            labels: Of the items, int32 `[n]`.
            on_batch: Told how many items are done.
            digest: Of the items, if known.
            class_names: Of the classes that labels number, if they have names.

        Raises:
            UsageError: If the items are not fit for the extractor.
        """
        values, logits = extractor(items, on_batch=on_batch)
        about = {
            "data": name,
            "data_digest": digest or digest_of(items),
            "n": len(items),
            "shape": list(items.shape[1:]),
            "extractor": extractor.name,
            "extractor_digest": extractor.digest,
            "preprocessing": extractor.preprocessing,
            "versions": {name: version(name) for name in ("tfwgan", "tensorflow", "numpy")},
        }
        if labels is not None and class_names:
            about["class_names"] = list(class_names)
        return cls(values, about, logits, labels)

    def __len__(self) -> int:
        return int(self.about["n"])

    @functools.cached_property
    def moments(self) -> Moments:
        """Mean and covariance."""
        return moments(self.values)

    def radii(self, k: int) -> np.ndarray:
        """See `tfwgan.metrics.manifold.radii`; found once."""
        if k not in self._radii:
            self._radii[k] = radii(self.values, k)
        return self._radii[k]

    def take(self, rows: np.ndarray) -> "FeatureSet":
        """Some of the samples."""
        logits = None if self.logits is None else self.logits[rows]
        labels = None if self.labels is None else self.labels[rows]
        about = {key: value for key, value in self.about.items() if key not in _GEOMETRY}
        return FeatureSet(self.values[rows], {**about, "n": len(rows)}, logits, labels)

    def check_comparable(self, other: "FeatureSet") -> None:
        """Raises `UsageError` with the differences if a number between the sets means nothing."""
        differences = [
            f"{name} {_text(self.about.get(name))} and {_text(other.about.get(name))}"
            for name in _COMMON
            if self.about.get(name) != other.about.get(name)
        ]
        if differences:
            raise UsageError(
                f"{self.about['data']} and {other.about['data']} can't be compared, their features "
                f"differ in {'; '.join(differences)}."
            )

    def geometry(self) -> dict[str, float]:
        """How the set lies, which any score against it depends on (arXiv 2605.29335).

        Returns:
            ``effective_rank``, the exponential of the entropy of the covariance's eigenvalues (Roy
            and Vetterli, 2007), between 1 and d; and ``density``, one over the mean distance to the
            fifth nearest other sample, or 0 where there is no such distance. Both are of 5,000
            samples at most; the rank is of all, up to 4,096 features.
        """
        return dict(self._geometry)

    @functools.cached_property
    def _geometry(self) -> dict[str, float]:
        if all(name in self.about for name in _GEOMETRY):
            return {name: float(self.about[name]) for name in _GEOMETRY}
        some = self.values[np.random.default_rng(0).permutation(len(self))[:_SOME]]
        if self.values.shape[1] <= _LARGE:
            square = self.moments.covariance
        else:  # products of samples have the same eigenvalues as the covariance
            centred = some - some.mean(axis=0, dtype=np.float64)
            square = centred @ centred.T
        spectrum = np.maximum(np.linalg.eigvalsh(square), 0.0)
        share = spectrum[spectrum > 0] / max(spectrum.sum(), np.finfo(float).tiny)
        reach = radii(some, _K).mean() if len(some) > _K else 0.0
        numbers = np.exp(-(share * np.log(share)).sum()), 1.0 / reach if reach else 0.0
        return dict(zip(_GEOMETRY, map(float, numbers), strict=True))

    def save(self, path: str | Path) -> None:
        """Writes the set to an .npz without pickles, with all of `about`.

        For other programs its moments are in the file too, up to 4,096 features.
        """
        arrays = {"features": self.values}
        if self.values.shape[1] <= _LARGE:
            arrays |= {"mean": self.moments.mean, "covariance": self.moments.covariance}
        arrays |= {} if self.logits is None else {"logits": self.logits}
        arrays |= {} if self.labels is None else {"labels": self.labels}
        about = {**self.about, **self.geometry()}
        file = io.BytesIO()
        content: dict[str, Any] = {**arrays, "about": np.array(json.dumps(about))}
        np.savez(file, **content)
        whole = cast(bytes, file.getbuffer())  # which `getvalue` would copy
        write_atomically(Path(path), whole)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            UsageError: If the file is none of these, or damaged.
        """
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
                some = {"about", "features", "logits", "labels"} & set(file.files)
                arrays = {name: file[name] for name in some}
            about = json.loads(str(arrays.pop("about")))
            values = arrays.pop("features").astype(np.float32, copy=False)
            about |= {name: about[name] for name in _NEEDED}  # all of them are there
            if values.ndim != 2 or not 0 < len(values) == about["n"]:
                raise ValueError("its features are not the [n, d] that it speaks of")
            if any(len(array) != len(values) for array in arrays.values()):
                raise ValueError("it has not as many logits or labels as features")
            if not all(np.isfinite(array).all() for array in (values, *arrays.values())):
                raise ValueError("some of its numbers are NaN or infinite")
        except KeyError as error:
            raise UsageError(f"{path} is no file of features: it has no {error}.") from None
        except Exception as error:  # a damaged archive makes its reader raise anything
            raise UsageError(f"{path} can't be read: {one_line(error)}.") from None
        return cls(values, about, arrays.get("logits"), arrays.get("labels"))


def _text(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)
