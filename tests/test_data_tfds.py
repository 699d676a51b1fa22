"""Laws of sets from the TFDS catalogue: fake ones always, real ones where they are prepared."""

import os
import socket
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as library

from tfwgan.data import catalogue
from tfwgan.errors import UsageError
from tfwgan.program import datasets

TEST_DATA = os.environ.get("TFWGAN_TEST_DATA")
real = pytest.mark.skipif(not TEST_DATA, reason="TFWGAN_TEST_DATA names no folder of real data")


def load_real(text, **options):
    return datasets.load(text, data_dir=str(Path(TEST_DATA) / "tensorflow_datasets"), **options)


@pytest.fixture
def fake():
    with library.testing.mock_data(num_examples=8):
        yield


@pytest.mark.parametrize(
    "text, options, shape, n_classes",
    [
        ("tfds=mnist", {}, (28, 28, 1), 10),
        ("tfds=mnist-split=test", {"image_size": 16}, (16, 16, 1), 10),
        ("tfds=cifar10", {"gray_scale": True}, (32, 32, 1), 10),
        ("tfds=celeb_a", {"image_size": 8, "center_crop": 20}, (8, 8, 3), None),
        ("tfds=oxford_flowers102", {"image_size": 8}, (8, 8, 3), 102),
    ],
)
def test_any_image_set_of_the_catalogue_loads(fake, text, options, shape, n_classes):
    dataset = datasets.load(text, **options)
    assert dataset.items.shape == (8, *shape) and dataset.items.dtype == np.uint8
    assert dataset.n_classes == n_classes and (dataset.labels is None) == (n_classes is None)


def test_a_limit_keeps_the_first_examples(fake):
    whole, part = datasets.load("tfds=mnist"), datasets.load("tfds=mnist", limit_data=3)
    np.testing.assert_array_equal(part.items, whole.items[:3])
    np.testing.assert_array_equal(part.labels, whole.labels[:3])


def test_sizes_that_differ_ask_for_one(monkeypatch):
    sizes = iter([(5, 5, 3), (5, 6, 3)])

    def as_dataset(self, *args, **kwargs):
        signature = self.info.features.get_tensor_info()
        examples = [
            {"image": np.zeros(size, np.uint8), "label": 0, "file_name": "f"} for size in sizes
        ]
        return tf.data.Dataset.from_generator(
            lambda: iter(examples),
            output_types={key: info.tf_dtype for key, info in signature.items()},
            output_shapes={key: info.shape for key, info in signature.items()},
        ).apply(tf.data.experimental.assert_cardinality(2))

    with library.testing.mock_data(as_dataset_fn=as_dataset):
        with pytest.raises(
            UsageError, match=r"number 0 has 5x5 pixels, number 1 has 5x6; give `image_size`"
        ):
            datasets.load("tfds=oxford_flowers102")


def test_an_unknown_set_names_the_nearest():
    with pytest.raises(UsageError, match="no set 'mnits'; did you mean mnist"):
        datasets.load("tfds=mnits")
    with pytest.raises(UsageError, match="no set 'qqqqqqqq'; see tensorflow.org"):
        datasets.load("tfds=qqqqqqqq")


def test_a_set_without_pictures_is_refused(fake):
    with pytest.raises(
        UsageError, match=r"imdb_reviews has no image feature \(it has: text, label\)"
    ):
        datasets.load("tfds=imdb_reviews")


def test_the_picture_is_the_feature_called_image_or_the_only_one():
    kinds = library.features
    two = {"left": kinds.Image(), "right": kinds.Image()}

    def key_of(**features):
        return catalogue._features(library, "pairs", kinds.FeaturesDict(features))[0]

    assert key_of(photo=kinds.Image(), mask=kinds.LabeledImage(labels=3)) == "photo"
    assert key_of(image=kinds.Image(), **two) == "image"
    with pytest.raises(UsageError, match=r"pairs has several image features \(left, right\)"):
        key_of(**two)
    with pytest.raises(UsageError, match="the images of the TFDS set pairs are float32"):
        key_of(image=kinds.Image(dtype=np.float32, shape=(4, 4, 1)))


def test_without_the_package_the_message_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(UsageError, match="pip install tensorflow-datasets importlib_resources"):
        datasets.load("tfds=mnist")


def test_without_network_the_message_comes_at_once_with_the_remedy(tmp_path, monkeypatch):
    def no_name_server(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_name_server)
    monkeypatch.setattr(urllib.request, "getproxies", dict)
    with pytest.raises(UsageError) as caught:
        datasets.load("tfds=kmnist", data_dir=str(tmp_path / "no"))
    for part in (str(tmp_path), "no network", "tfds build kmnist", "`data_dir`", "`data=folder="):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    "there", ["nothing", "an empty folder", "a download", "a download under way"]
)
@pytest.mark.parametrize("existed", [False, True])
def test_a_download_that_fails_removes_no_file_and_no_folder_that_was_there(
    there, existed, tmp_path, monkeypatch
):
    folder = tmp_path / "data"
    if existed:
        folder.mkdir()

    def fail(self, **_):
        (folder / "kmnist/incomplete.1").mkdir(parents=True)
        if there == "an empty folder":
            (folder / "other").mkdir()
        elif there != "nothing":
            (folder / "downloads").mkdir()
            (folder / "downloads" / ("a.zip" if there == "a download" else "b.tmp")).write_text(
                "hours of work"
            )
        raise OSError("checksum")

    monkeypatch.setattr(library.core.dataset_builder.DatasetBuilder, "download_and_prepare", fail)
    monkeypatch.setattr(catalogue, "_has_network", lambda: True)
    with pytest.raises(UsageError, match="can't be downloaded .*checksum"):
        datasets.load("tfds=kmnist", data_dir=str(folder))
    assert folder.exists() == (existed or "download" in there)
    if "download" in there:
        assert [path.read_text() for path in folder.rglob("*.*") if path.is_file()] == [
            "hours of work"
        ]


@real
def test_an_unknown_split_names_the_known():
    with pytest.raises(UsageError, match=r"mnist has no split 'tarin'.*splits: train, test"):
        load_real("tfds=mnist-split=tarin")


@pytest.mark.slow
@real
def test_mnist_is_whole_and_balanced(capfd):
    mnist = load_real("tfds=mnist")
    assert mnist.items.shape == (60000, 28, 28, 1) and mnist.n_classes == 10
    counts = np.bincount(mnist.labels)
    assert counts.min() > 5000 and counts.max() < 7000
    assert capfd.readouterr().out == ""
    assert len(load_real("tfds=mnist-split=test[:100]")) == 100


@pytest.mark.slow
@real
def test_the_bundled_sample_is_the_start_of_fashion_mnist():
    mini, fashion = datasets.load("fashion_mini"), load_real("tfds=fashion_mnist", limit_data=10000)
    np.testing.assert_array_equal(mini.items, fashion.items)
    np.testing.assert_array_equal(mini.labels, fashion.labels)
    assert mini.class_names == fashion.class_names
