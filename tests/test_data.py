"""Laws of data sets in memory, and of the words that name them."""

import numpy as np
import pytest

from tfwgan import data
from tfwgan.data import images, synthetic
from tfwgan.data.dataset import Dataset
from tfwgan.spec import UsageError


def test_pixels_become_minus_one_to_one():
    levels = np.arange(256, dtype=np.uint8).reshape(4, 8, 8, 1)
    real = Dataset("levels", levels).real(np.array([3, 0]))
    assert real.dtype == np.float32 and real.shape == (2, 8, 8, 1)
    assert real.min() == -1.0 and real.max() == 1.0
    np.testing.assert_allclose(real[1].ravel(), np.arange(64) / 127.5 - 1, atol=1e-7)


@pytest.mark.parametrize(
    "items, labels",
    [
        (np.zeros((3, 4, 4, 1), np.float32), None),
        (np.zeros((3, 4, 4), np.uint8), None),
        (np.zeros((3, 2), np.float64), None),
        (np.full((3, 2), 1.5, np.float32), None),
        (np.full((3, 2), np.nan, np.float32), None),
        (np.zeros((3, 2), np.float32), np.zeros(2, np.int32)),
        (np.zeros((3, 2), np.float32), np.zeros(3, np.int64)),
        (np.zeros((3, 2), np.float32), np.array([0, -1, 1], np.int32)),
        (np.zeros((0, 2), np.float32), None),
    ],
)
def test_a_data_set_refuses_arrays_of_another_kind(items, labels):
    with pytest.raises(ValueError, match="broken"):
        Dataset("broken", items, labels)


def test_squares_stand_at_every_position_row_by_row():
    squares = data.load("squares")
    assert squares.shape == (64, 64, 1) and len(squares) == 52 * 52 == 2704 and squares.labels is None
    assert set(np.unique(squares.items)) == {0, 255}
    assert np.all(squares.items.sum(axis=(1, 2, 3), dtype=np.int64) == 100 * 255)
    top = (squares.items.max(axis=(2, 3)) > 0).argmax(axis=1)
    left = (squares.items.max(axis=(1, 3)) > 0).argmax(axis=1)
    rows, columns = np.divmod(np.arange(2704), 52)
    np.testing.assert_array_equal(top, rows + 1)
    np.testing.assert_array_equal(left, columns + 1)


def test_options_of_squares_move_and_thin_them():
    squares = data.load("squares=16-square=4-offset=0-stride=3")
    assert squares.shape == (16, 16, 1) and len(squares) == len(range(0, 12, 3)) ** 2
    assert squares.items[0, :4, :4].min() == 255 and squares.items[1, :4, 3:7].min() == 255


@pytest.mark.parametrize("name, modes", [("ring8", 8), ("grid25", 25)])
def test_mixtures_have_equal_shares_around_their_centres(name, modes):
    points = data.load(f"{name}={400 * modes}")
    centres = {"ring8": data.ring8_centres, "grid25": data.grid25_centres}[name]()
    assert points.items.dtype == np.float32 and points.n_classes == modes and not points.is_image
    assert np.abs(points.items).max() < 1
    assert np.all(np.bincount(points.labels) == 400)
    assert np.unique(points.labels[:modes]).size == modes
    for mode in range(modes):
        offsets = points.items[points.labels == mode] - centres[mode]
        np.testing.assert_allclose(offsets.mean(axis=0), 0, atol=5 * synthetic.SIGMA / 20)
        np.testing.assert_allclose(offsets.std(axis=0), synthetic.SIGMA, rtol=0.2)
    nearest = ((points.items[:, None] - centres) ** 2).sum(-1).argmin(1)
    np.testing.assert_array_equal(nearest, points.labels)


def test_centres_lie_where_the_papers_put_them():
    np.testing.assert_allclose(np.linalg.norm(data.ring8_centres(), axis=1), 10 / 15, rtol=1e-6)
    assert {tuple(point) for point in np.rint(data.grid25_centres() * 15).astype(int).tolist()} == {
        (x, y) for x in range(-10, 11, 5) for y in range(-10, 11, 5)
    }
    ring = data.load("ring8")
    assert len(ring) == 3200
    np.testing.assert_allclose(np.linalg.norm(ring.items, axis=1).mean(), 10 / 15, rtol=5e-3)


