"""What a run is made of, and how it ended."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from tfwgan.data.dataset import Dataset, Outline
from tfwgan.data.pipeline import batches
from tfwgan.errors import UsageError
from tfwgan.program.config import Config
from tfwgan.protocols import Metric
from tfwgan.schedule import CriticSteps
from tfwgan.trainer import GanTrainer


@dataclasses.dataclass(frozen=True, repr=False)
class Experiment:
    """The parts of a run, ready to train, or in a dry run with the outline of the data only.

    >>> import tfwgan
    >>> networks = {"gen_arch": "MLP-dim=8", "disc_arch": "MLP-dim=8", "z_dim": 4}
    >>> config = tfwgan.Config(data="ring8-n=64", batch_size=8, steps=2, **networks)
    >>> experiment = tfwgan.build(config)
    >>> experiment.batches(steps=1).element_spec["image"].shape
    TensorShape([8, 5, 2])
    """

    config: Config
    dataset: Dataset | Outline
    trainer: GanTrainer
    strategy: tf.distribute.Strategy
    metrics: Mapping[str, Metric] = dataclasses.field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"<Experiment {self.config.run_name}: {self.dataset.name}, {self.config.steps} steps>"
        )

    @property
    def loaded(self) -> Dataset:
        """The data; `UsageError` if there is only their outline."""
        if isinstance(self.dataset, Outline):
            raise UsageError(
                "This experiment was built with dry_run=True and has no data to train on; "
                "build it without."
            )
        return self.dataset

    @property
    def critic_steps(self) -> CriticSteps:
        """How many critic updates each step makes; a step without a critic reads one batch too."""
        return self.config.critic_steps if self.trainer.critic is not None else CriticSteps(1)

    def images_before(self, step: int) -> int:
        """Real images that training reads before a step."""
        return self.config.batch_size * self.critic_steps.before(step)

    def batches(self, first_step: int = 0, steps: int | None = None) -> tf.data.Dataset:
        """Training data from any step on: elements `{"image": [b, n_critic, ...]}`.

        They are endless if `steps` is None. All have as many critic batches as the first; `fit`
        asks anew where the schedule changes their number.
        """
        config, critic_steps = self.config, self.critic_steps
        return batches(
            self.loaded,
            batch_size=config.batch_size,
            n_critic=critic_steps.at(first_step),
            seed=config.seed,
            flip=config.flip,
            first_batch=critic_steps.before(first_step),
            steps=steps,
        )

    def element_spec(self, step: int = 0) -> dict[str, tf.TensorSpec]:
        """What the element of a step looks like; an outline of the data is enough."""
        blank = Outline.of(self.dataset).blank(self.config.batch_size)
        return dataclasses.replace(self, dataset=blank).batches(step).element_spec


@dataclasses.dataclass(frozen=True)
class Result:
    """How `fit` ended.

    Attributes:
        run_dir: The run folder.
        step: Steps done in all.
        interrupted: The signal that ended training early, or None.
        saved_model: Folder of the exported model, unless a signal ended the run.
        history: The rows of metrics.jsonl, one for each step that was logged:
            ``pandas.DataFrame(result.history)``.
    """

    run_dir: Path
    step: int
    interrupted: str | None
    saved_model: Path | None
    history: list[dict[str, float]] = dataclasses.field(default_factory=list, repr=False)
