"""The endpoints of an exported model: graphs of TensorFlow, with the variables that they read."""

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

    So it works though nobody keeps the model.
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
        generator, prior, critic = trainer.average_generator, trainer.average_prior, trainer.critic
        layers = [layer for layer in (generator, prior, critic) if layer is not None]
        self.weights = [variable.value for layer in layers for variable in layer.variables]
        n_classes = trainer.n_classes or 0
        with tf.device("CPU:0"):
            self.n_classes = tf.Variable(n_classes, trainable=False, dtype=tf.int64)
            names = trainer.class_names if n_classes else ()
            self.class_names = tf.Variable(tf.constant(names, tf.string), trainable=False)
        (z_dim,) = generator.input["z"].shape[1:]
        n_and_seed: list[_Argument] = [("n", [], _WHOLE), ("seed", [], _WHOLE)]
        one_label: list[_Argument] = [("label", [], _WHOLE)] if n_classes else []
        labels: list[_Argument] = [("label", [None], _WHOLE[::-1])] if n_classes else []

        def images(z: tf.Tensor, label: tf.Tensor | None = None) -> tf.Tensor:
            return feed(generator, {"z": z, "label": label})

        def decode(z: tf.Tensor, *label: tf.Tensor) -> tf.Tensor:
            return images(z, *(_checked(one, 0, n_classes, "label") for one in label))

        def sample(n: tf.Tensor, seed: tf.Tensor, label: tf.Tensor | None = None) -> tf.Tensor:
            # In pieces, so that memory does not grow with n; the latents are drawn at once.
            n = tf.maximum(
                _checked(n, 0, tf.int64.max, "n"), 0
            )  # for shapes, which are looked at first
            z, drawn = prior.sample(n, sample_seed(seed)), trainer.labels(n, seed)
            if label is not None:
                label = _checked(label, -1, n_classes, "label")
                drawn = tf.where(label < 0, drawn, tf.cast(label, tf.int32))

            def piece(start: tf.Tensor, pieces: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
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

        def latent(n: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
            return prior.sample(tf.maximum(_checked(n, 0, tf.int64.max, "n"), 0), sample_seed(seed))

        endpoints: dict[str, tuple[Callable[..., tf.Tensor], list[_Argument]]] = {
            "sample": (sample, [*n_and_seed, *one_label]),
            "latent": (latent, n_and_seed),
            "decode": (decode, [("z", [None, z_dim], _REAL), *labels]),
        }
        if isinstance(prior, Const):

            def atom(index: tf.Tensor, *label: tf.Tensor) -> tf.Tensor:
                return decode(prior(_checked(index, 0, prior.n, "index")), *label)

            endpoints["atom"] = (atom, [("index", [None], _WHOLE), *labels])
        if critic is not None:
            inputs = sorted(critic.input, key=["image", "label", "z"].index)
            kinds = {name: _WHOLE[::-1] if name == "label" else _REAL for name in inputs}

            def score(*samples: tf.Tensor) -> tf.Tensor:
                given = dict(zip(inputs, samples, strict=True))
                if "label" in given and trainer.label_count is not None:
                    given["label"] = _checked(given["label"], 0, trainer.label_count, "label")
                return heads(feed(critic, given))["score"]

            endpoints["score"] = (
                score,
                [(name, critic.input[name].shape, kinds[name]) for name in inputs],
            )
        for name, (function, arguments) in endpoints.items():
            setattr(self, name, _Endpoint(function, arguments, self.weights))
        self._names = list(endpoints)

    def signatures(self) -> dict[str, Callable[..., tf.Tensor]]:
        """The endpoints by their names for TensorFlow Serving, whose default is `sample`."""
        named = {name: getattr(self, name).served for name in self._names}
        return {**named, "serving_default": named["sample"]}


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
