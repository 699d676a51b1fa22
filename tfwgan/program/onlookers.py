"""What looks on at every run: guards, numbers, pictures, metrics, checkpoints."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfwgan.callbacks.evaluate import Evaluate
from tfwgan.callbacks.guard import Checkpoint, StopOnNonFinite
from tfwgan.callbacks.pictures import Pictures
from tfwgan.callbacks.record import Clock, Progress, Record, WeightHistograms
from tfwgan.program.parts import Experiment
from tfwgan.program.runs import Run
from tfwgan.screen import Screen


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
    return [Evaluate(run, writer, experiment.loaded, metrics, every, last, limit, seed, screen)]
