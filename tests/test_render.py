"""Laws of pictures: fixed limits, and everything in its place."""

import os

import numpy as np
import pytest
from PIL import Image

from tfwgan.errors import UsageError
from tfwgan.plots import COLOURS
from tfwgan.render import SIDE, image_grid, picture, save_png, save_samples, scatter, to_bytes

BLUE, GREEN, WHITE = (40, 80, 200), (120, 190, 120), (255, 255, 255)


@pytest.mark.parametrize(
    "value, level",
    [(-1.0, 0), (1.0, 255), (0.0, 128), (-0.5, 64), (1.7, 255), (-9.0, 0), (3e38, 255)],
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


@pytest.mark.parametrize(
    "n, columns, rows", [(1, 1, 1), (2, 2, 1), (4, 2, 2), (5, 3, 2), (9, 3, 3), (10, 4, 3)]
)
def test_a_grid_is_nearly_square_by_default(n, columns, rows):
    np.testing.assert_array_equal(image_grid(levelled(n)), image_grid(levelled(n), columns))
    shrunk(image_grid(levelled(n, 4, 4)), rows * 5 + 1, columns * 5 + 1)


def test_large_images_keep_their_size():
    assert image_grid(np.zeros((4, 400, 400, 3))).shape == (803, 803, 3)


@pytest.mark.parametrize("side", [1, 4, 28, 32, 64, 90])
@pytest.mark.parametrize("n, columns", [(64, 8), (80, 8), (80, 10), (4, None)])
def test_small_images_are_enlarged_to_be_seen(side, n, columns):
    longer = max(image_grid(np.zeros((n, side, side, 1)), columns).shape)
    assert 2 / 3 * SIDE <= longer <= 4 / 3 * SIDE


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 8])
def test_images_of_any_number_of_channels_can_be_drawn_and_saved(channels, tmp_path):
    images = np.random.default_rng(0).uniform(-1, 1, (3, 5, 4, channels)).astype(np.float32)
    shown = images[..., : 3 if channels >= 3 else 1]
    np.testing.assert_array_equal(image_grid(images), image_grid(shown))
    for out in ("a.png", "a.jpg", "folder"):
        save_samples(images, tmp_path / out)
    np.testing.assert_array_equal(
        read(tmp_path / "folder/000001.png").reshape(shown[1].shape), to_bytes(shown[1])
    )
    save_samples(images, tmp_path / "a.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), images)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "heads",
    [
        {"row_heads": ["one", "two", "3"]},
        {"column_heads": ["cats", "a very long name"]},
        {"title": "A title"},
    ],
)
def test_heads_stand_in_a_margin_and_change_no_pixel_of_the_images(heads, channels):
    plain = image_grid(levelled(6, 9, 9, channels), 2)
    headed = image_grid(levelled(6, 9, 9, channels), 2, **heads)
    assert headed.shape[2] == channels
    rows, columns = np.subtract(headed.shape, plain.shape)[:2]
    assert (rows > 0) == ("row_heads" not in heads) and (columns > 0) == ("row_heads" in heads)
    np.testing.assert_array_equal(headed[rows:, columns : columns + plain.shape[1]], plain)
    margin = headed[:rows] if rows else headed[:, :columns]
    assert (margin < 128).any() and (margin[:, -1] == 255).all() and (margin[0] == 255).all()


@pytest.mark.parametrize("side, n", [(28, 1), (28, 16), (8, 60), (300, 2)])
@pytest.mark.parametrize("name", ["x", "smileys_emotion", "word " * 30, "W" * 200, ""])
def test_heads_of_any_length_stay_beside_their_row_or_column(side, n, name):
    """Every head but the first is empty.

    So what is printed must lie within the first row or column.
    """
    heads = [name] + [""] * (n - 1)
    tall, wide = image_grid(levelled(n, side, side), 1), image_grid(levelled(n, side, side), n)
    printed = np.argwhere(
        image_grid(levelled(n, side, side), 1, row_heads=heads)[:, : -tall.shape[1], 0] < 200
    )
    assert (printed[:, 0] <= max(18, tall.shape[0] / n + 2)).all()
    assert (len(printed) > 0) == bool(name)
    above = image_grid(levelled(n, side, side), n, column_heads=heads)[: -wide.shape[0], :, 0]
    assert (np.argwhere(above < 200)[:, 1] <= wide.shape[1] / n + 12).all()


