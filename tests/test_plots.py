"""Laws of the charts: what is drawn lies where it should, and nothing else is drawn."""

import matplotlib
import numpy as np
import pytest
from PIL import Image

from tfwgan.plots import COLOURS, bar_chart, line_chart, matrix, moves
from tfwgan.program import verbs
from tfwgan.render import tiles


def places(picture, colour=COLOURS[0]):
    """Rows and columns of the pixels of a colour, in the frame: the legend is right of it."""
    picture = picture[:, : int(0.74 * picture.shape[1])].astype(int)
    return np.nonzero(np.abs(picture - np.array(colour)).max(axis=-1) < 3)


def test_a_picture_has_its_size_on_white_and_settings_are_left_alone():
    before = dict(matplotlib.rcParams)
    for picture in (
        line_chart({"a": ([0, 1], [0, 1])}, "title", "x", "y", size=(300, 200)),
        bar_chart({"a": ([0, 1], [0, 1])}, "title", "x", "y", size=(300, 200)),
        matrix(np.eye(2), ["a", "b"], ["c", "d"], "title", size=(300, 200)),
        moves([0, 1], [2, 3], np.eye(2), "title", size=(300, 200)),
    ):
        assert picture.shape == (200, 300, 3) and picture.dtype == np.uint8
        assert (picture[-3:] == 255).all() and (picture != 255).any()
    assert dict(matplotlib.rcParams) == before


def heights_by_column(picture, colour=COLOURS[0]):
    rows, columns = places(picture, colour)
    return np.array([[c, rows[columns == c].mean()] for c in np.unique(columns)]).T


def test_a_rising_line_rises():
    columns, rows = heights_by_column(line_chart({"a": ([0, 1], [0, 1]), "b": ([0], [0])}))
    straight = np.polyfit(columns, rows, 1)
    assert straight[0] < 0 and np.abs(np.polyval(straight, columns) - rows).max() < 2
    assert np.ptp(rows) > 200


def test_on_a_logarithmic_axis_powers_are_a_line_and_what_is_not_positive_is_left_out():
    x = np.arange(6.0)
    columns, rows = heights_by_column(line_chart({"a": (x, 10.0**x), "b": ([0], [1])}, log_y=True))
    assert np.abs(np.polyval(np.polyfit(columns, rows, 1), columns) - rows).max() < 2
    picture = line_chart({"a": ([0, 1, 2], [1.0, 0.0, -1.0]), "b": ([0, 2], [2, 2])}, log_y=True)
    assert np.ptp(places(picture)[1]) < 10  # one dot


def test_a_nan_breaks_the_line_and_infinity_is_the_upper_edge():
    x = np.linspace(0, 1, 5)
    gap = line_chart({"a": (x, [1, 1, np.nan, 1, 1]), "b": (x, x)})
    assert np.diff(np.unique(places(gap)[1])).max() > 150
    rows = places(line_chart({"a": (x, [np.inf] * 5), "b": (x, x)}))[0]
    assert len(rows) and rows.max() < 60
    dot = line_chart({"a": ([0, 0.5, 0.6, 1], [0, np.nan, 1, np.nan]), "b": ([0, 1], [0, 1])})
    assert len(places(dot)[0]) > 20


@pytest.mark.parametrize("chart", [line_chart, bar_chart])
def test_several_names_have_a_legend_with_colours_of_their_own(chart):
    data = {f"run {i}": ([i, i + 0.5], [i + 1.0, i + 1.0]) for i in range(3)}
    picture = chart(data)[:, 480:].astype(int)
    shown = [
        np.array(c) if chart is line_chart else 255 + 0.8 * (np.array(c) - 255) for c in COLOURS[:3]
    ]
    for colour in shown:
        assert (np.abs(picture - colour).max(axis=-1) < 4).sum() > 10


@pytest.mark.parametrize(
    "curves",
    [
        {},
        {"a": ([], [])},
        {"a": ([1.0], [2.0])},
        {"a": ([0, 1], [3.0, 3.0])},
        {"a": ([0, 1], [np.nan, np.nan])},
        {"a": ([0, 1], [np.inf, np.inf])},
        {"a": ([0, 1], [1e-300, 2e-300])},
        {"a": ([1e9, 1e9 + 1], [1e12, -1e12])},
        {f"{i}": ([0, 1], [i, i]) for i in range(12)},
    ],
)
@pytest.mark.parametrize("log_y", [False, True])
def test_any_numbers_can_be_drawn(curves, log_y):
    assert line_chart(curves, log_y=log_y).shape == (400, 640, 3)


def test_bars_are_as_tall_as_their_numbers():
    picture = bar_chart({"a": ([0, 1, 2], [1.0, 2.0, 4.0])}).astype(int)
    inside = (np.abs(picture - [51, 142, 193]).max(axis=-1) <= 3).sum(axis=0)
    heights = np.unique(inside[inside > 20])
    np.testing.assert_allclose(heights / heights.max(), [0.25, 0.5, 1.0], atol=0.03)


def test_the_largest_number_of_a_table_is_the_darkest():
    picture = matrix([[0, 1], [2, 4]], ["a", "b"], ["c", "d"], size=(300, 240)).astype(int)
    corners = [picture[y, x].sum() for y, x in ((70, 100), (70, 200), (170, 100), (170, 200))]
    assert corners == sorted(corners, reverse=True) and len(set(corners)) == 4
    assert matrix(np.zeros((2, 2)), ["a", "b"], ["c", "d"]).shape == (400, 640, 3)


def test_moves_of_more_mass_are_thicker():
    plan = np.array([[3.0, 0.0], [0.0, 1.0]])
    picture = moves([0, 4], [0, 4], plan).astype(int)
    grey = (np.abs(picture - 153).max(axis=-1) < 30)[150:170].sum(axis=0)
    left, right = grey[:320].sum(), grey[320:].sum()
    assert left > 2 * right > 0


def test_tiles_lie_side_by_side():
    black = np.zeros((10, 20, 3), np.uint8)
    picture = tiles([[black, black[:5]], [black]], gap=2)
    assert picture.shape == (22, 42, 3)
    assert (picture == 0).all(axis=-1).sum() == 10 * 20 + 5 * 20 + 10 * 20
    assert (picture[:, 20:22] == 255).all() and (picture[10:12] == 255).all()


def test_unequal_lengths_are_refused():
    for chart in (line_chart, bar_chart):
        with pytest.raises(ValueError, match="x and y of 'loss' must have the same length"):
            chart({"loss": ([0, 1], [0, 1, 2])})


def test_the_script_prints_and_draws_the_worked_examples(tmp_path, capsys):
    out = tmp_path / "d.png"
    assert verbs.run("distances", [f"--out={out}"]) == 0
    printed = capsys.readouterr().out
    for words in (
        "42 in all, 7 per box",
        "2 in order, 6 crossed",
        "0.50  0.500  0.693    inf  1.000",
        f"Wrote {out}.",
    ):
        assert words in printed
    assert printed.count("0.00  0.000  0.000  0.000  0.000") == 1
    with Image.open(out) as image:
        assert image.size[0] > 900


def test_the_script_says_in_one_line_where_it_can_t_write(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert verbs.run("distances", [f"--out={tmp_path}/file/d.png"]) == 2
    assert "Can't write --out=" in capsys.readouterr().err
