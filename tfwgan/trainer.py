"""The training loop of every GAN here: `GanTrainer.train_step`."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfwgan import rng
from tfwgan.averaging import copy_of, decay_at, move
from tfwgan.errors import UsageError
from tfwgan.fitting import TwoNetworks
from tfwgan.networks.adopt import critic_of, generator_of
from tfwgan.networks.features import feed, heads, in_chunks, with_features
from tfwgan.networks.spectral import refresh
from tfwgan.priors import Prior
from tfwgan.protocols import Objective
from tfwgan.repeat import mean_over
from tfwgan.schedule import CriticSteps

Batch = Mapping[str, tf.Tensor]


class GanTrainer(TwoNetworks):
    """Trains a generator, and a critic where the objective uses one.

    A Keras model: `fit` trains it, callbacks look on. One step is `n_critic` critic updates, each
    on a batch and latents of its own, then one generator update. All randomness is a function of
    `(seed, step)`.

        >>> import keras, numpy as np, tensorflow as tf
        >>> from tfwgan import GanTrainer, Normal, wgan_gp
        >>> generator, critic = keras.layers.Dense(2), keras.layers.Dense(1)
        >>> trainer = GanTrainer(Normal(4), generator, critic, wgan_gp, n_critic=2)
        >>> trainer.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
        >>> data = tf.data.Dataset.from_tensor_slices(np.ones([64, 2], "float32")).batch(8, True)
        >>> history = trainer.fit(data, verbose=0)
        >>> trainer.steps_done, trainer.sample(5).shape
        (4, TensorShape([5, 2]))

    Args:
        prior: Draws codes and turns them into latents `z [b, z_dim]`.
        generator: Keras model from `z`, and `label` if it is conditional, to samples `[b, ...]`,
            see `tfwgan.networks.adopt`.
        critic: Keras model from `image`, perhaps `label` and `z`, to scores `[b]` or `[b, 1]`, or
            to a dictionary of ``score`` and further heads; None if the objective needs none.
        objective: What both minimise, see `tfwgan.objectives`.
        reconstructor: Functional model from `image` to a guess of `z`; only if the objective asks
            for one.
        n_classes: Number of classes of the data's labels, if it has any.
        augment: What images go through before the critic sees them, see `tfwgan.augment`.
        n_critic: Critic updates per step, or a schedule of them; it numbers their random draws.
        ema: Decay of the running average of the generator that samples are drawn from, in [0, 1);
            0 for none.
        seed: Of all random numbers.
        xla: Compile the updates with XLA; not under a distribution strategy of several devices.

    Raises:
        UsageError: If a network does not fit the others, or has another form.
    """

    critic: keras.Model  # None if the objective needs none
    objective: Any  # an `Objective`, and a `CriticObjective` where there is a critic
    average_prior: Prior

    def __init__(
        self,
        prior: Prior,
        generator: keras.Model,
        critic: keras.Model | None,
        objective: Objective,
        *,
        reconstructor: keras.Model | None = None,
        augment: Callable | None = None,
        n_classes: int | None = None,
        n_critic: int | CriticSteps = 5,
        ema: float = 0.0,
        seed: int = 0,
        xla: bool = False,
    ) -> None:
        super().__init__(name="gan")
        generator = generator_of(generator, prior.z_dim)
        critic = None if critic is None else critic_of(critic, tuple(generator.output.shape[1:]))
        self.prior, self.generator, self.critic = prior, generator, critic
        self.reconstructor, self.objective, self.augment = reconstructor, objective, augment
        self.ema, self.seed, self.label_count = ema, seed, n_classes
        self.class_names: tuple[str, ...] = ()  # set by whoever knows them
        self.critic_steps = n_critic if isinstance(n_critic, CriticSteps) else CriticSteps(n_critic)
        self.average_generator = copy_of(generator) if ema else generator
        self.average_prior = copy_of(prior) if ema else prior
        options = {"trainable": False, "name": "step", "aggregation": "only_first_replica"}
        self.step = self.add_weight((), "zeros", dtype="int64", **options)
        self._observer = with_features(critic) if objective.reads_features else critic
        terms = (*objective.terms, *(["regularizer"] if generator.losses else []))
        self.trackers = {name: keras.metrics.Mean(name) for name in terms}
        compiled = tf.function(self.updates, autograph=False, jit_compile=True)
        self._update = compiled if xla else self.updates
        self.built = True

    @property
    def steps_done(self) -> int:
        """Generator updates since the beginning of the run."""
        return int(self.step.numpy())

    @property
    def generator_variables(self) -> list:
        """What a generator update moves: generator, trained table, reconstructor."""
        others = self.reconstructor.trainable_variables if self.reconstructor is not None else []
        return self.generator.trainable_variables + self.prior.trainable_variables + others

    @property
    def n_classes(self) -> int | None:
        """Number of classes of a conditional generator; None of another."""
        return self.label_count if "label" in self.generator.input else None

    @property
    def metrics(self) -> list:
        """The running means that a step returns; Keras resets them when an epoch begins."""
        return list(self.trackers.values())

    def call(
        self, z: tf.Tensor, label: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Images `[b, ...]` of latents `[b, z_dim]` and labels `[b]`, by the averaged generator."""
        return feed(self.average_generator, {"z": z, "label": label}, training=training)

    def sample(self, n: int, seed: int = 0, label: int | None = None) -> tf.Tensor:
        """`n` generated images in [-1, 1], a function of `seed`, by the averaged generator.

        A conditional generator makes images of the class `label`, or of random classes.
        """
        return self(self.average_prior.sample(n, sample_seed(seed)), self.labels(n, seed, label))

    def labels(self, n: int, seed: int, label: int | None = None) -> tf.Tensor | None:
        """Labels of the samples that users number `seed`, int32 `[n]`; None if not conditional."""
        if not self.n_classes:
            return None
        if label is not None:
            if isinstance(label, int) and not 0 <= label < self.n_classes:
                raise UsageError(f"label must lie in 0 ... {self.n_classes - 1}, got {label}.")
            return tf.fill([n], tf.cast(label, tf.int32))
        drawn = rng.integers([n], rng.derive(sample_seed(seed), "label"), self.n_classes)
        return tf.cast(drawn, tf.int32)

    def evaluation_samples(self, n: int = 1000) -> np.ndarray:
        """Images that stand for what is generated: all atoms of ``const=N``, else `n` samples.

        They are always the same, made by the averaged generator if any, float32 `[N or n, ...]`. A
        conditional generator shows every atom in every class, or classes in turn.
        """
        z, label = self.average_prior.evaluation_latents(n), None
        if self.n_classes:
            z = tf.repeat(z, self.n_classes, axis=0) if self.prior.discrete else z
            label = tf.range(z.shape[0]) % self.n_classes
        return in_chunks(self, z, *([] if label is None else [label]))

    def train_step(self, batches: Batch) -> dict[str, tf.Tensor]:
        """A critic update on each of the batches, then one generator update.

        Args:
            batches: Tensors by name (`image`, perhaps `label`), each `[b, k, ...]` with k critic
                batches.

        Returns:
            The running mean of every logged term.
        """
        # Where the data end nothing moves: counters would be ahead of the weights.
        with tf.control_dependencies(list(batches.values())):
            for name, value in self._update(batches, self.draw(batches)).items():
                self.trackers[name].update_state(value)
            return {name: tracker.result() for name, tracker in self.trackers.items()}

    def updates(self, batches: Batch, noise: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """All updates of one step, on the random numbers of `draw`; returns the means of terms."""

        def critic_update(k: int | tf.Tensor) -> dict[str, tf.Tensor]:
            batch = {name: tensor[:, k] for name, tensor in batches.items()}
            return self.critic_step(
                batch, noise["critic_codes"][:, k], noise["mix"][:, k], noise["critic_seeds"][k]
            )

        n_critic = batches["image"].shape[1] if self.objective.uses_critic else 0
        means = mean_over(critic_update, n_critic) if n_critic else {}
        batch = {name: tensor[:, -1] for name, tensor in batches.items()}
        means |= self.generator_step(batch, noise["generator_codes"], noise["objective"])
        self._update_average()
        self.step.assign_add(1)
        return means

    def critic_step(
        self, batch: Batch, codes: tf.Tensor, mix: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """One critic update on a batch, whose labels the fakes take; returns its loss in terms."""
        refresh(self.critic)
        real, fake = self._real(batch, seed), self._fake(batch, codes, seed)
        real, fake = tf.nest.map_structure(tf.stop_gradient, (real, fake))
        with tf.GradientTape() as tape:
            terms = self.objective.critic_terms(self._criticise, real, fake, mix, seed)
            loss = self._share(terms["critic_loss"])
        variables = self.critic.trainable_variables
        self.d_optimizer.apply(_gradients(tape, loss, variables), variables)
        self.objective.project(variables)
        return terms

    def generator_step(
        self, batch: Batch, codes: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """One generator update; returns its loss in terms, whose random numbers `seed` gives."""
        variables = self.generator_variables
        refresh(self.generator)
        with tf.GradientTape() as tape:
            fake = self._fake(batch, codes, seed)
            if self.reconstructor is not None:
                fake["reconstruction"] = feed(self.reconstructor, fake, training=True)
            terms = self.objective.generator_terms(
                self._criticise, self._seen(batch, seed, "real"), fake, seed
            )
            if self.generator.losses:
                terms["regularizer"] = tf.add_n(self.generator.losses)
                terms["generator_loss"] += terms["regularizer"]
            loss = self._share(terms["generator_loss"])
        self.g_optimizer.apply(_gradients(tape, loss, variables), variables)
        return terms

    def _fake(self, batch: Batch, codes: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Generated samples: latents of the codes, the labels of the batch, and images of both."""
        fake = {**batch, "z": self.prior(codes)}
        fake["image"] = feed(self.generator, fake, training=True)
        return self._seen(fake, seed, "fake")

    def _real(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """The real samples of a batch, with blurred guesses of latents by a reconstructor."""
        if self.reconstructor is None:
            return self._seen(batch, seed, "real")
        guess = feed(self.reconstructor, batch, training=True)
        own = rng.derive(seed, "blur")
        blur = rng.per_row(guess.shape[0], lambda rows: rng.normal([rows, guess.shape[1]], own))
        return self._seen({**batch, "z": guess + blur}, seed, "real")

    def _seen(self, samples: Batch, seed: tf.Tensor, purpose: str) -> dict[str, tf.Tensor]:
        """Samples the way the critic is shown them."""
        if self.augment is None:
            return dict(samples)
        own = rng.derive(seed, f"augmented {purpose}")
        return {**samples, "image": self.augment(samples["image"], own, self.step.value)}

    def _criticise(self, samples: Batch) -> Batch:
        return heads(feed(self._observer, samples, training=True))

    def draw(self, batches: Batch) -> dict[str, tf.Tensor]:
        """The random numbers of a step, drawn for the global batch; a replica keeps its rows."""
        rows = batches["image"].shape[0] * tf.distribute.get_strategy().num_replicas_in_sync
        step = tf.convert_to_tensor(self.step.value)

        def draw(purpose: str, counter: tf.Tensor, sampler: Callable) -> tf.Tensor:
            return rng.own_rows(sampler(rng.seed_pair(rng.stream(self.seed, purpose), counter)))

        def codes(purpose: str, counter: tf.Tensor) -> tf.Tensor:
            return draw(purpose, counter, lambda seed: self.prior.draw(rows, seed))

        noise = {
            "generator_codes": codes("generator latents", step),
            # One for all replicas.
            "objective": rng.seed_pair(rng.stream(self.seed, "objective"), step),
        }
        if self.objective.uses_critic:
            first = self.critic_steps.before(step)
            counters = [first + k for k in range(batches["image"].shape[1])]
            noise["critic_codes"] = tf.stack([codes("critic latents", c) for c in counters], axis=1)
            mix = [
                draw("mixing weights", c, lambda seed: rng.uniform([rows], seed)) for c in counters
            ]
            noise["mix"] = tf.stack(mix, axis=1)
            key = rng.stream(self.seed, "critic objective")
            noise["critic_seeds"] = tf.stack([rng.seed_pair(key, c) for c in counters])
        return noise

    def _share(self, loss: tf.Tensor) -> tf.Tensor:
        """This replica's part of the mean over the global batch: replicas sum their gradients."""
        return loss / tf.distribute.get_strategy().num_replicas_in_sync

    def _update_average(self) -> None:
        """Moves the averaged generator, batch-norm statistics included, towards the trained one."""
        if not self.ema:
            return
        averages = self.average_generator.variables + self.average_prior.variables
        variables = self.generator.variables + self.prior.variables
        move(averages, variables, decay_at(self.ema, self.step.value))
        refresh(self.average_generator)


def _gradients(tape: tf.GradientTape, loss: tf.Tensor, variables: list) -> list[tf.Tensor]:
    """Gradients as plain tensors, also of a table that was read by index."""
    return [g if g is None else tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)]


def sample_seed(seed: int | tf.Tensor) -> tf.Tensor:
    """The seed pair of the samples that a user numbers `seed`, here and in an exported model."""
    return rng.seed_pair(rng.stream(0, "sample"), seed)
