"""What a classifier says of samples: the Inception Score, classes that were found."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax

from tfwgan.errors import UsageError
from tfwgan.transport.costs import points


def inception_score(logits: ArrayLike, splits: int = 10) -> tuple[float, float]:
    """The Inception Score ``exp E KL(p(y|x) || p(y))``, of any classifier.

    Salimans et al. (2016), "Improved techniques for training GANs", section 4, who take the logits
    of Inception and the mean over 10 parts of 5,000. It looks at generated samples only: a memory
    of one image for each class has the best score that there is. Real samples never enter, so there
    is nothing to swap.

        >>> import numpy as np
        >>> from tfwgan.metrics import inception_score
        >>> sure = 50.0 * np.eye(4)[np.arange(40) % 4]
        >>> round(inception_score(sure, splits=2)[0], 6)
        4.0

    Args:
        logits: `[n, k]`, finite, in random order.
        splits: Into how many parts the samples are cut, at least 1; n is at least that.

    Returns:
        Mean over the parts, in [1, k], and standard deviation (0 of one part).

    Raises:
        ValueError: If the logits are wrong, or fewer than the parts.
    """
    logits = points(logits, "logits")
    if not 1 <= splits <= len(logits):
        raise UsageError(
            f"`splits` must be between 1 and the number of samples, {len(logits)}, got {splits}."
        )
    log_p = log_softmax(logits.astype(np.float64), axis=1)
    scores = []
    for part in np.array_split(log_p, splits):
        marginal = np.log(np.exp(part).mean(axis=0) + np.finfo(np.float64).tiny)
        scores.append(np.exp((np.exp(part) * (part - marginal)).sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))


def classes_found(fake_logits: ArrayLike, real_classes: ArrayLike) -> tuple[int, float]:
    """How many classes a classifier finds among samples, and how unlike the data's their shares.

    Metz et al. (2017), "Unrolled generative adversarial networks", section 3.3 and Srivastava et
    al. (2017), "VEEGAN", count the 1,000 modes of StackedMNIST so: a class is found if one sample
    is of it. The two arguments are of different kinds, so that they can't be swapped unnoticed.

    Args:
        fake_logits: `[n, k]` of generated samples.
        real_classes: Classes of real samples, whole numbers `[m]` below k.

    Returns:
        How many of the real classes are found, and the Kullback-Leibler divergence in nats of the
        generated samples' classes from the real ones'. Classes without a real sample are left out;
        if all samples are of such, it is that of the rarest class alone.

    Raises:
        ValueError: If the logits are wrong.
    """
    logits = points(fake_logits, "logits")
    k = logits.shape[1]
    fake = np.bincount(logits.argmax(axis=1), minlength=k).astype(np.float64)
    real = np.bincount(np.asarray(real_classes), minlength=k).astype(np.float64)
    if len(real) > k:
        raise UsageError(f"Classes must be below {k}, got {len(real) - 1}.")
    there = real > 0
    p, q = fake[there] / max(1.0, fake[there].sum()), real[there] / real.sum()
    some = p > 0
    if not some.any():  # as bad as the rarest class alone
        return 0, float(-np.log(q.min()))
    divergence = float(np.sum(p[some] * np.log(p[some] / q[some])))
    return int(some.sum()), max(0.0, divergence)
