"""A SavedModel of a trained generator that plain TensorFlow loads, with neither Keras nor this package."""

import contextlib
import errno
import itertools
import logging
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfwgan.errors import UsageError
from tfwgan.networks.features import feed, heads
from tfwgan.priors import Const
from tfwgan.trainer import GanTrainer, sample_seed

_CHUNK = 256
_PARTS = {
    "saved_model.pb",
    "fingerprint.pb",
    "variables",
    "assets",
    "assets.extra",
}  # what TensorFlow writes
# What is passed for a number is taken whether it is a Python number, a NumPy one, or TensorFlow's
# own default.
_WHOLE, _REAL = (tf.int64, tf.int32), (tf.float32, tf.float64)


def export_saved_model(trainer: GanTrainer, path: str | Path) -> Path:
    """Writes the SavedModel folder; an older one is replaced when the new one is complete, and nothing else ever is.

    Its endpoints, called as in ``tf.saved_model.load(path).sample(64, 1)``, take Python's numbers,
    NumPy's and tensors:

    * ``sample(n, seed)``: `n` images, float32 in [-1, 1], channels last; the same as
    `GanTrainer.sample`. * ``latent(n, seed)``: the latents `[n, z_dim]` of those images.
    * ``decode(z)``: images of latents `[b, z_dim]`.
    * ``atom(index)``: images of rows of the table, `[b]`; for the prior ``const=N`` only.
    * ``score(image)``: the critic's scores `[b]`, if there is a critic.

    Of a conditional generator, whose variable ``n_classes`` is above 0, three take one argument
    more: ``sample(n, seed, label)`` the class, or -1 for random ones; ``decode(z, label)`` and
        ``atom(index, label)`` one
    label per image. ``score`` takes what the critic reads: ``label`` or ``z`` after the image. The
    variable ``class_names`` holds the names of the classes, where the data have some. Labels and
    rows that are out of range are refused by TensorFlow's `InvalidArgumentError`.

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
            f"{path} holds other files than those of a SavedModel ({others}); choose another folder."
        )
    new, old = (
        path.with_name(f".{path.name}.{secrets.token_hex(4)}.{word}") for word in ("new", "old")
    )
    try:
        with _quiet():
            module = _Model(trainer)
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
            f"The SavedModel in {path} can't be read ({' '.join(str(error).split())[:200] or type(error).__name__}); "
            "export it again with `tfwgan export RUN`."
        ) from None
    if not all(hasattr(model, name) for name in ("sample", "latent", "decode")):
        raise UsageError(
            f"The SavedModel in {path} is of something else: it has no endpoints sample, latent, decode."
        )
    return model


def count_classes(model: Any) -> int:
    """Number of classes of a loaded conditional model; 0 of another."""
    return int(getattr(model, "n_classes", 0))  # models of earlier releases have no such variable


def class_names(model: Any) -> list[str]:
    """Names of the classes of a loaded conditional model; their numbers where the data had no names."""
    names = (
        [name.decode() for name in model.class_names.numpy()]
        if hasattr(model, "class_names")
        else []
    )
    return names or [str(label) for label in range(count_classes(model))]


class _Endpoint(tf.Module):
    """A function of the model, which keeps the variables that it reads: it works though nobody keeps the model."""

    def __init__(
        self,
        function: Callable,
        arguments: Sequence[tuple[str, Sequence, Sequence]],
        variables: list,
    ):
        super().__init__()
        self.variables_read = variables
        # One graph for the work, and a small one around it for each choice of types.
        wanted = [types[0] for _, _, types in arguments]
        core = tf.function(function, autograph=False).get_concrete_function(
            *_specs(arguments, wanted)
        )

        def call(*values):
            return core(
                *(tf.cast(value, dtype) for value, dtype in zip(values, wanted, strict=True))
            )

        call = tf.function(call, autograph=False)
        for types in itertools.product(*(types for _, _, types in arguments)):
            call.get_concrete_function(*_specs(arguments, types))
        self.__call__ = call
        self.served = call.get_concrete_function(*_specs(arguments, wanted))


def _specs(
    arguments: Sequence[tuple[str, Sequence, Sequence]], types: Sequence[tf.DType]
) -> list[tf.TensorSpec]:
    return [
        tf.TensorSpec(shape, dtype, name)
        for (name, shape, _), dtype in zip(arguments, types, strict=True)
    ]


class _Model(tf.Module):
    """The endpoints, and the variables that they read."""

    def __init__(self, trainer: GanTrainer):
        super().__init__()
        generator, prior, critic = trainer.average_generator, trainer.average_prior, trainer.critic
        layers = [layer for layer in (generator, prior, critic) if layer is not None]
        self.weights = [variable.value for layer in layers for variable in layer.variables]
        n_classes = trainer.n_classes or 0
        with tf.device("CPU:0"):
            self.n_classes = tf.Variable(n_classes, trainable=False, dtype=tf.int64)
            names = list(trainer.class_names) if n_classes else []
            self.class_names = tf.Variable(tf.constant(names, tf.string), trainable=False)
        (z_dim,) = generator.input["z"].shape[1:]
        n, seed = ("n", [], _WHOLE), ("seed", [], _WHOLE)
        one_label = [("label", [], _WHOLE)] if n_classes else []
        labels = [("label", [None], _WHOLE[::-1])] if n_classes else []

        def images(z, label=None):
            return feed(generator, {"z": z, "label": label})

        def decode(z, *label):
            return images(z, *(_checked(one, 0, n_classes, "label") for one in label))

        def sample(n, seed, label=None):
            # In pieces, so that memory does not grow with n; the latents are drawn at once.
            n = tf.maximum(
                _checked(n, 0, tf.int64.max, "n"), 0
            )  # for shapes, which are looked at first
            z, drawn = prior.sample(n, sample_seed(seed)), trainer.labels(n, seed)
            if label is not None:
                label = _checked(label, -1, n_classes, "label")
                drawn = tf.where(label < 0, drawn, tf.cast(label, tf.int32))

            def piece(start, pieces):
                own = None if drawn is None else drawn[start : start + _CHUNK]
                return start + _CHUNK, pieces.write(
                    pieces.size(), images(z[start : start + _CHUNK], own)
                )

            pieces = tf.TensorArray(
                tf.float32, 0, dynamic_size=True, infer_shape=False, element_shape=None
            )
            begin = (tf.zeros([], n.dtype), pieces)
            _, pieces = tf.while_loop(lambda start, _: start < tf.maximum(n, 1), piece, begin)
            return tf.ensure_shape(pieces.concat(), generator.output.shape)

        def latent(n, seed):
            return prior.sample(tf.maximum(_checked(n, 0, tf.int64.max, "n"), 0), sample_seed(seed))

        endpoints = {
            "sample": (sample, [n, seed, *one_label]),
            "latent": (latent, [n, seed]),
            "decode": (decode, [("z", [None, z_dim], _REAL), *labels]),
        }
        if isinstance(prior, Const):

            def atom(index, *label):
                return decode(prior(_checked(index, 0, prior.n, "index")), *label)

            endpoints["atom"] = (atom, [("index", [None], _WHOLE), *labels])
        if critic is not None:
            names = sorted(critic.input, key=["image", "label", "z"].index)
            kinds = {name: _WHOLE[::-1] if name == "label" else _REAL for name in names}

            def score(*samples):
                given = dict(zip(names, samples, strict=True))
                if "label" in given:
                    given["label"] = _checked(given["label"], 0, trainer.label_count, "label")
                return heads(feed(critic, given))["score"]

            endpoints["score"] = (
                score,
                [(name, critic.input[name].shape, kinds[name]) for name in names],
            )
        for name, (function, arguments) in endpoints.items():
            setattr(self, name, _Endpoint(function, arguments, self.weights))
        self._names = list(endpoints)

    def signatures(self) -> dict:
        """The same endpoints under their names for TensorFlow Serving, whose default is `sample`."""
        named = {name: getattr(self, name).served for name in self._names}
        return {**named, "serving_default": named["sample"]}


def _checked(number: tf.Tensor, low: int, end: int, name: str) -> tf.Tensor:
    """A number, or numbers, of an endpoint; in graphs InvalidArgumentError unless all lie in low ... end - 1."""
    message = (
        f"{name} must lie in {low} ... {end - 1}"
        if end < tf.int64.max
        else f"{name} must be at least {low}"
    )
    checks = [
        tf.debugging.assert_greater_equal(number, tf.cast(low, number.dtype), message),
        tf.debugging.assert_less(
            number, tf.cast(min(end, number.dtype.max), number.dtype), message
        ),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(number)


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
    """Puts right what a kill between two renames left: the older model is brought back, halves are removed."""
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
