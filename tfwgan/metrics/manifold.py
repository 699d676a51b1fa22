"""Precision, recall, density, coverage, authenticity: who lies within whose neighbourhood.

Each set stands for the union of balls around its points that reach to the k-th nearest other one of
the same set. In every function the generated set comes first, the real one second.
"""

import numpy as np
from numpy.typing import ArrayLike

from tfwgan.errors import UsageError
from tfwgan.transport.costs import blocks, pair, points, slices
from tfwgan.transport.neighbours import nearest

_PART = 1024  # points that are compared with all others, or balls that are looked into, at a time


def radii(x: ArrayLike, k: int) -> np.ndarray:
    """The distance of each point to its k-th nearest other one, float64 `[n]`.

    Duplicates count as others, at no distance.

    Raises:
        ValueError: If k is below 1, or there are not more than k points.
    """
    x = points(x)
    if k < 1:
        raise UsageError(f"`k` must be at least 1, got {k}.")
    if len(x) <= k:
        raise UsageError(f"{k} neighbours need more than {k} samples of each set, got {len(x)}.")
    least = np.full((len(x), k + 1), np.inf)  # of all, oneself among them
    for part in slices(len(x), _PART):
        for rows, _, distance in blocks(x[part], x[part]):
            _keep_least(least[part][rows], distance)
        if part.stop < len(x):  # a distance to a later point is that point's distance too
            for rows, columns, distance in blocks(x[part], x[part.stop :]):
                _keep_least(least[part][rows], distance)
                _keep_least(least[part.stop :][columns], distance.T)
    return least.max(axis=1)


def _keep_least(least: np.ndarray, distance: np.ndarray) -> None:
    """Puts the least k + 1 of both in the place of `least [n, k + 1]`; `distance` is `[n, m]`."""
    count = least.shape[1]
    both = np.concatenate([least, distance], axis=1)
    least[:] = np.partition(both, count - 1, axis=1)[:, :count]


def precision(
    fake: ArrayLike, real: ArrayLike, k: int = 3, *, within: np.ndarray | None = None
) -> float:
    """The share of generated samples within the balls of the real set: are they good?

    Kynkäänniemi et al. (2019), "Improved precision and recall metric for assessing generative
    models", eqs. 1 and 2. 1 of a generator that repeats one good sample. Swapping the sets gives
    `recall`.

        >>> import numpy as np
        >>> from tfwgan.metrics import precision, recall
        >>> real = np.random.default_rng(0).normal(size=(200, 2))
        >>> collapsed = real[:1] + np.zeros([200, 1])
        >>> precision(collapsed, real), recall(collapsed, real)
        (1.0, 0.005)

    Args:
        fake: Generated features `[n, d]`, finite.
        real: Real features `[m, d]`.
        k: Up to which neighbour the balls reach.
        within: `radii(real, k)`, if known.

    Returns:
        In [0, 1].

    Raises:
        ValueError: If the features are wrong, or there are not more than k.
    """
    return float(_covered(fake, real, radii(real, k) if within is None else within).mean())


def recall(
    fake: ArrayLike, real: ArrayLike, k: int = 3, *, within: np.ndarray | None = None
) -> float:
    """The share of real samples within the balls of the generated set: is all there?

    As `precision`, with the sets swapped; `within` is `radii(fake, k)`. Near 0 of a generator that
    repeats one sample.
    """
    return precision(real, fake, k, within=within)


def density(
    fake: ArrayLike, real: ArrayLike, k: int = 5, *, within: np.ndarray | None = None
) -> float:
    """In how many balls of the real set a generated sample lies, divided by k.

    Naeem et al. (2020), "Reliable fidelity and diversity metrics for generative models", eq. 4:
    unlike `precision` a single far outlier among the real samples counts little. About 1 where the
    sets are of one law, more where samples are bunched where the data are densest; swapping the
    sets gives another number.

    Args:
        fake: Generated features `[n, d]`, finite.
        real: Real features `[m, d]`.
        k: Up to which neighbour the balls reach.
        within: `radii(real, k)`, if known.

    Returns:
        At least 0.

    Raises:
        ValueError: If the features are wrong, or there are not more than k.
    """
    fake, real = pair(fake, real)
    reach = radii(real, k) if within is None else within
    inside = sum(int((far <= reach[columns]).sum()) for _, columns, far in blocks(fake, real))
    return inside / (k * len(fake))


def coverage(
    fake: ArrayLike, real: ArrayLike, k: int = 5, *, within: np.ndarray | None = None
) -> float:
    """The share of the real set's balls that hold a generated sample.

    Naeem et al. (2020), eq. 5: unlike `recall` it can't be fooled by outliers among the generated
    samples. Of identical sets it is 1, of two samples of one law 1 - 2^-k on average. Swapping the
    sets gives another number. Arguments and errors are those of `density`.

    Returns:
        In [0, 1].
    """
    fake, real = pair(fake, real)
    reach = radii(real, k) if within is None else within
    return float((nearest(real, fake)[1] <= reach).mean())


def authenticity(fake: ArrayLike, real: ArrayLike) -> float:
    """The share of generated samples that are no copies of a real one.

    Alaa et al. (2022), "How faithful is your synthetic data?", section 3.3: a sample counts as
    copied if it is nearer to its nearest real sample than that is to any other real one. A
    generator that has learnt the law without the samples has about a half; one that recites them
    has 0. Give the *training* images; swapping the sets gives another number.

    Args:
        fake: Generated features `[n, d]`, finite.
        real: Real features `[m, d]`, m at least 2.

    Returns:
        In [0, 1].

    Raises:
        ValueError: If the features are wrong, or there is one real sample only.
    """
    index, distance = nearest(fake, real)
    return float((distance >= radii(real, 1)[index]).mean())


def _covered(x: ArrayLike, y: ArrayLike, reach: np.ndarray) -> np.ndarray:
    """Which points of x `[n, d]` lie in a ball of y `[m, d]`, whose radii are `reach [m]`."""
    x, y = pair(x, y)
    inside = np.zeros(len(x), bool)
    largest_first = np.argsort(-reach)  # they hold the most, and who is found is not sought again
    for part in slices(len(y), _PART):
        balls, left = largest_first[part], np.flatnonzero(~inside)
        if len(left):
            for rows, columns, distance in blocks(x[left], y[balls]):
                inside[left[rows]] |= (distance <= reach[balls][columns]).any(axis=1)
    return inside
