"""Checkpoints: the whole state of a trainer in one file, written atomically, restored bit for bit.

The state is every weight of the networks, their averages, the prior's table, both optimizers, the step and the
running means of the current interval. Randomness and data order are functions of the step and need no saving.
The file is an .npz, whose every member carries a checksum: what reads without an error is what was written.
"""

import io
import json
import re
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tfwgan.files import write_atomically
from tfwgan.spec import UsageError
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
    if trainer.critic is not None:
        parts["critic"] = trainer.critic.variables
        parts["d_optimizer"] = trainer.d_optimizer.variables
    if trainer.reconstructor is not None:
        parts["reconstructor"] = trainer.reconstructor.variables
    return {f"{part}/{i:03d}/{v.name}": v for part, variables in parts.items() for i, v in enumerate(variables)}


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
    note = json.dumps({"step": step, **meta}).encode()
    np.savez(buffer, **arrays, **{_MEANS: means(trainer), _META: np.frombuffer(note, np.uint8)})
    folder.mkdir(parents=True, exist_ok=True)
    for cut_short in folder.glob(".*.tmp"):  # by a kill in the middle of writing
        cut_short.unlink()
    path = folder / f"step_{step:06d}.npz"
    write_atomically(path, buffer.getvalue())
    for old in paths(folder)[keep:]:
        old.unlink()
    return path


def paths(folder: Path) -> list[Path]:
    """Checkpoint files in a folder, newest first."""
    found = [
        (int(match[1]), path) for path in folder.glob("step_*.npz") if (match := re.fullmatch(r"step_(\d+)", path.stem))
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
        return arrays, json.loads(arrays.pop(_META).tobytes())
    except FileNotFoundError:
        raise UsageError(f"There is no checkpoint {path}.") from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise UsageError(f"The checkpoint {path} is damaged: {error}.") from None


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
        raise UsageError(f"Every checkpoint in {folder} is damaged; start again under another --name.")
    return None


def restore(trainer: GanTrainer, arrays: Mapping[str, np.ndarray]) -> None:
    """Puts a loaded state into a trainer that was built from the same configuration.

    Raises:
        UsageError: If the state is that of another configuration.
    """
    variables = state(trainer)
    for name in {*variables, _MEANS} ^ arrays.keys():
        raise UsageError(f"The checkpoint does not fit the configuration: {name} is on one side only.")
    for name, variable in variables.items():
        if tuple(variable.shape) != arrays[name].shape:
            raise UsageError(
                f"The checkpoint does not fit the configuration: {name} has shape {arrays[name].shape}, "
                f"not {tuple(variable.shape)}."
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
        if len(parts) != len(numbers):  # saved on another number of devices
            numbers = [numbers.sum(), *[0.0] * (len(parts) - 1)]
        for part, number in zip(parts, numbers, strict=True):
            part.assign(number)


def _parts_of_means(trainer: GanTrainer) -> list:
    variables = [variable.value for metric in trainer.metrics for variable in metric.variables]
    return [getattr(variable, "values", (variable,)) for variable in variables]
