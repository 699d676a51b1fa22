"""These are laws of pictures of studies.

Panels stand under their names; snapshots can be told apart and stay small.
"""

import numpy as np
import pytest

from tfwgan.render import image_grid, save_png
from tfwgan.studies import collapse, epochs
from tfwgan.studies.study import side_by_side


def flat(level, n=8, side=12, channels=1):
    return np.full((n, side, side, channels), level)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("names, across, below", [(2, None, 1), (3, 3, 1), (5, 2, 3), (16, 6, 3)])
def test_panels_lie_in_rows_under_their_names(names, across, below, channels):
    groups = {f"method {i}": flat(-1.0, channels=channels) for i in range(names)}
    picture = side_by_side(groups, columns=4, across=across)
    assert picture.shape[2] == channels and 800 < picture.shape[1] < 2400
    panel = image_grid(flat(-1.0, channels=channels), 4, zoom=zoom_of(picture))
    dark = (picture[..., 0] == 0).mean() * picture[..., 0].size
    assert dark == pytest.approx(names * (panel == 0)[..., 0].sum(), rel=0.02)  # and some ink
    starts = np.flatnonzero(np.diff((picture[..., 0] == 0).mean(axis=1) > 0.3, prepend=False) == 1)
    assert (
        len(starts) == 2 * below * 2
    )  # two rows of images in each panel, a rise and a fall for each


def zoom_of(picture):
    """How often the images of 12 pixels are enlarged."""
    run = np.flatnonzero(np.diff(picture[picture.shape[0] // 2 :, :, 0] == 0, axis=1).any(axis=0))
    return round(np.diff(run).max() / 12)


@pytest.mark.parametrize("side", [8, 28, 64])
def test_snapshots_of_runs_are_reduced_and_keep_their_images(side, tmp_path):
    images = np.random.default_rng(0).choice([-1.0, 1.0], (64, side, side, 1))
    save_png(image_grid(images), tmp_path / "step.png")
    whole, corner = (
        collapse._read(tmp_path / "step.png"),
        epochs._corner(tmp_path / "step.png", side),
    )
    assert 300 < len(whole) < 700 and 160 < len(corner) < 360
    zoom = len(corner) // (4 * (side + 1) + 1)
    first_rows = images.reshape(8, 8, side, side, 1)[:4, :4].reshape(16, side, side, 1)
    np.testing.assert_array_equal(corner[..., :1], image_grid(first_rows, 4, zoom=zoom))
