"""The endpoints of an exported model: graphs of TensorFlow, with the variables that they read."""

import inspect
import itertools
from collections.abc import Callable, Sequence

import tensorflow as tf

from tfwgan.networks.features import feed, heads
from tfwgan.priors import Const
from tfwgan.trainer import GanTrainer, sample_seed

_CHUNK = 256
# What is passed for a number is taken whether it is a Python number, a NumPy one, or TensorFlow's
# own default.
_WHOLE, _REAL = (tf.int64, tf.int32), (tf.float32, tf.float64)
# Name, shape, and the types that are taken, the first one being what the graph computes with.
_Argument = tuple[str, Sequence[int | None], Sequence[tf.DType]]


class _Endpoint(tf.Module):
    """A function of the model, which keeps the variables that it reads.

    So it works though nobody keeps the model. Its arguments are given by place or by name.
    """

    def __init__(
        self,
        function: Callable[..., tf.Tensor],
        arguments: Sequence[_Argument],
        variables: list[tf.Variable],
    ) -> None:
        super().__init__()
        self.variables_read = variables
        # One graph for the work, and a small one around it for each choice of types.
        wanted = [types[0] for _, _, types in arguments]
        core = tf.function(function, autograph=False).get_concrete_function(
            *_specs(arguments, wanted)
        )

        def call(*values: tf.Tensor) -> tf.Tensor:
            return core(
                *(tf.cast(value, dtype) for value, dtype in zip(values, wanted, strict=True))
            )

        # A SavedModel keeps the names of a function's arguments, of which `call` itself has none.
        either = inspect.Parameter.POSITIONAL_OR_KEYWORD
        call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(name, either) for name, _, _ in arguments]
        )
        compiled = tf.function(call, autograph=False)
        for types in itertools.product(*(types for _, _, types in arguments)):
            compiled.get_concrete_function(*_specs(arguments, types))
        self.__call__ = compiled
        self.served = compiled.get_concrete_function(*_specs(arguments, wanted))


def _specs(arguments: Sequence[_Argument], types: Sequence[tf.DType]) -> list[tf.TensorSpec]:
    return [
        tf.TensorSpec(shape, dtype, name)
        for (name, shape, _), dtype in zip(arguments, types, strict=True)
    ]


class ServedModel(tf.Module):
    """The endpoints, and the variables that they read."""

    def __init__(self, trainer: GanTrainer) -> None:
        super().__init__()
        parts = trainer.average_generator, trainer.average_prior, trainer.critic
        layers = [layer for layer in parts if layer is not None]
        self.weights = [variable.value for layer in layers for variable in layer.variables]
        n_classes = trainer.n_classes or 0
        with tf.device("CPU:0"):
            self.n_classes = tf.Variable(n_classes, trainable=False, dtype=tf.int64)
            names = trainer.class_names if n_classes else ()
            self.class_names = tf.Variable(tf.constant(names, tf.string), trainable=False)
        endpoints = _Functions(trainer).with_arguments()
        for name, (function, arguments) in endpoints.items():
            setattr(self, name, _Endpoint(function, arguments, self.weights))
        self._names = list(endpoints)

    def signatures(self) -> dict[str, Callable[..., tf.Tensor]]:
        """The endpoints by their names for TensorFlow Serving, whose default is `sample`."""
        named = {name: getattr(self, name).served for name in self._names}
        return {**named, "serving_default": named["sample"]}


