"""Laws of public weight files: what is written is read, nothing is called, damage is told."""

import io
import pickle
import runpy
import zipfile

import keras
import numpy as np
import pytest
from conftest import ROOT
from weight_files import FORMATS, TINY, legacy, npz, refused, text, writer_in, zipped

from tfwgan.metrics import weights
from tfwgan.metrics.weights import read_weights, shapes_of

CHECK = runpy.run_path(str(ROOT / "scripts" / "check_features.py"))


@pytest.fixture
def put(tmp_path):
    return writer_in(tmp_path)


@pytest.mark.parametrize("written", FORMATS)
def test_all_formats_give_back_what_was_written(written, put):
    arrays = read_weights(put(written(TINY)))
    assert list(arrays) == list(TINY)
    for name, array in TINY.items():
        assert arrays[name].dtype == array.dtype and arrays[name].shape == array.shape
        np.testing.assert_array_equal(arrays[name], array)


def test_tensors_are_views_of_their_storage(put):
    array = np.arange(6, dtype=np.float32)
    path = put(legacy({"x": array}, offset=1, shape=(2, 2), strides=(1, 2)))
    np.testing.assert_array_equal(read_weights(path)["x"], [[1, 3], [2, 4]])


@pytest.mark.parametrize("written", [zipped, legacy])
@pytest.mark.parametrize(
    "change",
    [
        {"shape": (7,), "strides": (1,)},
        {"offset": 1},
        {"offset": -1},
        {"shape": (2,), "strides": (-1,)},
        {"shape": (9, 9), "strides": (0, 0)},
        {"shape": (2, 2), "strides": (1,)},
        {"count": 100},
    ],
)
def test_no_tensor_reaches_beyond_its_storage(written, change, put):
    with refused("can't be read as weights"):
        read_weights(put(written({"x": np.arange(6, dtype=np.float32)}, **change)))


# Pickles that would call something with a file's name, or take hold of what can.
CALLS = {
    "posix.mkdir": lambda path: b"\x80\x02cposix\nmkdir\n" + text(path) + b"\x85R.",
    "builtins.exec": lambda path: (
        b"\x80\x02cbuiltins\nexec\n" + text(f"__import__('os').mkdir({path!r})") + b"\x85R."
    ),
    "torch.load": lambda path: b"\x80\x02ctorch\nload\n" + text(path) + b"\x85R.",
    "_rebuild_tensor_v2.__globals__": lambda path: (
        b"\x80\x04" + text("torch._utils") + text("_rebuild_tensor_v2.__globals__") + b"\x93."
    ),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("written", [zipped, legacy, lambda arrays, pickled: pickled])
def test_a_pickle_that_calls_anything_is_refused_and_calls_nothing(written, name, put, tmp_path):
    target = tmp_path / "called"
    with refused("it asks for", name, "may ask for plain tensors only"):
        read_weights(put(written({}, pickled=CALLS[name](str(target)))))
    assert not target.exists()


def test_the_refused_pickles_would_have_called_something(tmp_path):
    for name in ("posix.mkdir", "builtins.exec"):
        pickle.loads(CALLS[name](str(tmp_path / name)))
        assert (tmp_path / name).exists()


@pytest.mark.parametrize("written", FORMATS)
def test_what_is_cut_short_is_refused(written, put):
    content = written({"x": np.random.default_rng(0).normal(size=500).astype(np.float32)})
    for part in (0.3, 0.9):
        with refused("can't be read as weights"):
            read_weights(put(content[: int(part * len(content))]))


def test_every_beginning_of_a_file_is_refused(put):
    content = legacy(TINY)
    for length in range(len(content)):
        with refused():
            read_weights(put(content[:length]))


def test_what_are_no_weights_is_refused(put, tmp_path):
    with refused("There is no file"):
        read_weights(str(tmp_path / "missing"))
    with refused("is a folder"):
        read_weights(str(tmp_path))
    with refused("none of .npz, .pth, .pb and .tgz"):
        read_weights(put(b"<!DOCTYPE html><html>Not found</html>"))
    with refused("holds no arrays"):
        read_weights(put(b""))
    with refused("none of torch.save"):
        read_weights(put(pickle.dumps({"a": 1})))
    with refused("no state dict"):
        read_weights(put(legacy({}, pickled=pickle.dumps([1]))))
    with refused("allow_pickle=False"):
        read_weights(put(npz({"x": np.array([{}])})))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("net/data.pkl", b"")
        archive.writestr("net/code/net.py", b"")
    with refused("TorchScript"):
        read_weights(put(buffer.getvalue()))


def test_a_hash_in_the_name_is_that_of_the_content(put):
    content = legacy(TINY)
    assert read_weights(put(content, "net-v1.pth"))
    with refused("SHA-256", "not with 01234567 as its name says"):
        read_weights(put(content, "net-01234567.pth"))


def small():
    """Two convolutions, of which one is depthwise, and a dense layer."""
    image = keras.Input((5, 5, 2))
    x = keras.layers.Conv2D(3, (1, 2), name="wide")(image)
    x = keras.layers.DepthwiseConv2D(2, name="deep")(x)
    return keras.Model(image, keras.layers.Dense(2, name="fc")(keras.ops.mean(x, (1, 2))))


def test_batch_normalisation_is_folded_into_convolutions():
    model, norm_of = small(), "{}_norm".format
    arrays = CHECK["random_arrays"](shapes_of(model, norm_of))
    assert arrays["deep.weight"].shape == (3, 1, 2, 2)
    taken = weights.fill(model, norm_of, {**arrays, "more": np.zeros(2)}, "a file")
    assert list(taken) == list(arrays)
    images = np.random.default_rng(0).normal(size=(2, 5, 5, 2)).astype(np.float32)

    def normalised(x, name):
        gamma, beta, mean, variance = (arrays[f"{name}_norm.{part}"] for part in weights.NORM_PARTS)
        return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    windows = np.lib.stride_tricks.sliding_window_view(images, (1, 2), (1, 2))
    x = normalised(np.einsum("bhwikl,oikl->bhwo", windows, arrays["wide.weight"]), "wide")
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2), (1, 2))
    x = normalised(np.einsum("bhwckl,ckl->bhwc", windows, arrays["deep.weight"][:, 0]), "deep")
    expected = x.mean(axis=(1, 2)) @ arrays["fc.weight"].T + arrays["fc.bias"]
    np.testing.assert_allclose(model(images), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "array, words",
    [
        (np.zeros(2), "is float64 [2], not float32 [3, 2, 1, 2]"),
        (np.zeros((3, 2, 1, 2), int), "is int64 [3, 2, 1, 2], not float32"),
        (np.full((3, 2, 1, 2), np.nan), "has numbers that are NaN or infinite"),
    ],
)
def test_an_array_of_another_network_is_refused(array, words):
    model, norm_of = small(), "{}_norm".format
    arrays = {**CHECK["random_arrays"](shapes_of(model, norm_of)), "wide.weight": array}
    with refused("a file", "'wide.weight'", words):
        weights.fill(model, norm_of, arrays, "a file")
