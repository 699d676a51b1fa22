"""The loop around the training step.

For its callbacks it is one training, whatever changes underneath.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import keras
import tensorflow as tf

from tfwgan.schedule import CriticSteps
from tfwgan.trainer import GanTrainer

Logs = Mapping[str, tf.Tensor]


def steps(
    trainer: GanTrainer,
    elements: Callable[[int], tf.data.Dataset],
    schedule: CriticSteps,
    first: int,
    last: int,
) -> Iterator[tuple[int, Logs]]:
    """Trains, and tells after each step its number, counted from 1, and the running means so far.

    Args:
        trainer: A compiled trainer.
        elements: From a step to training data from there on, with as many critic batches as that
            step has.
        schedule: How many critic batches a step has.
        first: Steps that were made before.
        last: Steps to make in all.
    """
    while first < last:
        end = int(min(last, schedule.next_change(first)))
        step_function = trainer.step_function(schedule.at(first))
        iterator = iter(
            trainer.distribute_strategy.experimental_distribute_dataset(elements(first))
        )
        for step in range(first + 1, end + 1):
            yield step, step_function(iterator)
        first = end


def train(
    trainer: GanTrainer,
    elements: Callable[[int], tf.data.Dataset],
    schedule: CriticSteps,
    first: int,
    last: int,
    interval: int,
    callbacks: Sequence[keras.callbacks.Callback],
    more_logs: Callable[[], Mapping[str, float]] = dict,
    rescue: Callable[[BaseException], None] = lambda error: None,
) -> None:
    """Trains from step `first` to step `last`, or until a callback sets `trainer.stop_training`.

    Keras' callbacks see one training, whose epochs are the intervals. In the middle of an interval,
    where a run may have been stopped, its means go on.

    Args:
        trainer: See `steps`, as the four that follow.
        elements: Training data.
        schedule: Of the critic updates.
        first: Steps that were made before.
        last: Steps to make in all.
        interval: Steps of an epoch.
        callbacks: Of Keras.
        more_logs: What is added to the means at the end of an epoch.
        rescue: Called when a callback fails, between two steps, where the state is whole.
    """
    if first >= last:
        return
    epochs = -(-last // interval)
    events = keras.callbacks.CallbackList(
        list(callbacks), model=trainer, epochs=epochs, steps=interval, verbose=0
    )
    trainer.stop_training = False

    def begin(step: int) -> None:
        if step % interval == 0:
            trainer.reset_metrics()
        if step % interval == 0 or step == first:
            events.on_epoch_begin(step // interval)
        events.on_train_batch_begin(step % interval)

    def end(step: int, logs: Logs) -> bool:
        """Tells the callbacks of a step; returns whether it was the last one."""
        events.on_train_batch_end((step - 1) % interval, logs)
        if step % interval == 0 or step == last or trainer.stop_training:
            means = {name: float(value) for name, value in logs.items()}
            events.on_epoch_end((step - 1) // interval, {**means, **more_logs()})
        return step == last or trainer.stop_training

    with _telling(rescue):
        events.on_train_begin()
        begin(first)
    for step, logs in steps(trainer, elements, schedule, first, last):
        with _telling(rescue):
            if end(step, logs):
                break
            begin(step)
    with _telling(rescue):
        events.on_train_end()


@contextlib.contextmanager
def _telling(rescue: Callable[[BaseException], None]) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        rescue(error)
        raise
