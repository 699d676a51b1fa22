"""Every distance of `tfwgan.transport` as a metric, the exact one with its certificate and its reference.

A metric has two methods: `measure`, on generated and real samples, and `reference`, on real samples alone, whose
numbers say how to read those of `measure`. Both return numbers by suffix: "" is the distance itself.
"""

from collections.abc import Callable

import numpy as np

from tfwgan.transport import Distance, check, row
from tfwgan.transport.exact import Transport, exact_plan
from tfwgan.transport.means import ot_means


class Watched:
    """A distance as it is.

    Args:
        distance: From `tfwgan.transport.DISTANCES`; random directions are the same ones at every evaluation.
    """

    upper: float | None = None  # a bound above W1, where the last measurement gave one

    def __init__(self, distance: Distance):
        self.distance = distance

    def check(self, shape: tuple[int, ...]) -> None:
        """Tries the distance on samples of a shape; raises `UsageError` if it does not fit them."""
        check(self.distance, shape, "the metric does not fit the data")

    def measure(self, fake: np.ndarray, real: np.ndarray) -> dict[str, float]:
        """The distance of generated samples `[n, ...]` to real ones `[m, ...]`."""
        return {"": float(self.distance(fake, real))}

    def reference(self, real: np.ndarray, n: int) -> dict[str, float]:
        """What the same distance says of real samples against real ones.

        Args:
            real: Samples `[m, ...]` in random order, m at least 2.
            n: How many generated samples are measured.

        Returns:
            ``_floor``, between the halves of `real`; ``_real``, between `n` of them (at most half) and the others.
        """
        half, few = len(real) // 2, min(n, len(real) // 2)
        floor = self._between(real[:half], real[half:])
        return {"_floor": floor, "_real": floor if few == half else self._between(real[:few], real[few:])}

    def _between(self, x: np.ndarray, y: np.ndarray) -> float:
        return float(self.distance(x, y))


class ExactW1(Watched):
    """The exact Wasserstein distance W1 with the Euclidean ground cost.

    Each evaluation starts from the potentials of the one before. If the solver's cap is hit, the answer is an interval
    (``_lower``, ``_upper``) and no number.

    Args:
        otmeans: Also find the best `n` equally weighted points (OTMeans) once; then ``_otmeans`` is their distance, and
            ``_ratio`` how many times that the generator's is: 1 is as good as `n` atoms can be.
    """

    def __init__(self, otmeans: bool = False):
        self.otmeans = otmeans
        self._optimum: float | None = None
        self._potentials: tuple[np.ndarray, np.ndarray] | None = None

    def check(self, shape: tuple[int, ...]) -> None:
        """Any shape of samples is fine."""

    def measure(self, fake: np.ndarray, real: np.ndarray) -> dict[str, float]:  # noqa: D102 - see Watched
        transport = exact_plan(fake, real, warm_start=self._potentials)
        self._potentials, self.upper = transport.potentials, transport.upper
        values = _numbers(transport)
        if self._optimum and "" in values:
            values["_ratio"] = values[""] / self._optimum
        return values

    def reference(self, real: np.ndarray, n: int) -> dict[str, float]:  # noqa: D102 - see Watched
        values = super().reference(real, n)
        if self.otmeans:
            self._optimum = float(ot_means(real, min(n, len(real))).value)
            values["_otmeans"] = self._optimum
        return values

    def _between(self, x, y):
        return exact_plan(x, y).upper


def watched(distance: Callable[..., Distance]) -> Callable[..., Watched]:
    """A row of the table of metrics from a row of `DISTANCES`, with the same options."""
    return row(lambda **options: Watched(distance(**options)), like=distance)


def _numbers(transport: Transport) -> dict[str, float]:
    if transport.converged:
        return {"": transport.value}
    return {"_lower": transport.lower, "_upper": transport.upper}