class _Functions:
    """What the endpoints compute; no module of TensorFlow, which would save the Keras layers."""

    def __init__(self, trainer: GanTrainer) -> None:
        self.generator, self.prior = trainer.average_generator, trainer.average_prior
        self.critic, self.label_count = trainer.critic, trainer.label_count
        self.labels, self.n_classes = trainer.labels, trainer.n_classes or 0

    def with_arguments(self) -> dict[str, tuple[Callable[..., tf.Tensor], list[_Argument]]]:
        """Every function of the model by its name, with its arguments."""
        (z_dim,) = self.generator.input["z"].shape[1:]
        n_and_seed: list[_Argument] = [("n", [], _WHOLE), ("seed", [], _WHOLE)]
        one_label: list[_Argument] = [("label", [], _WHOLE)] if self.n_classes else []
        labels: list[_Argument] = [("label", [None], _WHOLE[::-1])] if self.n_classes else []
        functions: dict[str, tuple[Callable[..., tf.Tensor], list[_Argument]]] = {
            "sample": (self.sample, [*n_and_seed, *one_label]),
            "latent": (self.latent, n_and_seed),
            "decode": (self.decode, [("z", [None, z_dim], _REAL), *labels]),
        }
        if isinstance(self.prior, Const):
            functions["atom"] = (self.atom, [("index", [None], _WHOLE), *labels])
        if self.critic is not None:
            shapes = {name: self.critic.input[name].shape for name in self._critic_inputs}
            kinds = {name: _WHOLE[::-1] if name == "label" else _REAL for name in shapes}
            read: list[_Argument] = [(name, shapes[name], kinds[name]) for name in shapes]
            functions["score"] = (self.score, read)
        return functions

    @property
    def _critic_inputs(self) -> list[str]:
        return sorted(self.critic.input, key=["image", "label", "z"].index)

    def images(self, z: tf.Tensor, label: tf.Tensor | None = None) -> tf.Tensor:
        """Images of latents, and of labels that are in range."""
        return feed(self.generator, {"z": z, "label": label})

    def decode(self, z: tf.Tensor, *label: tf.Tensor) -> tf.Tensor:
        """Images of latents, and of labels."""
        return self.images(z, *(_checked(one, 0, self.n_classes, "label") for one in label))

    def sample(self, n: tf.Tensor, seed: tf.Tensor, label: tf.Tensor | None = None) -> tf.Tensor:
        """`n` images, made in pieces, so that memory does not grow with n; -1 is a random label."""
        n = _count(n)
        z, drawn = self.prior.sample(n, sample_seed(seed)), self.labels(n, seed)
        if label is not None:
            label = _checked(label, -1, self.n_classes, "label")
            drawn = tf.where(label < 0, drawn, tf.cast(label, tf.int32))

        def piece(start: tf.Tensor, pieces: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            own = None if drawn is None else drawn[start : start + _CHUNK]
            made = self.images(z[start : start + _CHUNK], own)
            return start + _CHUNK, pieces.write(pieces.size(), made)

        shapes = {"infer_shape": False, "element_shape": None}
        pieces = tf.TensorArray(tf.float32, 0, dynamic_size=True, **shapes)
        begin = (tf.zeros([], n.dtype), pieces)
        _, pieces = tf.while_loop(lambda start, _: start < tf.maximum(n, 1), piece, begin)
        return tf.ensure_shape(pieces.concat(), self.generator.output.shape)

    def latent(self, n: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The latents of `sample`'s images."""
        return self.prior.sample(_count(n), sample_seed(seed))

    def atom(self, index: tf.Tensor, *label: tf.Tensor) -> tf.Tensor:
        """Images of rows of the table."""
        return self.decode(self.prior(_checked(index, 0, self.prior.n, "index")), *label)

    def score(self, *samples: tf.Tensor) -> tf.Tensor:
        """The critic's scores of what it reads."""
        given = dict(zip(self._critic_inputs, samples, strict=True))
        if "label" in given and self.label_count is not None:
            given["label"] = _checked(given["label"], 0, self.label_count, "label")
        return heads(feed(self.critic, given))["score"]


def _count(n: tf.Tensor) -> tf.Tensor:
    """A number of samples, refused below 0; shapes, made before that check fails, get 0 then."""
    return tf.maximum(_checked(n, 0, tf.int64.max, "n"), 0)


def _checked(number: tf.Tensor, low: int, end: int, name: str) -> tf.Tensor:
    """A number, or numbers, of an endpoint, which have to lie in low ... end - 1.

    In graphs `InvalidArgumentError` is raised unless all do.
    """
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
