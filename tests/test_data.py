"""Laws of data sets in memory, and of the words that name them."""

import hashlib
import json

import numpy as np
import pytest

from tfwgan import data
from tfwgan.data import dataset as dataset_module
from tfwgan.data import images, synthetic
from tfwgan.data.dataset import Dataset
from tfwgan.errors import UsageError
from tfwgan.program import datasets


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
        (np.zeros((3, 2), np.float32), np.zeros(3, np.float32)),
        (np.zeros((3, 2), np.float32), np.full(3, 2**31, np.int64)),
        (np.zeros((3, 4, 0, 1), np.uint8), None),
        (np.zeros((3, 2), np.float32), np.array([0, -1, 1], np.int32)),
        (np.zeros((0, 2), np.float32), None),
    ],
)
def test_a_data_set_refuses_arrays_of_another_kind(items, labels):
    with pytest.raises(ValueError, match="broken"):
        Dataset("broken", items, labels)


WAYS = {  # how other libraries keep the same images
    "0 ... 1": lambda x: x / 255.0,
    "0 ... 1, float16": lambda x: (x / 255.0).astype(np.float16),
    "-1 ... 1": lambda x: x / 127.5 - 1.0,
    "0 ... 255": lambda x: x.astype(np.float32),
    "int64": lambda x: x.astype(np.int64),
    "channels first": lambda x: x.transpose(0, 3, 1, 2),
    "channels first, -1 ... 1": lambda x: x.transpose(0, 3, 1, 2) / 127.5 - 1.0,
}


@pytest.mark.parametrize("way", WAYS)
def test_images_of_another_kind_are_told_how_to_convert_them_and_it_is_true(way):
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    items = WAYS[way](images)
    with pytest.raises(UsageError, match="mine: items must be") as caught:
        Dataset("mine", items)
    assert "\n" not in str(caught.value)
    recipe = str(caught.value).split("convert with ")[1].rstrip(".")
    names = {"np": np, "items": items}
    exec(recipe, names)
    assert np.abs(Dataset("mine", names["items"]).items.astype(int) - images).max() <= (
        "float16" in way
    )


def test_a_missing_axis_and_other_points_are_told_too():
    with pytest.raises(UsageError, match=r"convert with items = items\[..., np.newaxis\]\."):
        Dataset("mine", np.zeros((3, 4, 4), np.uint8))
    with pytest.raises(UsageError, match=r"of points give items.astype\(np.float32\)"):
        Dataset("mine", np.zeros((3, 2)))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 12])
def test_images_may_have_any_number_of_channels(channels):
    assert Dataset("bands", np.zeros((2, 8, 8, channels), np.uint8)).shape == (8, 8, channels)


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.int16, ">i4", list])
def test_whole_numbers_of_any_type_are_labels(kind):
    labels = [0, 2, 1] if kind is list else np.array([0, 2, 1], kind)
    dataset = Dataset("mine", np.zeros((3, 2), np.float32), labels, ["a", "b", "c"])
    assert dataset.labels.dtype == np.int32 and dataset.labels.tolist() == [0, 2, 1]
    assert dataset.class_names == ("a", "b", "c")


