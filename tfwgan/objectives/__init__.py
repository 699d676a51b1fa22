"""Objectives: what is minimised. Each row is a factory; its options are those of its signature."""

from tfwgan.objectives import scores
from tfwgan.objectives.adversarial import Adversarial, compose
from tfwgan.objectives.auxiliary import ClassHead, InfoHead, Reconstruction
from tfwgan.objectives.direct import Direct, direct
from tfwgan.objectives.targets import MARGINS
from tfwgan.transport import DIFFERENTIABLE

__all__ = ["OBJECTIVES", "Adversarial", "Direct"]

_WASSERSTEIN = (scores.wasserstein_critic, scores.wasserstein_generator)
_GAN = (scores.gan_critic, scores.gan_generator)
_ADAM = "adam-lr=2e-4-beta_1=0.5-beta_2=0.999"

OBJECTIVES = {
    "gan": compose(*_GAN, optimizer=_ADAM, main="r1"),
    "wgan": compose(*_WASSERSTEIN, optimizer="rmsprop-lr=5e-5", default_clip=0.01, main="clip"),
    "wgan_gp": compose(*_WASSERSTEIN, default_gp=10.0),
    "wgan_lp": compose(*_WASSERSTEIN, default_lp=10.0, main="lp"),
    "lsgan": compose(scores.lsgan_critic, scores.lsgan_generator, optimizer=_ADAM, main="r1"),
    "hinge": compose(scores.hinge_critic, scores.wasserstein_generator, optimizer=_ADAM, main="r1"),
    "soft_hinge": compose(
        scores.hinge_critic, scores.wasserstein_generator, optimizer=_ADAM, main="r1", targets=MARGINS
    ),
    "rpgan": compose(scores.rpgan_critic, scores.rpgan_generator, optimizer=_ADAM, main="r1", relative=True),
    "acgan": compose(*_GAN, optimizer=_ADAM, main="weight", auxiliary=ClassHead),
    "infogan": compose(*_GAN, optimizer=_ADAM, main="category", auxiliary=InfoHead),
    "veegan": compose(
        scores.gan_critic, scores.wasserstein_generator, optimizer=_ADAM, main="weight", auxiliary=Reconstruction
    ),
    **{name: direct(distance) for name, distance in DIFFERENTIABLE.items()},
}
