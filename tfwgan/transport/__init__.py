"""Optimal transport: exact and approximate distances between two sets of samples, certificates, and OTMeans.

    >>> from tfwgan.transport import w1
    >>> w1([[0.0], [1.0]], [[0.0], [3.0]])
    1.0

`DISTANCES` holds what can be watched during training, `DIFFERENTIABLE` the part of it that can be trained on. Every row
is a factory whose options are those of the function it names; the distance it makes takes two sets and a seed.
"""

import inspect
import typing
from collections.abc import Callable

import tensorflow as tf

from tfwgan.errors import UsageError
from tfwgan.transport.certificate import certify
from tfwgan.transport.exact import exact_plan, w1, w1_loss
from tfwgan.transport.kernels import mmd
from tfwgan.transport.means import ot_means
from tfwgan.transport.moments import frechet
from tfwgan.transport.neighbours import nn
from tfwgan.transport.patches import local_patch_swd, patch_swd, patch_w1
from tfwgan.transport.sinkhorn import sinkhorn, sinkhorn_loss
from tfwgan.transport.sliced import full_dim_swd, projected_w1, swd

__all__ = [
    "DIFFERENTIABLE",
    "DISTANCES",
    "Distance",
    "certify",
    "exact_plan",
    "frechet",
    "full_dim_swd",
    "local_patch_swd",
    "mmd",
    "nn",
    "ot_means",
    "patch_swd",
    "patch_w1",
    "projected_w1",
    "sinkhorn",
    "sinkhorn_loss",
    "swd",
    "w1",
    "w1_loss",
]

# (x [n, ...], y [m, ...], seed) -> scalar; x is the generated set. Those of the tables below have `options`, by name.
Distance = Callable[..., tf.Tensor]


def __dir__() -> list[str]:
    return __all__


def row(factory: Callable, like: Callable, leave_out: tuple[str, ...] = ()) -> Callable:
    """Gives a factory of keyword options the signature of another function, for `spec.build` to read."""
    parameters = [p for p in inspect.signature(like).parameters.values() if p.name not in leave_out]
    hints = typing.get_type_hints(like)

    def made(**options):
        return factory(**options)

    made.__signature__ = inspect.Signature(parameters)
    made.__annotations__ = {p.name: hints[p.name] for p in parameters}
    return made


def _distance(function: Callable) -> Callable[..., Distance]:
    """A row of the table: the options of `function` now, its sets and its seed later."""
    parameters = inspect.signature(function).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items() if name not in ("x", "y", "seed")}

    def factory(**options) -> Distance:
        def distance(x, y, seed=0):
            return function(x, y, **options, **({"seed": seed} if "seed" in parameters else {}))

        distance.options = {**defaults, **options}
        return distance

    return row(factory, like=function, leave_out=("x", "y", "seed"))


def check(distance: Distance, shape: tuple[int, ...], what: str) -> None:
    """Tries a distance on samples of a shape.

    Args:
        distance: The distance.
        shape: Of one sample.
        what: What it is for, to start the message with.

    Raises:
        UsageError: If it does not fit, such as patches larger than the image, or an option out of range.
    """
    try:
        distance(tf.zeros([2, *shape]), tf.ones([2, *shape]))
    except ValueError as error:
        raise UsageError(f"{what}: {error}") from None


DIFFERENTIABLE = {
    "w1": _distance(w1_loss),
    "sinkhorn": _distance(sinkhorn_loss),
    "swd": _distance(swd),
    "full_dim_swd": _distance(full_dim_swd),
    "projected_w1": _distance(projected_w1),
    "patch_w1": _distance(patch_w1),
    "patch_swd": _distance(patch_swd),
    "local_patch_swd": _distance(local_patch_swd),
}

DISTANCES = {
    **DIFFERENTIABLE,
    "nn": _distance(nn),
    "frechet": _distance(frechet),
    "mmd": _distance(mmd),
}
