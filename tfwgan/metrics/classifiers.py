"""Small classifiers that come with the package: features of clothes and digits without a download.

Scores on their features compare runs of this package with each other. They are no published FIDs or
Inception Scores, which are of the Inception network, and carry the name of the network they are of.
`scripts/train_classifiers.py` made the weights.
"""

import functools
import importlib.resources
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from tfwgan.errors import UsageError
from tfwgan.metrics.features import Extractor, digest_of

SIDE = 28  # rows and columns that the networks were trained on
STRIDES = (2, 2, 1)  # of their convolutions
N_FEATURES = 64
N_CLASSES = 10

# Of gray images `[b, 28, 28, 1]` in 0 ... 1: features `[b, 64]` and logits `[b, 10]`.
Network = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]

# Where scores are computed must not change them: a GPU rounds to 10 bits (TF32) by default.
_DEVICE = "CPU:0"
_RESIZED = f"resized to {SIDE}x{SIDE} (antialiased, bilinear, not rounded); scaled to [0, 1]"


def fashion_cnn() -> Extractor:
    """Features of clothes: a network that tells the 10 classes of Fashion-MNIST apart.

    It was trained on the 60,000 training images (Xiao et al., 2017), and is right about
    92.66 % of the 10,000 test images.

    Returns:
        The extractor: of uint8 images `[b, h, w, c]` of any size, gray or RGB, which counts as its
        luminance, float32 features `[b, 64]` and logits `[b, 10]`. It raises `UsageError` if given
        anything else.
    """
    return _of_gray_images("fashion_cnn")


def mnist_cnn() -> Extractor:
    """Features of digits: a network that tells the 10 digits of MNIST apart.

    It was trained on the 60,000 training images (LeCun et al., 1998), and is right about
    99.50 % of the 10,000 test images.

    Returns:
        See `fashion_cnn`.
    """
    return _of_gray_images("mnist_cnn")


def stacked_mnist_cnn() -> Extractor:
    """Features of three digits in the channels of one image: those of `mnist_cnn`, side by side.

    The classes are the 1000 modes of StackedMNIST (Metz et al., 2017, "Unrolled generative
    adversarial networks"), as read by a classifier of single digits.

    Returns:
        The extractor: of uint8 images `[b, h, w, 3]` of any size, float32 features `[b, 192]` and
        logits `[b, 1000]`, at 100 a + 10 b + c the logarithm of p(a) p(b) p(c), the probabilities
        of the digits in the first, second and third channel. It raises `UsageError` if given
        anything else.
    """
    name = "stacked_mnist_cnn"
    weights, network = _bundled("mnist_cnn")

    def apply(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        _refuse_all_but_images(images, name, (3,))
        b, h, w, _ = images.shape
        digits = images.transpose(0, 3, 1, 2).reshape(3 * b, h, w, 1)
        with tf.device(_DEVICE):
            features, logits = network(_prepared(digits))
            shares = tf.reshape(tf.nn.log_softmax(logits), [b, 3, N_CLASSES]).numpy()
        first, second, third = shares[:, 0], shares[:, 1], shares[:, 2]
        joint = first[:, :, None, None] + second[:, None, :, None] + third[:, None, None, :]
        return features.numpy().reshape(b, 3 * N_FEATURES), joint.reshape(b, N_CLASSES**3)

    digest = digest_of(*_in_order(weights), "three channels")
    return Extractor(name, digest, f"each channel {_RESIZED}", apply, N_CLASSES**3)


def load_weights(name: str) -> dict[str, np.ndarray]:
    """The weights of a network of this package, float16 arrays by name.

    Args:
        name: ``fashion_cnn`` or ``mnist_cnn``.
    """
    path = importlib.resources.files("tfwgan.metrics") / "bundled" / f"{name}.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files if key != "test_accuracy"}


def network_of(weights: Mapping[str, np.ndarray]) -> Network:
    """The function that weights stand for, traced once for batches of all sizes.

    It has convolutions with rectifiers, then a dense layer of features with SiLU, which unlike a
    rectifier leaves no feature without spread, and a dense layer of logits.

    Args:
        weights: ``conv1_kernel`` `[5, 5, 1, 32]`, ``conv1_bias`` `[32]` and so on, then those of
            ``features`` and ``logits``.
    """
    with tf.device(_DEVICE):
        w = {name: tf.constant(array, tf.float32) for name, array in weights.items()}

    @tf.function(input_signature=[tf.TensorSpec([None, SIDE, SIDE, 1])], autograph=False)
    def compute(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.device(_DEVICE):
            for number, stride in enumerate(STRIDES, start=1):
                x = tf.nn.conv2d(x, w[f"conv{number}_kernel"], stride, "SAME")
                x = tf.nn.relu(x + w[f"conv{number}_bias"])
            x = tf.reshape(x, [-1, w["features_kernel"].shape[0]])
            features = tf.nn.silu(x @ w["features_kernel"] + w["features_bias"])
            return features, features @ w["logits_kernel"] + w["logits_bias"]

    return compute


@functools.cache
def _bundled(name: str) -> tuple[dict[str, np.ndarray], Network]:
    """Weights and function of a network, once in a process: each trace would cost as the first."""
    weights = load_weights(name)
    return weights, network_of(weights)


def _of_gray_images(name: str) -> Extractor:
    """The extractor of one of the networks, on luminance."""
    weights, network = _bundled(name)

    def apply(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        _refuse_all_but_images(images, name, (1, 3))
        with tf.device(_DEVICE):
            features, logits = network(_prepared(images))
        return features.numpy(), logits.numpy()

    digest = digest_of(*_in_order(weights))
    return Extractor(name, digest, f"RGB to luminance; {_RESIZED}", apply, N_CLASSES)


def _in_order(weights: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    return [weights[name] for name in sorted(weights)]


def _prepared(images: np.ndarray) -> tf.Tensor:
    """Gray images `[b, 28, 28, 1]` in 0 ... 1, of uint8 images of 1 or 3 channels."""
    pixels = tf.cast(images, tf.float32)
    if images.shape[-1] == 3:
        pixels = tf.image.rgb_to_grayscale(pixels)  # as `tfwgan.data.View` does
    if images.shape[1:3] != (SIDE, SIDE):
        pixels = tf.image.resize(pixels, (SIDE, SIDE), method="bilinear", antialias=True)
    return pixels / 255.0


def _refuse_all_but_images(images: np.ndarray, name: str, channels: tuple[int, ...]) -> None:
    """Raises `UsageError` unless they are uint8 images with one of these numbers of channels."""
    if images.dtype != np.uint8 or images.ndim != 4:
        raise UsageError(
            f"{name} takes uint8 images [n, h, w, c], got {images.dtype} {list(images.shape)}; for "
            "points use the features `pixels`."
        )
    if images.shape[-1] not in channels:
        wanted = " or ".join(map(str, channels))
        raise UsageError(
            f"{name} takes images of {wanted} channels, got {images.shape[-1]}; for others use the "
            "features `projections`."
        )