def test_the_seed_of_points_decides_them():
    first, same, other = (data.load(text).items for text in ("ring8=80", "ring8=80", "ring8=80-seed=1"))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_the_bundled_sample_is_labelled_fashion():
    fashion = data.load("fashion_mini")
    assert fashion.items.shape == (10000, 28, 28, 1) and fashion.n_classes == 10
    assert fashion.class_names[9] == "Ankle boot"
    np.testing.assert_array_equal(fashion.labels[:5], [9, 0, 0, 3, 0])
    assert np.bincount(fashion.labels).min() > 900


def test_image_options_apply_to_every_image_set():
    assert data.load("fashion_mini", image_size=32, limit_data=20).items.shape == (20, 32, 32, 1)
    assert data.load("fashion_mini", center_crop=20, gray_scale=True, limit_data=20).items.shape == (20, 20, 20, 1)
    squares = data.load("squares=32-stride=4", image_size=16)
    assert squares.shape == (16, 16, 1)
    assert squares.items.max() == 255


@pytest.mark.parametrize("text", ["ring8=80", "fashion_mini", "squares=20"])
def test_a_limit_keeps_the_first_items(text):
    whole, part = data.load(text), data.load(text, limit_data=9)
    np.testing.assert_array_equal(part.items, whole.items[:9])
    assert part.class_names == whole.class_names and part.n_classes == whole.n_classes
    assert len(data.load(text, limit_data=len(whole) + 1)) == len(whole)


BAD = [
    ("ring9", {}, ["Unknown data set 'ring9'", "did you mean 'ring8'?"]),
    ("ring8-m=3", {}, ["no option 'm'", "Known: n, seed"]),
    ("ring8=81", {}, ["multiple of 8", "got 81", "n=80"]),
    ("ring8=3", {}, ["n=8."]),
    ("grid25=0", {}, ["multiple of 25", "n=25"]),
    ("ring8=many", {}, ["whole number", "'many'"]),
    ("squares=10", {}, ["no position is left", "size=13"]),
    ("squares-square=0", {}, ["at least 1", "square=0"]),
    ("squares-stride=0", {}, ["stride=0"]),
    ("squares-offset=-1", {}, ["offset=-1"]),
    ("squares-image_size=3", {}, ["no option 'image_size'"]),
    ("squares=20", {"center_crop": 21}, ["--center_crop=21", "20x20"]),
    ("fashion_mini=3", {}, ["takes no value"]),
    ("fashion_mini", {"center_crop": 29}, ["--center_crop=29", "fashion_mini", "28x28"]),
    ("fashion_mini", {"limit_data": 0}, ["--limit_data", "at least 1", "got 0"]),
    ("fashion_mini", {"image_size": 0}, ["--image_size", "got 0"]),
    ("fashion_mini", {"center_crop": -3}, ["--center_crop", "got -3"]),
    ("ring8", {"image_size": 64}, ["ring8 is a set of points", "--image_size"]),
    ("grid25", {"gray_scale": True}, ["grid25 is a set of points", "--gray_scale"]),
    ("folder", {}, ["folder=<path>"]),
    ("folder=", {}, ["folder=<path>"]),
    ("tfds", {}, ["tfds=<name>"]),
]


@pytest.mark.parametrize("text, options, parts", BAD, ids=[f"{text} {options}" for text, options, _ in BAD])
def test_mistakes_are_told_in_one_line_with_the_remedy(text, options, parts):
    with pytest.raises(UsageError) as caught:
        data.load(text, **options)
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


def test_sets_beyond_the_limit_lie_in_a_file(monkeypatch):
    monkeypatch.setattr(images, "MEMORY_LIMIT", 999)
    room = images.allocate(10, (10, 10, 1))
    assert isinstance(room, np.memmap) and room.shape == (10, 10, 10, 1)
    room[:] = 7
    assert room.sum() == 7000
    assert not isinstance(images.allocate(10, (10, 1, 1)), np.memmap)


def test_a_full_disk_is_named(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(images, "MEMORY_LIMIT", 10)
    monkeypatch.setattr(images.os, "posix_fallocate", full, raising=False)
    with pytest.raises(UsageError, match="No space left on device.*TMPDIR"):
        images.allocate(10, (10, 10, 1))
