"""The Fréchet distance is the squared Wasserstein-2 distance of the Gaussians that fit two sets."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import lapack

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
    mean_x, cov_x, mean_y, cov_y = moments
    shared = _shared_by_cholesky(cov_x, cov_y)
    if shared is None:
        return _distance(mean_x, _root(cov_x), mean_y, _root(cov_y))
    spread = np.trace(cov_x) + np.trace(cov_y) - 2 * shared
    return float(np.sum((mean_x - mean_y) ** 2) + max(0.0, spread))


class Moments:
    """Mean and covariance of points that come in batches, as exact as if all came at once.

    Merging is by Chan, Golub and LeVeque (1979, "Updating formulae and a pairwise algorithm for
    computing sample variances", eq. 2.1): no sum of squares loses digits to a large mean.

        >>> import numpy as np
        >>> from tfwgan.transport.moments import Moments
        >>> x = np.random.default_rng(0).normal(size=(50, 2))
        >>> moments = Moments()
        >>> for batch in np.split(x, 5):
        ...     moments.update(batch)
        >>> bool(np.allclose(moments.covariance, np.cov(x.T)))
        True

    Attributes:
        n: Number of points so far.
        mean: Of these, float64 `[d]`.
    """

    def __init__(self) -> None:
        self.n, self.mean, self._scatter = 0, np.zeros(0), np.zeros((0, 0))

    def update(self, points: ArrayLike) -> None:
        """Takes up points `[b, d]`."""
        points = np.asarray(points, np.float64)
        mean = points.mean(axis=0)
        centred = points - mean
        scatter = centred.T @ centred
        if self.n == 0:
            self.n, self.mean, self._scatter = len(points), mean, scatter
            return
        n, m = self.n, len(points)
        apart = mean - self.mean
        self._scatter += scatter + np.outer(apart, apart) * (n * m / (n + m))
        self.mean = self.mean + apart * (m / (n + m))
        self.n = n + m

    @property
    def covariance(self) -> np.ndarray:
        """Divided by n - 1, float64 `[d, d]`; 0 of a single point."""
        return self._scatter / max(1, self.n - 1)


def _shared_by_cholesky(cov_x: np.ndarray, cov_y: np.ndarray) -> float | None:
    """The trace of ``(C_x C_y)^(1/2)``, or None where a covariance is too near to singular.

    With ``C_x = L L^T`` the eigenvalues of ``C_x C_y`` are those of the symmetric ``L^T C_y L``.
    Their square roots are good as long as none of them drowns in the rounding of the largest.
    """
    try:
        lower = np.linalg.cholesky((cov_x + cov_x.T) / 2)
    except np.linalg.LinAlgError:
        return None
    # One pass over triangles makes the product, with a quarter of the work of two full ones.
    product, _ = lapack.dsygst((cov_y + cov_y.T) / 2, lower, itype=2, lower=1)
    values = np.linalg.eigvalsh(product, "L")
    # Rounding of the size of eps times the largest moves the root of a value v by eps / (2 √v).
    moved = np.finfo(np.float64).eps * values[-1] / (2 * np.sqrt(np.maximum(values, 1e-300)))
    roots = np.sqrt(np.maximum(values, 0.0))
    if values[0] <= 0 or moved.sum() > 1e-8 * roots.sum():
        return None
    return float(roots.sum())


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
