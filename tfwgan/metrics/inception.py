"""The Inception network of the published FID and Inception Score, from any of its public files.

Szegedy et al. (2016, "Rethinking the Inception architecture for computer vision") describe it; the
scores are those of the weights that Google froze on 2015-12-05, and change with any others. This
graph differs from the paper's network, and from that of Keras and torchvision: it tells 1008
classes apart, its average pools do not count the padding, and its last block pools by maximum.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfwgan.errors import UsageError, one_line
from tfwgan.files import write_atomically
from tfwgan.metrics.features import Apply, Extractor, digest_of
from tfwgan.metrics.weights import NORM_PARTS, Arrays, fill, read_weights

NAME = "inception_tf"
SIDE, N_CLASSES = 299, 1008
PREPROCESSING = (
    f"8 bits; to {SIDE}x{SIDE} as TensorFlow 1 did (bilinear, neither corners aligned nor pixels' "
    "centres, not antialiased); (x - 128) / 128"
)
PUBLISHED = (
    "Published are pt_inception-2015-12-05-6726825d.pth (github.com/mseitzer/pytorch-fid, release "
    "fid_weights), the same as weights-inception-2015-12-05-6726825d.pth "
    "(github.com/toshas/torch-fidelity, release v0.2.0), and inception-2015-12-05.tgz "
    "(download.tensorflow.org/models/image/imagenet)."
)

# A convolution is (name, filters, kernel), and has strides of 2 where a fourth says so. A branch is
# a chain of these; "average" and "max" keep the size, "halve" is a maximum with strides of 2. Two
# convolutions in a list read the same, and stand side by side.
_STEM: tuple[Any, ...] = (
    ("Conv2d_1a_3x3", 32, 3, 2),
    ("Conv2d_2a_3x3", 32, 3),
    ("Conv2d_2b_3x3", 64, 3),
    "halve",
    ("Conv2d_3b_1x1", 80, 1),
    ("Conv2d_4a_3x3", 192, 3),
    "halve",
)


def _chain(name: str, *steps: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((f"{name}_{number}", *step) for number, step in enumerate(steps, start=1))


def _a(filters: int) -> tuple[Any, ...]:
    return (
        (("branch1x1", 64, 1),),
        _chain("branch5x5", (48, 1), (64, 5)),
        _chain("branch3x3dbl", (64, 1), (96, 3), (96, 3)),
        ("average", ("branch_pool", filters, 1)),
    )


def _c(n: int) -> tuple[Any, ...]:
    row, column = (1, 7), (7, 1)
    return (
        (("branch1x1", 192, 1),),
        _chain("branch7x7", (n, 1), (n, row), (192, column)),
        _chain("branch7x7dbl", (n, 1), (n, column), (n, row), (n, column), (192, row)),
        ("average", ("branch_pool", 192, 1)),
    )


def _e(pool: str) -> tuple[Any, ...]:
    row, column = (384, (1, 3)), (384, (3, 1))
    return (
        (("branch1x1", 320, 1),),
        (("branch3x3_1", 384, 1), [("branch3x3_2a", *row), ("branch3x3_2b", *column)]),
        (
            *_chain("branch3x3dbl", (448, 1), (384, 3)),
            [("branch3x3dbl_3a", *row), ("branch3x3dbl_3b", *column)],
        ),
        (pool, ("branch_pool", 192, 1)),
    )


_BLOCKS: Mapping[str, tuple[Any, ...]] = {
    "Mixed_5b": _a(32),
    "Mixed_5c": _a(64),
    "Mixed_5d": _a(64),
    "Mixed_6a": (
        (("branch3x3", 384, 3, 2),),
        _chain("branch3x3dbl", (64, 1), (96, 3), (96, 3, 2)),
        ("halve",),
    ),
    "Mixed_6b": _c(128),
    "Mixed_6c": _c(160),
    "Mixed_6d": _c(160),
    "Mixed_6e": _c(192),
    "Mixed_7a": (
        _chain("branch3x3", (192, 1), (320, 3, 2)),
        _chain("branch7x7x3", (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2)),
        ("halve",),
    ),
    "Mixed_7b": _e("average"),
    "Mixed_7c": _e("max"),  # an average in the paper, but not in the graph that scores are of
}


def inception(path: str) -> Extractor:
    """Features and logits of the Inception network that published FIDs and Inception Scores are of.

    An image gets what the original graph did to it, which is not what pytorch-fid does: it is
    resized the way TensorFlow 1 did, not by its pixels' centres, and (x - 128) / 128 comes after.
    That is what Heusel et al. (2017) and torch-fidelity compute.

    Logits are without the bias of the last layer, so that their softmax gives the Inception Score
    of Salimans et al. (2016, "Improved techniques for training GANs"): their code multiplies the
    pooled features by the graph's weights, and leaves its bias out. So do StyleGAN's code and
    torch-fidelity, which calls such logits ``logits_unbiased``.

    Args:
        path: Of one of the public files, see `PUBLISHED`: the PyTorch state dict (in either format
            of ``torch.save``), the frozen TensorFlow graph (``.pb``, or the ``.tgz`` that it comes
            in); or a ``.npz`` that `convert` wrote. All give the same digest.

    Returns:
        The extractor: of uint8 images `[b, h, w, c]` of any size, gray ones repeated to RGB,
        float32 features `[b, 2048]`, at least 0, and logits `[b, 1008]`. It raises `UsageError` if
        given anything else.

    Raises:
        UsageError: If there is no such file, or it has not the weights of this network.
    """
    model, arrays = _filled(path)
    digest = digest_of(*arrays.values(), PREPROCESSING)
    return Extractor(NAME, digest, PREPROCESSING, of_images(NAME, model, prepared), N_CLASSES)


def convert(source: str, target: str) -> None:
    """Writes the weights of a file as a ``.npz``, called and laid out as in the state dict.

    Args:
        source: See `inception`.
        target: The file to write, all of it or none.

    Raises:
        UsageError: If the source can't be read, or the target not written.
    """
    buffer, arrays = io.BytesIO(), dict[str, Any](_filled(source)[1])
    np.savez(buffer, **arrays)
    try:
        write_atomically(Path(target), buffer.getvalue())
    except OSError as error:
        raise UsageError(f"{target} can't be written: {one_line(error)}.") from None


def network() -> keras.Model:
    """Without weights: images `[b, 299, 299, 3]` in [-1, 1] to features and logits."""
    image = keras.Input((SIDE, SIDE, 3), dtype="float32")
    x = _branch(image, _STEM, "")
    for name, branches in _BLOCKS.items():
        x = keras.ops.concatenate([_branch(x, steps, f"{name}.") for steps in branches], axis=-1)
    features = keras.ops.mean(x, axis=(1, 2))
    options = {"kernel_initializer": "zeros", "dtype": "float32", "name": "fc"}
    dense = keras.layers.Dense(N_CLASSES, use_bias=False, **options)
    return keras.Model(image, [features, dense(features)])


def norm_of(convolution: str) -> str:
    """The name of the batch normalisation after a convolution, in the state dict."""
    return convolution.removesuffix("conv") + "bn"


def prepared(images: tf.Tensor) -> tf.Tensor:
    """Images `[b, h, w, 3]` in 0 ... 255 as the original graph prepares them, in [-1, 1]."""
    # The name of this operation in `tf.compat.v1` logs that it is going to be removed.
    resized = tf.raw_ops.ResizeBilinear(images=images, size=[SIDE, SIDE], half_pixel_centers=False)
    return (resized - 128.0) / 128.0


def of_images(
    name: str, model: keras.Model, prepare: Callable[[tf.Tensor], tf.Tensor], at_once: int = 32
) -> Apply:
    """From uint8 images of any size to features and logits of a model, `at_once` at a time.

    Args:
        name: Of the extractor, for messages.
        model: From prepared images to features and logits.
        prepare: From float32 images `[b, h, w, 3]` in 0 ... 255 to what the model reads.
        at_once: How many images it sees at once: large batches need no more memory.
    """

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8)], autograph=False)
    def compute(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        features, logits = model(prepare(tf.cast(images, tf.float32)), training=False)
        return features, logits

    def apply(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if images.ndim != 4 or images.dtype != np.uint8 or images.shape[3] not in (1, 3):
            raise UsageError(
                f"{name} reads uint8 images of 1 or 3 channels, got {images.dtype.name} "
                f"{list(images.shape[1:])}."
            )
        colours = np.repeat(images, 3, axis=3) if images.shape[3] == 1 else images
        with full_precision():
            parts = [
                [output.numpy() for output in compute(colours[start : start + at_once])]
                for start in range(0, len(colours), at_once)
            ]
        features, logits = (np.concatenate(outputs) for outputs in zip(*parts, strict=True))
        return features, logits

    return apply


@contextmanager
def full_precision() -> Iterator[None]:
    """Keeps a GPU from rounding to 10 bits (TF32), so that scores are the same everywhere."""
    config = tf.config.experimental
    before = config.tensor_float_32_execution_enabled()
    config.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        config.enable_tensor_float_32_execution(before)


def graph_names() -> dict[str, str]:
    """What the frozen graph calls the convolutions of the state dict, without ``.conv``."""
    stem = [step[0] for step in _STEM if step != "halve"]
    names = {layer: _nth("conv", number) for number, layer in enumerate(stem)}
    for number, (block, branches) in enumerate(_BLOCKS.items()):
        towers = 0
        for branch in branches:
            scope = _nth("mixed", number)
            if len(branch) > 1:
                scope, towers = f"{scope}/{_nth('tower', towers)}", towers + 1
            for place, step in enumerate([step for step in branch if not isinstance(step, str)]):
                if isinstance(step, list):
                    for side, (layer, *_) in enumerate(step):
                        names[f"{block}.{layer}"] = f"{scope}/mixed/{_nth('conv', side)}"
                else:
                    names[f"{block}.{step[0]}"] = f"{scope}/{_nth('conv', place)}"
    return names


def _filled(path: str) -> tuple[keras.Model, Arrays]:
    """The network with the weights of a file, and these, as the state dict has them."""
    try:
        arrays = read_weights(path)
        model = network()
        return model, fill(model, norm_of, _as_state_dict(arrays), path)
    except UsageError as error:
        raise UsageError(f"{error} {PUBLISHED}") from None


def _as_state_dict(arrays: Arrays) -> Arrays:
    """Constants of the frozen graph under the names and axes of the state dict; others as is."""
    if "softmax/weights" not in arrays:
        return arrays
    renamed = {"fc.weight": arrays["softmax/weights"].T}
    parts = zip(NORM_PARTS, ("gamma", "beta", "moving_mean", "moving_variance"), strict=True)
    theirs = {f"bn.{ours}": f"batchnorm/{part}" for ours, part in parts}
    for layer, scope in graph_names().items():
        if (kernel := arrays.get(f"{scope}/conv2d_params")) is not None and kernel.ndim == 4:
            renamed[f"{layer}.conv.weight"] = kernel.transpose(3, 2, 0, 1)
        for ours, part in theirs.items():
            if f"{scope}/{part}" in arrays:
                renamed[f"{layer}.{ours}"] = arrays[f"{scope}/{part}"]
    return renamed


def _nth(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


def _branch(x: Any, steps: tuple[Any, ...], block: str) -> Any:
    """What a chain of steps makes of a tensor."""
    for step in steps:
        if step == "average":
            x = keras.ops.average_pool(x, 3, 1, "same")
        elif step == "max":
            x = keras.ops.max_pool(x, 3, 1, "same")
        elif step == "halve":
            x = keras.ops.max_pool(x, 3, 2, "valid")
        elif isinstance(step, list):
            x = keras.ops.concatenate([_convolution(x, block, *one) for one in step], axis=-1)
        else:
            x = _convolution(x, block, *step)
    return x


def _convolution(x: Any, block: str, name: str, filters: int, kernel: Any, strides: int = 1) -> Any:
    padding = "valid" if strides == 2 or name in ("Conv2d_2a_3x3", "Conv2d_4a_3x3") else "same"
    options = {"activation": "relu", "kernel_initializer": "zeros", "name": f"{block}{name}.conv"}
    # Of 32 bits whatever the policy of the networks in training.
    return keras.layers.Conv2D(filters, kernel, strides, padding, dtype="float32", **options)(x)
