"""From a `Config` to a trained generator.

`build` puts data, trainer and metrics together, and `fit` runs them.
"""

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from tfwgan.callbacks.best import check_key
from tfwgan.callbacks.guard import Checkpoint, NonFiniteLoss, TrainingStopped, told
from tfwgan.callbacks.record import Clock
from tfwgan.data.dataset import Dataset
from tfwgan.errors import UsageError
from tfwgan.fitting import check_callbacks
from tfwgan.loop import train
from tfwgan.plain import plain_keras
from tfwgan.program import spec
from tfwgan.program.assemble import check_counts, make_metrics, make_trainer, resolve
from tfwgan.program.config import Config
from tfwgan.program.cost import check_memory
from tfwgan.program.devices import fix_threads, make_strategy
from tfwgan.program.loading import (
    load_data,
    load_data_of,
    load_run,
    load_trainer,
    outline_data,
)
from tfwgan.program.onlookers import evaluation, onlookers
from tfwgan.program.parts import Experiment, Result
from tfwgan.program.resume import about, facts, restore
from tfwgan.program.runs import Run
from tfwgan.saved_model import export_saved_model
from tfwgan.screen import Screen
from tfwgan.trainer import GanTrainer

__all__ = [
    "Experiment",
    "NonFiniteLoss",
    "Result",
    "TrainingStopped",
    "build",
    "fit",
    "load_data",
    "load_data_of",
    "load_run",
    "load_trainer",
    "make_trainer",
    "outline_data",
]


def build(config: Config, dataset: Dataset | None = None, *, dry_run: bool = False) -> Experiment:
    """Makes every part that a configuration names.

    It writes nothing, unless data have to be downloaded.

        >>> import tfwgan
        >>> networks = {"gen_arch": "MLP-dim=8", "disc_arch": "MLP-dim=8", "z_dim": 4}
        >>> config = tfwgan.Config(data="ring8-n=64", batch_size=8, steps=2, **networks)
        >>> tfwgan.build(config).trainer.sample(3).shape
        TensorShape([3, 2])

    Args:
        config: What to build.
        dataset: Data to use instead of `config.data`.
        dry_run: Make do with an outline of `config.data`, which has nothing to train on but needs
            no download.

    Raises:
        UsageError: If a part is unknown, or does not fit the others.
    """
    config = dataclasses.replace(resolve(config), threads=fix_threads(config.threads))
    strategy = make_strategy(config.devices, config.batch_size)
    data = (outline_data if dry_run else load_data)(config) if dataset is None else dataset
    if dataset is not None and spec.parse(config.data).name != dataset.name:
        config = dataclasses.replace(config, data=f"given={dataset.name}")
    if data.size is not None and config.batch_size > data.size:
        raise UsageError(
            f"--batch_size={config.batch_size} is more than the {data.size} items of "
            f"{config.data!r}."
        )
    if config.flip and not data.is_image:
        raise UsageError(f"--flip mirrors images, and {config.data!r} has points; leave it out.")
    metrics = make_metrics(config.metrics, config.features, data.shape, data.name)
    for metric in metrics.values():
        metric.check(data.shape)
    check_key(config.keep_best, metrics)
    try:
        with plain_keras():
            trainer = make_trainer(config, data.shape, strategy, data.n_classes)
    except UsageError as error:  # labels that are missed may have been lost for a reason
        lost = [remark for remark in data.remarks if remark.startswith("no labels")]
        raise UsageError(f"{error} ({'; '.join(lost)})" if lost else str(error)) from None
    trainer.class_names = data.class_names or ()
    check_counts(metrics, trainer, data.size and min(data.size, config.eval_images))
    check_memory(trainer, config.batch_size)
    return Experiment(config, data, trainer, strategy, metrics)


def fit(
    experiment: Experiment,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    resume: bool = False,
    fresh: bool = False,
    verbose: bool = True,
) -> Result:
    """Trains to `config.steps`, writing the run folder.

    An epoch of Keras is one interval of `log_steps`. SIGINT and SIGTERM end training gently: the
    state is saved, and `resume` goes on from there bit for bit. So it is where one of `callbacks`
    ends training.

        >>> import tfwgan
        >>> networks = {"gen_arch": "MLP-dim=8", "disc_arch": "MLP-dim=8", "z_dim": 4}
        >>> config = tfwgan.Config(data="ring8-n=64", batch_size=8, steps=2, **networks)
        >>> result = tfwgan.fit(tfwgan.build(config), fresh=True, verbose=False)
        >>> result.step, result.saved_model.name
        (2, 'saved_model')

    Args:
        experiment: What `build` made; its trainer is trained in place.
        callbacks: The caller's own Keras callbacks, run after ours. At the end of an epoch they see
            the means of the losses and the newest value of every metric, under the names of
            metrics.jsonl.
        resume: Continue the run in the folder instead of starting one.
        fresh: Where the folder holds a run already, start another beside it, in ``<name>-2`` and so
            on.
        verbose: Show progress.

    Raises:
        UsageError: If the run folder can't be used, or holds a run of another configuration or on
            other data.
        NonFiniteLoss: If a loss or a weight becomes NaN or infinite.
        TrainingStopped: If memory or the disk is full; the message says what is saved.
    """
    config, trainer, dataset = experiment.config, experiment.trainer, experiment.loaded
    check_callbacks(callbacks)
    with (
        plain_keras(),
        Run.resume(config) if resume else Run.create(config, fresh, **facts(dataset)) as run,
    ):
        meta = restore(run, config, dataset, trainer) if resume else {}
        first, screen = trainer.steps_done, Screen(verbose)
        writer = tf.summary.create_file_writer(str(run.file("tensorboard")))
        clock = Clock(meta.get("seconds", 0.0))
        guard = Checkpoint(
            run.path / "checkpoints",
            clock,
            about(config, dataset),
            config.checkpoint_steps,
            config.steps,
            config.keep_checkpoints,
        )
        evaluate = evaluation(experiment, run, writer, screen)
        with contextlib.closing(writer), guard, told(guard.folder):
            train(
                trainer,
                experiment.batches,
                experiment.critic_steps,
                first,
                config.steps,
                config.log_steps,
                [*onlookers(experiment, run, writer, clock, screen, evaluate, guard), *callbacks],
                more_logs=evaluate[0].newest if evaluate else dict,
                rescue=guard.rescue,
            )
        step = trainer.steps_done
        saved = None if guard.interrupted else _export(trainer, run.path)
        return Result(run.path, step, guard.interrupted, saved, run.rows())


def _export(trainer: GanTrainer, run_dir: Path) -> Path:
    """The SavedModel of a run; TrainingStopped if it can't be written."""
    path = run_dir / "export" / "saved_model"
    try:
        export_saved_model(trainer, path)
        return path
    except OSError as error:
        raise TrainingStopped(
            f"Everything is trained and saved in {run_dir}, but its SavedModel can't be written "
            f"({error.strerror or error}); make room, then: tfwgan export {run_dir}"
        ) from None