def test_heads_have_to_be_as_many_as_rows_and_columns():
    for heads in ({"row_heads": ["a"]}, {"column_heads": ["a", "b", "c"]}):
        with pytest.raises(ValueError, match="heads were given for [23] (rows|columns)"):
            image_grid(levelled(5), 2, **heads)


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


def test_paths_are_lines_from_end_to_end():
    path = np.stack([np.linspace(-0.5, 0.5, 5), np.full(5, 0.25)], 1)
    pixels = scatter(None, None, np.stack([path, path[:, ::-1]]))
    level = round((1 - 0.25) / 2 * 479)
    for colour, line in (
        (COLOURS[0], pixels[level]),
        (COLOURS[1], pixels[:, round(1.25 / 2 * 479)]),
    ):
        lit = np.flatnonzero(np.abs(line.astype(int) - colour).max(-1) < 40)
        assert abs(len(lit) - 240) < 16 and np.ptp(lit) + 1 - len(lit) < 12  # but where they cross
    np.testing.assert_array_equal(scatter(path, path, None), scatter(path, path))
    assert scatter(np.zeros((2, 1)), paths=np.zeros((1, 2, 5))).shape == (480, 480, 3)


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
    np.testing.assert_array_equal(
        read(tmp_path / "deep" / "down.png"), image_grid(levelled(4), 4)[..., 0]
    )


@pytest.mark.parametrize(
    "samples", [levelled(4), np.zeros((4, 2), np.float32)], ids=["images", "points"]
)
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


@pytest.mark.parametrize(
    "name", ["a.PNG", "a.jpg", "a.JPEG", "a.webp", "a.Npz", "a.npy", "deep.er/a.PnG"]
)
def test_the_case_of_an_ending_does_not_matter(name, tmp_path):
    images = levelled(4, 8, 8)
    save_samples(images, tmp_path / name, 2)
    path = tmp_path / name
    assert path.is_file() and [each for each in tmp_path.rglob("*") if each.is_file()] == [path]
    if path.suffix.lower() in (".npz", ".npy"):
        loaded = np.load(path)
        np.testing.assert_array_equal(loaded if path.suffix == ".npy" else loaded["images"], images)
    else:
        atol = 12 if "j" in path.suffix.lower() else 0
        drawn = read(path).reshape(*read(path).shape[:2], -1)
        np.testing.assert_allclose(drawn[..., :1].astype(int), image_grid(images, 2), atol=atol)


@pytest.mark.parametrize("name", ["a.gif", "a.tiff", "run.5", "a.png.bak", "a.npzz"])
def test_an_unknown_ending_is_no_folder(name, tmp_path):
    with pytest.raises(UsageError, match=r"unknown ending; use one of \.png, .*\.npz.* in a slash"):
        save_samples(levelled(2), tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    save_samples(levelled(2), f"{tmp_path / name}/")
    save_samples(levelled(3), tmp_path / name)  # now it is a folder
    assert len(list((tmp_path / name).iterdir())) == 3


@pytest.mark.parametrize("paths", [False, True])
def test_points_are_saved_above_the_data_as_dots_or_paths(paths, tmp_path):
    points, real = np.random.default_rng(0).uniform(-1, 1, (2, 12, 2))
    save_samples(points, tmp_path / "a.png", 4, real=real, paths=paths)
    expected = scatter(None, real, points.reshape(3, 4, 2)) if paths else scatter(points, real)
    np.testing.assert_array_equal(read(tmp_path / "a.png"), expected)


@pytest.mark.parametrize("named", ["out", "--out"])
@pytest.mark.parametrize("out", ["file/a.png", "file/a.npz", "file/folder", "file"])
def test_a_place_that_can_not_be_written_is_named(tmp_path, out, named):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=f"^Can't write {named}=.*file"):
        save_samples(levelled(2), tmp_path / out, named=named)


def test_nothing_is_left_behind_if_a_picture_can_not_be_finished(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        save_samples(levelled(2), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
