"""Worked examples of distances between laws.

They show what transport costs, and why that cost still has a slope far away.
"""

import numpy as np
from absl import flags

from tfwgan.program import cli
from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan distances [--out=distances.png]

Prints and draws three examples: six boxes moved along a line, two plans of different cost, and two
parallel lines on which all distances but W are the same however far apart they are.
"""
POSITIONAL = ()

_HALF, _WHOLE = (480, 320), (972, 340)  # sizes of the charts in pixels
BOXES = ([1, 2, 3], [3, 1, 2], [7, 8, 9, 10], [1, 1, 2, 2])
PAIRS = ([0, 4], [1, 1], [1, 3], [1, 1])


def define_flags(values: flags.FlagValues) -> None:
    """The verb's flags."""
    cli.define_path("out", "distances.png", "where to draw them", values)


def lines(theta: float) -> dict[str, float]:
    """Distances between lines at 0 and theta (Arjovsky et al., 2017).

    Across the lines, the laws are one point each.
    """
    from tfwgan.transport import histograms as h

    places = np.unique([0.0, theta])
    p, q = (places == 0).astype(float), (places == theta).astype(float)
    return {"W": h.wasserstein(p, q, places), "JS": h.js(p, q), "KL": h.kl(p, q), "TV": h.tv(p, q)}


def command(values: flags.FlagValues) -> None:
    """Computes, prints, draws."""
    with quiet_tensorflow():
        from tfwgan.transport.histograms import emd
    from tfwgan.render import save_png, tiles

    work, plan = emd(*map(np.array, BOXES))
    cheap, straight = emd(*map(np.array, PAIRS))
    crossed = straight[::-1]
    dear = float(np.sum(crossed * np.abs(np.subtract.outer(PAIRS[0], PAIRS[2]))))
    print(
        f"Six boxes from 1, 2, 3 to 7, 8, 9, 10: {work:g} in all, {work / 6:g} per box, "
        "whatever the order."
    )
    print(f"Two boxes from 0, 4 to 1, 3: {cheap:g} in order, {dear:g} crossed; W is the cheaper.")
    print("Two lines at a distance theta:\n  theta      W     JS     KL     TV")
    for theta in (1.0, 0.5, 0.1, 0.0):
        print(f"{theta:7.2f}" + "".join(f"{value:7.3f}" for value in lines(theta).values()))
    picture = [_boxes(work, plan), _pairs((cheap, straight), (dear, crossed)), [_parallel_lines()]]
    out = values["out"].value
    with cli.writing_to(out):
        save_png(tiles(picture), out)
    print(f"Wrote {out}.")


def _boxes(work: float, plan: np.ndarray) -> list[np.ndarray]:
    """Two heaps of boxes, and the plan that moves them."""
    from tfwgan import plots

    heaps = {"from": BOXES[:2], "to": BOXES[2:]}
    rows, columns = ([f"{place}" for place in places] for places in (BOXES[0], BOXES[2]))
    return [
        plots.bar_chart(heaps, f"Six boxes: {work:g} in all", "place", "boxes", size=_HALF),
        plots.matrix(plan, rows, columns, "... and where they go", _HALF),
    ]


def _pairs(*moved: tuple[float, np.ndarray]) -> list[np.ndarray]:
    """The two ways of moving two boxes."""
    from tfwgan import plots

    return [
        plots.moves(PAIRS[0], PAIRS[2], plan, f"{how}: {work:g}", size=_HALF)
        for how, (work, plan) in zip(("In order", "Crossed"), moved, strict=True)
    ]


def _parallel_lines() -> np.ndarray:
    """The distances of two lines as they come nearer."""
    from tfwgan import plots

    thetas = np.r_[np.linspace(-1, -1e-6, 50), np.nan, 0, np.nan, np.linspace(1e-6, 1, 50)]
    gap = dict.fromkeys("W JS KL TV".split(), np.nan)
    rows = [lines(theta) if np.isfinite(theta) else gap for theta in thetas]
    curves = {name: (thetas, [row[name] for row in rows]) for name in rows[0]}
    curves["KL (infinite)"] = curves.pop("KL")
    title = "Two parallel lines: only W tells how far"
    return plots.line_chart(curves, title, "theta", size=_WHOLE)
