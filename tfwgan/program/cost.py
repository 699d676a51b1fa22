"""What a training step costs: work, counted in its own graph; time and memory, measured."""

import contextlib
import math
import os
import re
import resource
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import keras
import tensorflow as tf

from tfwgan.errors import UsageError
from tfwgan.objectives.adversarial import Adversarial
from tfwgan.trainer import GanTrainer

_ENOUGH = 20e9  # operations that a timed step may take: some tenths of a second on a laptop

Spec = Mapping[str, tf.TensorSpec]


def flop_per_step(trainer: GanTrainer, element_spec: Spec) -> int:
    """Counts the floating-point operations of one `train_step`, penalties included.

    They are those of all matrix products and convolutions.

    Args:
        trainer: A compiled trainer.
        element_spec: Shapes of one element of its data.
    """
    # The updates themselves: in a step compiled with XLA they are one opaque operation.
    step = tf.function(
        lambda batches: trainer.updates(batches, trainer.draw(batches)), autograph=False
    )
    graph = step.get_concrete_function(element_spec).graph
    return sum(_FLOP[op.type](op) for op in _needed(graph) if op.type in _FLOP)


def _needed(graph: tf.Graph) -> set[tf.Operation]:
    """The operations of a function that its results or its effects depend on.

    TensorFlow runs no others: gradients of weights that nobody asked for are in the graph too.
    """
    waiting = [*(tensor.op for tensor in graph.outputs), *graph.control_outputs]
    needed: set[tf.Operation] = set()
    while waiting:
        op = waiting.pop()
        if op not in needed:
            needed.add(op)
            waiting += [*(tensor.op for tensor in op.inputs), *op.control_inputs]
    return needed


def seconds_for(trainer: GanTrainer, element_spec: Spec, flop: float) -> tuple[float, float]:
    """How long so much work takes on this machine, from the median of a few real training steps.

    Where a step is heavy, steps of fewer critic updates and samples are timed. The trainer's
    weights move.

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
        smaller = (
            max(1, min(batch // replicas, round(batch / replicas * _ENOUGH * n / whole))) * replicas
        )
        spec = {
            name: tf.TensorSpec([smaller, 1, *one.shape[2:]], one.dtype, name)
            for name, one in element_spec.items()
        }
        timed = flop_per_step(trainer, spec)
    # Zeros are enough: the time of a product does not depend on its numbers.
    element = {name: tf.zeros(one.shape, one.dtype) for name, one in spec.items()}
    data = trainer.distribute_strategy.experimental_distribute_dataset(
        tf.data.Dataset.from_tensors(element).repeat()
    )
    step, iterator, seconds = trainer.step_function(spec["image"].shape[1]), iter(data), []
    for _ in range(5):
        start = time.perf_counter()
        tf.nest.map_structure(float, step(iterator))
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:]) * flop / timed, timed / whole


def least_memory(trainer: GanTrainer) -> int:
    """The bytes that a training step keeps for each sample, at the least.

    These are what the layers put out, which is kept until their gradients are known.

    The critic sees a real and a fake sample at once, and what its gradients are penalised at
    besides, and then the generator's sample together with the generator.
    """
    generator = _kept(trainer.generator)
    if trainer.critic is None:
        return generator
    critic, objective = _kept(trainer.critic), trainer.objective
    penalised = isinstance(objective, Adversarial) and bool(objective.penalties)
    return max((2 + penalised) * critic, generator + critic)


def memory_left() -> int | None:
    """The bytes of main memory that this process could have beside what it has, at the most.

    It is the least of the whole machine's, its container's, and what a limit (``ulimit -v``)
    leaves, and None where that is unknown.
    """
    limits = []
    with contextlib.suppress(ValueError, OSError):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(ValueError, OSError):
            limits.append(int(Path(name).read_text()))
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY:
        with contextlib.suppress(ValueError, OSError):
            limit -= int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limits.append(limit)
    return min(limits, default=None)


def check_memory(trainer: GanTrainer, batch_size: int) -> None:
    """Raises `UsageError` if the CPU's memory can't hold a step.

    Without this check the system ends a process that tries, and says nothing.
    """
    left = memory_left()
    if left is None or tf.config.get_visible_devices(
        "GPU"
    ):  # full memory of a GPU is an error that TensorFlow tells
        return
    if (need := least_memory(trainer) * batch_size) > left:
        raise UsageError(
            f"A step with --batch_size={batch_size} needs at least {need / 2**20:,.0f} MB of "
            f"memory, and there are {max(left, 0) / 2**20:,.0f}; use a smaller --batch_size, "
            "smaller networks, or smaller images (--image_size)."
        )


def _kept(network: keras.Model) -> int:
    """The bytes that the layers of a network put out for each sample.

    Layers that only look at the same numbers differently don't count.
    """
    # The gradient of ReLU needs its output only, so it may be written over its input.
    views = (
        keras.layers.InputLayer,
        keras.layers.Reshape,
        keras.layers.Flatten,
        keras.layers.ReLU,
    )
    outputs = [layer.output for layer in network.layers if not isinstance(layer, views)]
    return sum(4 * math.prod(one.shape[1:]) for one in keras.tree.flatten(outputs))


def peak_memory() -> int:
    """The most memory that this process has had, in bytes."""
    with contextlib.suppress(
        OSError
    ):  # Linux counts a parent's memory as a child's in what `resource` gives
        if found := re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text()):
            return int(found[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _matmul(op: tf.Operation) -> int:
    inner = op.inputs[0].shape[0 if op.get_attr("transpose_a") else 1]
    return 2 * inner * math.prod(op.outputs[0].shape)


def _convolution(small: tf.Tensor, kernel: tf.TensorShape) -> int:
    """Counts one multiply and one add per weight and place of the strided side.

    That is so in the forward pass and in both gradients.
    """
    return 2 * small.shape[0] * math.prod(small.shape[1:3]) * math.prod(kernel)


_FLOP = {
    "MatMul": _matmul,
    "Conv2D": lambda op: _convolution(op.outputs[0], op.inputs[1].shape),
    "Conv2DBackpropInput": lambda op: _convolution(op.inputs[2], op.inputs[1].shape),
    "Conv2DBackpropFilter": lambda op: _convolution(op.inputs[2], op.outputs[0].shape),
}
