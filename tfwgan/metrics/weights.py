"""Weight files that others publish, read as named arrays: whatever wrote them, and no code of them.

A ``.pth`` file is a pickle, which runs what it names. Here it may name an ordered dictionary,
tensors and their storages, and nothing else. PyTorch is not needed.
"""

import hashlib
import io
import math
import pickle
import re
import struct
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfwgan.errors import UsageError, one_line

Arrays = dict[str, np.ndarray]

EPSILON = 1e-3  # of batch normalisation, in TensorFlow's networks and their translations
NORM_PARTS = ("weight", "bias", "running_mean", "running_var")

_MAGIC = 0x1950A86A20F9469CFC6C  # begins what torch.save wrote before it wrote zip files
_DTYPES = {
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "HalfStorage": "f2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


@dataclass(frozen=True)
class _Storage:
    """Numbers that tensors share; the key says where they are in the file."""

    key: str
    dtype: np.dtype
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage; strides and offset count numbers, not bytes."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Unpickles state dicts, and refuses what any other pickle would call."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.sizes: dict[str, int] = {}  # bytes per number of each storage

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _DTYPES:
            return name
        # New functions at every call: a pickle may set attributes of what it is given.
        known: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): lambda *parts: _Tensor(*parts[:4]),
            ("torch._utils", "_rebuild_parameter"): lambda data, *rest: data,
        }
        if (module, name) not in known:
            raise ValueError(f"it asks for {module}.{name}, and may ask for plain tensors only")
        return known[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        tag, kind, key, _, count, *view = pid
        if tag != "storage" or view not in ([], [None]):
            raise ValueError("it has a storage of an unknown kind")
        storage = _Storage(key, np.dtype(_DTYPES[kind]), count)
        self.sizes[key] = storage.dtype.itemsize
        return storage


def read_weights(path: str) -> Arrays:
    """The arrays of a weight file by name, in its own order of axes.

    What the file is, its first bytes say, not its name: ``.npz``; ``.pth``, a state dict that
    ``torch.save`` wrote, in its zip format or the one before; or the constants of a frozen
    TensorFlow graph, ``.pb``, by itself or in a ``.tgz``. Where the name ends as PyTorch's do, with
    the first 8 digits of the content's SHA-256, these must be right.

    Args:
        path: The file.

    Raises:
        UsageError: If there is no such file, or it is damaged, another, or a pickle that names
            anything but tensors; nothing that it names is called.
    """
    file = Path(path)
    if file.is_dir():
        raise UsageError(f"{path} is a folder, not a file of weights.")
    if not file.exists():
        raise UsageError(f"There is no file of weights at {path}.")
    try:
        content = file.read_bytes()
        _refuse_wrong_hash(file.name, content)
        arrays = _reader_of(content)(content)
    except Exception as error:  # whatever a damaged file makes the libraries raise
        reason = one_line(error).rstrip(".")
        raise UsageError(f"{path} can't be read as weights: {reason}.") from None
    if not arrays:
        raise UsageError(f"{path} holds no arrays.")
    return arrays


def shapes_of(model: keras.Model, norm_of: Callable[[str], str]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the arrays that `fill` wants, as PyTorch has them.

    Args:
        model: Its convolutions and dense layers are called as in the state dict.
        norm_of: From the name of a convolution to that of the batch normalisation after it.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, axes in _layers(model):
        kernel = tuple(layer.kernel.shape)
        shapes[f"{layer.name}.weight"] = tuple(
            kernel[axes.index(axis)] for axis in range(len(axes))
        )
        outputs = shapes[f"{layer.name}.weight"][:1]
        if len(axes) == 4:
            shapes |= {f"{norm_of(layer.name)}.{part}": outputs for part in NORM_PARTS}
        elif layer.use_bias:
            shapes[f"{layer.name}.bias"] = outputs
    return shapes


def fill(
    model: keras.Model, norm_of: Callable[[str], str], arrays: Mapping[str, np.ndarray], path: str
) -> Arrays:
    """Gives a model its weights, with batch normalisation folded into the convolutions before it.

    Args:
        model: See `shapes_of`.
        norm_of: See `shapes_of`.
        arrays: At least those of `shapes_of`.
        path: Where they are from, for messages.

    Returns:
        The arrays of `shapes_of`, float32, in its order.

    Raises:
        UsageError: If an array is missing, of another shape, or not finite.
    """
    wanted = shapes_of(model, norm_of)
    for name, shape in wanted.items():
        if name not in arrays:
            raise UsageError(f"{path} is not of this network: it has no array {name!r}.")
        found = arrays[name]
        if found.shape != shape or found.dtype.kind != "f":
            raise UsageError(
                f"{path} is not of this network: {name!r} is {found.dtype.name} "
                f"{list(found.shape)}, not float32 {list(shape)}."
            )
        if not np.isfinite(found).all():
            raise UsageError(f"{path} is damaged: {name!r} has numbers that are NaN or infinite.")
    taken = {name: np.ascontiguousarray(arrays[name], np.float32) for name in wanted}
    for layer, axes in _layers(model):
        kernel = taken[f"{layer.name}.weight"]
        if len(axes) == 4:
            norm = norm_of(layer.name)
            gamma, beta, mean, variance = (
                taken[f"{norm}.{part}"].astype(np.float64) for part in NORM_PARTS
            )
            scale = gamma / np.sqrt(variance + EPSILON)
            scaled = kernel * scale[:, None, None, None]
            layer.set_weights([scaled.transpose(axes), beta - mean * scale])
        else:
            biases = [taken[f"{layer.name}.bias"]] if layer.use_bias else []
            layer.set_weights([kernel.transpose(axes), *biases])
    return taken


def _layers(model: keras.Model) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """Layers with weights, each with the axes of PyTorch's array in the order of Keras'."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            yield layer, (2, 3, 0, 1)
        elif isinstance(layer, keras.layers.Conv2D):
            yield layer, (2, 3, 1, 0)
        elif isinstance(layer, keras.layers.Dense):
            yield layer, (1, 0)


def _refuse_wrong_hash(name: str, content: bytes) -> None:
    named = re.search(r"-([0-9a-f]{8})\.pth?$", name)
    if named and (found := hashlib.sha256(content).hexdigest()[:8]) != named[1]:
        raise ValueError(f"its SHA-256 begins with {found}, not with {named[1]} as its name says")


def _reader_of(content: bytes) -> Callable[[bytes], Arrays]:
    if content.startswith(b"PK"):
        return _from_zip
    if content.startswith(b"\x1f\x8b"):
        return _from_tarball
    return _from_legacy if content.startswith(b"\x80") else _from_graph


def _from_zip(content: bytes) -> Arrays:
    """Arrays of ``.npz`` or of the zip format of ``torch.save``."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        pickles = [name for name in names if name.endswith("/data.pkl")]
        if not pickles:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                return {name: np.asarray(arrays[name]) for name in arrays.files}
        folder = pickles[0].removesuffix("data.pkl")
        if any(name.startswith(f"{folder}code/") for name in names):
            raise ValueError("it is a program (TorchScript), not a state dict")
        found = _Unpickler(io.BytesIO(archive.read(pickles[0]))).load()
        order = f"{folder}byteorder"
        big = order in names and archive.read(order) == b"big"
        return _arrays(found, lambda key: archive.read(f"{folder}data/{key}"), ">" if big else "<")


def _from_legacy(content: bytes) -> Arrays:
    """Arrays of a file of ``torch.save`` before 1.6: pickles, then the storages' bytes."""
    stream = io.BytesIO(content)
    if _Unpickler(stream).load() != _MAGIC:
        raise ValueError("it is a pickle, but none of torch.save")
    _Unpickler(stream).load()  # the version of the format, of which there was one
    order = "<" if _Unpickler(stream).load()["little_endian"] else ">"
    unpickler, raw = _Unpickler(stream), {}
    found = unpickler.load()
    for key in _Unpickler(stream).load():
        (count,) = struct.unpack(f"{order}q", stream.read(8))
        raw[key] = stream.read(count * unpickler.sizes[key])
    return _arrays(found, raw.__getitem__, order)


def _arrays(found: Any, read: Callable[[str], bytes], order: str) -> Arrays:
    """The tensors of an unpickled state dict as arrays; whatever else it has is left out."""
    if not isinstance(found, dict):
        raise ValueError("it is a pickle, but no state dict")
    return {
        str(name): _array(tensor, read(tensor.storage.key), order)
        for name, tensor in found.items()
        if isinstance(tensor, _Tensor)
    }


def _array(tensor: _Tensor, raw: bytes, order: str) -> np.ndarray:
    storage, shape, strides = tensor.storage, tensor.shape, tensor.strides
    size = storage.dtype.itemsize
    if len(raw) != storage.count * size:
        raise ValueError("it is cut short")
    last = tensor.offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    within = min((tensor.offset, *shape, *strides)) >= 0 and last < storage.count
    # Numbers that repeat would make a small file a large array.
    if math.prod(shape) and not (within and math.prod(shape) <= storage.count):
        raise ValueError("it has a tensor that does not fit its storage")
    numbers = np.frombuffer(raw, f"{order}{storage.dtype.str[1:]}")[tensor.offset :]
    view = np.lib.stride_tricks.as_strided(numbers, shape, [size * step for step in strides])
    return view.astype(storage.dtype, order="C")


def _from_tarball(content: bytes) -> Arrays:
    """Constants of the first graph in a ``.tgz``."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".pb") else None
            if file is not None:
                return _from_graph(file.read())
    raise ValueError("it is an archive without a .pb file")


def _from_graph(content: bytes) -> Arrays:
    """Constants of a frozen graph, but for words."""
    try:
        graph = tf.compat.v1.GraphDef.FromString(content)
    except Exception:  # protobuf's own, whose module has no types
        raise ValueError("it is none of .npz, .pth, .pb and .tgz, or it is cut short") from None
    constants = {
        node.name: tf.make_ndarray(node.attr["value"].tensor)
        for node in graph.node
        if node.op == "Const"
    }
    return {name: array for name, array in constants.items() if array.dtype.kind in "fiub"}
