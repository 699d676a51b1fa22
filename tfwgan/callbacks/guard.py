"""Guards of a run.

A loss that is no number stops the run, a signal ends it gently, and checkpoints keep it.
"""

import contextlib
import math
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Self

from tfwgan import checkpoint
from tfwgan.callbacks.record import Clock
from tfwgan.callbacks.steps import StepCallback
from tfwgan.errors import lack
from tfwgan.loop import Logs

_Handler = Callable[[int, FrameType | None], Any] | int | None  # of a signal


class NonFiniteLoss(RuntimeError):
    """A term of the loss, or a weight, became NaN or infinite; the last good checkpoint is kept."""


class TrainingStopped(RuntimeError):
    """Training could not go on, for want of memory or of room on the disk.

    The message says what is saved.
    """


class StopOnNonFinite(StepCallback):
    """Raises `NonFiniteLoss` at the first step where a logged term is NaN or infinite."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def on_step(self, step: int, logs: Logs) -> None:  # noqa: D102 - see StepCallback
        # In Python: every eager operation of TensorFlow leaves some bytes behind, a step of a run
        # after the other.
        values = {name: float(value) for name, value in logs.items()}
        if all(map(math.isfinite, values.values())):
            return
        bad = ", ".join(
            f"{name} = {value}" for name, value in values.items() if not math.isfinite(value)
        )
        raise NonFiniteLoss(f"At step {step}, {bad}. {last_good(self.folder)}")


class Checkpoint(StepCallback):
    """Saves the whole state every `every` steps, at the last, and whenever training ends before.

    Training may end before by a signal (SIGINT, SIGTERM), by the caller's own callback, or by an
    error that leaves the state whole.

    Args:
        folder: Of the checkpoints.
        clock: Of the run.
        about: What is stored beside the state.
        every: Steps between checkpoints.
        last: The last step of the run.
        keep: How many of the newest are kept.

    Attributes:
        interrupted: Name of the signal that ended training, or None.
    """

    def __init__(
        self, folder: Path, clock: Clock, about: Mapping[str, Any], every: int, last: int, keep: int
    ) -> None:
        super().__init__()
        self.folder, self.clock, self.about = folder, clock, about
        self.every, self.last, self.keep = every, last, keep
        self.interrupted: str | None = None
        self._handlers: dict[int, _Handler] = {}
        self._saved = -1

    def __enter__(self) -> Self:
        """Listens for the two signals; a second one has its usual effect at once."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: D102 - see StepCallback
        super().on_train_begin()
        self._saved = self.step if checkpoint.path_of(self.folder, self.step).exists() else -1

    def on_step(self, step: int, logs: Logs) -> None:  # noqa: D102 - see StepCallback
        if self.interrupted:
            self.model.stop_training = True
        elif step % self.every and step != self.last:
            return
        self.save()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Saves what was trained since the last checkpoint, whoever ended training."""
        self.save()

    def save(self) -> None:
        """Saves the state, unless that of this step is saved already.

        Raises:
            NonFiniteLoss: If some of it is NaN or infinite.
        """
        if self.step == self._saved or self.step == 0:
            return
        try:
            checkpoint.save(
                self.folder, self.model, self.keep, seconds=self.clock.seconds, **self.about
            )
        except checkpoint.NonFiniteState as error:
            raise NonFiniteLoss(
                f"At step {self.step}, {error} is not finite. {last_good(self.folder)}"
            ) from None
        self._saved = self.step

    def rescue(self, error: BaseException) -> None:
        """Saves the state if it is good and that can be done, after an error between two steps."""
        if not isinstance(error, NonFiniteLoss):
            with contextlib.suppress(Exception):
                self.save()

    def _release(self) -> None:
        """Gives the signals back to whoever had them."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.interrupted = signal.Signals(number).name
        self._release()


@contextlib.contextmanager
def told(folder: Path) -> Iterator[None]:
    """Turns want of memory or of disk room into `TrainingStopped`, which says what is saved."""
    try:
        yield
    except Exception as error:
        if (missing := lack(error)) is None:
            raise
        raise TrainingStopped(f"{missing[0].upper()}{missing[1:]}. {last_good(folder)}") from None


def last_good(folder: Path) -> str:
    """What is saved, in a sentence."""
    kept = checkpoint.paths(folder)
    return f"The last good checkpoint is {kept[0]}." if kept else "There was no checkpoint before."
