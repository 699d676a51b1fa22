"""The Fréchet distance of features: FID, extrapolated to infinitely many samples, with errors."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from tfwgan.errors import UsageError
from tfwgan.transport.costs import pair, slices
from tfwgan.transport.moments import Moments, frechet, frechet_of_moments

_BATCH = 4096  # rows that are float64 at a time
_CHEAP = 256  # features up to which a bootstrap costs seconds
_SIZES = 15  # sizes of the extrapolation, as its authors have them
_SMALLEST = 0.1  # share of the samples that is the smallest of them


def fid(x: ArrayLike, y: ArrayLike) -> float:
    """The Fréchet distance of features of two sets (Heusel et al., 2017, eq. 6).

    ``|mean_x - mean_y|^2 + tr(C_x + C_y - 2 (C_x C_y)^(1/2))``, covariances divided by n - 1. The
    paper, "GANs trained by a two time-scale update rule converge to a local Nash equilibrium",
    takes the pool features of Inception; with other features it is another number. It is symmetric:
    swapping the sets changes nothing. Of few samples it is too large: see `fid_infinity`.

        >>> import numpy as np
        >>> from tfwgan.metrics import fid
        >>> x = np.random.default_rng(0).normal(size=(50, 2))
        >>> round(fid(x, x + [3.0, 4.0]), 6)
        25.0

    Args:
        x: Features `[n, d]`, finite.
        y: Features `[m, d]`; n and m may differ, and be less than d.

    Returns:
        At least 0.

    Raises:
        ValueError: If the features are wrong.
    """
    x, y = pair(x, y)
    if not enough(x, y):
        return frechet(x, y)
    return between(moments(x), moments(y))


def enough(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether features `[n, d]` and `[m, d]` are more than dimensions: moments tell all then."""
    return min(len(x), len(y)) > x.shape[1]


def between(first: Moments, second: Moments) -> float:
    """`fid` of two sets that are known by their moments."""
    return frechet_of_moments(first.mean, first.covariance, second.mean, second.covariance)


def moments(x: np.ndarray) -> Moments:
    """Mean and covariance of features `[n, d]`."""
    found = Moments()
    for rows in slices(len(x), _BATCH):
        found.update(x[rows])
    return found


def fid_error(
    x: ArrayLike, y: ArrayLike, replicates: int = 100, seed: int = 0
) -> tuple[float, float, float]:
    """How far `fid` would scatter with other samples of the same two laws: a bootstrap.

    Both sets are drawn again from themselves (Efron, 1979). A drawn set has fewer different points,
    which makes replicates larger than the distance itself; so the interval is not theirs but that
    of their deviations from their own mean. What few samples add on average (the bias) is not in
    it.

    Args:
        x: Features `[n, d]`.
        y: Features `[m, d]`.
        replicates: How many are drawn, at least 2.
        seed: Of the draws.

    Returns:
        The standard error, and the lower and upper end of a 95 % interval.

    Raises:
        ValueError: If the features are wrong, or `replicates` is.
    """
    x, y = pair(x, y)
    if replicates < 2:
        raise UsageError(f"`replicates` must be at least 2, got {replicates}.")
    rng = np.random.default_rng(seed)
    values = np.array([fid(_redrawn(x, rng), _redrawn(y, rng)) for _ in range(replicates)])
    apart = values - values.mean()
    low, high = np.quantile(apart, [0.025, 0.975])
    middle = fid(x, y)
    return float(values.std(ddof=1)), max(0.0, middle - float(high)), middle - float(low)


def fid_infinity(x: ArrayLike, y: ArrayLike, seed: int = 0) -> tuple[float, float]:
    """`fid` extrapolated to infinitely many generated samples (Chong and Forsyth, 2020).

    "Effectively unbiased FID and Inception Score and where to find them", section 3: the distance
    of N samples is nearly linear in 1/N, so a line through those of 15 sizes is continued to 0. The
    real set is taken as it is. Not symmetric: only the first set is continued.

    Args:
        x: Generated features `[n, d]`; sizes go from a tenth of them to all.
        y: Real features `[m, d]`.
        seed: Which samples the smaller sizes take.

    Returns:
        The continued distance, which may be below 0 by chance, and its standard error along the
        line.

    Raises:
        ValueError: If the features are wrong, or x has fewer than 150.
    """
    x, y = pair(x, y)
    if len(x) < 10 * _SIZES:
        raise UsageError(
            f"FID at infinity needs at least {10 * _SIZES} generated samples, got {len(x)}."
        )
    order = np.random.default_rng(seed)
    sizes = np.linspace(_SMALLEST * len(x), len(x), _SIZES).astype(int)
    subsets = (x[order.permutation(len(x))[:size]] for size in sizes)
    second = moments(y) if enough(x, y) else None  # found once for all sizes
    values = [
        between(moments(some), second) if second and enough(some, y) else fid(some, y)
        for some in subsets
    ]
    line = np.polyfit(1.0 / sizes, values, 1)
    residuals = np.asarray(values) - np.polyval(line, 1.0 / sizes)
    design = np.stack([1.0 / sizes, np.ones(_SIZES)], axis=1)
    spread = np.linalg.inv(design.T @ design)[1, 1] * (residuals**2).sum() / (_SIZES - 2)
    return float(line[1]), float(spread**0.5)


def intra_fid(
    x: ArrayLike, x_labels: ArrayLike, y: ArrayLike, y_labels: ArrayLike
) -> dict[int, float]:
    """`fid` within each class (Miyato and Koyama, 2018, "cGANs with projection discriminator").

    Swapping the sets changes nothing but which classes are asked for: those of the second.

    Args:
        x: Generated features `[n, d]`.
        x_labels: The classes asked for, whole numbers `[n]`.
        y: Real features `[m, d]`.
        y_labels: Their classes, `[m]`.

    Returns:
        The distance by class, of all classes of the real set.

    Raises:
        ValueError: If a class has no generated sample, or the features are wrong.
    """
    x, y = pair(x, y)
    return {label: fid(*sets) for label, *sets in _by_class(x, x_labels, y, y_labels)}


def _by_class(
    x: np.ndarray, x_labels: ArrayLike, y: np.ndarray, y_labels: ArrayLike
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Each class of y with its points of both sets."""
    x_labels, y_labels = np.asarray(x_labels), np.asarray(y_labels)
    for label in np.unique(y_labels):
        some = x[x_labels == label]
        if not len(some):
            raise UsageError(f"There is no generated sample of class {label}.")
        yield int(label), some, y[y_labels == label]


def _redrawn(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return x[rng.integers(len(x), size=len(x))]


def default_replicates(d: int) -> int:
    """How many replicates a bootstrap of `d` features has unless asked: none if it took minutes."""
    return 100 if d <= _CHEAP else 0
