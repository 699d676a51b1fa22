"""A distance is a value whose options are its arguments beside the two sets and the seed."""

import functools
import inspect
from typing import Any

import tensorflow as tf

from tfwgan.errors import UsageError, refuse_unknown
from tfwgan.protocols import Distance


def parameters_of(distance: Distance) -> dict[str, inspect.Parameter]:
    """The options of a distance, or of a `functools.partial` of one, by name."""
    parameters = inspect.signature(distance).parameters
    return {name: one for name, one in parameters.items() if name not in ("x", "y", "seed")}


def with_options(distance: Distance, **options: Any) -> Distance:
    """The same distance with other options; raises `UsageError` if one is unknown."""
    refuse_unknown(options, parameters_of(distance), "option")
    return functools.partial(distance, **options) if options else distance


def docstring_of(distance: Distance) -> str:
    """What a distance is, also one whose options were given."""
    return inspect.getdoc(getattr(distance, "func", distance)) or ""


def between(distance: Distance, x: tf.Tensor, y: tf.Tensor, seed: int | tf.Tensor = 0) -> tf.Tensor:
    """Returns the distance of generated samples `x [n, ...]` to real ones `y [m, ...]`.

    It is a function of `seed`.
    """
    return (
        distance(x, y, seed=seed)
        if "seed" in inspect.signature(distance).parameters
        else distance(x, y)
    )


def check(distance: Distance, shape: tuple[int, ...], what: str) -> None:
    """Tries a distance on samples of a shape.

    Args:
        distance: The distance.
        shape: Of one sample.
        what: What it is for, to start the message with.

    Raises:
        UsageError: If it does not fit, such as patches larger than the image, or an option out of
            range.
    """
    try:
        between(distance, tf.zeros([2, *shape]), tf.ones([2, *shape]))
    except ValueError as error:
        raise UsageError(f"{what}: {error}") from None
