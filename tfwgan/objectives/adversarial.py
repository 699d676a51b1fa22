"""Adversarial objectives: losses of scores, plus penalties on the critic's slope, plus a constraint on its weights."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import tensorflow as tf

from tfwgan.objectives.penalties import PENALTIES, Score
from tfwgan.spec import UsageError

# The betas of the WGAN-GP code for images; twice its rate, for runs that are short.
ADAM = "adam-lr=2e-4-beta_1=0.5-beta_2=0.9"


@dataclass(frozen=True)
class Adversarial:
    """What critic and generator minimise.

    Attributes:
        critic_loss_of: Real scores `[b]` and fake scores `[b]` to a scalar.
        generator_loss_of: Fake scores `[b]` to a scalar.
        weights: Weight of each penalty by its name in `PENALTIES`; absent ones are not computed.
        clip: Bound on the size of every critic weight, or 0 for none.
        optimizer: Spec of the optimizer for both networks, unless another is asked for.
    """

    critic_loss_of: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    generator_loss_of: Callable[[tf.Tensor], tf.Tensor]
    weights: Mapping[str, float]
    clip: float
    optimizer: str

    uses_critic = True
    compiles = True  # with XLA

    def check(self, shape: tuple[int, ...]) -> None:
        """Any shape of samples is fine."""

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the scalars that training logs, in the order of display."""
        return ("critic_loss", "wasserstein", *self.weights, "generator_loss")

    def critic_terms(self, score: Score, real: tf.Tensor, fake: tf.Tensor, mix: tf.Tensor) -> dict[str, tf.Tensor]:
        """The critic's loss (``critic_loss``, all penalties in) and what it is made of.

        Args:
            score: The critic, samples `[b, ...]` to scores `[b]`.
            real: Samples `[b, ...]`.
            fake: Samples of the same shape.
            mix: Mixing weights `[b]`, uniform on [0, 1).

        Returns:
            Scalars by name; ``wasserstein`` is the raw estimate ``E f(real) - E f(fake)``, penalties are unweighted.
        """
        real_scores, fake_scores = score(real), score(fake)
        loss = self.critic_loss_of(real_scores, fake_scores)
        terms = {"wasserstein": tf.reduce_mean(real_scores) - tf.reduce_mean(fake_scores)}
        for name, weight in self.weights.items():
            terms[name] = PENALTIES[name](score, real, fake, mix)
            loss += weight * terms[name]
        return {"critic_loss": loss, **terms}

    def generator_terms(self, score: Score, real: tf.Tensor, fake: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """The generator's loss (``generator_loss``) on generated samples `[b, ...]`."""
        del real, seed
        return {"generator_loss": self.generator_loss_of(score(fake))}

    def project(self, variables: list) -> None:
        """Puts the critic's weights back into [-clip, clip] (Arjovsky et al., 2017, algorithm 1, line 7)."""
        if self.clip:
            for variable in variables:
                variable.assign(tf.clip_by_value(variable, -self.clip, self.clip))


def compose(
    critic_loss_of: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    generator_loss_of: Callable[[tf.Tensor], tf.Tensor],
    *,
    optimizer: str = ADAM,
    default_gp: float = 0.0,
    default_lp: float = 0.0,
    default_clip: float = 0.0,
    main: str = "gp",
) -> Callable[..., Adversarial]:
    """A row of the table of objectives: a factory with the options that every adversarial loss has.

    Args:
        critic_loss_of: See `Adversarial`.
        generator_loss_of: See `Adversarial`.
        optimizer: The optimizer as long as no penalty is asked for; with one it is `ADAM`.
        default_gp: Weight of the gradient penalty if none is given.
        default_lp: Weight of the one-sided gradient penalty if none is given.
        default_clip: Bound on the critic's weights if neither it nor a penalty is given.
        main: The option that a bare value sets, as in ``wgan_gp=0.1``.
    """

    def factory(
        gp: float = default_gp,
        lp: float = default_lp,
        r1: float = 0.0,
        r2: float = 0.0,
        clip: float | None = None,
    ) -> Adversarial:
        for name, value in {"gp": gp, "lp": lp, "r1": r1, "r2": r2, "clip": clip or 0.0}.items():
            if value < 0:
                raise UsageError(f"{name} must be at least 0, got {value}.")
        weights = {name: weight for name, weight in {"gp": gp, "lp": lp, "r1": r1, "r2": r2}.items() if weight}
        if clip is None:
            clip = 0.0 if weights else default_clip
        return Adversarial(critic_loss_of, generator_loss_of, weights, clip, ADAM if weights else optimizer)

    options = inspect.signature(factory)
    ordered = sorted(options.parameters.values(), key=lambda option: option.name != main)
    factory.__signature__ = options.replace(parameters=ordered)
    return factory
