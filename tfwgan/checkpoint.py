"""Checkpoints: the whole state of a trainer in one file, written atomically, restored bit for bit.

The state is every weight of the networks, their averages, the prior's table, both optimizers, the
step and the running means of the current interval. Randomness and data order are functions of the
step and need no saving. The file is an .npz whose note holds a digest of all the arrays: what is
accepted is what was written. The note also says what was trained, and on which data, so that
nothing else is gone on with.
"""

import hashlib
import io
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfwgan.errors import UsageError
from tfwgan.files import clear_leftovers, write_atomically
from tfwgan.trainer import GanTrainer

_META, _MEANS = "meta.json", "means"


class NonFiniteState(RuntimeError):
    """Some of the state is NaN or infinite, so it isn't worth saving."""


def state(trainer: GanTrainer) -> dict[str, keras.Variable]:
    """Every variable that training reads and writes, by a name that is the same in every process.

    The running means come on top: replicas keep parts of them, see `means`.
    """
    parts = {
        "generator": trainer.generator.variables,
        "prior": trainer.prior.variables,
        "g_optimizer": trainer.g_optimizer.variables,
        "step": [trainer.step],
    }
    if trainer.ema:
        parts["average_generator"] = trainer.average_generator.variables
        parts["average_prior"] = trainer.average_prior.variables
    if trainer.critic is not None and trainer.d_optimizer is not None:
        parts["critic"] = trainer.critic.variables
        parts["d_optimizer"] = trainer.d_optimizer.variables
    if trainer.reconstructor is not None:
        parts["reconstructor"] = trainer.reconstructor.variables
    return {
        f"{part}/{i:03d}/{v.name}": v
        for part, variables in parts.items()
        for i, v in enumerate(variables)
    }


def save(folder: Path, trainer: GanTrainer, keep: int, **meta: Any) -> Path:
    """Writes `step_<step>.npz` and deletes all but the `keep` newest.

    Args:
        folder: Where checkpoints lie; made if missing.
        trainer: A compiled trainer.
        keep: At least 1.
        **meta: JSON values to store beside the state.

    Raises:
        NonFiniteState: If a weight is NaN or infinite; nothing is written then.
    """
    arrays = {name: np.asarray(variable) for name, variable in state(trainer).items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise NonFiniteState(name)
    step = trainer.steps_done
    buffer = io.BytesIO()
    arrays[_MEANS] = means(trainer)
    note = json.dumps({"step": step, **meta, "digest": _digest(arrays)}).encode()
    content: dict[str, Any] = {**arrays, _META: np.frombuffer(note, np.uint8)}
    np.savez(buffer, **content)
    folder.mkdir(parents=True, exist_ok=True)
    clear_leftovers(folder)
    path = path_of(folder, step)
    write_atomically(path, buffer.getvalue())
    for old in paths(folder)[keep:]:
        old.unlink()
    return path


def path_of(folder: Path, step: int) -> Path:
    """The file of the checkpoint of a step."""
    return folder / f"step_{step:06d}.npz"


def paths(folder: Path) -> list[Path]:
    """Checkpoint files in a folder, newest first."""
    found = [
        (int(match[1]), path)
        for path in folder.glob("step_*.npz")
        if (match := re.fullmatch(r"step_(\d+)", path.stem))
    ]
    return [path for _, path in sorted(found, reverse=True)]


def load(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the JSON values of a checkpoint.

    Raises:
        UsageError: If the file is missing, cut short or damaged.
    """
    try:
        with open(path, "rb") as stream, np.load(stream) as file:
            arrays = {name: file[name] for name in file.files}
        return arrays, _checked(json.loads(arrays.pop(_META).tobytes()), arrays)
    except FileNotFoundError:
        raise UsageError(f"There is no checkpoint {path}.") from None
    # On what is none, readers of zip files and arrays raise anything (NotImplementedError,
    # SyntaxError, MemoryError).
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UsageError(f"The checkpoint {path} is damaged: {reason}.") from None


def _checked(meta: Any, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The note of a checkpoint; ValueError if it is none, or not that of these arrays."""
    if not isinstance(meta, dict) or type(meta.get("step")) is not int or meta["step"] < 0:
        raise ValueError("its note does not say which step it is of")
    if "digest" in meta and meta["digest"] != _digest(arrays):  # earlier versions wrote none
        raise ValueError("its content is not what was written")
    return meta


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    """A digest of names, types, shapes and values."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {arrays[name].shape};".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def load_newest(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """The newest checkpoint that can be read; None if there is no file at all.

    Damaged ones are passed over with a warning.

    Raises:
        UsageError: If there are checkpoints, but every one is damaged.
    """
    files = paths(folder)
    for path in files:
        try:
            return load(path)
        except UsageError as error:
            warnings.warn(f"{error} Using the one before.", stacklevel=2)
    if files:
        raise UsageError(
            f"Every checkpoint in {folder} is damaged; start again under another `name`."
        )
    return None


def restore(trainer: GanTrainer, arrays: Mapping[str, np.ndarray]) -> None:
    """Puts a loaded state into a trainer that was built from the same configuration.

    Raises:
        UsageError: If the state is that of another configuration.
    """
    variables = state(trainer)
    for name in {*variables, _MEANS} ^ arrays.keys():
        raise UsageError(
            f"The checkpoint does not fit the configuration: {name} is on one side only."
        )
    for name, variable in variables.items():
        if tuple(variable.shape) != arrays[name].shape:
            raise UsageError(
                f"The checkpoint does not fit the configuration: {name} has shape "
                f"{arrays[name].shape}, not {tuple(variable.shape)}."
            )
    for name, variable in variables.items():
        variable.assign(arrays[name])
    set_means(trainer, arrays[_MEANS])


def means(trainer: GanTrainer) -> np.ndarray:
    """Sums and counts behind the running means, float32 `[2 * terms, replicas]`.

    Replicas add up on their own, so each one's numbers are needed to go on bit for bit.
    """
    return np.stack([[part.numpy() for part in parts] for parts in _parts_of_means(trainer)])


def set_means(trainer: GanTrainer, values: np.ndarray) -> None:
    """Puts back what `means` gave."""
    for parts, numbers in zip(_parts_of_means(trainer), values, strict=True):
        if len(parts) != len(
            numbers
        ):  # saved on another number of devices: Keras takes the mean over replicas
            numbers = [numbers.mean()] * len(parts)
        for part, number in zip(parts, numbers, strict=True):
            part.assign(number)


def _parts_of_means(trainer: GanTrainer) -> list[Sequence[tf.Variable]]:
    """The variables behind each running mean's numbers: one for each replica, or a single one."""
    variables = [variable.value for metric in trainer.metrics for variable in metric.variables]
    return [getattr(variable, "values", (variable,)) for variable in variables]
