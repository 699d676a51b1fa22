"""Objectives: what is minimised. Each is a value, from which `with_` makes others.

    >>> from tfwgan.objectives import hinge, wgan_gp
    >>> wgan_gp.with_(gp=5.0).penalties
    {'gp': 5.0}
    >>> hinge.with_(r1=1.0, joint=True).penalties
    {'r1': 1.0}

In the equations x is a real sample, z a latent, G the generator and f the critic; both minimise.
"""

from tfwgan.objectives import scores
from tfwgan.objectives.adversarial import Adversarial
from tfwgan.objectives.auxiliary import ClassHead, InfoHead, Reconstruction
from tfwgan.objectives.direct import Direct
from tfwgan.objectives.penalties import (
    PENALTIES,
    gradient_penalty,
    lipschitz_penalty,
    r1_penalty,
    r2_penalty,
)
from tfwgan.objectives.targets import MARGINS
from tfwgan.transport import DIFFERENTIABLE

wgan = Adversarial(
    scores.wasserstein_critic,
    scores.wasserstein_generator,
    clip=0.01,
    about="""WGAN with clipped weights (Arjovsky, Chintala and Bottou, 2017, algorithm 1).

    Critic: ``E f(G(z)) - E f(x)``, every weight put back into [-clip, clip] after each update.
        Generator:
    ``-E f(G(z))``. Any penalty takes the place of the clip.
    """,
)

wgan_gp = Adversarial(
    scores.wasserstein_critic,
    scores.wasserstein_generator,
    penalties={"gp": 10.0},
    about="""WGAN with gradient penalty (Gulrajani et al., 2017, eq. 3).

    Critic: ``E f(G(z)) - E f(x) + gp E (|grad f(u)| - 1)^2``, where u lies between a real and a
        generated sample, at a
    uniformly random place of the line. Generator: ``-E f(G(z))``. The weight 10 is for images; for
    points of the plane take 0.1.
    """,
)

wgan_lp = Adversarial(
    scores.wasserstein_critic,
    scores.wasserstein_generator,
    penalties={"lp": 10.0},
    about="""WGAN with Lipschitz penalty (Petzka, Fischer and Lukovnikov, 2018, eq. 8).

    Critic: ``E f(G(z)) - E f(x) + lp E max(0, |grad f(u)| - 1)^2``: only slopes above 1 cost.
        Generator:
    ``-E f(G(z))``.
    """,
)

gan = Adversarial(
    scores.gan_critic,
    scores.gan_generator,
    about="""The non-saturating GAN (Goodfellow et al., 2014, eq. 1 and section 3).

    Critic: ``-E log s(f(x)) - E log(1 - s(f(G(z))))`` with the logistic function s. Generator: ``-E
        log s(f(G(z)))``.
    """,
)

lsgan = Adversarial(
    scores.lsgan_critic,
    scores.lsgan_generator,
    about="""Least-squares GAN (Mao et al., 2017, eq. 2 with a = 0, b = c = 1).

    Critic: ``E (f(x) - 1)^2 / 2 + E f(G(z))^2 / 2``. Generator: ``E (f(G(z)) - 1)^2 / 2``.
    """,
)

hinge = Adversarial(
    scores.hinge_critic,
    scores.wasserstein_generator,
    about="""Hinge loss (Lim and Ye, 2017): no reward beyond a margin of 1.

    Critic: ``E max(0, 1 - f(x)) + E max(0, 1 + f(G(z)))``. Generator: ``-E f(G(z))``.
    """,
)

soft_hinge = Adversarial(
    scores.hinge_critic,
    scores.wasserstein_generator,
    targets=MARGINS,
    about="""Hinge loss with a random margin in [0.8, 1] per sample (FastGAN; Liu et al., 2021).""",
)

rpgan = Adversarial(
    scores.rpgan_critic,
    scores.rpgan_generator,
    relative=True,
    about="""Relativistic pairing GAN (Jolicoeur-Martineau, 2019, eqs. 4 and 5).

    Critic: ``E softplus(f(G(z)) - f(x))``. Generator: ``E softplus(f(x) - f(G(z)))``; every sample
    is paired with one other. With r1 and r2 it is the loss of R3GAN (Huang et al., 2024).
    """,
)

acgan = Adversarial(
    scores.gan_critic,
    scores.gan_generator,
    auxiliary=ClassHead(),
    about="""`gan` whose critic also names the class (AC-GAN; Odena, Olah and Shlens, 2017).""",
)

infogan = Adversarial(
    scores.gan_critic,
    scores.gan_generator,
    auxiliary=InfoHead(),
    about="""`gan` whose critic also guesses the latent's codes (InfoGAN; Chen et al., 2016).""",
)

veegan = Adversarial(
    scores.gan_critic,
    scores.wasserstein_generator,
    auxiliary=Reconstruction(),
    about="""VEEGAN (Srivastava et al., 2017): the critic sees pairs of image and latent.

    A reconstructor guesses the latent of an image. Generator: ``-E f(G(z), z)``, plus the mean
    squared error of the guess.
    """,
)

OBJECTIVES = {
    "gan": gan,
    "wgan": wgan,
    "wgan_gp": wgan_gp,
    "wgan_lp": wgan_lp,
    "lsgan": lsgan,
    "hinge": hinge,
    "soft_hinge": soft_hinge,
    "rpgan": rpgan,
    "acgan": acgan,
    "infogan": infogan,
    "veegan": veegan,
    **{name: Direct(distance) for name, distance in DIFFERENTIABLE.items()},
}

__all__ = [
    "OBJECTIVES",
    "PENALTIES",
    "Adversarial",
    "Direct",
    "gradient_penalty",
    "lipschitz_penalty",
    "r1_penalty",
    "r2_penalty",
    *(name for name in OBJECTIVES if name not in DIFFERENTIABLE),
]
