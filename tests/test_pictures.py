"""Laws of a run's pictures: every class has its row, in the samples as in the real data."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfwgan.callbacks.pictures import Pictures, class_rows, shown_classes
from tfwgan.data.dataset import Dataset
from tfwgan.render import image_grid, scatter


@pytest.mark.parametrize("n", [1, 2, 9, 16, 17, 102, 1000])
def test_all_classes_are_shown_or_an_even_choice_of_many(n):
    classes = shown_classes(n)
    assert (
        len(classes) == min(n, 16) == len(set(classes)) and classes[0] == 0 and classes[-1] == n - 1
    )
    assert n == 1 or np.ptp(np.diff(classes)) <= 1


def labelled(n_classes, each=3, names=True, points=False):
    """Items that show their class: images of its level, or points at its place."""
    labels = np.arange(n_classes * each) % n_classes
    if points:
        items = np.stack([labels / n_classes, -labels / n_classes], 1).astype(np.float32)
    else:
        items = np.broadcast_to(
            labels.astype(np.uint8)[:, None, None, None], (len(labels), 12, 12, 1)
        )
    return Dataset(
        "mine", items, labels, [f"kind {i}" for i in range(n_classes)] if names else None
    )


def test_rows_of_real_images_are_their_classes_and_missing_ones_are_white():
    rows = class_rows(labelled(5), [0, 3, 4], 4).reshape(3, 4, -1)
    for row, label in zip(rows, (0, 3, 4), strict=True):
        np.testing.assert_allclose(row[:3], label / 127.5 - 1, atol=1e-6)
        assert (row[3] == 1).all()


class Generator:
    """Stands for a trainer: it draws the items of the class that is asked for."""

    def __init__(self, dataset, n_classes):
        self.dataset, self.n_classes, self.steps_done = dataset, n_classes, 0

    def sample(self, n, seed=0, label=None):
        labels = self.dataset.labels
        return self.dataset.real(
            np.resize(np.flatnonzero(labels == label) if self.n_classes else [0], n)
        )


def draw(dataset, n_classes, folder):
    run = SimpleNamespace(file=lambda *parts: folder / parts[-1])
    callback = Pictures(run, tf.summary.create_noop_writer(), dataset, 10, 10)
    callback.set_model(Generator(dataset, n_classes))
    callback.on_train_begin()
    return [np.asarray(Image.open(folder / name)) for name in ("real.png", "step_000000.png")]


@pytest.mark.parametrize("n_classes", [2, 10, 40])
@pytest.mark.parametrize("names", [True, False])
def test_samples_and_real_data_have_a_named_row_for_each_class(n_classes, names, tmp_path):
    dataset, classes = labelled(n_classes, 8, names), shown_classes(n_classes)
    real, fake = draw(dataset, n_classes, tmp_path)
    np.testing.assert_array_equal(real, fake)
    rows = np.repeat([dataset.real(slice(label, label + 1)) for label in classes], 8, axis=0)[:, 0]
    heads = [f"kind {label}" if names else str(label) for label in classes]
    title = "" if n_classes <= 16 else f"16 of {n_classes} classes"
    np.testing.assert_array_equal(real, image_grid(rows, 8, row_heads=heads, title=title)[..., 0])


def test_without_classes_in_the_generator_the_real_data_are_mixed(tmp_path):
    dataset = labelled(4, 16)
    real, fake = draw(dataset, None, tmp_path)
    np.testing.assert_array_equal(real, image_grid(dataset.real(slice(64)))[..., 0])
    assert fake.shape == real.shape


@pytest.mark.parametrize("n_classes", [2, 8, 25])
def test_points_of_all_classes_are_drawn(n_classes, tmp_path):
    dataset = labelled(n_classes, 2, points=True)
    real, fake = draw(dataset, n_classes, tmp_path)
    np.testing.assert_array_equal(real, scatter(None, dataset.items))
    np.testing.assert_array_equal(fake, scatter(dataset.items, dataset.items))
