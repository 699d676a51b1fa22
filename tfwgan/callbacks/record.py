"""Numbers of a run: rows of metrics.jsonl, scalars and weight histograms for TensorBoard, the progress bar."""

import sys
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tfwgan.callbacks.steps import StepCallback
from tfwgan.runs import Run


class Clock:
    """Seconds of training, over all the parts of a run that was resumed."""

    def __init__(self, seconds_before: float = 0.0):
        self._start = time.perf_counter() - seconds_before

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.perf_counter() - self._start


class Record(StepCallback):
    """Every `every` steps, and at the last one, writes the means of the interval to metrics.jsonl and TensorBoard."""

    def __init__(
        self,
        run: Run,
        writer: tf.summary.SummaryWriter,
        clock: Clock,
        every: int,
        last: int,
        images_before: Callable[[int], int],
    ):
        super().__init__()
        self._mark = None
        self.run, self.writer, self.clock = run, writer, clock
        self.every, self.last, self.images_before = every, last, images_before

    def on_train_begin(self, logs=None):  # noqa: D102 - see StepCallback
        super().on_train_begin()
        self._mark = self._mark or (self.step, self.clock.seconds)  # `fit` may begin several times in an interval

    def on_step(self, step, logs):  # noqa: D102 - see StepCallback
        if step % self.every and step != self.last:
            return
        seconds = self.clock.seconds
        rate = (self.images_before(step) - self.images_before(self._mark[0])) / (seconds - self._mark[1])
        self._mark = step, seconds
        values = self.values(logs)
        row = {"step": step, "seconds": round(seconds, 3), **values, "images_per_second": round(rate, 1)}
        self.run.append_row(row)
        with self.writer.as_default(step):
            for name, value in {**values, "images_per_second": rate}.items():
                tf.summary.scalar(name, value)
        self.writer.flush()


class WeightHistograms(StepCallback):
    """Every `every` steps, histograms of all weights for TensorBoard, named `critic/<layer>/...`, `generator/...`."""

    def __init__(self, writer: tf.summary.SummaryWriter, every: int):
        super().__init__()
        self.writer, self.every = writer, every

    def on_step(self, step, logs):  # noqa: D102 - see StepCallback
        if step % self.every:
            return
        parts = {"generator": self.model.generator, "critic": self.model.critic, "prior": self.model.prior}
        with self.writer.as_default(step):
            for part, layer in parts.items():
                for variable in layer.trainable_variables if layer is not None else ():
                    tf.summary.histogram(f"{part}/{variable.path}", np.asarray(variable))


class Progress(StepCallback):
    """Keras' progress bar over the whole run on a terminal; elsewhere one line every `every` steps."""

    def __init__(self, every: int, last: int, images_before: Callable[[int], int]):
        super().__init__()
        self.every, self.last, self.images_before = every, last, images_before
        self._bar = None

    def on_train_begin(self, logs=None):  # noqa: D102 - see StepCallback
        super().on_train_begin()
        if self._bar is None:
            names = [*self.model.trackers, "images/s"]
            self._first, self._mark = self.step, time.perf_counter()
            self._bar = keras.utils.Progbar(self.last - self.step, stateful_metrics=names, unit_name="step")

    def on_train_end(self, logs=None):  # noqa: D102 - a Keras event
        if sys.stdout.isatty() and self.step < self.last:
            print()  # what follows starts below the unfinished bar

    def on_step(self, step, logs):  # noqa: D102 - see StepCallback
        done, terminal = step - self._first, sys.stdout.isatty()
        if not terminal and step % self.every and step != self.last:
            return
        seconds = time.perf_counter() - self._mark
        values = self.values(logs)
        values["images/s"] = round((self.images_before(step) - self.images_before(self._first)) / seconds, 1)
        if terminal:
            self._bar.update(done, list(values.items()), finalize=step == self.last)
            return
        left = seconds / done * (self.last - step)
        shown = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        print(f"step {step}/{self.last}  {shown}  {seconds:.0f} s, {left:.0f} s to go", flush=True)
