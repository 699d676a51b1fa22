"""Small charts without a plotting library: curves, bars, tables of numbers, plans of transport, side by side."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tfwgan import axes

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

_ZOOM = 3  # drawn larger, for smooth lines and letters
_INK, _PALE, _GRID = (60, 60, 60), (150, 150, 150), (232, 232, 232)

Curve = tuple[Sequence[float], Sequence[float]]


def line_chart(
    curves: Mapping[str, Curve],
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    log_y: bool = False,
    size: tuple[int, int] = (640, 400),
) -> np.ndarray:
    """Curves in one frame, with ticks; beside each its last value, and its name if there are several.

    Args:
        curves: Points (x, y) of each, by name. A NaN breaks the line, and a point between two
            breaks is a dot; a value of infinity runs along the upper edge.
        title: Printed above the frame.
        x_label: Printed below.
        y_label: Printed above the axis.
        log_y: Make the vertical axis logarithmic, and say so; what is not above 0 is left out.
        size: Width and height in pixels.

    Returns:
        uint8 `[height, width, 3]`.

    Raises:
        ValueError: If the x and y of a curve have not the same length.
    """
    data = {name: _curve(name, *curve, log_y) for name, curve in curves.items()}
    heights = np.concatenate([y[np.isfinite(y)] for _, y in data.values()] or [[]])
    margin = 0.1 if any(np.isinf(y).any() for _, y in data.values()) else 0.05
    places = np.concatenate([x[np.isfinite(x)] for x, _ in data.values()] or [[]])
    ends = [_end(name if len(data) > 1 else "", *curve) for name, curve in data.items()]
    chart = _Chart(size, title, x_label, f"{y_label} (log scale)".strip() if log_y else y_label)
    chart.frame(
        axes.limits(places, 0.0),
        axes.limits(heights, margin, log_y),
        log_y,
        beside=[text for text, _ in ends],
    )
    for colour, (x, y) in zip(_colours(len(data)), data.values(), strict=True):
        chart.curve(x, y, colour)
    chart.name_ends(ends, _colours(len(data)) if len(data) > 1 else [None] * len(data))
    return chart.pixels()


def bar_chart(
    bars: Mapping[str, Curve],
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    size: tuple[int, int] = (640, 400),
) -> np.ndarray:
    """Bars of given heights at given places, a colour for each name.

    Args:
        bars: Places and heights, by name.
        title: Printed above the frame.
        x_label: Printed below.
        y_label: Printed above the axis.
        size: Width and height in pixels.

    Returns:
        uint8 `[height, width, 3]`.

    Raises:
        ValueError: If places and heights have not the same length.
    """
    data = {name: _curve(name, *pair, False) for name, pair in bars.items()}
    places = np.unique(np.concatenate([x for x, _ in data.values()]))
    width = 0.8 * (np.diff(places).min() if len(places) > 1 else 1.0)
    heights = np.concatenate([y for _, y in data.values()])
    chart = _Chart(size, title, x_label, y_label, legend=list(data) if len(data) > 1 else [])
    margin = width / 2 + 0.02 * (places[-1] - places[0] + width)
    # Counts have no half ticks.
    whole = [
        bool(np.all(np.asarray(numbers) == np.round(numbers))) for numbers in (places, heights)
    ]
    x_limits = places[0] - margin, places[-1] + margin
    chart.frame(x_limits, (min(0.0, heights.min()), 1.08 * max(heights.max(), 1e-9)), whole=whole)
    for colour, (x, y) in zip(_colours(len(data)), data.values(), strict=True):
        for place, height in zip(x, y, strict=True):
            corners = (
                chart.place(place - width / 2, max(height, 0)),
                chart.place(place + width / 2, min(height, 0)),
            )
            chart.draw.rectangle(
                [*corners[0], *corners[1]], fill=_mix(colour, 0.75), outline=colour, width=_ZOOM
            )
    return chart.pixels()


def matrix(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str = "",
    size: tuple[int, int] = (640, 400),
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
    chart = _Chart(size, title)
    indent = max(chart.width(name) for name in rows) + 24
    side = min((size[0] - indent - 24) / len(columns), (size[1] - 100) / len(rows), 72)
    left, top = (size[0] - side * len(columns) + indent) / 2, 76
    for j, name in enumerate(columns):
        chart.text((left + (j + 0.5) * side, top - 8), name, "mb")
    for i, name in enumerate(rows):
        chart.text((left - 10, top + (i + 0.5) * side), name, "rm")
        for j, value in enumerate(values[i]):
            share = value / max(values.max(), 1e-300)
            corner = left + j * side, top + i * side
            box = [_ZOOM * c for c in (*corner, corner[0] + side, corner[1] + side)]
            chart.draw.rectangle(
                box, fill=_mix(COLOURS[0], 0.85 * share), outline=(255, 255, 255), width=2 * _ZOOM
            )
            ink = (255, 255, 255) if share > 0.6 else _INK if value else _PALE
            chart.text((corner[0] + side / 2, corner[1] + side / 2), f"{value:g}", "mm", ink)
    return chart.pixels()


def moves(
    positions_x: Sequence[float],
    positions_y: Sequence[float],
    plan: np.ndarray,
    title: str = "",
    names: tuple[str, str] = ("from", "to"),
    size: tuple[int, int] = (640, 400),
) -> np.ndarray:
    """A plan of transport on the line: sources above, targets below, a line for each move with its mass x way.

    Args:
        positions_x: Of the sources, `[n]`.
        positions_y: Of the targets, `[m]`.
        plan: Mass moved from each source to each target, `[n, m]`.
        title: Printed above.
        names: Of sources and targets.
        size: Width and height in pixels.

    Returns:
        uint8 `[height, width, 3]`.
    """
    chart = _Chart(size, title, legend=list(names))
    chart.frame(
        axes.limits(np.concatenate([positions_x, positions_y]), 0.1), (-0.2, 1.2), ticks_y=False
    )
    for i, j in zip(*np.nonzero(plan), strict=True):
        start, end = chart.place(positions_x[i], 1.0), chart.place(positions_y[j], 0.0)
        chart.draw.line(
            [start, end], fill=_PALE, width=round(_ZOOM * 4 * plan[i, j] / np.max(plan))
        )
        spot = [(0.7 * a + 0.3 * b) / _ZOOM for a, b in zip(start, end, strict=True)]
        label = f"{plan[i, j]:g} x {abs(positions_x[i] - positions_y[j]):g}"
        chart.text((spot[0] + 10, spot[1]), label, "lb" if start[0] < end[0] else "lt")
    for positions, height, colour in (
        (positions_x, 1.0, COLOURS[0]),
        (positions_y, 0.0, COLOURS[1]),
    ):
        for position in positions:
            chart.draw.circle(chart.place(position, height), 8 * _ZOOM, fill=colour)
    return chart.pixels()


def tiles(pictures: Sequence[Sequence[np.ndarray]], gap: int = 12) -> np.ndarray:
    """Pictures `[h, w, 3]` in rows, on white."""
    pad = {"mode": "constant", "constant_values": 255}
    rows = []
    for row in pictures:
        tall = max(len(picture) for picture in row)
        wide = [
            np.pad(p, ((0, tall - len(p)), (0, gap if p is not row[-1] else 0), (0, 0)), **pad)
            for p in row
        ]
        rows.append(np.concatenate(wide, axis=1))
    width = max(row.shape[1] for row in rows)
    rows = [
        np.pad(
            row, ((0, gap if row is not rows[-1] else 0), (0, width - row.shape[1]), (0, 0)), **pad
        )
        for row in rows
    ]
    return np.concatenate(rows)


class _Chart:
    """A canvas with a title, perhaps a legend, and a frame that knows where numbers lie."""

    def __init__(self, size, title="", x_label="", y_label="", legend=()):
        self.image = Image.new("RGB", (size[0] * _ZOOM, size[1] * _ZOOM), "white")
        self.draw = ImageDraw.Draw(self.image)
        self.font = ImageFont.load_default(13 * _ZOOM)
        self.legend_width = max((self.width(name) for name in legend), default=-40) + 40
        self.size, self.labels = size, (x_label, y_label)
        self.text((16, 14), title, "lt", (20, 20, 20), ImageFont.load_default(16 * _ZOOM))
        for row, (name, colour) in enumerate(zip(legend, _colours(len(legend)), strict=True)):
            left, middle = size[0] - self.legend_width + 4, 66 + 22 * row
            self.draw.line(
                [_ZOOM * c for c in (left, middle, left + 18, middle)], fill=colour, width=4 * _ZOOM
            )
            self.text((left + 26, middle), name, "lm")

    def width(self, text):
        """Width of a text in pixels."""
        return self.font.getlength(text) / _ZOOM

    def text(self, place, text, anchor, colour=_INK, font=None):
        """Prints a text at (x, y) in pixels."""
        self.draw.text(
            (place[0] * _ZOOM, place[1] * _ZOOM), text, colour, font or self.font, anchor
        )

    def frame(self, x_limits, y_limits, log_y=False, ticks_y=True, whole=(False, False), beside=()):
        """Draws axes, ticks and labels; leaves room for texts beside the frame."""
        self.limits, self.log_y = (
            (x_limits, tuple(np.log10(y_limits)) if log_y else y_limits),
            log_y,
        )
        marks_y = (
            (axes.powers(*y_limits) if log_y else axes.ticks(*y_limits, whole=whole[1]))
            if ticks_y
            else []
        )
        left = 28 + max((self.width(axes.number(mark)) for mark in marks_y), default=0)
        room = max((self.width(text) for text in beside), default=0) + 34
        self.box = (left, 62, self.size[0] - max(room, self.legend_width + 8), self.size[1] - 48)
        for mark in marks_y:
            (x0, y), (x1, _) = self.place(x_limits[0], mark), self.place(x_limits[1], mark)
            self.draw.line([x0, y, x1, y], fill=_GRID, width=_ZOOM)
            self.text((left - 8, y / _ZOOM), axes.number(mark), "rm")
        bottom = self.box[3] * _ZOOM
        for mark in axes.ticks(*x_limits, whole=whole[0]):
            x = self.place(mark, y_limits[0])[0]
            self.draw.line([x, bottom, x, bottom + 5 * _ZOOM], fill=_PALE, width=_ZOOM)
            self.text((x / _ZOOM, self.box[3] + 9), axes.number(mark), "mt")
        self.draw.line(
            [self.box[0] * _ZOOM, bottom, self.box[2] * _ZOOM, bottom], fill=_PALE, width=_ZOOM
        )
        self.text(((self.box[0] + self.box[2]) / 2, self.size[1] - 10), self.labels[0], "ms")
        self.text((16, 50), self.labels[1], "ls")

    def place(self, x, y):
        """Where a point lies on the canvas; what is out of the frame lies on its edge."""
        if self.log_y:
            y = math.log10(y) if y > 0 else -math.inf
        (x0, x1), (y0, y1) = self.limits
        across, up = (
            min(max((v - a) / (b - a), 0.0), 1.0) for v, a, b in ((x, x0, x1), (y, y0, y1))
        )
        left, top, right, bottom = self.box
        return _ZOOM * (left + across * (right - left)), _ZOOM * (bottom - up * (bottom - top))

    def curve(self, x, y, colour):
        """Draws one curve, broken where it is NaN."""
        good = ~(np.isnan(x) | np.isnan(y))
        for piece in np.split(np.arange(len(x)), np.flatnonzero(~good)):
            spots = [self.place(x[i], y[i]) for i in piece if good[i]]
            if len(spots) == 1:
                self.draw.circle(spots[0], 3.5 * _ZOOM, fill=colour)
            elif spots:
                self.draw.line(spots, fill=colour, width=2 * _ZOOM, joint="curve")

    def name_ends(self, ends, colours):
        """Prints a text beside the end of each curve; moved apart they are led back to it by a line."""
        known = [
            (self.place(*spot), text, colour)
            for (text, spot), colour in zip(ends, colours, strict=True)
            if text
        ]
        known.sort(key=lambda one: one[0][1])
        heights = axes.apart([y / _ZOOM for (_, y), _, _ in known], 17, self.box[1], self.box[3])
        edge = self.box[2]
        for ((x, y), text, colour), height in zip(known, heights, strict=True):
            start, joint, end = (x, y), (edge * _ZOOM, y), ((edge + 8) * _ZOOM, height * _ZOOM)
            self.draw.line([start, joint, end], fill=_PALE, width=_ZOOM)
            if colour:
                swatch = [_ZOOM * c for c in (edge + 10, height, edge + 22, height)]
                self.draw.line(swatch, fill=colour, width=4 * _ZOOM)
            self.text((edge + (26 if colour else 11), height), text, "lm")

    def pixels(self):
        """The picture, uint8 `[height, width, 3]`."""
        return np.asarray(self.image.resize(self.size, Image.Resampling.BOX))


def _curve(
    name: str, x: Sequence[float], y: Sequence[float], log_y: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Points of a curve as float64, checked; what a logarithmic axis can't show is NaN."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"The x and y of {name!r} must have the same length, got shapes {x.shape} and {y.shape}."
        )
    return x, np.where(y > 0, y, np.nan) if log_y else y


def _colours(n: int) -> list[tuple[int, int, int]]:
    """The first `n` colours, again from the start if they run out."""
    return [COLOURS[i % len(COLOURS)] for i in range(n)]


def _mix(colour: Sequence[int], share: float) -> tuple[int, ...]:
    """A colour on white."""
    return tuple(round(255 + share * (c - 255)) for c in colour)


def _end(name: str, x: np.ndarray, y: np.ndarray) -> tuple[str, tuple[float, float]]:
    """What to print beside a curve, its name and last value; and where it ends. Nothing, if nothing is drawn of it."""
    good = np.flatnonzero(~(np.isnan(x) | np.isnan(y)))
    if not len(good):
        return name, (-math.inf, 0.0)
    last = float(y[good[-1]])
    value = f"{last:.4g}" if math.isfinite(last) else ""
    return ": ".join(part for part in (name, value) if part), (float(x[good[-1]]), last)
