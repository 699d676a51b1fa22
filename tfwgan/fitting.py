"""How Keras drives two networks that are trained against each other: `fit`, callbacks, a loop."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

import keras
import tensorflow as tf

from tfwgan.data.elements import elements
from tfwgan.errors import UsageError

KEEP = (
    "the run's checkpoints hold everything, trainer.save_weights(path) all weights, "
    "trainer.generator.save(path) the generator, and tfwgan.export_saved_model(trainer, path) "
    "a model that samples without Keras"
)


def check_callbacks(callbacks: Iterable[Any] | None) -> None:
    """Raises `UsageError` for Keras' callbacks that need what a trainer of two networks has not."""
    listed = (
        callbacks.callbacks if isinstance(callbacks, keras.callbacks.CallbackList) else callbacks
    )
    for one in tf.nest.flatten(listed or []):
        name = type(one).__name__
        if isinstance(one, keras.callbacks.ModelCheckpoint) and not one.save_weights_only:
            raise UsageError(
                f"ModelCheckpoint has to save weights only (save_weights_only=True): {KEEP}."
            )
        if isinstance(
            one, keras.callbacks.ReduceLROnPlateau | keras.callbacks.LearningRateScheduler
        ):
            raise UsageError(
                f"{name} changes the rate of one optimizer, and a GAN has two; give each a "
                "schedule of keras.optimizers.schedules, or set the learning_rate of "
                "trainer.g_optimizer in a callback."
            )
        if isinstance(one, keras.callbacks.SwapEMAWeights):
            raise UsageError(
                f"{name} is not needed: with ema=0.999 the trainer samples from its own running "
                "average."
            )


class TwoNetworks(keras.Model):
    """Abstract. A Keras model of parts that are trained against each other.

    Methods of Keras that make no sense for it say what to do instead.
    """

    train_function: Callable | None
    g_optimizer: keras.optimizers.Optimizer
    d_optimizer: keras.optimizers.Optimizer
    _compiled: dict[int, Any]

    def compile(
        self,
        g_optimizer: keras.optimizers.Optimizer,
        d_optimizer: keras.optimizers.Optimizer | None = None,
        **kwargs: Any,
    ) -> None:
        """Takes the optimizers of generator and critic.

        Both are built at once: strategies need that before `fit`.

        Raises:
            UsageError: If there is a critic and no optimizer for it.
        """
        if self.critic is not None and d_optimizer is None:
            raise UsageError(
                "compile takes two optimizers, the generator's and the critic's; "
                "give a d_optimizer."
            )
        # Left to itself, Keras compiles the whole step with XLA on machines that have a GPU, used
        # or not.
        super().compile(optimizer=None, **{"jit_compile": False, **kwargs})
        # TensorFlow's graph optimizer lets some reads of a weight pass over an update of it when
        # threads meet by chance (seen in 5 of 74 fresh graphs; in none of 262 without it). Nothing
        # here gets slower without it.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        self.g_optimizer, self.d_optimizer, self._compiled = g_optimizer, d_optimizer, {}
        g_optimizer.build(self.generator_variables)
        if self.critic is not None and d_optimizer is not None:
            d_optimizer.build(self.critic.trainable_variables)

    def fit(self, x: tf.data.Dataset, **kwargs: Any) -> keras.callbacks.History:
        """Keras' `fit` on a stream of batches.

        One step takes `n_critic` batches, one for each critic update, then updates the generator.

        Args:
            x: Images `[batch, ...]`, see `tfwgan.data.elements`. An endless stream needs
                `steps_per_epoch`.
            **kwargs: Of Keras' `fit`: `epochs`, `callbacks`, `verbose`, ...

        Raises:
            UsageError: If the data are something else, or a callback makes no sense for two
                networks.
        """
        if kwargs.get("validation_data") is not None:
            raise UsageError(
                "A GAN has no validation loss; watch distances instead: metrics=('w1',) in Config."
            )
        check_callbacks(kwargs.get("callbacks"))
        x = self.elements(x)
        self.step_function(x.element_spec["image"].shape[1])
        return super().fit(x, **{"shuffle": False, **kwargs})

    def elements(self, x: tf.data.Dataset) -> tf.data.Dataset:
        """Training data in the form that `train_step` takes, see `tfwgan.data.elements`."""
        return elements(x, tuple(self.generator.output.shape[1:]), self.critic_steps.most)

    def steps(self, x: tf.data.Dataset) -> Iterator[dict[str, float]]:
        """Trains step by step, and tells the terms of the loss after each: a loop of your own.

            for logs in trainer.steps(data):
                if logs["critic_loss"] > -0.1:
                    break

        Args:
            x: As of `fit`.

        Yields:
            The mean of every term over the critic updates of the step, by name.
        """
        x = self.elements(x)
        step_function = self.step_function(x.element_spec["image"].shape[1])
        iterator = iter(self.distribute_strategy.experimental_distribute_dataset(x))
        while True:
            self.reset_metrics()
            try:
                terms = step_function(iterator)
            except (StopIteration, tf.errors.OutOfRangeError):
                return
            yield {name: float(terms[name]) for name in self.trackers}

    def step_function(self, n: int) -> Callable:
        """The compiled step for elements of `n` critic batches, a number that it can unroll.

        It takes an iterator over such elements to the running means.
        """
        self.train_function = self._compiled.get(n)
        self.make_train_function()
        self._compiled[n] = self.train_function
        return self._compiled[n]

    def evaluate(self, *_: Any, **__: Any) -> NoReturn:
        """Refuses: a GAN has no loss to judge it by; `tfwgan.metrics` has distances to the data."""
        raise UsageError(
            "A GAN has no loss to evaluate; the distances of tfwgan.metrics say how good it is."
        )

    def train_on_batch(self, *_: Any, **__: Any) -> NoReturn:
        """Refuses: the step of a GAN takes several batches."""
        raise UsageError("Use fit, or train_step, on elements {'image': [batch, n_critic, ...]}.")

    def save(self, *_: Any, **__: Any) -> NoReturn:
        """Refuses: an objective is no layer, so that Keras can't write it into its file."""
        raise UsageError(f"A trainer is not saved as a whole: {KEEP}.")
