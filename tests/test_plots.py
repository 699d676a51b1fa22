"""Laws of the charts: what is drawn lies where it should, and nothing else is drawn."""

import numpy as np
import pytest
from PIL import Image

from tfwgan import axes, plots
from tfwgan.plots import COLOURS, bar_chart, line_chart, matrix, moves, tiles
from tfwgan.program import verbs


def places(picture, colour=COLOURS[0]):
    """Rows and columns of the pixels of a colour."""
    return np.nonzero((picture == np.array(colour)).all(axis=-1))


def test_a_picture_has_its_size_on_white():
    for picture in (
        line_chart({"a": ([0, 1], [0, 1])}, "title", "x", "y", size=(300, 200)),
        bar_chart({"a": ([0, 1], [0, 1])}, "title", "x", "y", size=(300, 200)),
        matrix(np.eye(2), ["a", "b"], ["c", "d"], "title", size=(300, 200)),
        moves([0, 1], [2, 3], np.eye(2), "title", size=(300, 200)),
    ):
        assert picture.shape == (200, 300, 3) and picture.dtype == np.uint8
        assert (picture[:5] == 255).all() and (picture != 255).any()


def test_a_rising_line_rises():
    rows, columns = places(line_chart({"a": ([0, 1], [0, 1])}))
    order = np.argsort(columns)
    assert (np.diff(rows[order]) <= 1).all() and rows[order][0] > rows[order][-1] + 200
    straight = np.polyfit(columns, rows, 1)
    assert np.abs(np.polyval(straight, columns) - rows).max() < 2


def test_on_a_logarithmic_axis_powers_are_a_line_and_what_is_not_positive_is_left_out():
    x = np.arange(6.0)
    rows, columns = places(line_chart({"a": (x, 10.0**x)}, log_y=True))
    assert np.abs(np.polyval(np.polyfit(columns, rows, 1), columns) - rows).max() < 2
    picture = line_chart({"a": ([0, 1, 2], [1.0, 0.0, -1.0])}, log_y=True)
    assert np.ptp(places(picture)[1]) < 10  # one dot


def test_a_nan_breaks_the_line_and_infinity_is_the_upper_edge():
    x = np.linspace(0, 1, 5)
    gap = line_chart({"a": (x, [1, 1, np.nan, 1, 1])})
    columns = np.unique(places(gap)[1])
    assert np.diff(columns).max() > 200
    rows = places(line_chart({"a": (x, [np.inf] * 5), "b": (x, x)}))[0]
    assert rows.max() < 70  # legend and edge
    dot = line_chart({"a": ([0, 0.5, 0.6, 1], [0, np.nan, 1, np.nan]), "b": ([0, 1], [0, 1])})
    assert len(places(dot)[0]) > 20


LOG_RANGES = [
    (5.5, 18.0),
    (0.9, 1.1),
    (3.0, 4.0),
    (2.0, 90.0),
    (1e-9, 1e6),
    (0.5, 2000.0),
    (1e-300, 2e-300),
]


@pytest.mark.parametrize("low, high", LOG_RANGES)
def test_a_logarithmic_axis_has_ticks_that_tell_values_between(low, high):
    marks = axes.powers(low, high)
    assert 3 <= len(marks) <= 14 and all(low <= mark <= high for mark in marks)
    assert marks == sorted(set(marks))
    assert all(len(axes.number(mark)) <= 6 for mark in marks if low > 1e-200)
    if high / low >= 1e3:
        np.testing.assert_allclose(np.log10(marks), np.round(np.log10(marks)), atol=1e-9)


def test_a_logarithmic_axis_says_so():
    x, y = np.arange(5), np.full(5, 10.0)
    linear, logarithmic = (line_chart({"a": (x, y)}, log_y=log_y) for log_y in (False, True))
    named = line_chart({"a": (x, y)}, y_label="(log scale)")
    assert (linear[36:54, :120] == 255).all()
    np.testing.assert_array_equal(logarithmic[36:54, :120], named[36:54, :120])


@pytest.mark.parametrize("low, high", [(0.0, 3.24), (0.0, 1.08), (0.5, 10.5), (0.0, 2000.0)])
def test_whole_numbers_are_marked_by_whole_numbers(low, high):
    marks = axes.ticks(low, high, whole=True)
    assert len(marks) >= 2 and all(mark == round(mark) for mark in marks)


