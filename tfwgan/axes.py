"""Where numbers lie on the axes of a chart: limits, round numbers to mark, and names that don't overlap."""

import math
from collections.abc import Sequence

import numpy as np


def limits(values: np.ndarray, margin: float, log: bool = False) -> tuple[float, float]:
    """Limits that hold all values and a margin, and are never equal."""
    if not len(values):
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = (
        np.log10(limit) if log else limit
        for limit in (float(np.min(values)), float(np.max(values)))
    )
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    low, high = low - margin * (high - low), high + margin * (high - low)
    return (10**low, 10**high) if log else (low, high)


def ticks(low: float, high: float, most: int = 7, whole: bool = False) -> list[float]:
    """Round numbers between two limits, at steps of 1, 2 or 5 times a power of ten; of whole numbers at least of 1."""
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(f * power for f in (1, 2, 5, 10) if (high - low) / (f * power) <= most)
    step = max(step, 1.0) if whole else step
    return [
        float(f"{i * step:.10g}")
        for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    ]


def powers(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: powers of ten, with their double and fivefold or evenly where there are few."""
    powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    if len(powers) >= 3:
        return [10.0**p for p in powers if p % max(1, round(len(powers) / 7)) == 0]
    finer = [f * 10.0**p for p in range(powers.start - 1, powers.stop + 1) for f in (1, 2, 5)]
    finer = [mark for mark in finer if low <= mark <= high]
    return finer if len(finer) >= 3 else [mark for mark in ticks(low, high, 12) if mark > 0]


def number(value: float) -> str:
    """A number on an axis, in few letters."""
    return f"{value:g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def apart(heights: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Sorted heights, moved as little as it takes to be `gap` apart and, where there is room, between two limits."""
    gap = min(gap, (high - low) / max(1, len(heights) - 1))
    offsets = gap * np.arange(len(heights))
    wanted, groups = np.asarray(heights, np.float64) - offsets, []
    # Least squares under an order: neighbours that would overtake each other share their mean.
    for value in wanted:
        groups.append([value, 1])
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            (a, n), (b, m) = groups[-2:]
            groups[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    placed = np.repeat([value for value, _ in groups], [n for _, n in groups]) if groups else wanted
    return (np.clip(placed, low, max(low, high - offsets.max(initial=0.0))) + offsets).tolist()
