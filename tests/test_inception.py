"""Laws of the network that published FIDs are of."""

import runpy

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT
from weight_files import TINY, graph, legacy, npz, refused, writer_in, zipped

from tfwgan.metrics import inception
from tfwgan.metrics.weights import read_weights, shapes_of

CHECK = runpy.run_path(str(ROOT / "scripts" / "check_features.py"))


@pytest.fixture
def put(tmp_path):
    return writer_in(tmp_path)


def test_public_files_are_named_where_one_is_missing_or_of_another_network(put, tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        with refused(str(path), "mseitzer/pytorch-fid", "inception-2015-12-05.tgz"):
            inception.inception(str(path))
    with refused("no array 'Conv2d_1a_3x3.conv.weight'", "mseitzer/pytorch-fid"):
        inception.inception(put(npz(TINY)))


def test_the_policy_of_other_networks_changes_nothing():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        outputs = inception.network().outputs
    finally:
        keras.config.set_dtype_policy("float32")
    assert [output.dtype for output in outputs] == ["float32", "float32"]


@pytest.fixture(scope="module")
def arrays():
    return CHECK["random_arrays"](shapes_of(inception.network(), inception.norm_of))


@pytest.fixture(scope="module")
def path(arrays, tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "inception.npz"
    np.savez(path, **arrays)
    return str(path)


def test_the_network_has_the_arrays_of_the_published_one(arrays):
    shapes = {name: array.shape for name, array in arrays.items()}
    assert len(shapes) == 94 * 5 + 1
    # Keras' InceptionV3 of 1000 classes has 23,851,784 parameters, one scale fewer for each of
    # 17,216 filters, and a bias for each class.
    keras_total = sum(map(np.prod, shapes.values())) - 17_216 - 8 * 2048 + 1000
    assert keras_total == 23_851_784
    # With the bias that scores leave out: the public file has 95,628,359 bytes.
    assert sum(map(np.prod, shapes.values())) + 1008 == 23_885_392
    assert shapes["fc.weight"] == (1008, 2048)
    assert shapes["Mixed_5b.branch5x5_2.conv.weight"] == (64, 48, 5, 5)
    assert shapes["Mixed_6c.branch7x7dbl_2.conv.weight"] == (160, 160, 7, 1)
    assert shapes["Mixed_7c.branch3x3dbl_3a.bn.running_var"] == (384,)


def test_the_graph_has_a_name_for_each_convolution():
    names = inception.graph_names()
    assert len(names) == len(set(names.values())) == 94
    known = {
        "Conv2d_1a_3x3": "conv",
        "Conv2d_4a_3x3": "conv_4",
        "Mixed_5b.branch1x1": "mixed/conv",
        "Mixed_5b.branch3x3dbl_3": "mixed/tower_1/conv_2",
        "Mixed_5d.branch_pool": "mixed_2/tower_2/conv",
        "Mixed_6a.branch3x3": "mixed_3/conv",
        "Mixed_6a.branch3x3dbl_2": "mixed_3/tower/conv_1",
        "Mixed_6e.branch7x7_3": "mixed_7/tower/conv_2",
        "Mixed_7a.branch7x7x3_4": "mixed_8/tower_1/conv_3",
        "Mixed_7b.branch3x3_2b": "mixed_9/tower/mixed/conv_1",
        "Mixed_7c.branch3x3dbl_3a": "mixed_10/tower_1/mixed/conv",
    }
    assert {layer: names[layer] for layer in known} == known


@pytest.mark.slow
def test_features_are_those_of_the_reference(path):
    """`scripts/check_features.py` found these numbers in pytorch-fid and torch-fidelity."""
    extractor = inception.inception(path)
    assert (extractor.name, extractor.n_classes) == ("inception_tf", 1008)
    features, logits = extractor(CHECK["random_images"]((2, 32, 32, 3)))
    assert features.shape == (2, 2048) and logits.shape == (2, 1008)
    known = [[1.1418668, 0.0, 0.1881392, 2.2808604], [1.1236413, 0.0, 0.2082757, 2.3839295]]
    np.testing.assert_allclose(features[:, [0, 1, -3, -1]], known, rtol=1e-4)
    np.testing.assert_allclose(features.max(), 12.431241, rtol=1e-4)
    known = [[2.2589250, -2.6739585, 0.8043433], [2.2732156, -2.6481655, 0.9216428]]
    np.testing.assert_allclose(logits[:, :3], known, rtol=1e-4)


@pytest.mark.slow
def test_all_public_files_give_one_digest_and_one_conversion(arrays, path, put, tmp_path, script):
    frozen = {"softmax/weights": arrays["fc.weight"].T, "softmax/biases": np.zeros(1008)}
    for layer, scope in inception.graph_names().items():
        kernel = arrays[f"{layer}.conv.weight"]
        frozen[f"{scope}/conv2d_params"] = kernel.transpose(2, 3, 1, 0)
        for ours, theirs in {
            "weight": "gamma",
            "bias": "beta",
            "running_mean": "moving_mean",
            "running_var": "moving_variance",
        }.items():
            frozen[f"{scope}/batchnorm/{theirs}"] = arrays[f"{layer}.bn.{ours}"]
    digests = {inception.inception(path).digest}
    digests.add(inception.inception(put(graph(frozen))).digest)
    published = {**arrays, "fc.bias": np.zeros(1008, np.float32)}
    digests.add(inception.inception(put(legacy(published))).digest)
    assert len(digests) == 1
    target = tmp_path / "converted.npz"
    done = script("convert_inception", put(zipped(published)), target)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    converted = read_weights(str(target))
    assert list(converted) == list(arrays)
    assert all((converted[name] == array).all() for name, array in arrays.items())


def test_the_script_says_what_is_wrong_in_one_line(script, tmp_path):
    done = script("convert_inception")
    assert done.returncode == 2 and done.stderr.startswith("usage: ")
    done = script("convert_inception", tmp_path / "missing", tmp_path / "target")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert not (tmp_path / "target").exists()


def test_a_conversion_that_cannot_be_written_is_told_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(inception, "_filled", lambda path: (None, {"fc.weight": np.zeros(2)}))
    for target in (tmp_path, tmp_path / "missing" / "target.npz"):
        with refused(str(target), "can't be written"):
            inception.convert("source", str(target))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [(32, 32), (299, 299), (400, 310), (1, 7)])
def test_images_are_resized_as_tensorflow_1_did(size):
    images = np.random.default_rng(0).integers(0, 256, (2, *size, 3)).astype(np.float32)

    def along(x, axis):
        n = x.shape[axis]
        position = np.arange(299) * (n / 299)
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, n - 1)
        share = (position - low).reshape([-1 if one == axis else 1 for one in range(4)])
        return x.take(low, axis) * (1 - share) + x.take(high, axis) * share

    expected = (along(along(images, 1), 2) - 128) / 128
    np.testing.assert_allclose(inception.prepared(tf.constant(images)), expected, atol=1e-4)


