"""A SavedModel of a trained generator, written to a folder and loaded from it.

Plain TensorFlow loads it too, with neither Keras nor this package. What it can be asked for is in
`tfwgan.endpoints`.
"""

import contextlib
import errno
import logging
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfwgan.endpoints import ServedModel
from tfwgan.errors import UsageError
from tfwgan.trainer import GanTrainer

_PARTS = {
    "saved_model.pb",
    "fingerprint.pb",
    "variables",
    "assets",
    "assets.extra",
}  # what TensorFlow writes


def export_saved_model(trainer: GanTrainer, path: str | Path) -> Path:
    """Writes the SavedModel folder.

    An older one is replaced when the new one is complete, and nothing else ever is.

        >>> import keras, tensorflow as tf
        >>> from tfwgan import GanTrainer, Normal, export_saved_model, wgan_gp
        >>> trainer = GanTrainer(Normal(4), keras.layers.Dense(2), keras.layers.Dense(1), wgan_gp)
        >>> path = export_saved_model(trainer, "points")
        >>> tf.saved_model.load("points").sample(5, seed=1).shape
        TensorShape([5, 2])

    The model's endpoints, called as in ``tf.saved_model.load(path).sample(64, seed=1)``, take
    Python's numbers, NumPy's and tensors, int32 or int64, float32 or float64, by place or by name;
    none has a default:

    * ``sample(n, seed)``: `n` images, float32 in [-1, 1], channels last; the same as
      `GanTrainer.sample`.
    * ``latent(n, seed)``: the latents `[n, z_dim]` of those images.
    * ``decode(z)``: images of latents `[b, z_dim]`.
    * ``atom(index)``: images of rows of the table, `[b]`; for the prior ``const=N`` only.
    * ``score(image)``: the critic's scores `[b]`, if there is a critic.

    Of a conditional generator, whose variable ``n_classes`` is above 0, three take one argument
    more: ``sample(n, seed, label)`` the class, or -1 for random ones; ``decode(z, label)`` and
    ``atom(index, label)`` one label per image. ``score`` takes what the critic reads: ``label`` or
    ``z`` after the image. The variable ``class_names`` holds the names of the classes, where the
    data have some. Labels and rows that are out of range are refused by TensorFlow's
    `InvalidArgumentError`.

    ``model.signatures``, which servers call, are the same endpoints but stricter: they take
    tensors, by name, of the one type that each shows.

    The generator is the averaged one where the run keeps an average.

    Raises:
        UsageError: If `path` is there and holds anything else than a SavedModel.
        OSError: If it can't be written.
    """
    path = Path(path).resolve()  # of "." too
    path.parent.mkdir(parents=True, exist_ok=True)
    _recover(path)
    if others := _others(path):
        raise UsageError(
            f"{path} holds other files than those of a SavedModel ({others}); "
            "choose another folder."
        )
    new, old = (
        path.with_name(f".{path.name}.{secrets.token_hex(4)}.{word}") for word in ("new", "old")
    )
    try:
        with _quiet():
            module = ServedModel(trainer)
            tf.saved_model.save(module, str(new), signatures=module.signatures())
    except tf.errors.OpError as error:
        raise OSError(errno.EIO, " ".join(error.message.split())[:300], str(path)) from None
    finally:
        if not (new / "saved_model.pb").exists():
            shutil.rmtree(new, ignore_errors=True)
    if path.exists():
        path.rename(old)
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)
    return path


def load(path: str | Path) -> Any:
    """Loads an exported model from its folder, or from the run folder that holds it.

    Raises:
        UsageError: If there is none, it is damaged, or a model of something else.
    """
    path = Path(path)
    if (path / "export" / "saved_model").is_dir():
        path = path / "export" / "saved_model"
    if not (path / "saved_model.pb").exists():
        hint = f"; `tfwgan export {path}` makes it" if (path / "config.json").exists() else ""
        raise UsageError(f"There is no SavedModel in {path}{hint}.")
    try:
        with _quiet():
            model = tf.saved_model.load(str(path))
    except Exception as error:  # readers of protocol buffers raise anything on what is none
        raise UsageError(
            f"The SavedModel in {path} can't be read "
            f"({' '.join(str(error).split())[:200] or type(error).__name__}); "
            "export it again with `tfwgan export RUN`."
        ) from None
    if not all(hasattr(model, name) for name in ("sample", "latent", "decode")):
        raise UsageError(
            f"The SavedModel in {path} is of something else: it has no endpoints sample, "
            "latent, decode."
        )
    return model


def count_classes(model: Any) -> int:
    """Number of classes of a loaded conditional model; 0 of another."""
    return int(getattr(model, "n_classes", 0))  # models of earlier releases have no such variable


def class_names(model: Any) -> list[str]:
    """Names of the classes of a loaded conditional model.

    They are the classes' numbers where the data had no names.
    """
    names = (
        [name.decode() for name in model.class_names.numpy()]
        if hasattr(model, "class_names")
        else []
    )
    return names or [str(label) for label in range(count_classes(model))]


def _others(path: Path) -> str:
    """What lies in a folder beside the parts of a SavedModel; a file stands for itself."""
    if not path.exists():
        return ""
    if not path.is_dir():
        return path.name
    inside = [one for one in path.rglob("*") if not one.is_dir() or one.is_symlink()]
    entries = [one.relative_to(path) for one in inside] + [
        one.relative_to(path) for one in path.iterdir()
    ]
    foreign = [
        str(one)
        for one in entries
        if one.parts[0] not in _PARTS
        or (one.parts[0].startswith("assets") and len(one.parts) > 1)
        or (
            one.parts[0] == "variables"
            and len(one.parts) > 1
            and not one.name.startswith("variables.")
        )
    ]
    if not foreign and any(entries) and not (path / "saved_model.pb").exists():
        foreign = [str(entries[0])]
    return ", ".join(sorted(set(foreign))[:3])


def _recover(path: Path) -> None:
    """Puts right what a kill between two renames left.

    The older model is brought back, and halves are removed.
    """
    for old in path.parent.glob(f".{path.name}.*.old"):
        if not path.exists() and not _others(old):
            old.rename(path)
    for half in (
        *path.parent.glob(f".{path.name}.*.old"),
        *path.parent.glob(f".{path.name}.*.new"),
    ):
        if half.is_dir() and all(one.name in _PARTS for one in half.iterdir()):
            shutil.rmtree(half, ignore_errors=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Inside this, TensorFlow does not report on hidden folders."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
