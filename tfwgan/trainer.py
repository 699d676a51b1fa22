"""The training loop of every GAN here: `GanTrainer.train_step`."""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from tfwgan import rng
from tfwgan.priors import Prior

Batch = Mapping[str, tf.Tensor]

_CHUNK = 256  # images that are generated at a time


class GanTrainer(keras.Model):
    """Trains a generator, and a critic where the objective uses one.

    An ordinary Keras model: `fit` trains it, callbacks look on. One Keras step is `n_critic` critic updates, each on
    its own batch and its own latents, then one generator update. All randomness is a function of `(seed, step)`.

    Args:
        prior: Draws codes and turns them into latents `z [b, z_dim]`.
        generator: Functional model reading `z`.
        critic: Functional model reading `image`, returning scores `[b]`; None if the objective needs none.
        objective: What both minimise, see `tfwgan.objectives`.
        n_critic: Critic updates per generator update, at least 1; without a critic 1, whatever is given.
        ema: Decay of the running average of the generator that samples are drawn from, in [0, 1); 0 for none.
        seed: Seed of the latents and mixing weights.
        xla: Compile the updates with XLA; not under a distribution strategy of several devices.
    """

    def __init__(
        self,
        prior: Prior,
        generator: keras.Model,
        critic: keras.Model | None,
        objective,
        *,
        n_critic: int = 5,
        ema: float = 0.0,
        seed: int = 0,
        xla: bool = False,
    ):
        super().__init__(name="gan")
        self.prior, self.generator, self.critic = prior, generator, critic
        self.objective, self.ema, self.seed = objective, ema, seed
        self.n_critic = n_critic if objective.uses_critic else 1
        self.average_generator, self.average_prior = (_copy(generator), _copy(prior)) if ema else (generator, prior)
        self.step = self.add_weight(
            (), "zeros", dtype="int64", trainable=False, name="step", aggregation="only_first_replica"
        )
        self.trackers = {name: keras.metrics.Mean(name) for name in objective.terms}
        self._update = tf.function(self.updates, jit_compile=True) if xla else self.updates
        self.built = True

    def compile(self, g_optimizer: keras.optimizers.Optimizer, d_optimizer: keras.optimizers.Optimizer, **kwargs):
        """Takes the optimizers of generator and critic, and builds both at once: strategies need that before `fit`."""
        super().compile(optimizer=None, **kwargs)
        # TensorFlow's graph optimizer lets some reads of a weight pass over an update of it when threads meet by chance
        # (seen in 5 of 74 fresh graphs; in none of 262 without it). Nothing here gets slower without it.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer
        g_optimizer.build(self.generator_variables)
        if self.critic is not None:
            d_optimizer.build(self.critic.trainable_variables)

    @property
    def steps_done(self) -> int:
        """Generator updates since the beginning of the run."""
        return int(self.step.numpy())

    @property
    def generator_variables(self) -> list:
        """What a generator update moves: the generator's weights, and the prior's table if that is trained."""
        return self.generator.trainable_variables + self.prior.trainable_variables

    @property
    def metrics(self) -> list:
        """The running means that a training step returns; Keras resets them when an epoch begins."""
        return list(self.trackers.values())

    @property
    def means(self) -> np.ndarray:
        """Sums and counts behind the running means, float32 `[2 * terms, replicas]`; can be set.

        Replicas add up on their own, so each one's numbers are needed to go on bit for bit.
        """
        return np.stack([[part.numpy() for part in parts] for parts in self._parts_of_means()])

    @means.setter
    def means(self, values: np.ndarray) -> None:
        for parts, numbers in zip(self._parts_of_means(), values, strict=True):
            if len(parts) != len(numbers):  # saved on another number of devices
                numbers = [numbers.sum(), *[0.0] * (len(parts) - 1)]
            for part, number in zip(parts, numbers, strict=True):
                part.assign(number)

    def _parts_of_means(self) -> list:
        variables = [variable.value for metric in self.metrics for variable in metric.variables]
        return [getattr(variable, "values", (variable,)) for variable in variables]

    def call(self, z: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Images `[b, ...]` of latents `[b, z_dim]`, by the averaged generator if there is one."""
        return feed(self.average_generator, {"z": z}, training=training)

    def sample(self, n: int, seed: int = 0) -> tf.Tensor:
        """`n` generated images in [-1, 1], a function of `seed`; of the averaged generator if there is one."""
        return self(self.average_prior.sample(n, sample_seed(seed)))

    def distribution(self, n: int = 1000) -> np.ndarray:
        """Images that stand for what is generated: all atoms of the prior ``const=N``, of others `n` samples.

        Always the same ones, by the averaged generator if there is one; float32 `[N or n, ...]`.
        """
        z = self.average_prior.support(n)
        return np.concatenate([np.asarray(self(z[i : i + _CHUNK])) for i in range(0, len(z), _CHUNK)])

    def train_step(self, batches: Batch) -> dict[str, tf.Tensor]:
        """`n_critic` critic updates, each on its own batch, then one generator update.

        Args:
            batches: Tensors by name (`image`, perhaps `label`), each `[b, n_critic, ...]`.

        Returns:
            The running mean of every logged term.
        """
        for name, value in self._update(batches, self.draw(batches)).items():
            self.trackers[name].update_state(value)
        return {name: tracker.result() for name, tracker in self.trackers.items()}

    def updates(self, batches: Batch, noise: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """All updates of one step, on the random numbers that `draw` gave; returns the mean of every term."""
        logs = []
        for k in range(self.n_critic if self.objective.uses_critic else 0):
            batch = {name: tensor[:, k] for name, tensor in batches.items()}
            logs.append(self.critic_step(batch, noise["critic_codes"][:, k], noise["mix"][:, k]))
        batch = {name: tensor[:, -1] for name, tensor in batches.items()}
        means = {name: tf.add_n([log[name] for log in logs]) / len(logs) for name in (logs[0] if logs else ())}
        means |= self.generator_step(batch, noise["generator_codes"], noise["objective"])
        self._update_average()
        self.step.assign_add(1)
        return means

    def critic_step(self, batch: Batch, codes: tf.Tensor, mix: tf.Tensor) -> dict[str, tf.Tensor]:
        """One critic update on a batch; returns the terms of its loss."""
        fake = tf.stop_gradient(self._generate(codes))
        with tf.GradientTape() as tape:
            terms = self.objective.critic_terms(self._score, batch["image"], fake, mix)
            loss = self._share(terms["critic_loss"])
        variables = self.critic.trainable_variables
        self.d_optimizer.apply(_gradients(tape, loss, variables), variables)
        self.objective.project(variables)
        return terms

    def generator_step(self, batch: Batch, codes: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """One generator update; returns the terms of its loss, whose own random numbers are a function of `seed`."""
        variables = self.generator_variables
        with tf.GradientTape() as tape:
            terms = self.objective.generator_terms(self._score, batch["image"], self._generate(codes), seed)
            loss = self._share(terms["generator_loss"])
        self.g_optimizer.apply(_gradients(tape, loss, variables), variables)
        return terms

    def _generate(self, codes: tf.Tensor) -> tf.Tensor:
        return feed(self.generator, {"z": self.prior(codes)}, training=True)

    def _score(self, image: tf.Tensor) -> tf.Tensor:
        return feed(self.critic, {"image": image}, training=True)

    def draw(self, batches: Batch) -> dict[str, tf.Tensor]:
        """The random numbers of one step, drawn for the global batch; a replica keeps its own rows."""
        rows = batches["image"].shape[0] * tf.distribute.get_strategy().num_replicas_in_sync
        step = tf.convert_to_tensor(self.step.value)

        def draw(purpose, counter, sampler):
            return rng.own_rows(sampler(rng.seed_pair(rng.stream(self.seed, purpose), counter)))

        def codes(purpose, counter):
            return draw(purpose, counter, lambda seed: self.prior.draw(rows, seed))

        noise = {
            "generator_codes": codes("generator latents", step),
            "objective": rng.seed_pair(rng.stream(self.seed, "objective"), step),  # one for all replicas
        }
        if self.objective.uses_critic:
            counters = [step * self.n_critic + k for k in range(self.n_critic)]
            noise["critic_codes"] = tf.stack([codes("critic latents", c) for c in counters], axis=1)
            mix = [draw("mixing weights", c, lambda seed: rng.uniform([rows], seed)) for c in counters]
            noise["mix"] = tf.stack(mix, axis=1)
        return noise

    def _share(self, loss: tf.Tensor) -> tf.Tensor:
        """This replica's part of the mean over the global batch: gradients are summed over replicas."""
        return loss / tf.distribute.get_strategy().num_replicas_in_sync

    def _update_average(self) -> None:
        """Moves the averaged generator, batch-norm statistics included, towards the trained one."""
        if not self.ema:
            return
        # A short memory at first, so that the random initial weights are soon forgotten.
        t = tf.cast(self.step.value, tf.float32) + 1.0
        decay = tf.minimum(self.ema, (1.0 + t) / (10.0 + t))
        averages = self.average_generator.variables + self.average_prior.variables
        for average, variable in zip(averages, self.generator.variables + self.prior.variables, strict=True):
            average.assign(average + (1.0 - decay) * (variable - average))


def _gradients(tape: tf.GradientTape, loss: tf.Tensor, variables: list) -> list[tf.Tensor]:
    """Gradients as plain tensors, also of a table that was read by index."""
    return [
        gradient if gradient is None else tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, variables)
    ]


def sample_seed(seed: int | tf.Tensor) -> tf.Tensor:
    """The seed pair of the samples that a user numbers `seed`, here and in an exported model."""
    return rng.seed_pair(rng.stream(0, "sample"), seed)


def feed(network: keras.Model, tensors: Batch, training: bool = False) -> tf.Tensor:
    """Calls a network on those of the tensors that it names among its inputs."""
    return network({name: tensors[name] for name in network.input}, training=training)


def _copy(layer: keras.layers.Layer) -> keras.layers.Layer:
    if isinstance(layer, keras.Model):
        copy = keras.models.clone_model(layer)
    else:
        copy = type(layer).from_config(layer.get_config())
    copy.set_weights(layer.get_weights())
    copy.trainable = False
    return copy