def test_a_fingerprint_is_that_of_the_numbers_however_they_lie_in_memory(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    items, labels = rng.integers(0, 256, (7, 4, 6, 3), dtype=np.uint8), np.arange(7) % 3
    mapped = np.memmap(tmp_path / "items", np.uint8, "w+", shape=items.shape)
    mapped[:] = items
    prints = []
    for piece in (1, 100, 1 << 20):
        monkeypatch.setattr(dataset_module, "_PIECE", piece)
        for array in (items, np.asfortranarray(items), items[::-1].copy()[::-1], mapped):
            prints.append(Dataset("mine", array, labels).fingerprint)
    assert all(one == prints[0] for one in prints)
    assert json.loads(json.dumps(prints[0])) == prints[0]
    digest = hashlib.blake2b(
        items.tobytes() + labels.astype("<i4").tobytes(), digest_size=16
    ).hexdigest()
    assert prints[0] == {
        "name": "mine",
        "shape": [4, 6, 3],
        "size": 7,
        "n_classes": 3,
        "digest": digest,
    }


def test_every_change_of_the_data_changes_the_fingerprint():
    items, labels = np.zeros((4, 2, 2, 1), np.uint8), np.array([0, 1, 2, 2])
    one_pixel, one_label = items.copy(), labels.copy()
    one_pixel[3, 1, 1, 0], one_label[0] = 1, 1
    variants = [
        (items, labels),
        (items, None),
        (one_pixel, labels),
        (items, one_label),
        (one_pixel[::-1], labels),
    ]
    assert len({Dataset("mine", *variant).fingerprint["digest"] for variant in variants}) == len(
        variants
    )
    points = Dataset("mine", np.zeros((4, 2), np.float32))
    assert points.fingerprint["n_classes"] is None and points.fingerprint is points.fingerprint


def test_squares_stand_at_every_position_row_by_row():
    squares = datasets.load("squares")
    assert (
        squares.shape == (64, 64, 1) and len(squares) == 52 * 52 == 2704 and squares.labels is None
    )
    assert set(np.unique(squares.items)) == {0, 255}
    assert np.all(squares.items.sum(axis=(1, 2, 3), dtype=np.int64) == 100 * 255)
    top = (squares.items.max(axis=(2, 3)) > 0).argmax(axis=1)
    left = (squares.items.max(axis=(1, 3)) > 0).argmax(axis=1)
    rows, columns = np.divmod(np.arange(2704), 52)
    np.testing.assert_array_equal(top, rows + 1)
    np.testing.assert_array_equal(left, columns + 1)


def test_options_of_squares_move_and_thin_them():
    squares = datasets.load("squares=16-square=4-offset=0-stride=3")
    assert squares.shape == (16, 16, 1) and len(squares) == len(range(0, 12, 3)) ** 2
    assert squares.items[0, :4, :4].min() == 255 and squares.items[1, :4, 3:7].min() == 255


@pytest.mark.parametrize("name, modes", [("ring8", 8), ("grid25", 25)])
def test_mixtures_have_equal_shares_around_their_centres(name, modes):
    points = datasets.load(f"{name}={400 * modes}")
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
    ring = datasets.load("ring8")
    assert len(ring) == 3200
    np.testing.assert_allclose(np.linalg.norm(ring.items, axis=1).mean(), 10 / 15, rtol=5e-3)


def test_the_seed_of_points_decides_them():
    first, same, other = (
        datasets.load(text).items for text in ("ring8=80", "ring8=80", "ring8=80-seed=1")
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_the_bundled_sample_is_labelled_fashion():
    fashion = datasets.load("fashion_mini")
    assert fashion.items.shape == (10000, 28, 28, 1) and fashion.n_classes == 10
    assert fashion.class_names[9] == "Ankle boot"
    np.testing.assert_array_equal(fashion.labels[:5], [9, 0, 0, 3, 0])
    assert np.bincount(fashion.labels).min() > 900


def test_image_options_apply_to_every_image_set():
    assert datasets.load("fashion_mini", image_size=32, limit_data=20).items.shape == (
        20,
        32,
        32,
        1,
    )
    assert datasets.load(
        "fashion_mini", center_crop=20, gray_scale=True, limit_data=20
    ).items.shape == (20, 20, 20, 1)
    squares = datasets.load("squares=32-stride=4", image_size=16)
    assert squares.shape == (16, 16, 1)
    assert squares.items.max() == 255


@pytest.mark.parametrize("text", ["ring8=80", "fashion_mini", "squares=20"])
def test_a_limit_keeps_the_first_items(text):
    whole, part = datasets.load(text), datasets.load(text, limit_data=9)
    np.testing.assert_array_equal(part.items, whole.items[:9])
    assert part.class_names == whole.class_names and part.n_classes == whole.n_classes
    assert len(datasets.load(text, limit_data=len(whole) + 1)) == len(whole)


BAD = [
    ("ring9", {}, ["Unknown data set 'ring9'", "did you mean 'ring8'?"]),
    ("mnist", {}, ["Unknown data set 'mnist'; did you mean tfds=mnist? Known: fashion_mini, "]),
    ("CIFAR-10", {}, ["did you mean tfds=cifar10?"]),
    ("celeba", {"image_size": 8}, ["did you mean tfds=celeb_a?"]),
    ("x" * 300, {}, ["Unknown data set", "Known: "]),
    ("~nosuchuser/x", {}, ["Unknown data set", "Known: "]),
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
    ("squares=20", {"center_crop": 21}, ["center_crop=21", "20x20"]),
    ("fashion_mini=3", {}, ["takes no value"]),
    ("fashion_mini", {"center_crop": 29}, ["center_crop=29", "fashion_mini", "28x28"]),
    ("fashion_mini", {"limit_data": 0}, ["--limit_data", "at least 1", "got 0"]),
    ("fashion_mini", {"image_size": 0}, ["--image_size", "got 0"]),
    ("fashion_mini", {"center_crop": -3}, ["--center_crop", "got -3"]),
    ("ring8", {"image_size": 64}, ["ring8 is a set of points", "--image_size"]),
    ("grid25", {"gray_scale": True}, ["grid25 is a set of points", "--gray_scale"]),
    ("folder", {}, ["folder=<path>"]),
    ("folder=", {}, ["folder=<path>"]),
    ("tfds", {}, ["tfds=<name>"]),
]


@pytest.mark.parametrize(
    "text, options, parts", BAD, ids=[f"{text} {options}" for text, options, _ in BAD]
)
def test_mistakes_are_told_in_one_line_with_the_remedy(text, options, parts):
    with pytest.raises(UsageError) as caught:
        datasets.load(text, **options)
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["photos", "my-photos", "mnist", "./a/b"])
@pytest.mark.parametrize("ask", [datasets.load, datasets.outline])
def test_the_name_of_a_folder_here_is_told_to_be_one(ask, name, tmp_path, monkeypatch):
    (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"did you mean folder={name}\\? Known: "):
        ask(name)


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
