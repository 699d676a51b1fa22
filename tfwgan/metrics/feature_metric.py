"""A score of features, as a metric that is watched while a generator learns."""

import functools
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfwgan.errors import UsageError, refuse_unknown
from tfwgan.metrics.distances import real_against_real
from tfwgan.metrics.feature_sets import FeatureSet
from tfwgan.metrics.features import Extractor, digest_of, pixels
from tfwgan.metrics.scores import CLASSIFIED, LARGER_IS_BETTER, Score

_ENOUGH = 250  # samples that are enough for every score
_REMEMBERED = 4  # sets: two splits of the real samples, or what is generated and they


class FeatureMetric:
    """A score as it is: a value, from which `with_` makes others.

        >>> from tfwgan.metrics.feature_metric import FeatureMetric
        >>> from tfwgan.metrics.scores import fid
        >>> FeatureMetric(fid).with_(replicates=0).options
        {'replicates': 0, 'features': 'pixels'}

    Args:
        score: Of a generated and a real `FeatureSet`, see `tfwgan.metrics.scores`.
        features: What turns samples into features.
    """

    upper: float | None = None

    def __init__(self, score: Score, features: Extractor | None = None) -> None:
        self.score, self.extractor = score, features or pixels()
        self._function = getattr(score, "func", score)
        self.__doc__ = inspect.getdoc(self._function)
        self._real: tuple[np.ndarray, FeatureSet] | None = None

    def with_(self, features: Extractor | None = None, **options: Any) -> "FeatureMetric":
        """The same score with other options; raises `UsageError` if one is unknown."""
        refuse_unknown(options, _options(self.score), "option")
        score = functools.partial(self.score, **options) if options else self.score
        return FeatureMetric(score, features or self.extractor)

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """What `with_` takes, as named parameters with their present values."""
        features = inspect.Parameter(
            "features", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Extractor
        )
        return {**_options(self.score), "features": features}

    @property
    def options(self) -> dict[str, object]:
        """The present values of the options; of the features, their name."""
        values = {name: one.default for name, one in _options(self.score).items()}
        return {**values, "features": self.features}

    @property
    def features(self) -> str:
        """The name of what turns samples into features."""
        return self.extractor.name

    @property
    def larger_is_better(self) -> bool:
        """Whether a larger score is a better one."""
        return self._function.__name__ in LARGER_IS_BETTER

    def check(self, shape: tuple[int, ...]) -> None:
        """Tries the extractor on samples of a shape; `UsageError` if it refuses them."""
        self.check_features()
        self._features(np.stack([np.full(shape, value, np.float32) for value in (-1.0, 1.0)]))

    def check_features(self) -> None:
        """Raises `UsageError` if the score needs a classifier, and the features are of none."""
        if self._function.__name__ in CLASSIFIED and self.extractor.n_classes is None:
            raise UsageError(
                f"{self._function.__name__} needs features that classify: fashion_cnn, mnist_cnn, "
                f"stacked_mnist_cnn, inception or efficientnet_lite0; {self.features} does not."
            )

    def check_counts(self, n: int, m: int) -> None:
        """Tries the score on `n` generated and `m` real random features; `UsageError` if few."""
        sets = []
        for count in (n, m):
            rows = np.random.default_rng(count).normal(size=(min(count, _ENOUGH), 2))
            about = {"n": len(rows), "extractor": self.features}
            sets.append(FeatureSet(rows.astype(np.float32), about, rows))
        self.score(*sets)

    def measure(self, fake: np.ndarray, real: np.ndarray) -> dict[str, float]:
        """The numbers of generated samples `[n, ...]` beside real ones `[m, ...]`, in [-1, 1]."""
        if self._real is None or self._real[0] is not real:
            self._real = real, self._features(real)
        return self.score(self._features(fake), self._real[1])

    def reference(self, real: np.ndarray, n: int) -> dict[str, float]:
        """What the score says of real samples against real ones, see `real_against_real`."""
        values = real_against_real(self.measure, real, n)
        return {key: value for key, value in values.items() if not key.endswith(("_low", "_high"))}

    def recall(self, values: Mapping[str, float]) -> None:
        """Nothing to take up."""

    def _features(self, samples: np.ndarray) -> FeatureSet:
        """Features of samples, made once for all metrics that have this extractor."""
        items, memory = as_items(samples), self.extractor.memory
        digest = digest_of(items)
        if digest not in memory:
            memory[digest] = FeatureSet.of(items, self.extractor, digest=digest)
            while len(memory) > _REMEMBERED:
                memory.pop(next(iter(memory)))
        return memory[digest]


def as_items(samples: np.ndarray) -> np.ndarray:
    """What networks draw, as items of a data set: images as bytes, points as they are.

    Scores are of images as they would be saved, in 8 bits: the real ones are so too.

    Args:
        samples: float `[n, h, w, c]` in [-1, 1] (what is beyond is cut), or points `[n, d]`.

    Raises:
        UsageError: If a sample is NaN or infinite.
    """
    if not np.isfinite(samples).all():
        raise UsageError("Some samples are NaN or infinite.")
    if samples.ndim != 4:
        return samples.reshape(len(samples), -1).astype(np.float32)
    return np.clip(np.rint((samples + 1.0) * 127.5), 0, 255).astype(np.uint8)


def _options(score: Score) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(score).parameters
    return {name: one for name, one in parameters.items() if name not in ("fake", "real")}
