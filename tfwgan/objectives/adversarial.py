"""Adversarial objectives: losses of scores, plus penalties on the critic's slope, plus a constraint on its weights."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping

import tensorflow as tf

from tfwgan.errors import UsageError
from tfwgan.objectives.auxiliary import Reconstruction, Tensors, Terms
from tfwgan.objectives.penalties import PENALTIES
from tfwgan.objectives.replicas import all_replicas
from tfwgan.objectives.scores import wasserstein_critic
from tfwgan.objectives.targets import HARD, SOFT, NoisyTargets

# The betas of the WGAN-GP code for images; twice its rate, for runs that are short.
ADAM = "adam-lr=2e-4-beta_1=0.5-beta_2=0.9"

Critic = Callable[[Tensors], Tensors]


@dataclasses.dataclass(frozen=True)
class Adversarial:
    """What critic and generator minimise.

    A *critic* is a function from samples to what it says of them: ``score`` `[b]`, and further heads. *Samples* are
    tensors by name: ``image``, and where the model has them ``label``, ``z`` and ``reconstruction``.

    Attributes:
        critic_loss_of: Real scores `[b]`, fake scores `[b]`, and targets if there are `targets`, to a scalar.
        generator_loss_of: Fake scores `[b]`, and real ones if it is `relative`, to a scalar.
        weights: Weight of each penalty by its name in `PENALTIES`; absent ones are not computed.
        clip: Bound on the size of every critic weight, or 0 for none.
        optimizer: Spec of the optimizer for both networks, unless another is asked for.
        targets: Random targets of the critic's loss; None leaves it its own.
        relative: The generator's loss also reads the scores of real samples.
        matching: Weight of the squared distance between the means of the critic's features of real and of generated
            samples (feature matching; Salimans et al., 2016, section 3.1).
        joint: The critic sees real and generated samples as one batch, which matters where it normalises batches.
        auxiliary: What is asked beyond real or fake, see `tfwgan.objectives.auxiliary`.
    """

    critic_loss_of: Callable[..., tf.Tensor]
    generator_loss_of: Callable[..., tf.Tensor]
    weights: Mapping[str, float]
    clip: float
    optimizer: str
    targets: NoisyTargets | None = None
    relative: bool = False
    matching: float = 0.0
    joint: bool = False
    auxiliary: object | None = None

    uses_critic = True
    compiles = True  # with XLA

    def check(self, shape: tuple[int, ...]) -> None:
        """Any shape of samples is fine."""

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the outputs that the critic must have."""
        return ("score", *(self.auxiliary.heads if self.auxiliary else ()))

    @property
    def reconstructs(self) -> bool:
        """Whether a reconstructor takes part, and the critic reads pairs of image and latent."""
        return bool(self.auxiliary and self.auxiliary.reconstructs)

    @property
    def reads_features(self) -> bool:
        """Whether the critic must also output ``features``, the input of its last layer."""
        return self.matching > 0

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the scalars that training logs, in the order of display."""
        critic, generator = self.weights, ("features",) if self.matching else ()
        if self.auxiliary:
            critic, generator = (*critic, *self.auxiliary.critic_names), (*generator, *self.auxiliary.generator_names)
        estimate = ("critic_estimate",) if self.estimates else ()
        return ("critic_loss", *estimate, *critic, "generator_loss", *generator)

    @property
    def estimates(self) -> bool:
        """Whether the critic's loss is the negative of an estimate of W1."""
        return self.critic_loss_of is wasserstein_critic

    def critic_terms(
        self, critic: Critic, real: Tensors, fake: Tensors, mix: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The critic's loss (``critic_loss``, everything in) and what it is made of.

        Args:
            critic: The critic.
            real: Real samples.
            fake: Generated samples of the same shapes.
            mix: Mixing weights `[b]`, uniform on [0, 1).
            seed: Seed pair `[2]` of random targets.

        Returns:
            Scalars by name; ``critic_estimate``, ``E f(real) - E f(fake)``, only of losses that estimate W1 so: it
            is not W1 and no bound on it. All others are unweighted.
        """
        said_of_real, said_of_fake = self._both(critic, real, fake)
        real_scores, fake_scores = said_of_real["score"], said_of_fake["score"]
        targets = self.targets.draw(real_scores.shape[0], seed) if self.targets else ()
        loss = self.critic_loss_of(real_scores, fake_scores, *targets)
        difference = tf.reduce_mean(real_scores) - tf.reduce_mean(fake_scores)

        def score(samples):
            return critic(samples)["score"]

        parts = {name: (weight, PENALTIES[name](score, real, fake, mix)) for name, weight in self.weights.items()}
        if self.auxiliary:
            parts |= self.auxiliary.critic_terms(said_of_real, said_of_fake, real, fake)
        estimate = {"critic_estimate": difference} if self.estimates else {}
        return {"critic_loss": _total(loss, parts), **estimate, **_values(parts)}

    def generator_terms(self, critic: Critic, real: Tensors, fake: Tensors, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """The generator's loss (``generator_loss``, everything in) and what it is made of, unweighted."""
        del seed
        said_of_fake = critic(fake)
        said_of_real = critic(real) if self.relative or self.matching else {}
        loss = self.generator_loss_of(said_of_fake["score"], *([said_of_real["score"]] if self.relative else []))
        parts = {}
        if self.matching:
            parts["features"] = (self.matching, _apart(said_of_real["features"], said_of_fake["features"]))
        if self.auxiliary:
            parts |= self.auxiliary.generator_terms(said_of_fake, fake)
        return {"generator_loss": _total(loss, parts), **_values(parts)}

    def project(self, variables: list) -> None:
        """Puts the critic's weights back into [-clip, clip] (Arjovsky et al., 2017, algorithm 1, line 7)."""
        if self.clip:
            for variable in variables:
                variable.assign(tf.clip_by_value(variable, -self.clip, self.clip))

    def _both(self, critic: Critic, real: Tensors, fake: Tensors) -> tuple[Tensors, Tensors]:
        """What the critic says of real and of generated samples."""
        if not self.joint:
            return critic(real), critic(fake)
        said = critic({name: tf.concat([part, fake[name]], axis=0) for name, part in real.items()})
        halves = {name: tf.split(tensor, 2) for name, tensor in said.items()}
        return tuple({name: half[i] for name, half in halves.items()} for i in range(2))


def compose(
    critic_loss_of: Callable[..., tf.Tensor],
    generator_loss_of: Callable[..., tf.Tensor],
    *,
    optimizer: str = ADAM,
    default_gp: float = 0.0,
    default_lp: float = 0.0,
    default_clip: float = 0.0,
    main: str = "gp",
    targets: NoisyTargets | None = None,
    relative: bool = False,
    auxiliary: Callable | None = None,
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
        targets: See `Adversarial`. Losses without their own take ``soft`` and ``flip`` if they compare with targets.
        relative: See `Adversarial`.
        auxiliary: Class from `tfwgan.objectives.auxiliary`; its fields become further options, of default 1.
    """
    noisy = targets is None and "y_real" in inspect.signature(critic_loss_of).parameters
    weights_of_auxiliary = [field.name for field in dataclasses.fields(auxiliary)] if auxiliary else []

    def factory(
        gp: float = default_gp,
        lp: float = default_lp,
        r1: float = 0.0,
        r2: float = 0.0,
        clip: float | None = None,
        fm: float = 0.0,
        joint: bool = False,
        soft: bool = False,
        flip: float = 0.0,
        **others: float,
    ) -> Adversarial:
        for name, value in {"gp": gp, "lp": lp, "r1": r1, "r2": r2, "clip": clip or 0.0, "fm": fm, **others}.items():
            if value < 0:
                raise UsageError(f"{name} must be at least 0, got {value}.")
        if not 0 <= flip < 0.5:
            raise UsageError(f"flip must be in [0, 0.5), got {flip}.")
        if auxiliary is Reconstruction and fm:
            raise UsageError("fm compares features of images, but this critic reads images with their latents.")
        weights = {name: weight for name, weight in {"gp": gp, "lp": lp, "r1": r1, "r2": r2}.items() if weight}
        if clip is None:
            clip = 0.0 if weights else default_clip
        drawn = dataclasses.replace(SOFT if soft else HARD, flip=flip) if soft or flip else targets
        extra = auxiliary(**{name: others.get(name, 1.0) for name in weights_of_auxiliary}) if auxiliary else None
        preferred = ADAM if weights else optimizer
        return Adversarial(
            critic_loss_of, generator_loss_of, weights, clip, preferred, drawn, relative, fm, joint, extra
        )

    options = [
        option for option in inspect.signature(factory).parameters.values() if option.kind is not option.VAR_KEYWORD
    ]
    if not noisy:
        options = [option for option in options if option.name not in ("soft", "flip")]
    options += [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=1.0, annotation=float)
        for name in weights_of_auxiliary
    ]
    factory.__signature__ = inspect.Signature(sorted(options, key=lambda option: option.name != main))
    factory.__annotations__ |= dict.fromkeys(weights_of_auxiliary, float)
    return factory


def _total(loss: tf.Tensor, parts: Terms) -> tf.Tensor:
    return tf.add_n([loss, *(weight * value for weight, value in parts.values())])


def _values(parts: Terms) -> dict[str, tf.Tensor]:
    return {name: value for name, (_, value) in parts.items()}


def _apart(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """``|E f(x) - E f(G(z))|^2`` of features `[b, ...]`, with means over the global batch."""
    real, fake = (tf.reduce_mean(all_replicas(features), axis=0) for features in (real, fake))
    return tf.reduce_sum(tf.square(real - fake))
