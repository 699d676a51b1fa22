"""The maximum mean discrepancy is the distance of two sets' means in the space of a kernel."""

import numpy as np
from numpy.typing import ArrayLike

from tfwgan.errors import UsageError
from tfwgan.transport.costs import blocks, cost_matrix, pair

_SOME = 1000  # points of each set that the median is taken over


def mmd(x: ArrayLike, y: ArrayLike, sigma: float | None = None, unbiased: bool = False) -> float:
    """The *squared* discrepancy is ``E k(x, x') + E k(y, y') - 2 E k(x, y)``.

    The formula is that of Gretton et al. (2012, "A kernel two-sample test", eqs. 3 and 5).

    The kernel is Gaussian: ``k(x, y) = exp(-|x - y|^2 / (2 sigma^2))``. Two points at distance 1:

        >>> import math
        >>> from tfwgan.transport import mmd
        >>> math.isclose(mmd([[0.0]], [[1.0]], sigma=1.0), 2 - 2 * math.exp(-0.5))
        True

    Args:
        x: Samples `[n, ...]`, finite real numbers.
        y: Samples `[m, ...]` of as many coordinates.
        sigma: Width of the kernel, above 0; by default `median_distance`, which depends on the
            sets.
        unbiased: Leave out the pairs of a point with itself: 0 on average between samples of one
            law, but also negative. Otherwise those are counted, and the result is at least 0.

    Returns:
        The squared discrepancy, at most 2.

    Raises:
        ValueError: If an argument is wrong, or an unbiased result is asked for of a single point.
    """
    x, y = pair(x, y)
    if sigma is not None and not 0 < sigma < np.inf:
        raise ValueError(f"sigma must be above 0 and finite, got {sigma}.")
    if unbiased and min(len(x), len(y)) < 2:
        raise UsageError(
            "The unbiased discrepancy needs at least two points in each set; use unbiased=False."
        )
    sigma = median_distance(x, y) if sigma is None else float(sigma)
    within = sum(_mean_kernel(z, z, sigma, skip=len(z) if unbiased else 0) for z in (x, y))
    value = within - 2 * _mean_kernel(x, y, sigma)
    return value if unbiased else max(0.0, value)


def median_distance(x: ArrayLike, y: ArrayLike, seed: int = 0) -> float:
    """Returns the median distance between two of all points.

    It is the usual width of a kernel (Gretton et al., 2012, section 8).

    Of large sets, a sample. Their mean distance if more than half of the pairs coincide, and 1 if
    all do.
    """
    rng = np.random.default_rng(seed)
    some = [
        z if len(z) <= _SOME else z[rng.choice(len(z), _SOME, replace=False)] for z in pair(x, y)
    ]
    both = np.concatenate(some)
    distances = cost_matrix(both, both)[np.triu_indices(len(both), k=1)]
    return float(np.median(distances)) or float(distances.mean()) or 1.0


def _mean_kernel(x: np.ndarray, y: np.ndarray, sigma: float, skip: int = 0) -> float:
    """The mean kernel of all pairs but `skip` ones of equal points."""
    total = 0.0
    for _, _, squares in blocks(x, y, "squared"):
        squares *= -0.5 / sigma**2
        total += float(np.exp(squares, out=squares).sum())
    return (total - skip) / (len(x) * len(y) - skip)
