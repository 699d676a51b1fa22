"""Laws of the classifiers that come with the package, on bundled clothes and, where they are, all.

What needs the test images of both sets is skipped without them.
"""

import functools
import importlib.resources
import os
import runpy
from pathlib import Path

import numpy as np
import pytest

from tfwgan.data import View, fashion_mini, tfds
from tfwgan.errors import UsageError
from tfwgan.metrics import classifiers
from tfwgan.metrics.classifiers import fashion_cnn, mnist_cnn, stacked_mnist_cnn
from tfwgan.metrics.features import digest_of

TEST_DATA = os.environ.get("TFWGAN_TEST_DATA")
real = pytest.mark.skipif(not TEST_DATA, reason="TFWGAN_TEST_DATA names no folder of real data")
ROOT = Path(__file__).parent.parent
GRAY = {"fashion_cnn": fashion_cnn, "mnist_cnn": mnist_cnn}
ALL = {**GRAY, "stacked_mnist_cnn": stacked_mnist_cnn}
SETS = {"fashion_cnn": "fashion_mnist", "mnist_cnn": "mnist"}
REQUIRED = {"fashion_cnn": 0.91, "mnist_cnn": 0.985}


@functools.cache
def made(name):
    return ALL[name]()


@functools.cache
def clothes(n=1000):
    return fashion_mini(limit_data=n)


@functools.cache
def real_images(name):
    return tfds(SETS[name], "test", data_dir=str(Path(TEST_DATA) / "tensorflow_datasets"))


def shipped(name):
    path = importlib.resources.files("tfwgan.metrics") / "bundled" / f"{name}.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def images_for(name, n, seed=0):
    """Clothes, gray or three on each other: classifiers take any image."""
    chosen = np.random.default_rng(seed).integers(1000, size=(n, 3))
    stacks = np.moveaxis(clothes().items[chosen, ..., 0], 1, -1)
    return stacks if name == "stacked_mnist_cnn" else stacks[..., :1]


def accuracy(name, images, labels):
    return float(np.mean(made(name)(images)[1].argmax(axis=1) == labels))


def softmax(logits):
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("name, d, k", [("fashion_cnn", 64, 10), ("mnist_cnn", 64, 10)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(28, 28), (32, 32), (40, 20), (8, 8)])
def test_images_of_any_size_become_features_and_logits(name, d, k, channels, shape):
    features, logits = made(name)(np.zeros((3, *shape, channels), np.uint8))
    assert features.shape == (3, d) and features.dtype == np.float32
    assert logits.shape == (3, k) and logits.dtype == np.float32
    assert made(name).n_classes == k and made(name).name == name


def test_three_digits_have_three_times_the_features_and_a_thousand_classes():
    features, logits = made("stacked_mnist_cnn")(np.zeros((3, 32, 32, 3), np.uint8))
    assert features.shape == (3, 192) and features.dtype == np.float32
    assert logits.shape == (3, 1000) and logits.dtype == np.float32
    assert made("stacked_mnist_cnn").n_classes == 1000


@pytest.mark.parametrize("name", ALL)
def test_the_size_of_a_batch_changes_nothing(name):
    images = images_for(name, 50)
    whole = made(name)(images, batch_size=50)
    for batch_size in (1, 7, 49):
        for some, all_of in zip(made(name)(images, batch_size=batch_size), whole, strict=True):
            np.testing.assert_allclose(some, all_of, rtol=0, atol=1e-5 * np.abs(all_of).max())


def test_batches_of_all_sizes_share_one_trace():
    network = classifiers.network_of(classifiers.load_weights("mnist_cnn"))
    for n in (1, 2, 5):
        network(np.zeros((n, 28, 28, 1), np.float32))
    assert network.experimental_get_tracing_count() == 1


def test_the_files_are_small_and_hold_numbers_only():
    folder = importlib.resources.files("tfwgan.metrics") / "bundled"
    sizes = [len((folder / f"{name}.npz").read_bytes()) for name in GRAY]
    assert sum(sizes) < 2_000_000 and max(sizes) < 600_000
    for name in GRAY:
        for key, array in shipped(name).items():  # which loads without pickle
            assert array.dtype == (np.float64 if key == "test_accuracy" else np.float16), key
            assert np.isfinite(array).all(), key


@pytest.mark.parametrize("name", GRAY)
def test_the_docstring_states_the_accuracy_of_the_file(name):
    stated = float(shipped(name)["test_accuracy"])
    assert f"{100 * stated:.2f} %" in " ".join(GRAY[name].__doc__.split())
    assert stated >= REQUIRED[name]


@pytest.mark.slow
@real
@pytest.mark.parametrize("name", GRAY)
def test_the_stated_accuracy_is_that_on_the_test_images(name):
    test = real_images(name)
    found = accuracy(name, test.items, test.labels)
    # An image between two classes may go either way on another machine.
    assert abs(found - float(shipped(name)["test_accuracy"])) <= 2e-4


def test_bundled_clothes_are_told_apart():
    assert accuracy("fashion_cnn", clothes(2000).items, clothes(2000).labels) > 0.9