HEIGHTS = [
    [],
    [7.0],
    [100.0, 100.0, 100.0],
    [0.0, 0.0, 300.0],
    [290.0, 295.0, 300.0],
    [10.0, 12.0, 200.0],
    [5.0] * 40,
]


@pytest.mark.parametrize("heights", HEIGHTS)
def test_names_are_moved_apart_in_order_and_no_further_than_it_takes(heights):
    placed = np.array(axes.apart(heights, 17, 0, 300))
    gap = min(17, 300 / max(1, len(heights) - 1))
    assert len(placed) == len(heights) and (np.diff(placed) >= gap - 1e-9).all()
    assert ((placed >= -1e-9) & (placed <= 300 + 1e-9)).all()
    if len(heights) < 2 or np.diff(heights).min() >= 17:
        np.testing.assert_array_equal(placed, heights)


def test_what_is_printed_beside_a_curve_is_its_last_value():
    x = np.arange(4.0)
    for curves in (
        {"W1": (x, [4, 3, 2, 1.5])},
        {"W1": (x, [4, 3, 1.5, np.nan])},
        {"W1": (x, [1.5, np.nan, np.nan, np.nan])},
    ):
        assert plots._end("W1", *(np.asarray(v, float) for v in curves["W1"]))[0] == "W1: 1.5"
    assert plots._end("KL", x, np.full(4, np.inf))[0] == "KL"
    assert (
        plots._end("", x, np.full(4, 2.0))[0] == "2"
        and plots._end("a", x, np.full(4, np.nan))[0] == "a"
    )


def test_the_name_of_a_curve_stands_at_the_height_of_its_end():
    """Two flat lines far apart: the swatches beside the frame continue them."""
    picture = line_chart({"low": ([0, 1], [1.0, 1.0]), "high": ([0, 1], [3.0, 3.0])})
    for colour in COLOURS[:2]:
        rows, columns = places(picture, colour)
        assert columns.max() > 540 and np.ptp(rows) < 5


@pytest.mark.parametrize("chart", [line_chart, bar_chart])
def test_several_names_have_a_legend_and_colours_of_their_own(chart):
    data = {f"run {i}": ([i, i + 0.5], [i + 1.0, i + 1.0]) for i in range(3)}
    picture = chart(data)
    for colour in COLOURS[:3]:
        assert (places(picture, colour)[1] > 560).any()
    assert (picture[:, 600:] != 255).any()


@pytest.mark.parametrize(
    "curves",
    [
        {},
        {"a": ([], [])},
        {"a": ([1.0], [2.0])},
        {"a": ([0, 1], [3.0, 3.0])},
        {"a": ([0, 1], [np.nan, np.nan])},
        {"a": ([0, 1], [1e-300, 2e-300])},
        {"a": ([1e9, 1e9 + 1], [1e12, -1e12])},
        {f"{i}": ([0, 1], [i, i]) for i in range(12)},
    ],
)
@pytest.mark.parametrize("log_y", [False, True])
def test_any_numbers_can_be_drawn(curves, log_y):
    assert line_chart(curves, log_y=log_y).shape == (400, 640, 3)


def test_bars_are_as_tall_as_their_numbers():
    picture = bar_chart({"a": ([0, 1, 2], [1.0, 2.0, 4.0])})
    inside = (np.abs(picture.astype(int) - [64, 149, 196]).max(axis=-1) <= 2).sum(axis=0)
    heights = np.unique(inside[inside > 20])
    np.testing.assert_allclose(heights / heights.max(), [0.25, 0.5, 1.0], atol=0.03)


def test_the_largest_number_of_a_table_is_the_darkest():
    picture = matrix([[0, 1], [2, 4]], ["a", "b"], ["c", "d"], size=(300, 240))
    brightness = picture.astype(int).sum(axis=-1)
    darkest = np.abs(picture.astype(int) - [38, 135, 190]).max(axis=-1) <= 2
    assert darkest.sum() > 1000 and brightness[darkest].max() < np.median(
        brightness[brightness < 765]
    )
    assert matrix(np.zeros((2, 2)), ["a", "b"], ["c", "d"]).shape == (400, 640, 3)


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
