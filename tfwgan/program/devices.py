"""Which devices train: reads ``--devices`` and makes the distribution strategy."""

import functools
import os
import re
import shutil

import tensorflow as tf

from tfwgan.errors import UsageError


def make_strategy(devices: str, batch_size: int) -> tf.distribute.Strategy:
    """The strategy for `auto`, `cpu`, `gpu:0,1` or `cpu:2`.

    With several devices it is a `MirroredStrategy`; their number does not change the result.
    `cpu:2` splits the CPU into two logical devices, so that this path runs on any machine.

    Raises:
        UsageError: If the devices don't exist, don't divide the batch, or TensorFlow has already
            fixed others.
    """
    match = re.fullmatch(r"auto|cpu(?::(\d+))?|gpu:(\d+(?:,\d+)*)", devices)
    if not match:
        raise UsageError(
            f"--devices must be auto, cpu, cpu:<number> or gpu:<number>,..., got {devices!r}."
        )
    gpus = tf.config.list_physical_devices("GPU")
    chosen = [] if devices.startswith("cpu") else gpus
    if match[2]:
        numbers = [int(number) for number in match[2].split(",")]
        if max(numbers) >= len(gpus) or len(set(numbers)) < len(numbers):
            raise UsageError(
                f"--devices={devices} needs GPUs that are not there: this machine has {len(gpus)}."
            )
        chosen = [gpus[number] for number in numbers]
    n_cpus = int(match[1] or 1)
    count = len(chosen) or n_cpus
    if count < 1 or batch_size % count:
        raise UsageError(
            f"--batch_size={batch_size} can't be split evenly over {count} devices of "
            f"--devices={devices}."
        )
    _fix(chosen, n_cpus, devices)
    if chosen:
        # GPUs add up in the order in which threads meet, unless told not to: then a run resumes bit
        # for bit.
        tf.config.experimental.enable_op_determinism()
    if count == 1:
        return tf.distribute.get_strategy()
    kind = "GPU" if chosen else "CPU"
    return mirrored(tuple(f"{kind}:{i}" for i in range(count)))


@functools.cache
def mirrored(devices: tuple[str, ...]) -> tf.distribute.MirroredStrategy:
    """The one `MirroredStrategy` of this process over these devices.

    Two of them would number their collective operations alike, and TensorFlow takes one's for the
    other's.
    """
    return tf.distribute.MirroredStrategy(list(devices))


def fix_threads(threads: int | None) -> int:
    """How many threads share one operation of the CPU.

    Sums are grouped by threads, so the last digits depend on their number.

    Args:
        threads: The number to take; None for what TensorFlow takes by itself, one for each core.

    Raises:
        UsageError: If TensorFlow already runs in this process with another number.
    """
    chosen = tf.config.threading.get_intra_op_parallelism_threads() or int(
        os.environ.get("TF_NUM_INTRAOP_THREADS") or 0
    )
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    now = chosen or cores
    if threads in (None, now):
        return now
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    except RuntimeError:
        raise UsageError(
            f"--threads={threads} can't be set up any more: TensorFlow already runs in this "
            f"process with {now}; start a new one."
        ) from None
    return threads


def describe_devices(strategy: tf.distribute.Strategy) -> str:
    """The devices that train, and why there is no GPU among them where the machine has one."""
    n, gpus = strategy.num_replicas_in_sync, tf.config.get_visible_devices("GPU")
    if gpus:
        names = {
            tf.config.experimental.get_device_details(gpu).get("device_name", "unnamed")
            for gpu in gpus
        }
        return f"{n} GPU ({', '.join(sorted(names))})"
    if tf.config.list_physical_devices("GPU"):
        return f"{n} CPU (there are GPUs; --devices=auto takes them)"
    if shutil.which("nvidia-smi") and os.environ.get("CUDA_VISIBLE_DEVICES") != "-1":
        return (
            f"{n} CPU (TensorFlow sees no GPU, nvidia-smi does: pip install 'tensorflow[and-cuda]')"
        )
    return f"{n} CPU"


def _fix(gpus: list[tf.config.PhysicalDevice], n_cpus: int, devices: str) -> None:
    """Shows TensorFlow the chosen devices; it takes them once per process."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        if tf.config.get_visible_devices("GPU") != gpus:
            tf.config.set_visible_devices(gpus, "GPU")
        split = tf.config.get_logical_device_configuration(cpu) or [
            tf.config.LogicalDeviceConfiguration()
        ]
        # Part of a larger split would not do: its collective operations wait for all devices.
        if len(split) < n_cpus or 1 < n_cpus < len(split):
            tf.config.set_logical_device_configuration(
                cpu, [tf.config.LogicalDeviceConfiguration()] * n_cpus
            )
    except RuntimeError:
        raise UsageError(
            f"--devices={devices} can't be set up any more: "
            "TensorFlow already runs in this process; start a new one."
        ) from None
