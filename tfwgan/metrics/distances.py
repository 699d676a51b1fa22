"""Every distance of `tfwgan.transport` as a metric, the exact one with its optimum.

A metric has two methods: `measure`, on generated and real samples, and `reference`, on real samples
alone, whose numbers say how to read those of `measure`; `recall` takes up the latter where they
were kept. Both return numbers by suffix: "" is the distance itself. A number that was not reached
has a suffix that says so: no number without a status.
"""

import contextlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfwgan.protocols import Distance
from tfwgan.transport.exact import Transport, exact_plan
from tfwgan.transport.means import ot_means
from tfwgan.transport.options import between, check, docstring_of, parameters_of, with_options
from tfwgan.transport.sinkhorn import Entropic, sinkhorn


class DistanceMetric:
    """A distance as it is: a value, from which `with_` makes others.

        >>> from tfwgan.metrics import DistanceMetric
        >>> from tfwgan.transport import swd
        >>> DistanceMetric(swd).with_(n_projections=16).options
        {'n_projections': 16}

    Args:
        distance: Of generated samples `[n, ...]` to real ones `[m, ...]`, such as
            `tfwgan.transport.swd`; random directions are the same ones at every evaluation.
    """

    upper: float | None = None  # a bound above W1, where the last measurement gave one
    features, larger_is_better = "", False

    def __init__(self, distance: Distance) -> None:
        self.distance = distance
        self.__doc__ = docstring_of(distance)

    def with_(self, **options: Any) -> "DistanceMetric":
        """The same distance with other options; raises `UsageError` if one is unknown."""
        return DistanceMetric(with_options(self.distance, **options))

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """What `with_` takes, as named parameters with their present values."""
        return parameters_of(self.distance)

    @property
    def options(self) -> dict[str, object]:
        """The present values of the options."""
        return {name: one.default for name, one in self.parameters.items()}

    def check(self, shape: tuple[int, ...]) -> None:
        """Tries the distance on samples of a shape; raises `UsageError` if it does not fit them."""
        check(self.distance, shape, "the metric does not fit the data")

    def measure(self, fake: np.ndarray, real: np.ndarray) -> dict[str, float]:
        """The distance of generated samples `[n, ...]` to real ones `[m, ...]`."""
        return _numbers(between(self.distance, fake, real))

    def reference(self, real: np.ndarray, n: int) -> dict[str, float]:
        """What the distance says of real samples against real ones, see `real_against_real`."""
        return real_against_real(self.measure, real, n)

    def recall(self, values: Mapping[str, float]) -> None:
        """Nothing to take up."""


class ExactW1:
    """The exact Wasserstein distance W1 with the Euclidean ground cost.

    Each evaluation starts from the potentials of the one before. If the solver's cap is hit, the
    answer is an interval (``_lower``, ``_upper``) and no number.

    Args:
        otmeans: Also place `n` equally weighted points (OTMeans) once, as well as could be found;
            then ``_otmeans`` is their distance, and ``_ratio`` how many times that the generator's
            is. OTMeans is a local optimum, of several starts where these are cheap: 1 is as good as
            it, and a generator may get below.
    """

    upper: float | None = None  # a bound above W1, of the last measurement
    features, larger_is_better = "", False

    def __init__(self, otmeans: bool = False) -> None:
        self.options = {"otmeans": otmeans}
        self._optimum: float | None = None
        self._potentials: tuple[np.ndarray, np.ndarray] | None = None

    def check(self, shape: tuple[int, ...]) -> None:
        """Any shape of samples is fine."""

    def measure(self, fake: np.ndarray, real: np.ndarray) -> dict[str, float]:
        """W1 of generated samples `[n, ...]` to real ones `[m, ...]`, and its ratio to OTMeans'."""
        transport = exact_plan(fake, real, warm_start=self._potentials)
        self._potentials, self.upper = transport.potentials, transport.upper
        values = _numbers(transport)
        if self._optimum and "" in values:
            values["_ratio"] = values[""] / self._optimum
        return values

    def reference(self, real: np.ndarray, n: int) -> dict[str, float]:
        """W1 of real samples to real ones, see `real_against_real`; the optimum if asked for."""
        values = real_against_real(lambda x, y: _numbers(exact_plan(x, y)), real, n)
        if self.options["otmeans"]:
            values["_otmeans"] = float(ot_means(real, min(n, len(real))).value)
        self.recall(values)
        return values

    def recall(self, values: Mapping[str, float]) -> None:
        """Takes up the optimum that `reference` found in an earlier part of the run."""
        self._optimum = values.get("_otmeans")


def solved_sinkhorn(
    x: np.ndarray,
    y: np.ndarray,
    epsilon: float,
    debias: bool = True,
    tolerance: float = 1e-3,
    max_iterations: int = 500,
) -> Entropic:
    """The Sinkhorn divergence with its status; arguments and precision are `sinkhorn_loss`'s."""
    return sinkhorn(
        x, y, epsilon, debias=debias, tolerance=tolerance, max_iterations=max_iterations
    )


def real_against_real(
    measure: Callable[[np.ndarray, np.ndarray], dict[str, float]], real: np.ndarray, n: int
) -> dict[str, float]:
    """What a distance says of real samples against real ones: how small its numbers can be.

    Args:
        measure: From two sets to numbers by suffix.
        real: Samples `[m, ...]` in random order.
        n: How many generated samples are measured.

    Returns:
        ``_floor``, between the halves of `real`; ``_real``, between `n` of them (at most half) and
        the others. Nothing of too few samples to be halved, or to be measured then.
    """
    half, few = len(real) // 2, min(n, len(real) // 2)
    values: dict[str, float] = {}
    if half:
        with contextlib.suppress(ValueError):  # a set of one is too few for some
            floor = measure(real[:half], real[half:])
            again = floor if few == half else measure(real[:few], real[few:])
            values |= {f"_floor{suffix}": value for suffix, value in floor.items()}
            values |= {f"_real{suffix}": value for suffix, value in again.items()}
    return values


def _numbers(distance: float | tf.Tensor | Transport | Entropic) -> dict[str, float]:
    """A distance by suffix; what was not solved has no plain name."""
    if isinstance(distance, Transport):
        bounds = {"_lower": distance.lower, "_upper": distance.upper}
        return bounds if distance.value is None else {"": distance.value}
    if isinstance(distance, Entropic):
        unsolved = {"_unconverged": distance.value, "_error": distance.error}
        return {"": distance.value} if distance.converged else unsolved
    return {"": float(distance)}
