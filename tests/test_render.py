"""Laws of pictures: fixed limits, and everything in its place."""

import os

import numpy as np
import pytest
from PIL import Image

from tfwgan.render import image_grid, picture, save_png, save_samples, scatter, to_bytes
from tfwgan.spec import UsageError

BLUE, GREEN, WHITE = (40, 80, 200), (120, 190, 120), (255, 255, 255)


@pytest.mark.parametrize(
    "value, level", [(-1.0, 0), (1.0, 255), (0.0, 128), (-0.5, 64), (1.7, 255), (-9.0, 0), (3e38, 255)]
)
def test_limits_are_fixed(value, level):
    assert np.all(to_bytes(np.full((2, 3, 3, 1), value, np.float32)) == level)


def test_a_picture_out_of_range_is_cut_off_and_not_stretched():
    ramp = np.linspace(0, 3, 16, dtype=np.float32).reshape(1, 4, 4, 1)
    levels = to_bytes(ramp).ravel()
    assert levels[0] == 128 and np.all(levels[ramp.ravel() >= 1] == 255)


def test_every_level_survives_the_way_to_a_network_and_back():
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_bytes(levels.astype(np.float32) / 127.5 - 1), levels)


def levelled(n, height=2, width=3, channels=1):
    """Images of one level each: 10, 20, ..."""
    levels = 10.0 * np.arange(1, n + 1)
    return np.ones((n, height, width, channels)) * (levels / 127.5 - 1)[:, None, None, None]


def shrunk(grid, height, width):
    """The grid before it was enlarged by a whole factor."""
    zoom = grid.shape[0] // height
    assert grid.shape[:2] == (height * zoom, width * zoom)
    small = grid[::zoom, ::zoom]
    np.testing.assert_array_equal(grid, small.repeat(zoom, axis=0).repeat(zoom, axis=1))
    return small


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("gap", [0, 1, 2])
def test_images_lie_row_by_row_with_gaps_between(channels, gap):
    grid = image_grid(levelled(5, channels=channels), columns=2, gap=gap)
    assert grid.dtype == np.uint8 and grid.shape[2] == channels
    small = shrunk(grid, 3 * (2 + gap) + gap, 2 * (3 + gap) + gap)
    expected = np.full(small.shape, 255)
    for i in range(5):
        top, left = gap + i // 2 * (2 + gap), gap + i % 2 * (3 + gap)
        expected[top : top + 2, left : left + 3] = 10 * (i + 1)
    np.testing.assert_array_equal(small, expected)


@pytest.mark.parametrize("n, columns, rows", [(1, 1, 1), (2, 2, 1), (4, 2, 2), (5, 3, 2), (9, 3, 3), (10, 4, 3)])
def test_a_grid_is_nearly_square_by_default(n, columns, rows):
    np.testing.assert_array_equal(image_grid(levelled(n)), image_grid(levelled(n), columns))
    shrunk(image_grid(levelled(n, 4, 4)), rows * 5 + 1, columns * 5 + 1)


def test_large_images_keep_their_size():
    assert image_grid(np.zeros((4, 300, 300, 3))).shape == (603, 603, 3)


PLACES = [
    (0, 0, 0.5, 0.5),
    (0.5, 0, 0.5, 0.75),
    (0, 0.5, 0.25, 0.5),
    (-0.8, -0.4, 0.7, 0.1),
    (5.0, 0, 0.5, 1),
    (0, -5, 1, 0.5),
]


@pytest.mark.parametrize("x, y, row, column", PLACES)
def test_a_point_stands_where_it_belongs(x, y, row, column):
    """The first coordinate goes right and the second up; what lies outside stands on the border."""
    pixels = scatter(np.array([[x, y]]))
    assert pixels.dtype == np.uint8 and pixels.shape == (480, 480, 3)
    marked = np.argwhere(pixels[..., 2].astype(int) - pixels[..., 0] > 30)
    assert 1 <= len(marked) <= 25
    np.testing.assert_allclose(marked.mean(axis=0), [row * 479, column * 479], atol=2.5)


def test_generated_points_cover_real_ones():
    here, there = np.array([[0.0, 0.0]]), np.array([[0.5, 0.5]])
    pixels = scatter(here, np.concatenate([here, there]))
    colours = {tuple(colour) for colour in pixels[220:260, 220:260].reshape(-1, 3).tolist()}
    assert BLUE in colours and GREEN not in colours
    assert GREEN in {tuple(colour) for colour in pixels[100:140, 340:380].reshape(-1, 3).tolist()}
    assert tuple(pixels[300, 100]) == WHITE


def test_real_points_alone_can_be_shown():
    pixels = scatter(None, np.zeros((1, 2)))
    assert (pixels == GREEN).all(axis=-1).any() and not (pixels == BLUE).all(axis=-1).any()


def test_the_picture_fits_the_samples():
    images, points = levelled(3), np.zeros((3, 2))
    np.testing.assert_array_equal(picture(images), image_grid(images))
    np.testing.assert_array_equal(picture(points, points + 0.5), scatter(points, points + 0.5))


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB")])
def test_a_png_holds_the_pixels(tmp_path, channels, mode):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    save_png(pixels, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG" and image.mode == mode
        np.testing.assert_array_equal(np.asarray(image).reshape(pixels.shape), pixels)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_samples_go_into_one_picture(tmp_path):
    said = save_samples(levelled(4), tmp_path / "deep" / "down.png", columns=4)
    assert said == f"Wrote 4 samples to {tmp_path / 'deep' / 'down.png'}."
    np.testing.assert_array_equal(read(tmp_path / "deep" / "down.png"), image_grid(levelled(4), 4)[..., 0])


@pytest.mark.parametrize("samples", [levelled(4), np.zeros((4, 2), np.float32)], ids=["images", "points"])
def test_samples_go_into_an_array(tmp_path, samples):
    save_samples(samples, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        assert file.files == ["images"]
        np.testing.assert_array_equal(file["images"], samples)


def test_samples_go_into_a_folder(tmp_path):
    save_samples(levelled(3, channels=3), tmp_path / "some" / "folder")
    paths = sorted((tmp_path / "some" / "folder").iterdir())
    assert [path.name for path in paths] == ["000000.png", "000001.png", "000002.png"]
    for i, path in enumerate(paths):
        np.testing.assert_array_equal(read(path), np.full((2, 3, 3), 10 * (i + 1)))


def test_points_go_into_a_picture_but_not_into_a_folder(tmp_path):
    points = np.zeros((3, 2))
    save_samples(points, tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png"), scatter(points))
    with pytest.raises(UsageError, match="use .png or .npz"):
        save_samples(points, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize("out", ["file/a.png", "file/a.npz", "file/folder", "file"])
def test_a_place_that_can_not_be_written_is_named(tmp_path, out):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="Can't write --out=.*file"):
        save_samples(levelled(2), tmp_path / out)


def test_nothing_is_left_behind_if_a_picture_can_not_be_finished(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        save_samples(levelled(2), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
