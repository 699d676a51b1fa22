"""What all callbacks of this package share: they count generator updates.

These are the trainer's own `step`.
"""

from collections.abc import Mapping

import keras
import tensorflow as tf


class StepCallback(keras.callbacks.Callback):
    """Abstract. Calls `on_step` after each step, with the number of steps done in the whole run."""

    def on_train_begin(self, logs=None):
        """Takes the count from the trainer, which a checkpoint may have set."""
        self.step = self.model.steps_done

    def on_train_batch_end(self, batch, logs=None):
        """Counts one step."""
        self.step += 1
        self.on_step(self.step, logs or {})

    def values(self, logs: Mapping[str, tf.Tensor]) -> dict[str, float]:
        """The logs as numbers, in the objective's order; TensorFlow sorts dictionaries by name."""
        return {name: float(logs[name]) for name in self.model.trackers}

    def on_step(self, step: int, logs: Mapping[str, tf.Tensor]) -> None:
        """Looks at the trainer after step `step`; `logs` are the running means of the interval."""
        raise NotImplementedError