def test_resized_clothes_are_told_apart_as_well():
    mini = clothes(2000)
    larger = View(image_size=32).prepare_all(mini.items)
    drop = accuracy("fashion_cnn", mini.items, mini.labels) - accuracy(
        "fashion_cnn", larger, mini.labels
    )
    assert drop < 0.02


@pytest.mark.slow
@real
@pytest.mark.parametrize("name", GRAY)
def test_resized_test_images_are_told_apart_as_well(name):
    test = real_images(name)
    larger = View(image_size=32).prepare_all(test.items)
    assert float(shipped(name)["test_accuracy"]) - accuracy(name, larger, test.labels) < 0.02


@pytest.mark.parametrize("name", GRAY)
def test_three_channels_of_the_same_gray_are_gray(name):
    gray = images_for(name, 100)
    one, three = made(name)(gray), made(name)(np.repeat(gray, 3, axis=-1))
    for a, b in zip(one, three, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-3 * np.abs(a).max())


@pytest.mark.parametrize("name", GRAY)
def test_all_features_spread_and_none_follows_from_the_others(name):
    features, _ = made(name)(images_for(name, 1000))
    spread = features.std(axis=0)
    assert spread.min() > 0.1 * np.median(spread)
    assert np.linalg.matrix_rank(np.cov(features.astype(np.float64).T)) == 64


def test_joint_logits_are_those_of_independent_digits():
    images = images_for("stacked_mnist_cnn", 40)
    features, logits = made("stacked_mnist_cnn")(images)
    joint = np.exp(logits.astype(np.float64)).reshape(-1, 10, 10, 10)
    np.testing.assert_allclose(joint.sum(axis=(1, 2, 3)), 1.0, atol=1e-5)
    for channel, others in enumerate([(2, 3), (1, 3), (1, 2)]):
        own, single = made("mnist_cnn")(images[..., [channel]])
        np.testing.assert_allclose(joint.sum(axis=others), softmax(single), atol=1e-5)
        here = features[:, 64 * channel : 64 * (channel + 1)]
        np.testing.assert_allclose(here, own, atol=1e-5 * np.abs(own).max())


@pytest.mark.slow
@real
def test_stacks_of_digits_have_the_mode_that_their_digits_spell():
    test = real_images("mnist_cnn")
    chosen = np.random.default_rng(0).integers(len(test), size=(1000, 3))
    stacks = np.moveaxis(test.items[chosen, ..., 0], 1, -1)
    right = accuracy("stacked_mnist_cnn", stacks, test.labels[chosen] @ np.array([100, 10, 1]))
    assert right > REQUIRED["mnist_cnn"] ** 3


def test_the_digest_is_of_the_weights_and_tells_the_networks_apart():
    assert len({made(name).digest for name in ALL}) == 3
    for name in GRAY:
        weights = classifiers.load_weights(name)
        assert made(name).digest == digest_of(*(weights[key] for key in sorted(weights)))
        weights["logits_bias"] = weights["logits_bias"] + np.float16(1)
        assert made(name).digest != digest_of(*(weights[key] for key in sorted(weights)))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("items", [np.zeros((5, 2), np.float32), np.zeros((5, 8, 8), np.uint8)])
def test_points_are_refused_in_one_line(name, items):
    with pytest.raises(UsageError, match=rf"^{name} takes uint8 images \[n, h, w, c\], got ") as e:
        made(name)(items)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    "name, channels, wanted",
    [("fashion_cnn", 4, "1 or 3"), ("mnist_cnn", 2, "1 or 3"), ("stacked_mnist_cnn", 1, "3")],
)
def test_other_numbers_of_channels_are_refused_in_one_line(name, channels, wanted):
    with pytest.raises(UsageError, match=f"^{name} takes images of {wanted} channels, got") as e:
        made(name)(np.zeros((5, 28, 28, channels), np.uint8))
    assert "\n" not in str(e.value)


@pytest.fixture(scope="module")
def training():
    return runpy.run_path(str(ROOT / "scripts" / "train_classifiers.py"))


def test_folding_batch_normalisation_changes_nothing_but_16_bits(training):
    generator, model = np.random.default_rng(0), training["network"]()
    for layer in model.layers:
        if layer.name.endswith("_norm"):
            layer.set_weights([generator.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    images = generator.random((20, 28, 28, 1), np.float32)
    expected = model.predict(images, verbose=0)
    _, logits = classifiers.network_of(training["folded"](model))(images)
    np.testing.assert_allclose(logits, expected, atol=5e-3 * np.abs(expected).max())


def test_augmented_images_are_moved_and_mirrored_ones(training):
    recipe = training["RECIPES"]["fashion_cnn"]
    images = np.random.default_rng(0).integers(1, 256, (40, 6, 6, 1), dtype=np.uint8)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0))) / np.float32(255.0)
    found = set()
    for index, image in enumerate(training["augmented"](images, recipe, np.random.default_rng(1))):
        ways = {
            (top, left, flip): padded[index, top : top + 6, left : left + 6][:, ::flip]
            for top in range(3)
            for left in range(3)
            for flip in (1, -1)
        }
        (way,) = [key for key, moved in ways.items() if np.array_equal(moved, image)]
        found.add(way)
    assert len(found) > 12  # of 18
