"""What all callbacks of this package share: they count generator updates.

These are the trainer's own `step`.
"""

import keras

from tfwgan.loop import Logs
from tfwgan.trainer import GanTrainer


class StepCallback(keras.callbacks.Callback):
    """Abstract. Calls `on_step` after each step, with the number of steps done in the whole run."""

    model: GanTrainer
    step: int

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Takes the count from the trainer, which a checkpoint may have set."""
        self.step = self.model.steps_done

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Counts one step."""
        self.step += 1
        self.on_step(self.step, logs or {})

    def values(self, logs: Logs) -> dict[str, float]:
        """The logs as numbers, in the objective's order; TensorFlow sorts dictionaries by name."""
        return {name: float(logs[name]) for name in self.model.trackers}

    def on_step(self, step: int, logs: Logs) -> None:
        """Looks at the trainer after step `step`; `logs` are the running means of the interval."""
        raise NotImplementedError
