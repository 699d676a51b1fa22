"""Charts by matplotlib as pictures: curves, bars, tables of numbers, plans of transport.

Every function returns pixels, uint8 `[height, width, 3]`, and leaves matplotlib's settings alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg

# Told apart also by those who don't see all colours (Okabe and Ito, 2008).
COLOURS = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (90, 90, 90),
)

Numbers = Sequence[float] | np.ndarray
Curve = tuple[Numbers, Numbers]
Size = tuple[int, int]

_DPI = 100
_SIZE = (640, 400)


def line_chart(
    curves: Mapping[str, Curve],
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    log_y: bool = False,
    size: Size = _SIZE,
) -> np.ndarray:
    """Curves in one frame, with a legend that tells the last value of each.

    Args:
        curves: Points (x, y) of each, by name. A NaN breaks the line, and a point between two
            breaks is a dot; a value of infinity runs along the upper edge.
        title: Printed above the frame.
        x_label: Printed below.
        y_label: Printed beside the axis.
        log_y: Make the vertical axis logarithmic; what is not above 0 is left out.
        size: Width and height in pixels.

    Returns:
        uint8 `[height, width, 3]`.

    Raises:
        ValueError: If the x and y of a curve have not the same length.
    """
    data = {name: _checked(name, *curve) for name, curve in curves.items()}
    if log_y:
        data = {name: (x, np.where(y > 0, y, np.nan)) for name, (x, y) in data.items()}
    shown = np.concatenate([y[np.isfinite(y)] for _, y in data.values()] or [np.zeros(0)])
    axes = _axes(title, x_label, y_label, size)
    if log_y and len(shown):
        axes.set_yscale("log")
    for colour, (name, (x, y)) in zip(_colours(len(data)), data.items(), strict=True):
        label = _with_last_value(name if len(data) > 1 else "", y)
        good = np.isfinite(x) & np.isfinite(y)
        alone = good & ~np.r_[False, good[:-1]] & ~np.r_[good[1:], False]
        axes.plot(x, np.where(good, y, np.nan), color=colour, label=label or None)
        axes.plot(x[alone], y[alone], "o", color=colour, markersize=5)
        if np.isinf(y).any():  # at the upper edge, wherever that is
            top = np.where(y == np.inf, 0.995, np.nan)
            axes.plot(x, top, color=colour, transform=axes.get_xaxis_transform())
    _legend(axes)
    return _pixels(axes)


def bar_chart(
    bars: Mapping[str, Curve],
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    size: Size = _SIZE,
) -> np.ndarray:
    """Bars of given heights at given places, a colour for each name.

    Args:
        bars: Places and heights, by name.
        title: Printed above the frame.
        x_label: Printed below.
        y_label: Printed beside the axis.
        size: Width and height in pixels.

    Returns:
        uint8 `[height, width, 3]`.

    Raises:
        ValueError: If places and heights have not the same length.
    """
    from matplotlib.ticker import MaxNLocator

    data = {name: _checked(name, *pair) for name, pair in bars.items()}
    places = np.unique(np.concatenate([x for x, _ in data.values()]))
    heights = np.concatenate([y for _, y in data.values()])
    width = 0.8 * (np.diff(places).min() if len(places) > 1 else 1.0)
    axes = _axes(title, x_label, y_label, size)
    for colour, (name, (x, y)) in zip(_colours(len(data)), data.items(), strict=True):
        label = name if len(data) > 1 else None
        axes.bar(x, y, width, color=colour, alpha=0.8, edgecolor=colour, label=label)
    for axis, numbers in ((axes.xaxis, places), (axes.yaxis, heights)):
        locator = axis.get_major_locator()
        # Counts have no half ticks.
        if isinstance(locator, MaxNLocator) and np.all(numbers == np.round(numbers)):
            locator.set_params(integer=True)
    _legend(axes)
    return _pixels(axes)


def named_points(
    points: Mapping[str, tuple[float, float]],
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    size: Size = _SIZE,
) -> np.ndarray:
    """Points of the plane, each with its name beside it.

    Args:
        points: (x, y) of each, by name.
        title: Printed above the frame.
        x_label: Printed below.
        y_label: Printed beside the axis.
        size: Width and height in pixels.

    Returns:
        uint8 `[height, width, 3]`.
    """
    axes = _axes(title, x_label, y_label, size)
    for name, (x, y) in points.items():
        axes.plot([x], [y], "o", color=_colours(1)[0], markersize=5)
        axes.annotate(name, (x, y), (6, 4), textcoords="offset points")
    axes.margins(x=0.2, y=0.1)  # so that names at the edge stay in the frame
    return _pixels(axes)


def matrix(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str = "",
    size: Size = _SIZE,
) -> np.ndarray:
    """A small table `[n, m]` of numbers of at least 0, the larger the darker.

    Args:
        values: `[n, m]`.
        rows: Names of the rows.
        columns: Names of the columns.
        title: Printed above the table.
        size: Width and height in pixels.

    Returns:
        uint8 `[height, width, 3]`.
    """
    values = np.asarray(values, np.float64)
    most = max(values.max(), 1e-300)
    axes = _axes(title, "", "", size)
    axes.imshow(values, cmap="Blues", vmin=0.0, vmax=1.2 * most)
    for i, j in np.ndindex(*values.shape):
        ink = "white" if values[i, j] > 0.6 * most else "black"
        axes.text(j, i, f"{values[i, j]:g}", ha="center", va="center", color=ink)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    return _pixels(axes)


def moves(
    positions_x: Numbers,
    positions_y: Numbers,
    plan: np.ndarray,
    title: str = "",
    names: tuple[str, str] = ("from", "to"),
    size: Size = _SIZE,
) -> np.ndarray:
    """A plan of transport on the line: sources above, targets below, a line for each move.

    Args:
        positions_x: Of the sources, `[n]`.
        positions_y: Of the targets, `[m]`.
        plan: Mass moved from each source to each target, `[n, m]`.
        title: Printed above.
        names: Of sources and targets.
        size: Width and height in pixels.

    Returns:
        uint8 `[height, width, 3]`; beside each line stands its mass times its way.
    """
    x, y, plan = (np.asarray(part, np.float64) for part in (positions_x, positions_y, plan))
    axes = _axes(title, "", "", size)
    for i, j in zip(*np.nonzero(plan), strict=True):
        axes.plot([x[i], y[j]], [1, 0], color="0.6", linewidth=3 * plan[i, j] / plan.max())
        label = f" {plan[i, j]:g} × {abs(x[i] - y[j]):g}"
        axes.text(0.7 * x[i] + 0.3 * y[j], 0.7, label, va="center")
    for colour, places, height, name in zip(_colours(2), (x, y), (1.0, 0.0), names, strict=True):
        axes.plot(places, np.full(len(places), height), "o", color=colour, markersize=12)
        axes.text(0.0, height, f"{name} ", ha="right", va="center", color=colour,
                  transform=axes.get_yaxis_transform())  # fmt: skip
    axes.set_ylim(-0.2, 1.2)
    axes.margins(x=0.15)
    axes.set_yticks([])
    return _pixels(axes)


def _axes(title: str, x_label: str, y_label: str, size: Size) -> Axes:
    """Axes to draw on, in a figure of their own."""
    # Charts are drawn at the end of studies only: nothing else should pay for the import.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = size
    figure = Figure((width / _DPI, height / _DPI), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left")
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(axis="y", color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _pixels(axes: Axes) -> np.ndarray:
    """The figure of the axes as a picture."""
    canvas = cast("FigureCanvasAgg", axes.figure.canvas)  # of `_axes`
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _legend(axes: Axes) -> None:
    """What each colour stands for, right of the frame, where there is something to tell."""
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def _with_last_value(name: str, y: np.ndarray) -> str:
    """A name in a legend, with the last value of its curve if that is finite."""
    good = np.flatnonzero(~np.isnan(y))
    last = f"{y[good[-1]]:.4g}" if len(good) and np.isfinite(y[good[-1]]) else ""
    return f"{name or 'last'}: {last}" if last else name


def _checked(name: str, *curve: Numbers) -> tuple[np.ndarray, np.ndarray]:
    """Points of a curve as float64."""
    x, y = (np.asarray(numbers, np.float64) for numbers in curve)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"The x and y of {name!r} must have the same length, "
            f"got shapes {x.shape} and {y.shape}."
        )
    return x, y


def _colours(n: int) -> list[tuple[float, ...]]:
    """The first `n` colours, again from the start if they run out."""
    return [tuple(part / 255 for part in COLOURS[i % len(COLOURS)]) for i in range(n)]
