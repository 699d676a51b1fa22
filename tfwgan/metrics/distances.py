"""Every distance of `tfwgan.transport` as a metric, the exact one with its certificate and its reference.

A metric has two methods: `measure`, on generated and real samples, and `reference`, on real samples alone, whose
numbers say how to read those of `measure`; `recall` takes up the latter where they were kept. Both return numbers by
suffix: "" is the distance itself. A number that was not reached has a suffix that says so: no number without a status.
"""

import contextlib
from collections.abc import Callable, Mapping

import numpy as np

from tfwgan.transport import Distance, check, row
from tfwgan.transport.exact import Transport, exact_plan
from tfwgan.transport.means import ot_means
from tfwgan.transport.sinkhorn import sinkhorn


class Watched:
    """A distance as it is.

    Args:
        distance: From `tfwgan.transport.DISTANCES`; random directions are the same ones at every evaluation.
    """

    upper: float | None = None  # a bound above W1, where the last measurement gave one

    def __init__(self, distance: Distance):
        self.distance = distance
        self.options: Mapping[str, object] = getattr(distance, "options", {})  # by name

    def check(self, shape: tuple[int, ...]) -> None:
        """Tries the distance on samples of a shape; raises `UsageError` if it does not fit them."""
        check(self.distance, shape, "the metric does not fit the data")

    def measure(self, fake: np.ndarray, real: np.ndarray) -> dict[str, float]:
        """The distance of generated samples `[n, ...]` to real ones `[m, ...]`."""
        return self._between(fake, real)

    def reference(self, real: np.ndarray, n: int) -> dict[str, float]:
        """What the same distance says of real samples against real ones.

        Args:
            real: Samples `[m, ...]` in random order.
            n: How many generated samples are measured.

        Returns:
            ``_floor``, between the halves of `real`; ``_real``, between `n` of them (at most half) and the others.
            Nothing of too few samples to be halved, or to be measured then.
        """
        half, few = len(real) // 2, min(n, len(real) // 2)
        values: dict[str, float] = {}
        if half:
            with contextlib.suppress(ValueError):  # a set of one is too few for some
                floor = self._between(real[:half], real[half:])
                again = floor if few == half else self._between(real[:few], real[few:])
                values |= {f"_floor{suffix}": value for suffix, value in floor.items()}
                values |= {f"_real{suffix}": value for suffix, value in again.items()}
        return values

    def recall(self, values: Mapping[str, float]) -> None:
        """Takes up what `reference` returned in an earlier part of the run."""

    def _between(self, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
        return {"": float(self.distance(x, y))}


class Entropic(Watched):
    """The Sinkhorn divergence, if the iterations reached their tolerance.

    If not, the answer is what they had arrived at (``_unconverged``), with the error of its plan's marginals
    (``_error``), and no number under the plain name.
    """

    def _between(self, x, y):
        result = sinkhorn(x, y, **self.options)
        return {"": result.value} if result.converged else {"_unconverged": result.value, "_error": result.error}


class ExactW1(Watched):
    """The exact Wasserstein distance W1 with the Euclidean ground cost.

    Each evaluation starts from the potentials of the one before. If the solver's cap is hit, the answer is an interval
    (``_lower``, ``_upper``) and no number.

    Args:
        otmeans: Also place `n` equally weighted points (OTMeans) once, as well as could be found; then ``_otmeans`` is
            their distance, and ``_ratio`` how many times that the generator's is. OTMeans is a local optimum, of
            several starts where these are cheap: 1 is as good as it, and a generator may get below.
    """

    def __init__(self, otmeans: bool = False):
        self.options = {"otmeans": otmeans}
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
        if self.options["otmeans"]:
            values["_otmeans"] = float(ot_means(real, min(n, len(real))).value)
        self.recall(values)
        return values

    def recall(self, values: Mapping[str, float]) -> None:  # noqa: D102 - see Watched
        self._optimum = values.get("_otmeans")

    def _between(self, x, y):
        return _numbers(exact_plan(x, y))


def watched(distance: Callable[..., Distance], kind: type[Watched] = Watched) -> Callable[..., Watched]:
    """A row of the table of metrics from a row of `DISTANCES`, with the same options."""
    return row(lambda **options: kind(distance(**options)), like=distance)


def _numbers(transport: Transport) -> dict[str, float]:
    if transport.converged:
        return {"": transport.value}
    return {"_lower": transport.lower, "_upper": transport.upper}
