"""Weight files as public networks have them, written byte by byte, and how they are refused."""

import contextlib
import io
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from tfwgan.errors import UsageError
from tfwgan.metrics import weights

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


def writer_in(folder):
    """A function that writes bytes into a file, whose name says nothing of what it is."""

    def write(content, name="weights"):
        (folder / name).write_bytes(content)
        return str(folder / name)

    return write


@contextlib.contextmanager
def refused(*words):
    """Holds if a block raises `UsageError` in one line that has the words."""
    with pytest.raises(UsageError) as caught:
        yield
    message = str(caught.value)
    assert "\n" not in message and all(word in message for word in words), message
