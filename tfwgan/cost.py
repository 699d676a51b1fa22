"""What a training step costs: work, counted in its own graph; time and memory, measured."""

import math
import resource
import statistics
import sys
import time
from collections.abc import Mapping

import tensorflow as tf

from tfwgan.trainer import GanTrainer

_ENOUGH = 20e9  # operations that a timed step may take: some tenths of a second on a laptop

Spec = Mapping[str, tf.TensorSpec]


def flop_per_step(trainer: GanTrainer, element_spec: Spec) -> int:
    """Floating-point operations of all matrix products and convolutions of one `train_step`, penalties included.

    Args:
        trainer: A compiled trainer.
        element_spec: Shapes of one element of its data.
    """
    # The updates themselves: in a step compiled with XLA they are one opaque operation.
    step = tf.function(lambda batches: trainer.updates(batches, trainer.draw(batches)), autograph=False)
    graph = step.get_concrete_function(element_spec).graph
    return sum(_FLOP[op.type](op) for op in graph.get_operations() if op.type in _FLOP)


def seconds_for(trainer: GanTrainer, element_spec: Spec, flop: float) -> tuple[float, float]:
    """How long so much work takes on this machine, from the median of a few real training steps.

    Where a step is heavy, steps of fewer critic updates and samples are timed. The trainer's weights move.

    Args:
        trainer: A compiled trainer.
        element_spec: Shapes of one element of its data.
        flop: The work, counted by `flop_per_step`.

    Returns:
        Seconds, and the share of a whole step's work that was timed.
    """
    whole = flop_per_step(trainer, element_spec)
    timed, spec = whole, element_spec
    if whole > _ENOUGH:
        replicas = trainer.distribute_strategy.num_replicas_in_sync
        batch, n = element_spec["image"].shape[:2]
        smaller = max(1, min(batch // replicas, round(batch / replicas * _ENOUGH * n / whole))) * replicas
        spec = {
            name: tf.TensorSpec([smaller, 1, *one.shape[2:]], one.dtype, name) for name, one in element_spec.items()
        }
        timed = flop_per_step(trainer, spec)
    # Zeros are enough: the time of a product does not depend on its numbers.
    element = {name: tf.zeros(one.shape, one.dtype) for name, one in spec.items()}
    data = trainer.distribute_strategy.experimental_distribute_dataset(tf.data.Dataset.from_tensors(element).repeat())
    step, iterator, seconds = trainer.step_function(spec["image"].shape[1]), iter(data), []
    for _ in range(5):
        start = time.perf_counter()
        tf.nest.map_structure(float, step(iterator))
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:]) * flop / timed, timed / whole


def peak_memory() -> int:
    """The most memory that this process has had, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _matmul(op: tf.Operation) -> int:
    inner = op.inputs[0].shape[0 if op.get_attr("transpose_a") else 1]
    return 2 * inner * math.prod(op.outputs[0].shape)


def _convolution(small: tf.Tensor, kernel: tf.TensorShape) -> int:
    """One multiply and one add per weight and place of the strided side, forward and in both gradients."""
    return 2 * small.shape[0] * math.prod(small.shape[1:3]) * math.prod(kernel)


_FLOP = {
    "MatMul": _matmul,
    "Conv2D": lambda op: _convolution(op.outputs[0], op.inputs[1].shape),
    "Conv2DBackpropInput": lambda op: _convolution(op.inputs[2], op.inputs[1].shape),
    "Conv2DBackpropFilter": lambda op: _convolution(op.inputs[2], op.outputs[0].shape),
}
