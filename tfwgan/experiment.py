"""From a `Config` to a trained generator: `build` puts data, trainer and metrics together, `fit` runs them."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from tfwgan import checkpoint, spec
from tfwgan.callbacks.evaluate import Evaluate
from tfwgan.callbacks.guard import Checkpoint, NonFiniteLoss, StopOnNonFinite
from tfwgan.callbacks.pictures import Pictures
from tfwgan.callbacks.record import Clock, Progress, Record, WeightHistograms
from tfwgan.callbacks.steps import ContinueInterval
from tfwgan.config import Config, read_config
from tfwgan.data import load
from tfwgan.data.dataset import Dataset
from tfwgan.data.pipeline import batches
from tfwgan.devices import make_strategy
from tfwgan.export import export
from tfwgan.metrics import METRICS
from tfwgan.parts import make_trainer, resolve
from tfwgan.runs import Run
from tfwgan.spec import UsageError
from tfwgan.trainer import GanTrainer

__all__ = [
    "Experiment",
    "NonFiniteLoss",
    "Result",
    "build",
    "fit",
    "load_data",
    "load_data_of",
    "load_run",
    "load_trainer",
    "make_trainer",
]


@dataclasses.dataclass(frozen=True)
class Experiment:
    """The parts of a run, ready to train."""

    config: Config
    dataset: Dataset
    trainer: GanTrainer
    strategy: tf.distribute.Strategy
    metrics: Mapping = dataclasses.field(default_factory=dict)

    def batches(self, first_step: int = 0, steps: int | None = None) -> tf.data.Dataset:
        """Training data from any step on: elements `{"image": [b, n_critic, ...]}`, endless if `steps` is None."""
        config = self.config
        return batches(
            self.dataset,
            batch_size=config.batch_size,
            n_critic=self.trainer.n_critic,
            seed=config.seed,
            first_step=first_step,
            steps=steps,
        )


@dataclasses.dataclass(frozen=True)
class Result:
    """How `fit` ended.

    Attributes:
        run_dir: The run folder.
        step: Steps done in all.
        interrupted: The signal that ended training early, or None.
        saved_model: Folder of the exported model, once the run is complete.
    """

    run_dir: Path
    step: int
    interrupted: str | None
    saved_model: Path | None


def build(config: Config, dataset: Dataset | None = None) -> Experiment:
    """Makes every part that a configuration names. Writes nothing.

    Args:
        config: What to build.
        dataset: Data to use instead of `config.data`.

    Raises:
        UsageError: If a part is unknown, or does not fit the others.
    """
    config = resolve(config)
    strategy = make_strategy(config.devices, config.batch_size)
    if dataset is None:
        dataset = load_data(config)
    if config.batch_size > len(dataset):
        raise UsageError(f"--batch_size={config.batch_size} is more than the {len(dataset)} items of {config.data!r}.")
    metrics = {text: spec.build(text, METRICS, "metric") for text in config.metrics}
    for metric in metrics.values():
        metric.check(dataset.shape)
    trainer = make_trainer(config, dataset.shape, strategy, dataset.n_classes)
    return Experiment(config, dataset, trainer, strategy, metrics)


def load_data(config: Config) -> Dataset:
    """The data set of a configuration."""
    return load(
        config.data,
        data_dir=config.data_dir,
        image_size=config.image_size,
        center_crop=config.center_crop,
        gray_scale=config.gray_scale,
        limit_data=config.limit_data,
    )


def fit(
    experiment: Experiment,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    resume: bool = False,
    verbose: bool = True,
) -> Result:
    """Trains to `config.steps`, writing the run folder; an epoch of Keras is one interval of `log_steps`.

    SIGINT and SIGTERM end it gently: the state is saved, and `resume` goes on from there bit for bit.

    Args:
        experiment: What `build` made; its trainer is trained in place.
        callbacks: The caller's own Keras callbacks, run after ours.
        resume: Continue the run in the folder instead of starting one.
        verbose: Show progress.

    Raises:
        UsageError: If the run folder can't be used.
        NonFiniteLoss: If a loss or a weight becomes NaN or infinite.
    """
    config, trainer = experiment.config, experiment.trainer
    with Run.resume(config) if resume else Run.create(config) as run:
        meta = _restore(experiment, run) if resume else {}
        first = trainer.steps_done
        clock, images = Clock(meta.get("seconds", 0.0)), config.batch_size * experiment.trainer.n_critic
        writer = tf.summary.create_file_writer(str(run.file("tensorboard")))
        folder = run.path / "checkpoints"
        guard = Checkpoint(
            folder, clock, experiment.dataset, config.checkpoint_steps, config.steps, config.keep_checkpoints
        )
        ours = [
            ContinueInterval(config.log_steps),
            StopOnNonFinite(folder),
            Record(run, writer, clock, config.log_steps, config.steps, images),
            Pictures(run, writer, experiment.dataset, config.image_steps, config.steps),
            WeightHistograms(writer, config.image_steps),
            *_evaluation(experiment, run, writer, verbose),
            guard,
            *([Progress(config.log_steps, config.steps, images)] if verbose else []),
        ]
        with contextlib.closing(writer), guard:
            _train(experiment, first, [*ours, *callbacks])
        step = trainer.steps_done
        done = step >= config.steps
        saved = export(trainer, run.path / "export" / "saved_model") if done else None
        return Result(run.path, step, guard.interrupted, saved)


def load_trainer(path: str | Path) -> GanTrainer:
    """The trainer of a run as its newest readable checkpoint left it, or of one checkpoint file. Needs no data.

    Args:
        path: A run folder, or a checkpoint in one.

    Raises:
        UsageError: If there is no run, or no readable checkpoint.
    """
    path = Path(path)
    run_dir = path.parent.parent if path.suffix == ".npz" else path
    config = Config(**read_config(run_dir / "config.json"))
    loaded = checkpoint.load(path) if path.suffix == ".npz" else checkpoint.load_newest(run_dir / "checkpoints")
    if loaded is None:
        raise UsageError(f"{run_dir} has no checkpoint yet.")
    arrays, meta = loaded
    trainer = make_trainer(config, tuple(meta["shape"]), tf.distribute.get_strategy(), meta.get("n_classes"))
    checkpoint.restore(trainer, arrays)
    return trainer


def load_data_of(run_dir: str | Path) -> Dataset:
    """The data that a run was trained on."""
    return load_data(Config(**read_config(Path(run_dir) / "config.json")))


def load_run(run_dir: str | Path) -> tuple[GanTrainer, Dataset]:
    """The trainer of a run as its newest checkpoint left it, and the data it was trained on."""
    return load_trainer(run_dir), load_data_of(run_dir)


def _evaluation(experiment: Experiment, run: Run, writer: tf.summary.SummaryWriter, verbose: bool) -> list[Evaluate]:
    """The callback that watches the metrics, if any are asked for."""
    config, metrics = experiment.config, experiment.metrics
    if not metrics:
        return []
    limit, seed = config.eval_images, config.seed
    return [Evaluate(run, writer, experiment.dataset, metrics, config.eval_steps, config.steps, limit, seed, verbose)]


def _restore(experiment: Experiment, run: Run) -> dict:
    """Puts the newest checkpoint into the trainer, and cuts metrics.jsonl back to it."""
    loaded = checkpoint.load_newest(run.path / "checkpoints")
    if loaded is None:
        run.drop_rows_after(-1)
        return {}
    arrays, meta = loaded
    checkpoint.restore(experiment.trainer, arrays)
    run.drop_rows_after(meta["step"])
    return meta


def _train(experiment: Experiment, first: int, callbacks: list) -> None:
    """Runs Keras' `fit` from step `first` on, span by span."""
    config, trainer = experiment.config, experiment.trainer
    for start, stop, length in _spans(first, config.steps, config.log_steps):
        trainer.fit(
            experiment.batches(start),
            steps_per_epoch=length,
            initial_epoch=start // config.log_steps,
            epochs=start // config.log_steps + (stop - start) // length,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )
        if trainer.stop_training:
            return


def _spans(first: int, last: int, interval: int) -> Iterator[tuple[int, int, int]]:
    """Splits the steps of a run at multiples of the interval: (start, stop, steps per epoch).

    There is more than one span only if a run goes on in the middle of an interval, or ends in one.
    """
    while first < last:
        whole = (last - first) // interval * interval
        if first % interval:
            stop = min(last, first + interval - first % interval)
        else:
            stop = first + whole if whole else last
        yield first, stop, min(interval, stop - first)
        first = stop