@pytest.fixture(scope="module")
def means():
    image = keras.Input((4, 4, 3))
    model = keras.Model(image, [keras.ops.mean(image, axis=(1, 2)), keras.ops.max(image, (1, 2))])
    return inception.of_images("means", model, lambda images: images, at_once=2)


def test_gray_images_are_repeated_and_batches_are_split(means):
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3)).astype(np.uint8)
    features, logits = means(images)
    np.testing.assert_allclose(features, images.mean(axis=(1, 2)), rtol=1e-6)
    np.testing.assert_array_equal(logits, images.max(axis=(1, 2)))
    gray = images[..., :1]
    for one, other in zip(means(gray), means(np.repeat(gray, 3, axis=3)), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "items", [np.zeros((2, 3), np.float32), np.zeros((2, 4, 4, 3)), np.zeros((2, 4, 4, 2), "u1")]
)
def test_what_are_no_images_is_refused(means, items):
    with refused("means reads uint8 images of 1 or 3 channels"):
        means(items)


def test_full_precision_lasts_as_long_as_asked():
    config = tf.config.experimental
    before = config.tensor_float_32_execution_enabled()
    with inception.full_precision():
        assert not config.tensor_float_32_execution_enabled()
    assert config.tensor_float_32_execution_enabled() == before
