"""Every adversarial loss: what critic and generator minimise as functions of scores, and by name.

`real` and `fake` are scores `[b]`, real samples score high; every function returns a scalar to
minimise, a mean over the batch. Where a loss compares scores with targets, `y_real` and `y_fake`
are those, scalars or `[b]`. In the equations of the named objectives x is a real sample, z a
latent, G the generator, f the critic, and s the logistic function.
"""

from typing import TypeAlias

import tensorflow as tf

from tfwgan.objectives.adversarial import Adversarial
from tfwgan.objectives.auxiliary import ClassHead, InfoHead, Reconstruction
from tfwgan.objectives.direct import Direct
from tfwgan.objectives.targets import MARGINS
from tfwgan.protocols import Objective
from tfwgan.transport import DIFFERENTIABLE

Target: TypeAlias = float | tf.Tensor


def wasserstein_critic(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """``E f(fake) - E f(real)``, the negative of the dual (Arjovsky et al., 2017, eq. 2)."""
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


def wasserstein_generator(fake: tf.Tensor) -> tf.Tensor:
    """``-E f(fake)`` (Arjovsky et al., 2017, algorithm 1)."""
    return -tf.reduce_mean(fake)


def gan_critic(
    real: tf.Tensor, fake: tf.Tensor, y_real: Target = 1.0, y_fake: Target = 0.0
) -> tf.Tensor:
    """``-E log s(f(real)) - E log(1 - s(f(fake)))`` (Goodfellow et al., 2014, eq. 1).

    Here s is the logistic function. With other targets than 1 and 0 both terms are cross
    entropies against them.
    """
    return _cross_entropy(real, y_real) + _cross_entropy(fake, y_fake)


def gan_generator(fake: tf.Tensor) -> tf.Tensor:
    """``-E log s(f(fake))``, the non-saturating loss (Goodfellow et al., 2014, section 3)."""
    return tf.reduce_mean(tf.nn.softplus(-fake))


def rpgan_critic(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """``E softplus(f(fake) - f(real))`` over pairs (Jolicoeur-Martineau, 2019, eq. 4)."""
    return tf.reduce_mean(tf.nn.softplus(fake - real))


def rpgan_generator(fake: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    """``E softplus(f(real) - f(fake))`` over pairs (Jolicoeur-Martineau, 2019, eq. 5)."""
    return tf.reduce_mean(tf.nn.softplus(real - fake))


def lsgan_critic(
    real: tf.Tensor, fake: tf.Tensor, y_real: Target = 1.0, y_fake: Target = 0.0
) -> tf.Tensor:
    """``E (f(real) - 1)^2 / 2 + E f(fake)^2 / 2`` (Mao et al., 2017, eq. 2, a = 0, b = 1)."""
    return 0.5 * (
        tf.reduce_mean(tf.square(real - y_real)) + tf.reduce_mean(tf.square(fake - y_fake))
    )


def lsgan_generator(fake: tf.Tensor) -> tf.Tensor:
    """``E (f(fake) - c)^2 / 2`` with c = 1 (Mao et al., 2017, eq. 2)."""
    return 0.5 * tf.reduce_mean(tf.square(fake - 1.0))


def hinge_critic(
    real: tf.Tensor, fake: tf.Tensor, margin_real: Target = 1.0, margin_fake: Target = 1.0
) -> tf.Tensor:
    """``E max(0, 1 - f(real)) + E max(0, 1 + f(fake))`` (Lim and Ye, 2017), or other margins."""
    return tf.reduce_mean(tf.nn.relu(margin_real - real)) + tf.reduce_mean(
        tf.nn.relu(margin_fake + fake)
    )


def _cross_entropy(score: tf.Tensor, y: Target) -> tf.Tensor:
    """``-E (y log s(score) + (1 - y) log(1 - s(score)))``."""
    return tf.reduce_mean(tf.nn.softplus(-score) + (1.0 - y) * score)


wgan = Adversarial(
    wasserstein_critic,
    wasserstein_generator,
    dual=True,
    clip=0.01,
    about="""WGAN with clipped weights (Arjovsky, Chintala and Bottou, 2017, algorithm 1).

    Critic: ``E f(G(z)) - E f(x)``, every weight put back into [-clip, clip] after each update.
    Generator: ``-E f(G(z))``. Any penalty takes the place of the clip.

        >>> from tfwgan import wgan
        >>> wgan.with_(clip=0.05)
        Adversarial(wasserstein_critic, wasserstein_generator, clip=0.05, dual=True)
    """,
)

wgan_gp = Adversarial(
    wasserstein_critic,
    wasserstein_generator,
    dual=True,
    penalties={"gp": 10.0},
    about="""WGAN with gradient penalty (Gulrajani et al., 2017, eq. 3).

    Critic: ``E f(G(z)) - E f(x) + gp E (|grad f(u)| - 1)^2``, where u lies at a uniformly random
    place between a real and a generated sample. Generator: ``-E f(G(z))``. The weight 10 is for
    images; for points of the plane take 0.1.

        >>> from tfwgan import wgan_gp
        >>> wgan_gp.with_(gp=0.1).penalties
        {'gp': 0.1}
    """,
)

wgan_lp = Adversarial(
    wasserstein_critic,
    wasserstein_generator,
    dual=True,
    penalties={"lp": 10.0},
    about="""WGAN with Lipschitz penalty (Petzka, Fischer and Lukovnikov, 2018, eq. 8).

    Critic: ``E f(G(z)) - E f(x) + lp E max(0, |grad f(u)| - 1)^2``: only slopes above 1 cost.
    Generator: ``-E f(G(z))``.

        >>> from tfwgan import wgan_lp
        >>> wgan_lp.penalties
        {'lp': 10.0}
    """,
)

gan = Adversarial(
    gan_critic,
    gan_generator,
    about="""The non-saturating GAN (Goodfellow et al., 2014, eq. 1 and section 3).

    Critic: ``-E log s(f(x)) - E log(1 - s(f(G(z))))`` with the logistic function s.
    Generator: ``-E log s(f(G(z)))``.

        >>> from tfwgan import gan
        >>> gan.with_(r1=1.0)
        Adversarial(gan_critic, gan_generator, penalties={'r1': 1.0})
    """,
)

lsgan = Adversarial(
    lsgan_critic,
    lsgan_generator,
    about="""Least-squares GAN (Mao et al., 2017, eq. 2 with a = 0, b = c = 1).

    Critic: ``E (f(x) - 1)^2 / 2 + E f(G(z))^2 / 2``. Generator: ``E (f(G(z)) - 1)^2 / 2``.

        >>> from tfwgan import lsgan
        >>> lsgan.with_(soft=True).terms
        ('critic_loss', 'score_gap', 'generator_loss')
    """,
)

hinge = Adversarial(
    hinge_critic,
    wasserstein_generator,
    about="""Hinge loss (Lim and Ye, 2017): no reward beyond a margin of 1.

    Critic: ``E max(0, 1 - f(x)) + E max(0, 1 + f(G(z)))``. Generator: ``-E f(G(z))``.

        >>> from tfwgan import hinge
        >>> hinge.with_(r1=10.0, fm=0.1).terms
        ('critic_loss', 'score_gap', 'r1', 'generator_loss', 'features')
    """,
)

soft_hinge = Adversarial(
    hinge_critic,
    wasserstein_generator,
    targets=MARGINS,
    about="""Hinge loss with a random margin in [0.8, 1] per sample (FastGAN; Liu et al., 2021).

        >>> from tfwgan import soft_hinge
        >>> soft_hinge.targets.real
        (0.8, 1.0)
    """,
)

rpgan = Adversarial(
    rpgan_critic,
    rpgan_generator,
    relative=True,
    about="""Relativistic pairing GAN (Jolicoeur-Martineau, 2019, eqs. 4 and 5).

    Critic: ``E softplus(f(G(z)) - f(x))``. Generator: ``E softplus(f(x) - f(G(z)))``; every sample
    is paired with one other. With r1 and r2 it is the loss of R3GAN (Huang et al., 2024).

        >>> from tfwgan import rpgan
        >>> rpgan.with_(r1=0.5, r2=0.5).penalties
        {'r1': 0.5, 'r2': 0.5}
    """,
)

acgan = Adversarial(
    gan_critic,
    gan_generator,
    auxiliary=ClassHead(),
    about="""`gan` whose critic also names the class (AC-GAN; Odena, Olah and Shlens, 2017).

        >>> from tfwgan import acgan
        >>> acgan.with_(weight=2.0).heads
        ('score', 'label')
    """,
)

infogan = Adversarial(
    gan_critic,
    gan_generator,
    auxiliary=InfoHead(),
    about="""`gan` whose critic also guesses the latent's codes (InfoGAN; Chen et al., 2016).

        >>> from tfwgan import infogan
        >>> infogan.with_(code=0.1).auxiliary
        InfoHead(category=1.0, code=0.1)
    """,
)

veegan = Adversarial(
    gan_critic,
    wasserstein_generator,
    auxiliary=Reconstruction(),
    about="""VEEGAN (Srivastava et al., 2017): the critic sees pairs of image and latent.

    A reconstructor guesses the latent of an image. Generator: ``-E f(G(z), z)``, plus the mean
    squared error of the guess.

        >>> from tfwgan import veegan
        >>> veegan.reconstructs
        True
    """,
)

OBJECTIVES: dict[str, Objective] = {
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
