"""Direct objectives: a distance between the generated batch and the real one is the loss, and there is no critic."""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from tfwgan.errors import UsageError
from tfwgan.objectives.auxiliary import Tensors
from tfwgan.objectives.replicas import all_replicas
from tfwgan.transport import Distance, check, row
from tfwgan.transport.patches import leave_out

# The betas of adversarial training; ten times its rate, as the paper's direct baselines (Elnekave and Weiss, 2025).
ADAM = "adam-lr=1e-3-beta_1=0.5-beta_2=0.9"


@dataclass(frozen=True)
class Direct:
    """The generator minimises a distance to the data, batch by batch.

    Attributes:
        distance: From `tfwgan.transport.DISTANCES`, differentiable.
    """

    distance: Distance

    uses_critic = False
    reconstructs = False
    reads_features = False
    compiles = False  # exact transport and the fast sort run outside the graph
    terms = ("generator_loss",)
    optimizer = ADAM

    def check(self, shape: tuple[int, ...]) -> None:
        """Tries the distance on samples of a shape; raises `UsageError` if it does not fit or leaves parts out."""
        what = "the loss does not fit the data"
        check(self.distance, shape, what)
        options = getattr(self.distance, "options", {})
        if "p" in options and leave_out(shape, options["p"], options["s"]):
            raise UsageError(
                f"{what}: its patches leave out rows or columns of {shape[0]}x{shape[1]} images, where anything could "
                "be drawn; choose -p and -s so that s is at most p and divides the side minus p."
            )

    def generator_terms(self, critic: None, real: Tensors, fake: Tensors, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """The distance (``generator_loss``) of generated images `[b, ...]` to real ones."""
        del critic
        return {"generator_loss": self.distance(all_replicas(fake["image"]), all_replicas(real["image"]), seed)}


def direct(distance: Callable[..., Distance]) -> Callable[..., Direct]:
    """A row of the table of objectives from a row of `DISTANCES`, with the same options."""
    return row(lambda **options: Direct(distance(**options)), like=distance)
