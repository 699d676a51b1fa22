"""What Keras' `fit` is given, checked at the border: a sentence in the place of an error from deep inside."""

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from tfwgan.errors import UsageError

_KEPT = "the run's checkpoints hold everything, trainer.save_weights(path) all weights, trainer.generator.save(path) "
KEEP = _KEPT + "the generator, and tfwgan.export_saved_model(trainer, path) a model that samples without Keras"


def critic_batches(x: Any, shape: tuple[int, ...]) -> int:
    """How many critic batches an element of training data holds.

    Args:
        x: The data.
        shape: Of a generated sample.

    Raises:
        UsageError: If the data are something else.
    """
    spec = getattr(x, "element_spec", None)
    spec = spec if isinstance(spec, dict) else {}
    found = spec["image"].shape if isinstance(spec.get("image"), tf.TensorSpec) else None
    if found is None or found.rank != 2 + len(shape) or tuple(found[2:]) != shape or None in found[:2]:
        wanted = ", ".join(["batch", "n_critic", *map(str, shape)])
        got = f"elements {list(found)}" if found is not None else type(x).__name__
        raise UsageError(
            f"training data are a tf.data.Dataset of {{'image': [{wanted}]}} of known sizes, as experiment.batches() "
            f"and tfwgan.data.batches(tfwgan.data.Dataset(name, array), ...) make them; got {got}."
        )
    return found[1]


def check_callbacks(callbacks: Iterable[Any] | None) -> None:
    """Raises `UsageError` for Keras' callbacks that need what a trainer of two networks has not."""
    listed = callbacks.callbacks if isinstance(callbacks, keras.callbacks.CallbackList) else callbacks
    for one in tf.nest.flatten(listed or []):
        name = type(one).__name__
        if isinstance(one, keras.callbacks.ModelCheckpoint) and not one.save_weights_only:
            raise UsageError(f"ModelCheckpoint has to save weights only (save_weights_only=True): {KEEP}.")
        if isinstance(one, keras.callbacks.ReduceLROnPlateau | keras.callbacks.LearningRateScheduler):
            raise UsageError(
                f"{name} changes the rate of one optimizer, and a GAN has two; give each a schedule of "
                "keras.optimizers.schedules, or set trainer.g_optimizer.learning_rate in a callback."
            )
        if isinstance(one, keras.callbacks.SwapEMAWeights):
            raise UsageError(f"{name} is not needed: with ema=0.999 the trainer samples from its own running average.")


class TwoNetworks(keras.Model):
    """Abstract. A Keras model of parts that are trained against each other; some methods make no sense for it."""

    def evaluate(self, *_, **__):
        """Not for a GAN: `tfwgan.metrics` has the distances to the data."""
        raise UsageError("A GAN has no loss to evaluate; the distances of tfwgan.metrics say how good it is.")

    def train_on_batch(self, *_, **__):
        """Not for a GAN, whose step takes several batches."""
        raise UsageError("Use fit, or train_step, on elements {'image': [batch, n_critic, ...]}.")

    def save(self, *_, **__):
        """Not as one file of Keras: an objective is no layer."""
        raise UsageError(f"A trainer is not saved as a whole: {KEEP}.")
