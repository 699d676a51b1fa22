"""Objectives: what is minimised. Each row is a factory; its options are those of its signature."""

from tfwgan.objectives.adversarial import Adversarial, compose
from tfwgan.objectives.direct import Direct, direct
from tfwgan.objectives.scores import gan_critic, gan_generator, wasserstein_critic, wasserstein_generator
from tfwgan.transport import DIFFERENTIABLE

__all__ = ["OBJECTIVES", "Adversarial", "Direct"]

OBJECTIVES = {
    "gan": compose(gan_critic, gan_generator, optimizer="adam-lr=2e-4-beta_1=0.5-beta_2=0.999", main="r1"),
    "wgan": compose(
        wasserstein_critic, wasserstein_generator, optimizer="rmsprop-lr=5e-5", default_clip=0.01, main="clip"
    ),
    "wgan_gp": compose(wasserstein_critic, wasserstein_generator, default_gp=10.0),
    "wgan_lp": compose(wasserstein_critic, wasserstein_generator, default_lp=10.0, main="lp"),
    **{name: direct(distance) for name, distance in DIFFERENTIABLE.items()},
}
