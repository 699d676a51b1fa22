"""Pictures of a run show the same latents through the generator as it learns.

Beside them lies one picture of real data.

A conditional generator shows one row for each of its classes, or for an even choice of them where
they are very many; the picture of real data has the same rows.
"""

import numpy as np
import tensorflow as tf

from tfwgan.callbacks.steps import StepCallback
from tfwgan.data.dataset import Dataset
from tfwgan.loop import Logs
from tfwgan.protocols import RunFolder
from tfwgan.render import Heads, picture, save_png

_N_IMAGES, _N_POINTS, _COLUMNS = 64, 2000, 8
_MOST_ROWS = 16  # classes; more would be too small to see


class Pictures(StepCallback):
    """Writes `images/real.png` once and `images/step_<step>.png` every `every` steps.

    The last step has its picture too.
    """

    def __init__(
        self,
        run: RunFolder,
        writer: tf.summary.SummaryWriter,
        dataset: Dataset,
        every: int,
        last: int,
    ) -> None:
        super().__init__()
        self.run, self.writer, self.every, self.last = run, writer, every, last
        self.dataset = dataset
        self._n = _N_IMAGES if dataset.is_image else _N_POINTS
        self._real = dataset.real(
            np.arange(min(self._n, len(dataset))) * max(1, len(dataset) // self._n)
        )

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: D102 - see StepCallback
        super().on_train_begin()
        if self.step == 0:
            self._show("real", self._real_picture(), 0)
            self._show_samples(0)

    def on_step(self, step: int, logs: Logs) -> None:  # noqa: D102 - see StepCallback
        if step % self.every == 0 or step == self.last:
            self._show_samples(step)

    def _real_picture(self) -> np.ndarray:
        if not self.dataset.is_image:
            return picture(None, self._real)
        if not self.model.n_classes or self.dataset.labels is None:
            return picture(self._real)
        classes = shown_classes(self.model.n_classes)
        return picture(
            class_rows(self.dataset, classes, _COLUMNS), None, _COLUMNS, **self._heads(classes)
        )

    def _show_samples(self, step: int) -> None:
        n_classes = self.model.n_classes
        if not n_classes:
            samples = np.asarray(self.model.sample(self._n))
            pixels = picture(samples, None if samples.ndim == 4 else self._real)
        elif self.dataset.is_image:
            classes = shown_classes(n_classes)
            samples = np.concatenate(
                [self.model.sample(_COLUMNS, label, label) for label in classes]
            )
            pixels = picture(samples, None, _COLUMNS, **self._heads(classes))
        else:
            each = max(1, self._n // n_classes)
            samples = np.concatenate(
                [self.model.sample(each, label, label) for label in range(n_classes)]
            )
            pixels = picture(samples, self._real)
        self._show(f"step_{step:06d}", pixels, step)

    def _heads(self, classes: list[int]) -> Heads:
        """Heads that name the classes, left of their rows, and tell above how many there are.

        Classes without names have their numbers. The head above is there only if not all are shown.
        """
        names, n_classes = self.dataset.class_names, self.model.n_classes
        title = "" if len(classes) == n_classes else f"{len(classes)} of {n_classes} classes"
        return {"row_heads": [names[i] if names else str(i) for i in classes], "title": title}

    def _show(self, name: str, pixels: np.ndarray, step: int) -> None:
        save_png(pixels, self.run.file("images", f"{name}.png"))
        with self.writer.as_default(step):
            tf.summary.image("real" if name == "real" else "samples", pixels[None])


def shown_classes(n_classes: int, most: int = _MOST_ROWS) -> list[int]:
    """All classes, or where there are more than `most`, so many at even distances.

    The first class and the last are always among them.
    """
    return sorted(
        set(np.linspace(0, n_classes - 1, min(n_classes, most)).round().astype(int).tolist())
    )


def class_rows(dataset: Dataset, classes: list[int], columns: int) -> np.ndarray:
    """Real images `[len(classes) * columns, h, w, c]` in [-1, 1], with a row for each class.

    Where a class has too few images, the rest of its row is white.
    """
    rows = np.ones((len(classes), columns, *dataset.shape), np.float32)
    for row, label in zip(rows, classes, strict=True):
        of_class = np.flatnonzero(dataset.labels == label)[:columns]
        row[: len(of_class)] = dataset.real(of_class)
    return rows.reshape(-1, *dataset.shape)
