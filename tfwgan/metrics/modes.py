"""Which modes of a mixture, or classes of labelled data, a generator found, and how well."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from tfwgan.data.synthetic import SIGMA, grid25_centres, ring8_centres
from tfwgan.errors import UsageError
from tfwgan.transport.neighbours import nearest

_CENTRES = {"ring8": ring8_centres, "grid25": grid25_centres}
_NEAR = 3.0  # standard deviations within which a point counts as of high quality
_COVERED = 20 / 2500  # share of the samples that a mode needs


def coverage(samples: np.ndarray, centres: np.ndarray, sigma: float) -> dict[str, float]:
    """How samples spread over the modes of a mixture (Srivastava et al., 2017, section 4.1).

    Args:
        samples: `[n, d]`.
        centres: Of the modes, `[k, d]`.
        sigma: Standard deviation of every mode.

    Returns:
        Three numbers by suffix: "" how many modes are covered, having at least 20 of 2,500 samples
        of high quality, those within 3 standard deviations of a centre; ``_quality`` the share of
        these; ``_kl`` the Kullback-Leibler divergence in nats of their spread over the k modes from
        the uniform one, log k if there are none.
    """
    distance = np.linalg.norm(samples[:, None] - centres, axis=-1)
    good = distance.min(axis=1) <= _NEAR * sigma
    return _spread(distance.argmin(axis=1)[good], len(centres), len(samples))


def class_coverage(samples: np.ndarray, real: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """How samples spread over the classes of labelled data: `coverage` with classes for modes.

    A sample is of the class of its nearest real item, and of high quality if that is not farther
    than the nearest item of one half of the data is from 98.9% of the other half: the share that
    `coverage` leaves of a Gaussian.

    Args:
        samples: `[n, ...]`.
        real: `[m, ...]`, m at least 2.
        labels: Classes of the real items, whole numbers `[m]` from 0.

    Returns:
        See `coverage`.
    """
    near = np.quantile(nearest(real[::2], real[1::2])[1], 1.0 - np.exp(-(_NEAR**2) / 2.0))
    index, distance = nearest(samples, real)
    return _spread(labels[index[distance <= near]], int(labels.max()) + 1, len(samples))


def _spread(modes: np.ndarray, k: int, n: int) -> dict[str, float]:
    """What `coverage` returns, of the modes 0 ... k - 1 of the good ones among n samples."""
    counts = np.bincount(modes, minlength=k)
    share = counts / max(1, int(counts.sum()))
    share = share if counts.any() else np.eye(k)[0]  # no sample of quality is as bad as one mode
    divergence = np.sum(share[share > 0] * np.log(share[share > 0] * k))
    covered = int((counts >= _COVERED * n).sum())
    return {"": covered, "_quality": len(modes) / n, "_kl": float(max(0.0, divergence))}


class Modes:
    """Coverage of the modes of ring8 or grid25, see `coverage`.

    Args:
        mixture: Whose modes.
    """

    upper, features, larger_is_better = None, "", True

    def __init__(self, mixture: Literal["ring8", "grid25"] = "ring8") -> None:
        self.options = {"mixture": mixture}
        self._centres = _CENTRES[mixture]()

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises `UsageError` unless samples are points of the plane."""
        if shape != (2,):
            raise UsageError(
                "the metric does not fit the data: modes are those of points of the plane, "
                f"not of {shape}."
            )

    def measure(self, fake: np.ndarray, real: np.ndarray) -> dict[str, float]:
        """The coverage by generated points `[n, 2]`."""
        return coverage(fake, self._centres, SIGMA)

    def reference(self, real: np.ndarray, n: int) -> dict[str, float]:
        """The share of high quality among real points."""
        return {"_quality_real": coverage(real, self._centres, SIGMA)["_quality"]}

    def recall(self, values: Mapping[str, float]) -> None:
        """Nothing to take up."""
