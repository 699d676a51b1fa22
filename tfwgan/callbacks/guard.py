"""Guards of a run: a loss that is no number stops it, a signal ends it gently, checkpoints keep it."""

import signal
import threading
from pathlib import Path

import tensorflow as tf

from tfwgan import checkpoint
from tfwgan.callbacks.record import Clock
from tfwgan.callbacks.steps import StepCallback
from tfwgan.data.dataset import Dataset


class NonFiniteLoss(RuntimeError):
    """A term of the loss, or a weight, became NaN or infinite; the last good checkpoint is kept."""


class StopOnNonFinite(StepCallback):
    """Raises `NonFiniteLoss` at the first step where a logged term is NaN or infinite."""

    def __init__(self, folder: Path):
        super().__init__()
        self.folder = folder

    def on_step(self, step, logs):  # noqa: D102 - see StepCallback
        values = tf.stack([tf.cast(value, tf.float32) for value in logs.values()])
        if tf.reduce_all(tf.math.is_finite(values)):
            return
        bad = ", ".join(f"{name} = {float(value)}" for name, value in logs.items() if not tf.math.is_finite(value))
        raise NonFiniteLoss(f"At step {step}, {bad}. {_last_good(self.folder)}")


class Checkpoint(StepCallback):
    """Saves the whole state every `every` steps, at the last, and when SIGINT or SIGTERM asks to stop.

    Attributes:
        interrupted: Name of the signal that ended training, or None.
    """

    def __init__(self, folder: Path, clock: Clock, dataset: Dataset, every: int, last: int, keep: int):
        super().__init__()
        self.folder, self.clock = folder, clock
        self._about = {"shape": dataset.shape, "n_classes": dataset.n_classes}
        self.every, self.last, self.keep = every, last, keep
        self.interrupted: str | None = None
        self._handlers = {}

    def __enter__(self):
        """Listens for the two signals; a second one has its usual effect at once."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_):
        self._release()

    def on_step(self, step, logs):  # noqa: D102 - see StepCallback
        if self.interrupted:
            self.model.stop_training = True
        elif step % self.every and step != self.last:
            return
        try:
            checkpoint.save(self.folder, self.model, self.keep, seconds=self.clock.seconds, **self._about)
        except checkpoint.NonFiniteState as error:
            raise NonFiniteLoss(f"At step {step}, {error} is not finite. {_last_good(self.folder)}") from None

    def _release(self) -> None:
        """Gives the signals back to whoever had them."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}

    def _note(self, number: int, frame) -> None:
        self.interrupted = signal.Signals(number).name
        self._release()


def _last_good(folder: Path) -> str:
    kept = checkpoint.paths(folder)
    return f"The last good checkpoint is {kept[0]}." if kept else "There was no checkpoint before."
