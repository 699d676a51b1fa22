"""What the parts of a GAN are to each other: samples, critics, objectives, distances, metrics.

Nothing inherits from these. They say once what every part may count on, and type checkers hold the
parts to it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import tensorflow as tf

# Tensors by name. Of samples: `image [b, ...]`, and where there are such `label [b]`,
# `z [b, z_dim]`, `reconstruction [b, z_dim]`. Of a critic: `score [b]`, and further heads.
Tensors = Mapping[str, tf.Tensor]
Samples: TypeAlias = tf.Tensor | Tensors
Critic = Callable[[Tensors], Tensors]
# From samples to scores `[b]`: what a penalty needs to know of a critic.
Score = Callable[[Samples], tf.Tensor]
# From generated samples `x [n, ...]` and real ones `y [m, ...]` to a scalar; more arguments are
# options, of which `seed` is that of random directions. A solver may return its status as well.
Distance = Callable[..., Any]


class Objective(Protocol):
    """What a trainer minimises. `Adversarial` and `Direct` are the two kinds of this package."""

    @property
    def uses_critic(self) -> bool:
        """Whether there is a critic; then it is a `CriticObjective`."""

    @property
    def reconstructs(self) -> bool:
        """Whether a reconstructor takes part."""

    @property
    def reads_features(self) -> bool:
        """Whether the critic must also output ``features``."""

    @property
    def compiles(self) -> bool:
        """Whether XLA can compile it."""

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the outputs that the critic must have."""

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the scalars that training logs."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises `UsageError` if samples of a shape don't fit."""

    def generator_terms(
        self, critic: Critic, real: Tensors, fake: Tensors, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Scalars by name; the generator minimises ``generator_loss``."""


class CriticObjective(Objective, Protocol):
    """An objective that a critic takes part in."""

    def critic_terms(
        self, critic: Critic, real: Tensors, fake: Tensors, mix: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Scalars by name; the critic minimises ``critic_loss``. Called if `uses_critic`."""

    def project(self, variables: list) -> None:
        """Puts the critic's weights back into a set, after each of its updates."""


class RunFolder(Protocol):
    """Where a run keeps what is seen of it."""

    path: Path

    def file(self, *parts: str) -> Path:
        """A path inside the folder, whose parent exists."""

    def append_row(self, row: Mapping[str, Any]) -> None:
        """Adds numbers of a step, ``row["step"]``, to those that are there."""

    def rows(self) -> list[dict[str, Any]]:
        """All rows, one for each step."""


class Metric(Protocol):
    """How far generated samples are from real ones, in numbers by suffix: "" is the main one."""

    upper: float | None
    options: Mapping[str, object]
    features: str  # what compares the samples in the place of pixels; "" where those are compared
    larger_is_better: bool

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises `UsageError` if samples of a shape don't fit."""

    def measure(self, fake: np.ndarray, real: np.ndarray) -> dict[str, float]:
        """The numbers of generated samples `[n, ...]` beside real ones `[m, ...]`."""

    def reference(self, real: np.ndarray, n: int) -> dict[str, float]:
        """What real samples alone say: how to read the numbers of `n` generated ones."""

    def recall(self, values: Mapping[str, float]) -> None:
        """Takes up what `reference` returned in an earlier part of the run."""
