"""Objectives: what is minimised. Each row is a factory; its options are those of its signature."""

from tfwgan.objectives.adversarial import Adversarial, adversarial
from tfwgan.objectives.scores import gan_critic, gan_generator, wasserstein_critic, wasserstein_generator

__all__ = ["OBJECTIVES", "Adversarial"]

OBJECTIVES = {
    "gan": adversarial(gan_critic, gan_generator, optimizer="adam-lr=2e-4-beta_1=0.5-beta_2=0.999"),
    "wgan": adversarial(wasserstein_critic, wasserstein_generator, optimizer="rmsprop-lr=5e-5", default_clip=0.01),
    "wgan_gp": adversarial(wasserstein_critic, wasserstein_generator, default_gp=10.0),
    "wgan_lp": adversarial(wasserstein_critic, wasserstein_generator, default_lp=10.0),
}
