"""How many critic updates the generator steps of a run make. Imports no TensorFlow."""

import dataclasses
from typing import TYPE_CHECKING

from tfwgan.errors import UsageError

if TYPE_CHECKING:
    import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class CriticSteps:
    """`n` critic updates per generator step, or now and then `warmup` of them.

    The first steps have `warmup` of them too.

    Arjovsky's code makes 100 in place of 5 while the step, counted from 0, is below 25 or a
    multiple of 500, so that the critic is near its optimum when the generator begins to follow it;
    the port of it to TensorFlow makes 25.

    Attributes:
        n: Critic updates of an ordinary step.
        warmup: Critic updates of the others; None if there are none.
        first: Number of steps at the beginning with `warmup`.
        every: Period of later steps with `warmup`.

    Raises:
        UsageError: If a number is out of range.
    """

    n: int
    warmup: int | None = None
    first: int = 25
    every: int = 500

    def __post_init__(self) -> None:
        for name, least in (("n", 1), ("warmup", 1), ("first", 0), ("every", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"{name} must be at least {least}, got {value}.")
        if self.warmup is None and (self.first, self.every) != (25, 500):
            raise UsageError("first and every say when there is a warm-up: add warmup=25.")

    def at(self, step: int) -> int:
        """Critic updates of a step, counted from 0."""
        return (self.warmup or self.n) if self._is_warm(step) else self.n

    def before(self, step: "int | tf.Tensor") -> "int | tf.Tensor":
        """The number of critic updates of all the steps before one.

        That step may also be a whole number of TensorFlow.
        """
        return self.n * step + ((self.warmup or self.n) - self.n) * self.warm_before(step)

    def warm_before(self, step: "int | tf.Tensor") -> "int | tf.Tensor":
        """How many of the steps before one have `warmup` critic updates."""
        if self.warmup is None:
            return 0
        early = (step + self.first - abs(step - self.first)) // 2  # the lesser, of tensors too
        return (
            early + -(-step // self.every) - -(-early // self.every)
        )  # multiples of `every` in [early, step)

    def next_change(self, step: int) -> float:
        """The first step after one that has another number of critic updates.

        It is infinite if no step has.
        """
        if self.warmup in (None, self.n):
            return float("inf")
        candidates = (step + 1, self.first, (step // self.every + 1) * self.every)
        later = sorted(
            one for one in candidates if one > step and self._is_warm(one) != self._is_warm(step)
        )
        return later[0] if later else float("inf")

    @property
    def most(self) -> int:
        """The largest number of critic updates of a step."""
        return max(self.n, self.warmup or 0)

    def _is_warm(self, step: int) -> bool:
        return self.warmup is not None and (step < self.first or step % self.every == 0)
