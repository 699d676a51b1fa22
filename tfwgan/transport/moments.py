"""The Fréchet distance is the squared Wasserstein-2 distance of the Gaussians that fit two sets."""

import numpy as np
from numpy.typing import ArrayLike

from tfwgan.transport.costs import pair


def frechet(x: ArrayLike, y: ArrayLike) -> float:
    """The Fréchet distance is ``|mean_x - mean_y|^2 + tr(C_x + C_y - 2 (C_x C_y)^(1/2))``.

    The formula is that of Dowson and Landau (1982, "The Fréchet distance between multivariate
    normal distributions"), its use that of Heusel et al. (2017, "GANs trained by a two
    time-scale update rule converge to a local Nash equilibrium", eq. 6). Of a translate it is the
    squared shift:

        >>> import numpy as np
        >>> from tfwgan.transport import frechet
        >>> x = np.random.default_rng(0).normal(size=(50, 2))
        >>> round(frechet(x, x + [3.0, 4.0]), 6)
        25.0

    Covariances are divided by n - 1, and are 0 of a single point. Right for fewer points than
    dimensions too: no square root of a covariance is taken, but singular values of the data's own
    triangular factors.

    Args:
        x: Samples `[n, ...]`, finite real numbers.
        y: Samples `[m, ...]` of as many coordinates.

    Returns:
        The squared distance, at least 0.

    Raises:
        ValueError: If the points are wrong.
    """
    x, y = pair(x, y)
    (mean_x, factor_x), (mean_y, factor_y) = _fit(x), _fit(y)
    return _distance(mean_x, factor_x, mean_y, factor_y)


def frechet_of_moments(
    mean_x: ArrayLike, cov_x: ArrayLike, mean_y: ArrayLike, cov_y: ArrayLike
) -> float:
    """The Fréchet distance between two Gaussians with means `[d]` and covariances `[d, d]`.

    Raises:
        ValueError: If shapes don't fit, or numbers are not finite.
    """
    moments = [np.asarray(moment, np.float64) for moment in (mean_x, cov_x, mean_y, cov_y)]
    d = len(np.atleast_1d(moments[0]))
    if [moment.shape for moment in moments] != [(d,), (d, d)] * 2:
        raise ValueError(
            f"Means must be [d] and covariances [d, d], got {[moment.shape for moment in moments]}."
        )
    if not all(np.isfinite(moment).all() for moment in moments):
        raise ValueError("Means and covariances must be finite, but some are NaN or infinite.")
    return _distance(moments[0], _root(moments[1]), moments[2], _root(moments[3]))


def _distance(
    mean_x: np.ndarray, factor_x: np.ndarray, mean_y: np.ndarray, factor_y: np.ndarray
) -> float:
    """The Fréchet distance of Gaussians whose covariances are ``F^T F`` of factors `[r, d]`."""
    # The eigenvalues of C_x C_y are the squared singular values of F_x F_y^T.
    shared = np.linalg.svd(factor_x @ factor_y.T, compute_uv=False).sum()
    spread = np.sum(factor_x**2) + np.sum(factor_y**2) - 2 * shared
    return float(np.sum((mean_x - mean_y) ** 2) + max(0.0, spread))


def _fit(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean `[d]` and a factor `[min(n, d), d]` of the covariance of points `[n, d]`."""
    mean = x.mean(axis=0, dtype=np.float64)
    return mean, np.linalg.qr(x - mean, mode="r") / max(1, len(x) - 1) ** 0.5


def _root(cov: np.ndarray) -> np.ndarray:
    """A factor `[d, d]` of a covariance; eigenvalues that rounding made negative are 0."""
    values, vectors = np.linalg.eigh((cov + cov.T) / 2)
    return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
