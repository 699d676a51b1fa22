"""Optimizers with the constants of the papers' own code, and schedules of their learning rates.

A schedule spans a whole run.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import keras
import tensorflow as tf
from keras import ops

from tfwgan.errors import UsageError

Schedule = Literal["constant", "linear", "cosine"]
Rate: TypeAlias = float | keras.optimizers.schedules.LearningRateSchedule


class RMSprop(keras.optimizers.Optimizer):
    """RMSProp as in Arjovsky's code, which has epsilon outside the root.

    An update is ``v <- rho v + (1 - rho) g^2``, then ``w <- w - lr g / (sqrt(v) + epsilon)``.

    Keras' own has rho 0.9 and epsilon inside the root, where 1e-7 caps the step of small gradients:
    with clipped weights, whose gradients are tiny, it is another algorithm.
    """

    def __init__(
        self,
        learning_rate: Rate = 5e-5,
        rho: float = 0.99,
        epsilon: float = 1e-8,
        name: str = "rmsprop",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.rho, self.epsilon = rho, epsilon

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Makes one slot per variable: the running mean of its squared gradient."""
        if self.built:
            return
        super().build(variables)
        self._velocities = [self.add_variable_from_reference(v, name="velocity") for v in variables]

    def update_step(
        self, gradient: tf.Tensor, variable: keras.Variable, learning_rate: tf.Tensor
    ) -> None:
        """One update of one variable."""
        velocity = self._velocities[self._get_variable_index(variable)]
        velocity.assign(self.rho * velocity + (1.0 - self.rho) * ops.square(gradient))
        step = (
            ops.cast(learning_rate, variable.dtype) * gradient / (ops.sqrt(velocity) + self.epsilon)
        )
        self.assign_sub(variable, step)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}


def adam(
    updates: int,
    lr: float = 1e-4,
    beta_1: float = 0.5,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
    schedule: Schedule = "constant",
    final: float = 0.0,
) -> keras.optimizers.Optimizer:
    """Adam (Kingma and Ba, 2015). For `schedule` and `final` see `_rate`."""
    for name, beta in {"beta_1": beta_1, "beta_2": beta_2}.items():
        if not 0 <= beta < 1:
            raise UsageError(f"{name} must be in [0, 1), got {beta}.")
    _check_epsilon(epsilon)
    return keras.optimizers.Adam(_rate(lr, schedule, final, updates), beta_1, beta_2, epsilon)


def rmsprop(
    updates: int,
    lr: float = 5e-5,
    rho: float = 0.99,
    epsilon: float = 1e-8,
    schedule: Schedule = "constant",
    final: float = 0.0,
) -> keras.optimizers.Optimizer:
    """RMSProp with epsilon outside the root, see `RMSprop`.

    For `schedule` and `final` see `_rate`.
    """
    if not 0 <= rho < 1:
        raise UsageError(f"rho must be in [0, 1), got {rho}.")
    _check_epsilon(epsilon)
    return RMSprop(_rate(lr, schedule, final, updates), rho, epsilon)


def sgd(
    updates: int,
    lr: float = 1e-2,
    momentum: float = 0.0,
    schedule: Schedule = "constant",
    final: float = 0.0,
) -> keras.optimizers.Optimizer:
    """Gradient descent. For `schedule` and `final` see `_rate`."""
    if not 0 <= momentum < 1:
        raise UsageError(f"momentum must be in [0, 1), got {momentum}.")
    return keras.optimizers.SGD(_rate(lr, schedule, final, updates), momentum)


def _rate(lr: float, schedule: Schedule, final: float, updates: int) -> Rate:
    """The learning rate: constant, or falling from `lr` to `final * lr`.

    It falls over all `updates` of the run.
    """
    if lr <= 0:
        raise UsageError(f"lr must be above 0, got {lr}.")
    if not 0 <= final <= 1:
        raise UsageError(f"final must be in [0, 1], got {final}.")
    if schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(lr, updates, alpha=final)
    if schedule == "linear":
        return keras.optimizers.schedules.PolynomialDecay(lr, updates, end_learning_rate=final * lr)
    return lr


def _check_epsilon(epsilon: float) -> None:
    if epsilon <= 0:
        raise UsageError(f"epsilon must be above 0, got {epsilon}.")


OPTIMIZERS = {"adam": adam, "rmsprop": rmsprop, "sgd": sgd}
