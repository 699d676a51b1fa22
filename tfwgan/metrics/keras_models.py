"""Features of any Keras model or SavedModel, and of the networks of `keras.applications`."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import keras
import numpy as np
import tensorflow as tf

from tfwgan.errors import UsageError, one_line, suggest
from tfwgan.metrics.features import Extractor, digest_of

Scale = Literal["symmetric", "unit", "bytes"]
_RANGES = {"symmetric": (127.5, -1.0), "unit": (255.0, 0.0), "bytes": (1.0, 0.0)}


def model(
    path: str, layer: str = "", size: int | None = None, scale: Scale = "symmetric"
) -> Extractor:
    """Features of a Keras model (``.keras``, ``.h5``) or of a SavedModel's serving signature.

    Its output, or that of the named layer, is averaged over rows and columns if it has such. With a
    layer, an output `[b, k]` of the model are the logits (log-probabilities do as well).

    Args:
        path: The file or the folder.
        layer: Of a Keras model, whose output is taken.
        size: Rows and columns that the model reads; by default what its input says.
        scale: What it reads: ``symmetric`` [-1, 1], ``unit`` [0, 1], or ``bytes`` 0 ... 255.

    Raises:
        UsageError: If there is no such model, or it has no such layer.
    """
    if scale not in get_args(Scale):
        raise UsageError(f"`scale` {scale!r}{suggest(scale, get_args(Scale))}")
    if not Path(path).exists():
        raise UsageError(f"There is no model at {path}.")
    try:
        network, weights, shape = (_saved_model if Path(path).is_dir() else _keras)(path, layer)
    except UsageError:
        raise
    except Exception as error:  # whatever a damaged file makes Keras or TensorFlow raise
        raise UsageError(f"{path} can't be loaded as a model: {one_line(error)}.") from None
    divisor, offset = _RANGES[scale]
    shape = (size, size, shape[2]) if size else shape
    what = f"{_sizes(shape)}, {scale}"
    scaled = lambda images: images / divisor + offset  # noqa: E731
    digest = digest_of(*weights, layer, what)
    outputs = getattr(network, "outputs", [])
    n_classes = outputs[1].shape[-1] if layer and len(outputs[1].shape) == 2 else None
    name = re.sub(r"\W", "_", Path(path).stem)
    return Extractor(name, digest, what, _applied(network, shape, scaled), n_classes)


def applications(name: str = "ResNet50", weights: str = "imagenet") -> Extractor:
    """Pooled features and logits of a network of `keras.applications`, with its own preprocessing.

    Args:
        name: Such as ``ResNet50`` or ``InceptionV3`` (that is Keras' own, *not* the network of the
            published FID, which is ``inception``).
        weights: A file of weights with the top, or ``imagenet``, which Keras downloads.

    Raises:
        UsageError: If there is no such network, or its weights can't be had.
    """
    known = [one for one in dir(keras.applications) if one[0].isupper()]
    if name not in known:
        raise UsageError(f"Unknown network {name!r}{suggest(name, known)}")
    factory = getattr(keras.applications, name)
    if weights != "imagenet" and not Path(weights).is_file():
        raise UsageError(f"There is no file of weights at {weights}.")
    options = {"classifier_activation": None} if _takes(factory, "classifier_activation") else {}
    try:
        whole = factory(weights=weights, include_top=True, **options)
    except Exception as error:  # whatever a missing network or another file makes Keras raise
        raise UsageError(f"The weights of {name} can't be had: {one_line(error)}.") from None
    top = whole.layers[-1]
    network = keras.Model(whole.inputs, [top.input, whole.output])
    module = inspect.getmodule(inspect.unwrap(factory))
    prepare = getattr(module, "preprocess_input", lambda images: images)
    shape = tuple(whole.input_shape[1:])
    digest = digest_of(*whole.get_weights(), name)
    return Extractor(
        f"keras_{name.lower()}",
        digest,
        f"{_sizes(shape)}, as keras.applications prepares it",
        _applied(network, shape, prepare),
        int(whole.output_shape[-1]),
    )


def _keras(path: str, layer: str) -> tuple[Callable, list[np.ndarray], tuple[int, ...]]:
    """A Keras model as a function, its weights, and the shape that it reads."""
    whole = keras.models.load_model(path, compile=False)
    if layer:
        names = [one.name for one in whole.layers]
        if layer not in names:
            raise UsageError(f"{path} has no layer {layer!r}{suggest(layer, names)}")
        network = keras.Model(whole.inputs, [whole.get_layer(layer).output, whole.output])
    else:
        network = whole
    return network, whole.get_weights(), tuple(whole.input_shape[1:])


def _saved_model(path: str, layer: str) -> tuple[Callable, list[np.ndarray], tuple[int, ...]]:
    """The serving signature of a SavedModel, its weights, and the shape that it reads."""
    if layer:
        raise UsageError(
            "Layers have names in Keras models, not in a SavedModel; leave `layer` out."
        )
    loaded: Any = tf.saved_model.load(path)
    if "serving_default" not in loaded.signatures:
        raise UsageError(f"{path} has no signature 'serving_default'.")
    serve = loaded.signatures["serving_default"]
    (key, spec), *more = serve.structured_input_signature[1].items()
    if more:
        raise UsageError(f"{path} reads {1 + len(more)} inputs, not one batch of images.")

    def network(images: tf.Tensor) -> tf.Tensor:
        return next(iter(serve(**{key: tf.cast(images, spec.dtype)}).values()))

    network.loaded = loaded  # type: ignore[attr-defined] # what a signature needs to live
    weights = [variable.numpy() for variable in getattr(loaded, "variables", ())]
    return network, weights, tuple(spec.shape[1:])


def _applied(network: Callable, shape: tuple, scaled: Callable) -> Callable:
    """From uint8 images of any size to what the network, which reads a shape, makes of them."""

    def apply(images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        if images.ndim != 4:
            raise UsageError(f"Features of images are asked for of points {images.shape[1:]}.")
        pixels = tf.cast(images, tf.float32)
        if shape[2] == 3 and images.shape[3] == 1:
            pixels = tf.repeat(pixels, 3, axis=3)
        elif shape[2] == 1 and images.shape[3] == 3:
            pixels = tf.image.rgb_to_grayscale(pixels)
        if None not in shape[:2] and tuple(images.shape[1:3]) != shape[:2]:
            pixels = tf.image.resize(pixels, shape[:2], antialias=True)
        outputs = network(scaled(pixels))
        features, *logits = outputs if isinstance(outputs, list | tuple) else [outputs]
        if len(features.shape) == 4:
            features = tf.reduce_mean(features, axis=[1, 2])
        features = tf.reshape(tf.cast(features, tf.float32), [len(images), -1])
        scores = logits[0].numpy() if logits and len(logits[0].shape) == 2 else None
        return features.numpy(), scores

    return apply


def _takes(function: Callable, name: str) -> bool:
    return name in inspect.signature(function).parameters


def _sizes(shape: tuple) -> str:
    rows = "x".join("any" if side is None else str(side) for side in shape[:2])
    return f"bilinear to {rows}, {shape[2]} channels"
