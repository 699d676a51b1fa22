"""Which devices train: reads ``--devices`` and makes the distribution strategy."""

import functools
import re

import tensorflow as tf

from tfwgan.spec import UsageError


def make_strategy(devices: str, batch_size: int) -> tf.distribute.Strategy:
    """The strategy for `auto`, `cpu`, `gpu:0,1` or `cpu:2`.

    With several devices it is a `MirroredStrategy`; their number does not change the result. `cpu:2` splits the CPU
    into two logical devices, so that this path runs on any machine.

    Raises:
        UsageError: If the devices don't exist, don't divide the batch, or TensorFlow has already fixed others.
    """
    match = re.fullmatch(r"auto|cpu(?::(\d+))?|gpu:(\d+(?:,\d+)*)", devices)
    if not match:
        raise UsageError(f"--devices must be auto, cpu, cpu:<number> or gpu:<number>,..., got {devices!r}.")
    gpus = tf.config.list_physical_devices("GPU")
    chosen = [] if devices.startswith("cpu") else gpus
    if match[2]:
        numbers = [int(number) for number in match[2].split(",")]
        if max(numbers) >= len(gpus) or len(set(numbers)) < len(numbers):
            raise UsageError(f"--devices={devices} needs GPUs that are not there: this machine has {len(gpus)}.")
        chosen = [gpus[number] for number in numbers]
    n_cpus = int(match[1] or 1)
    count = len(chosen) or n_cpus
    if count < 1 or batch_size % count:
        raise UsageError(
            f"--batch_size={batch_size} can't be split evenly over {count} devices of --devices={devices}."
        )
    _fix(chosen, n_cpus, devices)
    if chosen:
        # GPUs add up in the order in which threads meet, unless told not to: then a run resumes bit for bit.
        tf.config.experimental.enable_op_determinism()
    if count == 1:
        return tf.distribute.get_strategy()
    kind = "GPU" if chosen else "CPU"
    return mirrored(tuple(f"{kind}:{i}" for i in range(count)))


@functools.cache
def mirrored(devices: tuple[str, ...]) -> tf.distribute.MirroredStrategy:
    """The one `MirroredStrategy` of this process over these devices.

    Two of them would number their collective operations alike, and TensorFlow takes one's for the other's.
    """
    return tf.distribute.MirroredStrategy(list(devices))


def _fix(gpus: list, n_cpus: int, devices: str) -> None:
    """Shows TensorFlow the chosen devices; it takes them once per process."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        if tf.config.get_visible_devices("GPU") != gpus:
            tf.config.set_visible_devices(gpus, "GPU")
        split = tf.config.get_logical_device_configuration(cpu) or [tf.config.LogicalDeviceConfiguration()]
        if len(split) < n_cpus:
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * n_cpus)
    except RuntimeError:
        raise UsageError(
            f"--devices={devices} can't be set up any more: TensorFlow already runs in this process; start a new one."
        ) from None
