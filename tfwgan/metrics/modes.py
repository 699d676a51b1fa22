"""Which modes of a known mixture a generator has found, and how well it hits them."""

from typing import Literal

import numpy as np

from tfwgan.data.synthetic import SIGMA, grid25_centres, ring8_centres
from tfwgan.spec import UsageError

_CENTRES = {"ring8": ring8_centres, "grid25": grid25_centres}
_NEAR = 3.0  # standard deviations within which a point counts as of high quality
_COVERED = 20 / 2500  # share of the samples that a mode needs


def coverage(samples: np.ndarray, centres: np.ndarray, sigma: float) -> dict[str, float]:
    """How samples spread over the modes of a mixture of equal Gaussians (Srivastava et al., 2017, section 4.1).

    Args:
        samples: `[n, d]`.
        centres: Of the modes, `[k, d]`.
        sigma: Standard deviation of every mode.

    Returns:
        Three numbers by suffix: "" how many modes are covered, having at least 20 of 2,500 samples of high quality,
        those within 3 standard deviations of a centre; ``_quality`` the share of these; ``_kl`` the Kullback-Leibler
        divergence in nats of their spread over the k modes from the uniform one, log k if there are none.
    """
    distance = np.linalg.norm(samples[:, None] - centres, axis=-1)
    nearest = distance.argmin(axis=1)[distance.min(axis=1) <= _NEAR * sigma]
    counts = np.bincount(nearest, minlength=len(centres))
    share = counts / max(1, counts.sum())
    share = share if counts.any() else np.eye(len(centres))[0]  # no sample of quality is as bad as one mode
    divergence = np.sum(share[share > 0] * np.log(share[share > 0] * len(centres)))
    covered = int((counts >= _COVERED * len(samples)).sum())
    return {"": covered, "_quality": len(nearest) / len(samples), "_kl": float(max(0.0, divergence))}


class Modes:
    """Coverage of the modes of ring8 or grid25, see `coverage`.

    Args:
        mixture: Whose modes.
    """

    upper = None

    def __init__(self, mixture: Literal["ring8", "grid25"] = "ring8"):
        self._centres = _CENTRES[mixture]()

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises `UsageError` unless samples are points of the plane."""
        if shape != (2,):
            raise UsageError(
                f"the metric does not fit the data: modes are those of points of the plane, not of {shape}."
            )

    def measure(self, fake: np.ndarray, real: np.ndarray) -> dict[str, float]:
        """The coverage by generated points `[n, 2]`."""
        return coverage(fake, self._centres, SIGMA)

    def reference(self, real: np.ndarray, n: int) -> dict[str, float]:
        """The share of high quality among real points."""
        return {"_quality_real": coverage(real, self._centres, SIGMA)["_quality"]}
