"""A critic's estimate of W1 is judged by bounds that hold whatever the critic is."""

import keras
import numpy as np
import tensorflow as tf

from tfwgan.networks.features import heads
from tfwgan.objectives.penalties import gradient_norms, interpolates
from tfwgan.trainer import GanTrainer, feed, in_chunks
from tfwgan.transport.certificate import c_transform_bound, certify, feasible_upper


def certified_gap(
    trainer: GanTrainer, fake: np.ndarray, real: np.ndarray, upper: float | None = None
) -> dict[str, float]:
    """The critic's estimate, and what it proves.

    Args:
        trainer: Has a critic that reads images only.
        fake: Generated samples `[n, ...]`.
        real: Real samples `[m, ...]`.
        upper: W1 between the two, or a bound above it; None finds a bound that a feasible plan
            gives.

    Returns:
        ``critic_raw``, the estimate ``E f(real) - E f(fake)``; ``critic_gradient_norm``, the
        mean norm of its gradient between generated and real samples; ``critic_certified``, the best
        lower bound on W1 that follows from its scores; ``critic_gap``, from there up to `upper`.
    """
    f_real = scores(trainer, real)
    certificate, lower = certify(real, fake, f_real, scores(trainer, fake)), 0.0
    if 0 < certificate.slope < np.inf:
        # A critic may be far from slope 1; divided by its slope it proves at least as much as the
        # scaling bound.
        lower = c_transform_bound(real, fake, f_real / certificate.slope)
    lower = max(lower, certificate.lower)
    upper = feasible_upper(real, fake) if upper is None else upper
    return {
        "critic_raw": float(certificate.raw),
        "critic_gradient_norm": slope(trainer, fake, real),
        "critic_certified": float(lower),
        "critic_gap": float(upper - lower),
    }


def scores(trainer: GanTrainer, samples: np.ndarray) -> np.ndarray:
    """The critic's scores of samples `[n, ...]`, float64 `[n]`."""
    return in_chunks(lambda chunk: _score(trainer.critic, chunk), samples).astype(float)


def slope(trainer: GanTrainer, fake: np.ndarray, real: np.ndarray, n: int = 1024) -> float:
    """Returns the mean norm of the critic's gradient at `n` points.

    The points are spread evenly between pairs of generated and real samples.
    """
    count = min(n, max(len(fake), len(real)))
    pick = np.arange(count)
    mix = ((pick + 0.5) / count).astype(np.float32)
    pair = real[pick % len(real)], fake[pick % len(fake)]
    norms = in_chunks(
        lambda *parts: gradient_norms(lambda x: _score(trainer.critic, x), interpolates(*parts)),
        *pair,
        mix,
    )
    return float(norms.mean())


def reads_images_only(critic: keras.Model | None) -> bool:
    """Tells whether the scores are a function of images.

    If they are, bounds on the distance of images follow from them.
    """
    return critic is not None and set(critic.input) == {"image"}


def _score(critic: keras.Model, image: tf.Tensor) -> tf.Tensor:
    return heads(feed(critic, {"image": image}))["score"]
