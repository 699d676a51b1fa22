"""Adversarial objectives: losses of scores, penalties on slopes, a constraint on weights."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from tfwgan.errors import UsageError, refuse_unknown
from tfwgan.objectives.auxiliary import Auxiliary, Terms
from tfwgan.objectives.options import documented
from tfwgan.objectives.penalties import PENALTIES
from tfwgan.objectives.replicas import all_replicas
from tfwgan.objectives.targets import HARD, SOFT, NoisyTargets
from tfwgan.protocols import Critic, Tensors

_USUAL = "r1"  # the penalty that a bare value is the weight of, where a loss sets none itself


@dataclasses.dataclass(frozen=True, repr=False)
class Adversarial:
    """What critic and generator minimise: a value, from which `with_` makes others.

        >>> from tfwgan import wgan, wgan_gp
        >>> wgan_gp.with_(gp=5.0).penalties
        {'gp': 5.0}
        >>> wgan.clip, wgan.with_(gp=10.0).clip
        (0.01, 0.0)

    Attributes:
        critic_loss: Real scores `[b]`, fake scores `[b]`, and targets where there are any, to a
            scalar.
        generator_loss: Fake scores `[b]`, and real ones if it is `relative`, to a scalar.
        penalties: Weight of each penalty by its name in `PENALTIES`, above 0; absent ones are not
            computed.
        clip: Bound on the size of every critic weight; 0 for none.
        fm: Weight of feature matching, the squared distance between the means of the critic's
            features of real and of generated samples (Salimans et al., 2016, section 3.1).
        joint: The critic sees real and generated samples as one batch, which matters where it
            normalises batches.
        soft: Random targets, of real samples in [0.7, 1.2] and of generated ones in [0, 0.3]
            (Salimans et al., 2016, section 3.4); only of losses that compare scores with targets.
        flip: Probability in [0, 0.5) with which the targets of a real and a generated sample are
            exchanged; likewise.
        dual: The critic's loss is the negative of the dual of W1, so that ``E f(x) - E f(G(z))``
            estimates W1.
        relative: The generator's loss also reads the scores of real samples.
        targets: Random targets that belong to the loss itself.
        auxiliary: What is asked beyond real or fake, see `tfwgan.objectives.auxiliary`.
        about: What `help` of the objective says: its name, equation and paper.

    Raises:
        UsageError: If a number is out of range, or an option does not fit the loss.
    """

    critic_loss: Callable[..., tf.Tensor]
    generator_loss: Callable[..., tf.Tensor]
    penalties: Mapping[str, float] = dataclasses.field(default_factory=dict)
    clip: float = 0.0
    fm: float = 0.0
    joint: bool = False
    soft: bool = False
    flip: float = 0.0
    dual: bool = False
    relative: bool = False
    targets: NoisyTargets | None = None
    auxiliary: Auxiliary | None = None
    about: str = dataclasses.field(default="", repr=False, compare=False)

    uses_critic = True
    compiles = True  # with XLA

    def __post_init__(self) -> None:
        asked = vars(self.auxiliary) if self.auxiliary else {}
        refuse_unknown(self.penalties, PENALTIES, "penalty")
        for name, value in {**self.penalties, "clip": self.clip, "fm": self.fm, **asked}.items():
            if value < 0:
                raise UsageError(f"{name} must be at least 0, got {value}.")
        if not 0 <= self.flip < 0.5:
            raise UsageError(f"flip must be in [0, 0.5), got {self.flip}.")
        if (self.soft or self.flip) and not self._has_targets:
            raise UsageError(
                "soft and flip change targets, and this loss compares scores with none of its own."
            )
        if self.reconstructs and self.fm:
            raise UsageError(
                "fm compares features of images, but this critic reads images with their latents."
            )
        # In the order of the table, so that a sum of terms is the same whichever was named first.
        weights = {name: self.penalties[name] for name in PENALTIES if self.penalties.get(name)}
        object.__setattr__(self, "penalties", weights)
        if self.about:
            object.__setattr__(self, "__doc__", documented(self.about, self.parameters))

    def __repr__(self) -> str:
        given = [f"{self.critic_loss.__name__}, {self.generator_loss.__name__}"]
        for field in dataclasses.fields(self)[2:]:
            value = getattr(self, field.name)
            given += [f"{field.name}={value!r}"] if value and field.repr else []
        return f"Adversarial({', '.join(given)})"

    def with_(self, **options: Any) -> "Adversarial":
        """The same objective with other options.

        A penalty that is asked for without `clip` takes the place of the clip.

        Args:
            **options: Those that `parameters` lists: the weights of penalties, fields of this
                class, and fields of the auxiliary.

        Raises:
            UsageError: If one is unknown or out of range.
        """
        refuse_unknown(options, self.parameters, "option")
        penalties = {name: value for name, value in options.items() if name in PENALTIES}
        asked = {
            name: value
            for name, value in options.items()
            if self.auxiliary and hasattr(self.auxiliary, name)
        }
        fields = {
            name: value for name, value in options.items() if name not in {**penalties, **asked}
        }
        if any(penalties.values()):
            fields.setdefault("clip", 0.0)
        auxiliary = self.auxiliary
        if auxiliary and asked:
            auxiliary = dataclasses.replace(auxiliary, **asked)
        return dataclasses.replace(
            self, penalties={**self.penalties, **penalties}, auxiliary=auxiliary, **fields
        )

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """What `with_` takes, as named parameters with their present values.

        First come those that this objective sets itself.
        """
        values: dict[str, float | bool] = {
            name: self.penalties.get(name, 0.0) for name in PENALTIES
        }
        values |= {"clip": self.clip, "fm": self.fm, "joint": self.joint}
        values |= {"soft": self.soft, "flip": self.flip} if self._has_targets else {}
        asked = vars(self.auxiliary) if self.auxiliary else {}
        first = [*asked, *self.penalties, *(["clip"] if self.clip else [])] or [_USUAL]
        values |= asked
        return {
            name: inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=values[name],
                annotation=type(values[name]),
            )
            for name in dict.fromkeys([*first, *values])
        }

    @property
    def _has_targets(self) -> bool:
        """Whether the critic's loss compares scores with targets that may be random."""
        return self.targets is None and "y_real" in inspect.signature(self.critic_loss).parameters

    @functools.cached_property
    def _drawn(self) -> NoisyTargets | None:
        """The random targets, if there are any."""
        if self.soft or self.flip:
            return dataclasses.replace(SOFT if self.soft else HARD, flip=self.flip)
        return self.targets

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
        return self.fm > 0

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the scalars that training logs, in the order of display."""
        critic, generator = tuple(self.penalties), ("features",) if self.fm else ()
        if self.auxiliary:
            critic, generator = (
                (*critic, *self.auxiliary.critic_names),
                (*generator, *self.auxiliary.generator_names),
            )
        return ("critic_loss", self._difference, *critic, "generator_loss", *generator)

    @property
    def _difference(self) -> str:
        """What ``E f(x) - E f(G(z))`` is called: an estimate where the loss is the dual of W1."""
        return "critic_estimate" if self.dual else "score_gap"

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
            Scalars by name, all but the first unweighted. ``E f(x) - E f(G(z))`` is
            ``critic_estimate`` where the loss estimates W1 so, which is not W1 and no bound on it,
            and ``score_gap`` elsewhere.
        """
        outputs_of_real, outputs_of_fake = self._both(critic, real, fake)
        real_scores, fake_scores = outputs_of_real["score"], outputs_of_fake["score"]
        targets = self._drawn.draw(real_scores.shape[0], seed) if self._drawn else ()
        loss = self.critic_loss(real_scores, fake_scores, *targets)
        difference = tf.reduce_mean(real_scores) - tf.reduce_mean(fake_scores)

        def score(samples: Tensors) -> tf.Tensor:
            return critic(samples)["score"]

        parts = {
            name: (weight, PENALTIES[name](score, real, fake, mix))
            for name, weight in self.penalties.items()
        }
        if self.auxiliary:
            parts |= self.auxiliary.critic_terms(outputs_of_real, outputs_of_fake, real, fake)
        return {"critic_loss": _total(loss, parts), self._difference: difference, **_values(parts)}

    def generator_terms(
        self, critic: Critic, real: Tensors, fake: Tensors, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The generator's loss (``generator_loss``, everything in) and its parts, unweighted."""
        del seed
        outputs_of_fake = critic(fake)
        outputs_of_real = critic(real) if self.relative or self.fm else {}
        loss = self.generator_loss(
            outputs_of_fake["score"], *([outputs_of_real["score"]] if self.relative else [])
        )
        parts = {}
        if self.fm:
            parts["features"] = (
                self.fm,
                _mean_gap(outputs_of_real["features"], outputs_of_fake["features"]),
            )
        if self.auxiliary:
            parts |= self.auxiliary.generator_terms(outputs_of_fake, fake)
        return {"generator_loss": _total(loss, parts), **_values(parts)}

    def project(self, variables: list) -> None:
        """Puts weights back into [-clip, clip] (Arjovsky et al., 2017, algorithm 1, line 7)."""
        if self.clip:
            for variable in variables:
                variable.assign(tf.clip_by_value(variable, -self.clip, self.clip))

    def _both(self, critic: Critic, real: Tensors, fake: Tensors) -> tuple[Tensors, Tensors]:
        """What the critic says of real and of generated samples."""
        if not self.joint:
            return critic(real), critic(fake)
        outputs = critic(
            {name: tf.concat([part, fake[name]], axis=0) for name, part in real.items()}
        )
        halves = {name: tf.split(tensor, 2) for name, tensor in outputs.items()}
        real_half, fake_half = ({name: half[i] for name, half in halves.items()} for i in range(2))
        return real_half, fake_half


def _total(loss: tf.Tensor, parts: Terms) -> tf.Tensor:
    return tf.add_n([loss, *(weight * value for weight, value in parts.values())])


def _values(parts: Terms) -> dict[str, tf.Tensor]:
    return {name: value for name, (_, value) in parts.items()}


def _mean_gap(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """``|E f(x) - E f(G(z))|^2`` of features `[b, ...]`, with means over the global batch."""
    real, fake = (tf.reduce_mean(all_replicas(features), axis=0) for features in (real, fake))
    return tf.reduce_sum(tf.square(real - fake))
