"""Targets that scores are compared with: noisy ones keep a critic from certainty."""

from dataclasses import dataclass

import tensorflow as tf

from tfwgan import rng

Range = tuple[float, float]


@dataclass(frozen=True)
class NoisyTargets:
    """One random target per sample.

    Attributes:
        real: Real samples' targets are uniform between these two.
        fake: Likewise of generated ones.
        flip: Probability with which a real sample gets a fake one's target, and the other way
            round.
    """

    real: Range
    fake: Range
    flip: float = 0.0

    def draw(self, n: int, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Targets `[n]` of real and of generated samples, by a seed pair; replicas differ."""

        def uniform(row: int, low: float, high: float) -> tf.Tensor:
            return rng.per_row(
                n, lambda rows: rng.uniform([rows, 4], seed)[:, row] * (high - low) + low
            )

        real, fake = uniform(0, *self.real), uniform(1, *self.fake)
        flip_real, flip_fake = uniform(2, 0.0, 1.0) < self.flip, uniform(3, 0.0, 1.0) < self.flip
        return tf.where(flip_real, fake, real), tf.where(flip_fake, real, fake)


# One-sided smoothing and its kin (Salimans et al., 2016, section 3.4), and FastGAN's margins
# (Liu et al., 2021).
SOFT = NoisyTargets((0.7, 1.2), (0.0, 0.3))
HARD = NoisyTargets((1.0, 1.0), (0.0, 0.0))
MARGINS = NoisyTargets((0.8, 1.0), (0.8, 1.0))
