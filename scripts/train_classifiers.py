"""Trains the classifiers of `tfwgan.metrics.classifiers`, and writes the weights that it ships.

The same seed gives the same weights on the same kind of machine. Test images are looked at once, by
the weights as they are shipped: 16 bits, batch normalisation folded in.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

BATCH_SIZE = 128
LEARNING_RATE = 2e-3  # at the start; a cosine leads to 0
FILTERS, KERNELS = (32, 64, 64), (5, 3, 3)  # of the convolutions
DROPOUT = 0.2
SOFT = 0.25  # share of the images that were 32x32 in between, as those of many networks are
EPSILON = 1e-3  # of batch normalisation


@dataclass(frozen=True)
class Recipe:
    """How one network is trained.

    Attributes:
        data: The data set, as TFDS calls it.
        epochs: How often each training image is seen.
        shift: Rows and columns, at most, by which an image is moved at random.
        flip: Whether every other image is mirrored, which leaves clothes clothes.
    """

    data: str
    epochs: int
    shift: int
    flip: bool


RECIPES = {
    "fashion_cnn": Recipe("fashion_mnist", epochs=12, shift=1, flip=True),
    "mnist_cnn": Recipe("mnist", epochs=6, shift=2, flip=False),
}


def main() -> int:
    """Trains what the command line names; returns the exit status."""
    parser = argparse.ArgumentParser("tfwgan train-classifiers", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(RECIPES)}; default: all")
    parser.add_argument("--data_dir", help="where prepared TFDS sets lie; default: TFDS's choice")
    parser.add_argument("--out_dir", type=Path, help="default: where the package looks for them")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and augmentation")
    flags = parser.parse_args()
    if unknown := set(flags.names) - set(RECIPES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(RECIPES)}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tfwgan.metrics import classifiers

    folder = flags.out_dir or Path(str(classifiers.__file__)).parent / "bundled"
    folder.mkdir(parents=True, exist_ok=True)
    for name in flags.names or RECIPES:
        weights, accuracy = train(name, RECIPES[name], flags.data_dir, flags.seed)
        np.savez(folder / f"{name}.npz", test_accuracy=np.float64(accuracy), **weights)
    return 0


def train(
    name: str, recipe: Recipe, data_dir: str | None, seed: int
) -> tuple[dict[str, np.ndarray], float]:
    """The weights of one network, float16 by name, and their share of right test images."""
    import keras
    import tensorflow as tf

    from tfwgan.data import View, tfds

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    data = tfds(recipe.data, data_dir=data_dir)
    soft = View(28).prepare_all(View(32).prepare_all(data.items))
    steps = len(data) // BATCH_SIZE
    model = network()
    model.compile(
        keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(LEARNING_RATE, recipe.epochs * steps)
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # which is slower on a CPU
    )
    generator = np.random.default_rng(seed)
    for epoch in range(recipe.epochs):
        order = generator.permutation(len(data))
        loss = 0.0
        for batch in order[: steps * BATCH_SIZE].reshape(steps, BATCH_SIZE):
            softened = generator.random((BATCH_SIZE, 1, 1, 1)) < SOFT
            images = np.where(softened, soft[batch], data.items[batch])
            images = augmented(images, recipe, generator)
            loss += float(model.train_on_batch(images, data.labels[batch])) / steps
        print(f"{name}: epoch {epoch + 1} of {recipe.epochs}, loss {loss:.4f}", flush=True)
    weights = folded(model)
    return weights, tested(name, weights, model, tfds(recipe.data, "test", data_dir=data_dir))


def network() -> "keras.Model":
    """The network with batch normalisation, of images `[b, 28, 28, 1]` in 0 ... 1 to logits."""
    import keras

    from tfwgan.metrics.classifiers import N_CLASSES, N_FEATURES, SIDE, STRIDES

    def normalised(x: Any, name: str) -> Any:
        return keras.layers.BatchNormalization(momentum=0.98, epsilon=EPSILON, name=name)(x)

    x = image = keras.Input((SIDE, SIDE, 1))
    for number, (filters, kernel, stride) in enumerate(zip(FILTERS, KERNELS, STRIDES, strict=True)):
        name = f"conv{number + 1}"
        x = keras.layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=name)(x)
        x = keras.ops.relu(normalised(x, f"{name}_norm"))
    x = keras.layers.Dropout(DROPOUT)(keras.layers.Flatten()(x))
    x = keras.layers.Dense(N_FEATURES, use_bias=False, name="features")(x)
    # It gives all features a spread of one size.
    x = keras.ops.silu(normalised(x, "features_norm"))
    return keras.Model(image, keras.layers.Dense(N_CLASSES, name="logits")(x))


def augmented(images: np.ndarray, recipe: Recipe, generator: np.random.Generator) -> np.ndarray:
    """Images uint8 `[b, 28, 28, 1]`, moved and mirrored at random, float32 in 0 ... 1."""
    b, side, shift = len(images), images.shape[1], recipe.shift
    padded = np.pad(images[..., 0], ((0, 0), (shift, shift), (shift, shift)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), (1, 2))
    top, left = generator.integers(0, 2 * shift + 1, (2, b))
    moved = windows[np.arange(b), top, left]
    if recipe.flip:
        mirrored = generator.random((b, 1, 1)) < 0.5
        moved = np.where(mirrored, moved[:, :, ::-1], moved)
    return moved[..., np.newaxis].astype(np.float32) / np.float32(255.0)


def folded(model: "keras.Model") -> dict[str, np.ndarray]:
    """The weights in 16 bits, with batch normalisation folded into what stands before it."""
    weights = {}
    for name in ("conv1", "conv2", "conv3", "features"):
        gamma, beta, mean, variance = model.get_layer(f"{name}_norm").get_weights()
        scale = gamma / np.sqrt(variance + EPSILON)
        weights[f"{name}_kernel"] = model.get_layer(name).get_weights()[0] * scale
        weights[f"{name}_bias"] = beta - mean * scale
    weights["logits_kernel"], weights["logits_bias"] = model.get_layer("logits").get_weights()
    return {name: array.astype(np.float16) for name, array in weights.items()}


def tested(name: str, weights: dict[str, np.ndarray], model: "keras.Model", test: Any) -> float:
    """The share of test images that the shipped weights are right about; prints that and more."""
    from tfwgan.metrics.classifiers import network_of

    images = test.items.astype(np.float32) / np.float32(255.0)
    compute = network_of(weights)
    parts = [compute(images[start : start + 500]) for start in range(0, len(test), 500)]
    features = np.concatenate([part[0] for part in parts])
    logits = np.concatenate([part[1] for part in parts])
    accuracy = float(np.mean(logits.argmax(axis=1) == test.labels))
    before = model.predict(images, batch_size=500, verbose=0)
    spread = np.sort(features.std(axis=0))
    size = sum(array.nbytes for array in weights.values())
    print(f"{name}: {100 * accuracy:.2f} % of the test images, {size:,} bytes of weights")
    print(
        f"{name}: rounding to 16 bits moves logits by {np.abs(before - logits).max():.4f} at most"
    )
    print(
        f"{name}: features deviate by {spread[0]:.3f} ... {spread[-1]:.3f}, "
        f"median {np.median(spread):.3f}; of their covariance the eigenvalues are "
        f"{np.array2string(np.linalg.eigvalsh(np.cov(features.T))[[0, 32, 63]], precision=5)} "
        "(least, middle, greatest)",
        flush=True,
    )
    return accuracy


if __name__ == "__main__":
    sys.exit(main())
