"""Direct objectives: a distance between generated and real batch is the loss, without a critic."""

import dataclasses
import inspect
from typing import Any

import tensorflow as tf

from tfwgan.errors import UsageError
from tfwgan.objectives.options import documented
from tfwgan.objectives.replicas import all_replicas
from tfwgan.protocols import Critic, Distance, Tensors
from tfwgan.transport.options import between, check, docstring_of, parameters_of, with_options
from tfwgan.transport.patches import leave_out


@dataclasses.dataclass(frozen=True)
class Direct:
    """The generator minimises a distance to the data, batch by batch.

        >>> from tfwgan import swd
        >>> from tfwgan.objectives import Direct
        >>> Direct(swd).with_(n_projections=16).parameters["n_projections"].default
        16

    Attributes:
        distance: Of generated samples `[n, ...]` to real ones `[m, ...]`, differentiable in the
            former, such as `tfwgan.transport.swd`; its further parameters are options, `seed`
            excepted.
    """

    distance: Distance

    uses_critic = False
    reconstructs = False
    reads_features = False
    compiles = False  # exact transport and the fast sort run outside the graph
    heads = ()
    terms = ("generator_loss",)

    def __post_init__(self) -> None:
        about = f"As a loss, without a critic: {docstring_of(self.distance)}"
        object.__setattr__(self, "__doc__", documented(about, self.parameters))

    def with_(self, **options: Any) -> "Direct":
        """The same distance with other options; raises `UsageError` if one is unknown."""
        return Direct(with_options(self.distance, **options))

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """What `with_` takes, as named parameters with their present values."""
        return parameters_of(self.distance)

    def check(self, shape: tuple[int, ...]) -> None:
        """Tries the distance on samples of a shape.

        Raises:
            UsageError: If it does not fit them, or leaves parts of them out.
        """
        what = "the loss does not fit the data"
        check(self.distance, shape, what)
        values = {name: option.default for name, option in self.parameters.items()}
        if "p" in values and leave_out(shape, values["p"], values["s"]):
            raise UsageError(
                f"{what}: its patches leave out rows or columns of {shape[0]}x{shape[1]} images, "
                "where anything could be drawn; choose p and s so that s is at most p and "
                "divides the side minus p."
            )

    def generator_terms(
        self, critic: Critic | None, real: Tensors, fake: Tensors, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The distance (``generator_loss``) of generated images `[b, ...]` to real ones."""
        del critic
        x, y = all_replicas(fake["image"]), all_replicas(real["image"])
        return {"generator_loss": between(self.distance, x, y, seed)}
