"""What a training step costs, counted in its own graph."""

import math

import tensorflow as tf

from tfwgan.trainer import GanTrainer


def flop_per_step(trainer: GanTrainer, element_spec: dict[str, tf.TensorSpec]) -> int:
    """Floating-point operations of all matrix products and convolutions of one `train_step`, penalties included.

    Args:
        trainer: A compiled trainer.
        element_spec: Shapes of one element of its data.
    """
    # The updates themselves: in a step compiled with XLA they are one opaque operation.
    step = tf.function(lambda batches: trainer.updates(batches, trainer.draw(batches)), autograph=False)
    graph = step.get_concrete_function(element_spec).graph
    return sum(_FLOP[op.type](op) for op in graph.get_operations() if op.type in _FLOP)


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
