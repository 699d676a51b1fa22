"""Laws of public weight files, and of the network that published FIDs are of."""

import contextlib
import io
import pickle
import runpy
import struct
import tarfile
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

from tfwgan.errors import UsageError
from tfwgan.metrics import inception, weights
from tfwgan.metrics.weights import read_weights, shapes_of

CHECK = runpy.run_path(str(ROOT / "scripts" / "check_features.py"))
TINY = {
    "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a.bias": np.array([0.5, -1], np.float64),
    "steps": np.array(7, np.int64),
}
STORAGES = {"f4": "FloatStorage", "f8": "DoubleStorage", "i8": "LongStorage"}


def text(word):
    return b"X" + struct.pack("<I", len(word.encode())) + word.encode()


def number(value):
    return b"J" + struct.pack("<i", value)


def numbers(values):
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(key, array, offset=0, shape=None, strides=None, count=None):
    """What torch.save pickles of a tensor, opcode by opcode."""
    kind = STORAGES[array.dtype.str[1:]]
    steps = [step // array.itemsize for step in array.strides] if strides is None else strides
    return b"".join(
        [
            b"ctorch._utils\n_rebuild_tensor_v2\n((",
            text("storage"),
            f"ctorch\n{kind}\n".encode(),
            text(key),
            text("cpu"),
            number(array.size if count is None else count),
            b"tQ",
            number(offset),
            numbers(array.shape if shape is None else shape),
            numbers(steps),
            b"\x89ccollections\nOrderedDict\n)RtR",
        ]
    )


def state_dict(arrays, **change):
    items = [text(name) + tensor(str(key), array, **change) for key, (name, array) in arrays]
    # The last opcodes give it the attribute `_metadata`, as torch.nn.Module does.
    metadata = b"}" + text("_metadata") + b"}sb"
    return b"\x80\x02ccollections\nOrderedDict\n)R(" + b"".join(items) + b"u" + metadata + b"."


def legacy(arrays, pickled=None, **change):
    arrays = list(enumerate(arrays.items()))
    parts = [
        pickle.dumps(weights._MAGIC, 2),
        pickle.dumps(1001, 2),
        pickle.dumps({"protocol_version": 1001, "little_endian": True}, 2),
        pickled or state_dict(arrays, **change),
        pickle.dumps([str(key) for key, _ in arrays], 2),
    ]
    for _, (_, array) in arrays:
        parts += [struct.pack("<q", array.size), array.tobytes()]
    return b"".join(parts)


def zipped(arrays, pickled=None, **change):
    arrays = list(enumerate(arrays.items()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickled or state_dict(arrays, **change))
        archive.writestr("archive/byteorder", "little")
        for key, (_, array) in arrays:
            archive.writestr(f"archive/data/{key}", array.tobytes())
    return buffer.getvalue()


def npz(arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def graph(arrays):
    made = tf.compat.v1.GraphDef()
    for name, array in arrays.items():
        node = made.node.add(op="Const", name=name)
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array))
    made.node.add(op="Identity", name="out", input=["a.weight"])
    made.node.add(op="Const", name="words").attr["value"].tensor.CopyFrom(
        tf.make_tensor_proto(["a", "b"])
    )
    return made.SerializeToString()


def tgz(arrays):
    buffer, content = io.BytesIO(), graph(arrays)
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, part in {"LICENSE": b"words", "classify_image_graph_def.pb": content}.items():
            member = tarfile.TarInfo(name)
            member.size = len(part)
            archive.addfile(member, io.BytesIO(part))
    return buffer.getvalue()


FORMATS = [npz, zipped, legacy, graph, tgz]


@pytest.fixture
def put(tmp_path):
    """Writes bytes into a file, whose name says nothing of what it is."""

    def write(content, name="weights"):
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    return write


@contextlib.contextmanager
def refused(*words):
    """Holds if a block raises `UsageError` in one line that has the words."""
    with pytest.raises(UsageError) as caught:
        yield
    message = str(caught.value)
    assert "\n" not in message and all(word in message for word in words), message


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


def test_public_files_are_named_where_one_is_missing_or_of_another_network(put, tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        with refused(str(path), "mseitzer/pytorch-fid", "inception-2015-12-05.tgz"):
            inception.inception(str(path))
    with refused("no array 'Conv2d_1a_3x3.conv.weight'", "mseitzer/pytorch-fid"):
        inception.inception(put(npz(TINY)))


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
