"""Laws of the order in which training sees the data."""

import numpy as np
import pytest
import tensorflow as tf

from tfwgan import data
from tfwgan.data import images
from tfwgan.data.dataset import Dataset
from tfwgan.errors import UsageError
from tfwgan.program import datasets


def numbered(n, labelled=True):
    """Points whose coordinate, and images whose pixels, tell their number."""
    items = np.linspace(-1, 1, n, dtype=np.float32)[:, None]
    return Dataset("numbers", items, np.arange(n, dtype=np.int32) if labelled else None)


def read(dataset, **options):
    return list(data.batches(dataset, **options).as_numpy_iterator())


def order(elements):
    """The labels in the order in which critic steps read them."""
    return np.concatenate([element["label"].T.ravel() for element in elements])


@pytest.mark.parametrize(
    "n, batch_size, n_critic", [(12, 4, 3), (10, 4, 5), (7, 7, 1), (9, 2, 2), (1, 1, 2)]
)
def test_every_epoch_holds_each_item_once_in_an_order_of_its_own(n, batch_size, n_critic):
    per_element = batch_size * n_critic
    steps = -(-6 * n // per_element)
    sequence = order(
        read(numbered(n), batch_size=batch_size, n_critic=n_critic, seed=0, steps=steps)
    )
    epochs = [sequence[start : start + n].tolist() for start in range(0, 6 * n, n)]
    assert all(sorted(epoch) == list(range(n)) for epoch in epochs)
    assert n < 7 or len(set(map(tuple, epochs))) == 6


@pytest.mark.parametrize("first_step", [0, 1, 7, 40])
def test_starting_late_is_skipping(first_step):
    options = {"batch_size": 4, "n_critic": 3, "seed": 5}
    late = read(numbered(10), first_batch=3 * first_step, steps=3, **options)
    skipped = data.batches(numbered(10), **options).skip(first_step).take(3).as_numpy_iterator()
    for one, other in zip(late, skipped, strict=True):
        np.testing.assert_array_equal(one["image"], other["image"])
        np.testing.assert_array_equal(one["label"], other["label"])


def test_half_of_the_images_are_mirrored_and_starting_late_changes_none():
    pictures = np.random.default_rng(0).integers(0, 256, [50, 4, 6, 3], np.uint8)
    dataset = Dataset("noise", pictures, np.arange(50, dtype=np.int32))
    options = {"batch_size": 10, "n_critic": 2, "seed": 1, "flip": True}
    elements = read(dataset, steps=40, **options)
    mirrored = []
    for element in elements:
        plain = dataset.real(element["label"].ravel()).reshape(element["image"].shape)
        same, other = (
            (element["image"] == one).all(axis=(2, 3, 4)) for one in (plain, plain[..., ::-1, :])
        )
        assert (same ^ other).all()
        mirrored.append(other)
    assert 0.4 < np.mean(mirrored) < 0.6  # 800 of them: five standard deviations are 0.09
    by_image = {
        (label, flip)
        for element, flips in zip(elements, mirrored, strict=True)
        for label, flip in zip(element["label"].ravel(), flips.ravel(), strict=True)
    }
    assert len(by_image) > 95  # nearly every image is seen both ways
    late = read(dataset, first_batch=14, steps=1, **options)
    np.testing.assert_array_equal(late[0]["image"], elements[7]["image"])


def test_epochs_are_whole_after_a_billion_steps():
    elements = read(numbered(12), batch_size=4, n_critic=3, seed=0, first_batch=3 * 10**9, steps=2)
    assert [sorted(order([element])) for element in elements] == [list(range(12))] * 2


def test_the_seed_decides_the_order():
    first, same, other = (
        order(read(numbered(50), batch_size=10, n_critic=5, seed=seed, steps=2))
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_critic_steps_read_consecutive_batches():
    one = order(read(numbered(30), batch_size=6, n_critic=5, seed=0, steps=2))
    other = order(read(numbered(30), batch_size=6, n_critic=1, seed=0, steps=10))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "text, shape", [("fashion_mini", (28, 28, 1)), ("ring8", (2,)), ("squares=20", (20, 20, 1))]
)
def test_elements_have_known_shapes_and_real_values(text, shape):
    dataset = datasets.load(text)
    batches = data.batches(dataset, batch_size=6, n_critic=2, seed=0)
    expected = {"image": tf.TensorSpec((6, 2, *shape), tf.float32)}
    if dataset.labels is not None:
        expected["label"] = tf.TensorSpec((6, 2), tf.int32)
    assert batches.element_spec == expected
    assert batches.cardinality() == tf.data.INFINITE_CARDINALITY
    assert batches.take(3).cardinality() == 3
    image = next(batches.as_numpy_iterator())["image"]
    assert image.min() >= -1 and image.max() <= 1


def test_images_arrive_as_the_data_set_shows_them():
    dataset = Dataset(
        "noise",
        np.random.default_rng(0).integers(0, 256, (9, 5, 4, 3), dtype=np.uint8),
        np.arange(9, dtype=np.int32),
    )
    for element in read(dataset, batch_size=4, n_critic=2, seed=3, steps=4):
        np.testing.assert_array_equal(element["image"], dataset.real(element["label"]))


def test_a_set_in_a_file_gives_what_one_in_memory_gives(monkeypatch):
    in_memory = datasets.load("squares=16-square=4")
    monkeypatch.setattr(images, "MEMORY_LIMIT", 0)
    in_file = datasets.load("squares=16-square=4")
    assert isinstance(in_file.items, np.memmap)
    options = {"batch_size": 5, "n_critic": 2, "seed": 0, "steps": 4}
    assert (
        data.batches(in_file, **options).element_spec
        == data.batches(in_memory, **options).element_spec
    )
    for one, other in zip(read(in_file, **options), read(in_memory, **options), strict=True):
        np.testing.assert_array_equal(one["image"], other["image"])


def test_sets_without_labels_give_images_only():
    assert set(read(numbered(5, labelled=False), batch_size=2, n_critic=1, seed=0, steps=1)[0]) == {
        "image"
    }


@pytest.mark.parametrize(
    "options, message",
    [
        (
            {"batch_size": 11},
            "batch_size=11 is larger than numbers, which has 10 items; use `batch_size=10` or less",
        ),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"n_critic": 0}, "n_critic must be at least 1, got 0"),
        ({"flip": True}, "flip mirrors images, and numbers has points"),
        ({"first_batch": -1}, "first_batch must be at least 0, got -1"),
        ({"steps": -1}, "steps must be at least 0, got -1"),
    ],
)
def test_impossible_numbers_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        data.batches(numbered(10), **({"batch_size": 2, "n_critic": 1, "seed": 0} | options))
