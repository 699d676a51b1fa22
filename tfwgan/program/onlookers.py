"""What looks on at every run: guards, numbers, pictures, metrics, checkpoints."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfwgan.callbacks.best import KeepBest
from tfwgan.callbacks.evaluate import Evaluate, real_rows
from tfwgan.callbacks.guard import Checkpoint, StopOnNonFinite
from tfwgan.callbacks.pictures import Pictures
from tfwgan.callbacks.record import Clock, Progress, Record, WeightHistograms
from tfwgan.program.parts import Experiment
from tfwgan.program.runs import Run
from tfwgan.screen import Screen

_CHOOSING, _REPORTING = slice(None, None, 2), slice(1, None, 2)  # halves of the real samples


def onlookers(
    experiment: Experiment,
    run: Run,
    writer: tf.summary.SummaryWriter,
    clock: Clock,
    screen: Screen,
    evaluate: Sequence[Evaluate],
    guard: Checkpoint,
) -> list[keras.callbacks.Callback]:
    """What looks on at every run, in this order: what stops it first, what is saved last."""
    config, images = experiment.config, experiment.images_before
    return [
        StopOnNonFinite(guard.folder),
        Record(run, writer, clock, config.as_dict(), config.log_steps, config.steps, images),
        Pictures(run, writer, experiment.loaded, config.image_steps, config.steps),
        WeightHistograms(writer, config.image_steps, config.steps),
        *evaluate,
        *[
            _best(experiment, run, clock, one, guard, screen)
            for one in evaluate
            if config.keep_best
        ],
        guard,
        Progress(screen, config.log_steps, config.steps, images),
    ]


def evaluation(
    experiment: Experiment, run: Run, writer: tf.summary.SummaryWriter, screen: Screen
) -> list[Evaluate]:
    """The callback that watches the metrics, if any are asked for."""
    config, metrics = experiment.config, experiment.metrics
    if not metrics:
        return []
    every, last, limit, seed = config.eval_steps, config.steps, config.eval_images, config.seed
    part = _CHOOSING if config.keep_best else slice(None)
    data = experiment.loaded
    return [Evaluate(run, writer, data, metrics, every, last, limit, seed, screen, part)]


def _best(
    experiment: Experiment,
    run: Run,
    clock: Clock,
    evaluate: Evaluate,
    guard: Checkpoint,
    screen: Screen,
) -> KeepBest:
    """What keeps the best checkpoint: chosen on one half of the real samples, told on the other."""
    config, data = experiment.config, experiment.loaded
    rows = real_rows(len(data), config.eval_images, config.seed)[_REPORTING]
    metric, real = experiment.metrics[config.keep_best], data.real(rows)
    return KeepBest(
        evaluate,
        config.keep_best,
        metric,
        real,
        run.path,
        clock,
        guard.about,
        config.seed,
        screen,
    )
