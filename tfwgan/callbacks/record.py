"""Numbers of a run go to files and to the screen as they come.

They are rows of metrics.jsonl, scalars and weight histograms for TensorBoard, and lines on the
screen.
"""

import time
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from tfwgan.callbacks.steps import StepCallback
from tfwgan.loop import Logs
from tfwgan.protocols import RunFolder
from tfwgan.screen import Screen


class Clock:
    """Seconds of training, over all the parts of a run that was resumed."""

    def __init__(self, seconds_before: float = 0.0) -> None:
        self._start = time.perf_counter() - seconds_before

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.perf_counter() - self._start


class Rate:
    """Images per second since the last look; the first step, which is compiled, does not count."""

    def __init__(self, images_before: Callable[[int], int]) -> None:
        self._images_before, self._begun = images_before, False
        # A step and when it was done; below 0 before training begins.
        self._mark: tuple[int, float] = (-1, 0.0)

    def begin(self, step: int) -> None:
        """Training begins or goes on after a step."""
        if self._mark[0] < 0:
            self._mark = step, time.perf_counter()

    def note(self, step: int) -> None:
        """A step is done; after the first one the clock starts anew."""
        if not self._begun:
            self._begun, self._first = True, (self._mark, time.perf_counter())
            self._mark = step, time.perf_counter()

    def look(self, step: int) -> float:
        """The rate up to a step; what follows counts from there."""
        (since, start), now = self._mark, time.perf_counter()
        if since == step:  # only the first step
            (since, start), now = self._first
        self._mark = step, time.perf_counter()
        return (self._images_before(step) - self._images_before(since)) / max(now - start, 1e-9)


class Record(StepCallback):
    """Writes the means of each interval of `every` steps to metrics.jsonl and TensorBoard.

    The last interval, which may be shorter, ends with the last step.

    Args:
        run: The run folder.
        writer: Of TensorBoard, which also gets the settings of the run.
        clock: Of the run.
        settings: Of the run, for TensorBoard.
        every: Steps between rows.
        last: The last step of the run.
        images_before: Real images that training reads before a step.
    """

    def __init__(
        self,
        run: RunFolder,
        writer: tf.summary.SummaryWriter,
        clock: Clock,
        settings: Mapping[str, object],
        every: int,
        last: int,
        images_before: Callable[[int], int],
    ) -> None:
        super().__init__()
        self.run, self.writer, self.clock, self.settings = run, writer, clock, settings
        self.every, self.last = every, last
        self._rate = Rate(images_before)

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: D102 - see StepCallback
        super().on_train_begin()
        self._rate.begin(self.step)
        if self.step == 0:
            lines = [f"| {name} | {value} |" for name, value in self.settings.items()]
            with self.writer.as_default(0):
                tf.summary.text("settings", "\n".join(["| setting | value |", "|---|---|", *lines]))

    def on_step(self, step: int, logs: Logs) -> None:  # noqa: D102 - see StepCallback
        self._rate.note(step)
        if step % self.every and step != self.last:
            return
        rate = round(self._rate.look(step), 1)
        values = self.values(logs)
        seconds = round(self.clock.seconds, 3)
        self.run.append_row({"step": step, "seconds": seconds, **values, "images_per_second": rate})
        with self.writer.as_default(step):
            for name, value in values.items():
                tf.summary.scalar(f"loss/{name}", value)
            tf.summary.scalar("speed/images_per_second", rate)
        self.writer.flush()


class WeightHistograms(StepCallback):
    """Writes histograms of all weights every `every` steps and at the last step.

    They are named `weights/critic/<layer>/...` and so on.
    """

    def __init__(self, writer: tf.summary.SummaryWriter, every: int, last: int) -> None:
        super().__init__()
        self.writer, self.every, self.last = writer, every, last

    def on_step(self, step: int, logs: Logs) -> None:  # noqa: D102 - see StepCallback
        if step % self.every and step != self.last:
            return
        parts = {
            "generator": self.model.generator,
            "critic": self.model.critic,
            "prior": self.model.prior,
        }
        with self.writer.as_default(step):
            for part, layer in parts.items():
                for variable in layer.trainable_variables if layer is not None else ():
                    tf.summary.histogram(f"weights/{part}/{variable.path}", np.asarray(variable))


class Progress(StepCallback):
    """Tells how far training is.

    On a terminal that is one line that changes in place, elsewhere a line every `every` steps.
    """

    def __init__(
        self, screen: Screen, every: int, last: int, images_before: Callable[[int], int]
    ) -> None:
        super().__init__()
        self.screen, self.every, self.last = screen, every, last
        self._rate, self._shown_at = Rate(images_before), 0.0

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: D102 - see StepCallback
        super().on_train_begin()
        self._first = self.step
        self._rate.begin(self.step)
        self.screen.say("compiling the training step ...")

    def on_step(self, step: int, logs: Logs) -> None:  # noqa: D102 - see StepCallback
        if step == self._first + 1:  # the one that was compiled tells nothing of the others
            self._start = time.perf_counter()
        self._rate.note(step)
        line_due = step % self.every == 0 or step == self.last
        now = time.perf_counter()
        if line_due:
            self.screen.say(self._line(step, logs, self._rate.look(step)))
        elif self.screen.is_terminal and now - self._shown_at > 0.2:
            self.screen.status(f"step {step}/{self.last}  {self._left(step)}")
            self._shown_at = now

    def _line(self, step: int, logs: Logs, rate: float) -> str:
        place = f"step {step:>{len(str(self.last))}}/{self.last}"
        values = "".join(f"  {name} {value:<10.4g}" for name, value in self.values(logs).items())
        return f"{place}{values}  {rate:,.0f} images/s  {self._left(step)}".rstrip()

    def _left(self, step: int) -> str:
        """How long the rest takes, as fast as all since the first step."""
        done = step - self._first - 1
        if not done or step == self.last:
            return ""
        return f"{duration((time.perf_counter() - self._start) / done * (self.last - step))} to go"


def duration(seconds: float) -> str:
    """A time the way people say it: 42 s, 3 min 20 s, 2 h 45 min."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600:,} h {seconds % 3600 // 60:02d} min"
