"""A set of features with its provenance: how it was made, and with what it may be compared."""

import functools
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np

from tfwgan.errors import UsageError, one_line
from tfwgan.files import write_atomically
from tfwgan.metrics.features import Extractor, digest_of
from tfwgan.metrics.manifold import radii
from tfwgan.metrics.moments import moments
from tfwgan.transport.moments import Moments

# What two sets must have in common for a number between them to mean anything.
_COMMON = ("extractor", "extractor_digest", "preprocessing", "shape")
_SOME = 5000  # samples that the geometry of a set is taken from
_K = 5  # whose distance is the density's


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """Features of a data set or of generated samples, and how they were made.

    Attributes:
        values: float32 `[n, d]`.
        about: ``data`` and ``data_digest`` (which samples), ``n``, ``shape`` (of an image),
            ``extractor``, ``extractor_digest``, ``preprocessing``, ``versions``.
        logits: float32 `[n, k]`, of extractors that classify.
        labels: int32 `[n]`, of labelled samples.
    """

    values: np.ndarray
    about: Mapping[str, Any]
    logits: np.ndarray | None = None
    labels: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        items: np.ndarray,
        extractor: Extractor,
        name: str = "samples",
        labels: np.ndarray | None = None,
        on_batch: Callable[[int], None] = lambda done: None,
        digest: str | None = None,
    ) -> Self:
        """The features of items.

        Args:
            items: uint8 images `[n, h, w, c]` or float32 points `[n, d]`.
            extractor: What makes the features.
            name: Of the items, for messages.
            labels: Of the items, int32 `[n]`.
            on_batch: Told how many items are done.
            digest: Of the items, if known.

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
        return cls(values, about, logits, labels)

    def __len__(self) -> int:
        return int(self.about["n"])

    @functools.cached_property
    def moments(self) -> Moments:
        """Mean and covariance."""
        return moments(self.values)

    @functools.cache  # noqa: B019 - as long as the set itself
    def radii(self, k: int) -> np.ndarray:
        """See `tfwgan.metrics.manifold.radii`."""
        return radii(self.values, k)

    def take(self, rows: np.ndarray) -> "FeatureSet":
        """Some of the samples."""
        logits = None if self.logits is None else self.logits[rows]
        labels = None if self.labels is None else self.labels[rows]
        return FeatureSet(self.values[rows], {**self.about, "n": len(rows)}, logits, labels)

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
            fifth nearest other sample, among 5,000 at most.
        """
        spectrum = np.maximum(np.linalg.eigvalsh(self.moments.covariance), 0.0)
        share = spectrum[spectrum > 0] / max(spectrum.sum(), np.finfo(float).tiny)
        some = np.random.default_rng(0).permutation(len(self))[:_SOME]
        reach = radii(self.values[some], _K).mean() if len(some) > _K else 0.0
        return {
            "effective_rank": float(np.exp(-(share * np.log(share)).sum())),
            "density": float(1.0 / reach) if reach else 0.0,
        }

    def save(self, path: str | Path) -> None:
        """Writes the set to an .npz without pickles, with its moments and all of `about`."""
        arrays = {"features": self.values, "mean": self.moments.mean}
        arrays["covariance"] = self.moments.covariance
        arrays |= {} if self.logits is None else {"logits": self.logits}
        arrays |= {} if self.labels is None else {"labels": self.labels}
        about = {**self.about, **self.geometry()}
        file = io.BytesIO()
        content: dict[str, Any] = {**arrays, "about": np.array(json.dumps(about))}
        np.savez(file, **content)
        write_atomically(Path(path), file.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            UsageError: If the file is none of these, or damaged.
        """
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            about = json.loads(str(arrays["about"]))
            values = arrays["features"]
            if values.ndim != 2 or len(values) != about["n"] or not np.isfinite(values).all():
                raise ValueError("its features are not the [n, d] that it speaks of")
        except KeyError as error:
            raise UsageError(f"{path} is no file of features: it has no {error}.") from None
        except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise UsageError(f"{path} can't be read: {one_line(error)}.") from None
        return cls(values, about, arrays.get("logits"), arrays.get("labels"))


def _text(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)
