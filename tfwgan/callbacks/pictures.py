"""Pictures of a run: the same latents through the generator as it learns, beside one picture of real data.

A conditional generator shows one row for each of its first eight classes.
"""

import numpy as np
import tensorflow as tf

from tfwgan.callbacks.steps import StepCallback
from tfwgan.data.dataset import Dataset
from tfwgan.render import picture, save_png
from tfwgan.runs import Run

_N_IMAGES, _N_POINTS, _N_ROWS = 64, 2000, 8


class Pictures(StepCallback):
    """Writes `images/step_<step>.png` every `every` steps and at the last, `images/real.png` once."""

    def __init__(self, run: Run, writer: tf.summary.SummaryWriter, dataset: Dataset, every: int, last: int):
        super().__init__()
        self.run, self.writer, self.every, self.last = run, writer, every, last
        self._n = _N_IMAGES if dataset.is_image else _N_POINTS
        self._real = dataset.real(np.arange(min(self._n, len(dataset))) * max(1, len(dataset) // self._n))

    def on_train_begin(self, logs=None):  # noqa: D102 - see StepCallback
        super().on_train_begin()
        if self.step == 0:
            self._show("real", picture(self._real) if self._real.ndim == 4 else picture(None, self._real), 0)
            self._show_samples(0)

    def on_step(self, step, logs):  # noqa: D102 - see StepCallback
        if step % self.every == 0 or step == self.last:
            self._show_samples(step)

    def _show_samples(self, step: int) -> None:
        if self.model.n_classes:  # a row for each class
            classes = min(self.model.n_classes, _N_ROWS)
            parts = [self.model.sample(self._n // _N_ROWS, label, label) for label in range(classes)]
            samples = np.concatenate(parts)
        else:
            samples = np.asarray(self.model.sample(self._n))
        columns = self._n // _N_ROWS if self.model.n_classes else None
        pixels = picture(samples, None if samples.ndim == 4 else self._real, columns)
        self._show(f"step_{step:06d}", pixels, step)

    def _show(self, name: str, pixels: np.ndarray, step: int) -> None:
        save_png(pixels, self.run.file("images", f"{name}.png"))
        with self.writer.as_default(step):
            tf.summary.image("real" if name == "real" else "samples", pixels[None])
