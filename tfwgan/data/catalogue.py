"""Any image set of the TensorFlow Datasets catalogue (MNIST, CIFAR-10, CelebA, ...)."""

import contextlib
import difflib
import importlib
import os
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import tensorflow as tf

from tfwgan.data import images
from tfwgan.data.dataset import Dataset, Outline
from tfwgan.data.progress import Waiting
from tfwgan.errors import UsageError

# Where TFDS looks first, whatever the set.
_HOST = "storage.googleapis.com"


def tfds(
    name: str,
    split: str = "train",
    *,
    data_dir: str | None = None,
    view: images.View = images.AS_IS,
    limit_data: int | None = None,
) -> Dataset:
    """Loads an image set of TensorFlow Datasets, in its stored order.

    The set is downloaded if it was not prepared before.

    Args:
        name: As TFDS writes it: ``mnist``, ``cifar10``, ``mnist:3.0.1``,
            ``cifar10_corrupted/fog_1``.
        split: As TFDS writes it: ``train``, ``test``, ``train[:1000]``, ``train+test``.
        data_dir: Where prepared sets lie; None is TFDS's own choice.
        view: What is done to every image.
        limit_data: Keep the first so many, in the stored order, which may hold one class after the
            other.

    Returns:
        The images of the feature ``image``, or of the only image feature, with the classes of the
        feature ``label`` if there is one and every image has one.

    Raises:
        UsageError: If the package, the set or the split is missing, or the set is not one of
            images.
    """
    library, builder, image, classes = _open(name, data_dir)
    _make_ready(library, builder, name, data_dir)
    try:
        examples = builder.as_dataset(
            split=split,
            shuffle_files=False,
            # One file after the other: the order in which the set was written.
            read_config=library.ReadConfig(try_autocache=False, interleave_cycle_length=1),
        )
    except Exception as error:
        raise _no_split(builder, name, split, error) from error
    wanted = (image, "label") if classes else (image,)
    examples = examples.take(-1 if limit_data is None else limit_data).map(
        lambda each: {key: each[key] for key in wanted}
    )
    try:
        items, labels = _read(examples, image, classes, name, view)
    except tf.errors.OpError as error:
        raise UsageError(
            f"the files of the TFDS set {name} in {builder.data_path} can't be read "
            f"({_reason(error)}); "
            "delete them and prepare the set again."
        ) from error
    names = tuple(classes) if classes and labels is not None else None
    return Dataset(_short(name), items, labels, names)


def outline(
    name: str,
    split: str = "train",
    *,
    data_dir: str | None = None,
    view: images.View = images.AS_IS,
) -> Outline:
    """What TFDS knows of an image set without downloading or reading it; asks no network.

    Args:
        name: As of `tfds`.
        split: As of `tfds`. Only a prepared set knows its splits.
        data_dir: As of `tfds`.
        view: As of `tfds`.

    Returns:
        The outline of what `tfds` returns. Its size is None if the set was not prepared before;
        whether every image has a label is not looked up.

    Raises:
        UsageError: As `tfds`, or if neither the set nor the view says how large images are.
    """
    _, builder, image, classes = _open(name, data_dir)
    shape = view.shape(builder.info.features[image].shape, f"an image of {name}")
    try:
        size = builder.info.splits[split].num_examples if builder.info.splits else None
    except Exception as error:
        raise _no_split(builder, name, split, error) from error
    names = tuple(map(str, classes)) if classes else None
    return Outline(_short(name), shape, len(classes) if classes else None, size, class_names=names)


def _open(name: str, data_dir: str | None) -> tuple[ModuleType, Any, str, list[str] | None]:
    """Returns TFDS, its builder of the set, the key of the images, and the names of the classes.

    There are no names if the set has none.
    """
    library = _library()
    builder = _builder(library, name, data_dir)
    return library, builder, *_features(library, name, builder.info.features)


def _short(name: str) -> str:
    """The name of a set without its version."""
    return name.split(":")[0]


def _library() -> ModuleType:
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise UsageError(
            f"TensorFlow Datasets is not installed ({error}); pip install tensorflow-datasets "
            "importlib_resources."
        ) from error
    return tensorflow_datasets


def _builder(library: ModuleType, name: str, data_dir: str | None) -> Any:
    try:
        return library.builder(name, data_dir=data_dir)
    except library.core.DatasetNotFoundError as error:
        near = difflib.get_close_matches(
            name, library.list_builders(with_community_datasets=False), n=3
        )
        hint = (
            f"did you mean {' or '.join(near)}?"
            if near
            else "see tensorflow.org/datasets/catalog for all."
        )
        raise UsageError(f"TFDS has no set {name!r}; {hint}") from error
    # Sets are built by their own code, which may raise anything.
    except Exception as error:
        raise UsageError(f"TFDS can't make a set of {name!r} ({_reason(error)}).") from error


def _features(library: ModuleType, name: str, features: Any) -> tuple[str, list[str] | None]:
    """Returns the key of the image feature, and the class names if there are any.

    The names are those of the feature `label` if it is one of classes.
    """
    kinds = library.features
    found = dict(features) if isinstance(features, kinds.FeaturesDict) else {}
    # A LabeledImage is a map of segments.
    keys = [
        key
        for key in found
        if isinstance(found[key], kinds.Image) and not isinstance(found[key], kinds.LabeledImage)
    ]
    if not keys:
        raise UsageError(
            f"the TFDS set {name} has no image feature (it has: {', '.join(found) or 'none'})."
        )
    if "image" not in keys and len(keys) > 1:
        raise UsageError(
            f"the TFDS set {name} has several image features ({', '.join(keys)}), none called "
            "'image'."
        )
    key = "image" if "image" in keys else keys[0]
    if found[key].np_dtype not in (np.uint8, np.uint16):
        raise UsageError(
            f"the images of the TFDS set {name} are {found[key].np_dtype.__name__}, not 8 or 16 "
            "bits."
        )
    label = found.get("label")
    return key, list(label.names) if isinstance(label, kinds.ClassLabel) and label.names else None


def _no_split(builder: Any, name: str, split: str, error: Exception) -> UsageError:
    """The error to raise where a split can't be had."""
    known = ", ".join(builder.info.splits) or "none"
    return UsageError(
        f"{name} has no split {split!r} that can be read ({_reason(error)}); splits: {known}."
    )


def _make_ready(library: ModuleType, builder: Any, name: str, data_dir: str | None) -> None:
    """Downloads and converts the set, unless that was done before."""
    online = _has_network()
    mistyped = data_dir if data_dir is not None and not Path(data_dir).exists() else None
    # Without a network TFDS would try ten times, for over three minutes, in threads that outlive
    # the failure.
    downloader: Any = importlib.import_module(f"{library.__name__}.core.download.downloader")
    downloader.MAX_RETRIES = 10 if online else 0
    (library.enable_progress_bar if online else library.disable_progress_bar)()
    try:
        builder.download_and_prepare()
    except Exception as error:
        if mistyped is not None:
            _remove_if_empty(mistyped)
        raise UsageError(
            f"the TFDS set {name} is not prepared in {builder.data_path} and can't be downloaded "
            f"({_reason(error) if online else 'no network'}). "
            f"Where there is network, run: tfds build {name}; copy its folder tensorflow_datasets "
            "here and point "
            "`data_dir` at it. Or use a folder of images: `data=folder=<path>`."
        ) from error


def _remove_if_empty(folder: str) -> None:
    """Removes what TFDS made of folders before it failed.

    Nothing is removed if there is any file, ours or another program's.
    """
    if any(files for _, _, files in os.walk(folder)):
        return
    for here, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(here)


def _has_network() -> bool:
    """Whether names of hosts can be resolved, or a proxy does that for us."""
    try:
        return bool(urllib.request.getproxies() or socket.getaddrinfo(_HOST, 443))
    except OSError:
        return False


def _read(
    examples: tf.data.Dataset,
    image: str,
    classes: list[str] | None,
    name: str,
    view: images.View,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads all examples once, as images uint8 `[n, h, w, c]` and labels int32 `[n]`.

    The labels are None if an image has no label.
    """
    n = int(examples.cardinality())
    labels = np.zeros(n, np.int32)
    items, filled = None, 0
    with contextlib.closing(Waiting("loading images", n)) as waiting:
        for pictures, batch_labels in _batches(examples, image, classes):
            pictures = view.prepare(pictures, f"an image of {name}")
            if items is None:
                items = images.allocate(n, pictures.shape[1:])
            if pictures.shape[1:] != items.shape[1:]:
                raise images.unequal(
                    items.shape[1:], "number 0", pictures.shape[1:], f"number {filled}"
                )
            here = slice(filled, filled + len(pictures))
            items[here] = pictures
            if batch_labels is not None:
                labels[here] = batch_labels
            filled += len(pictures)
            waiting.add(len(pictures))
    if items is None or filled != n:
        raise UsageError(
            f"the TFDS set {name} promises {n} examples of this split, but {filled} could be read."
        )
    # Test splits whose labels are secret carry -1.
    return items, labels if classes and labels.min() >= 0 else None


def _batches(
    examples: tf.data.Dataset, image: str, classes: list[str] | None
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Yields pictures `[b, h, w, c]` in 0 ... 255 with their labels `[b]`.

    The size b of a batch is 1 where the sizes of pictures may differ.
    """
    spec = examples.element_spec[image]
    full = spec.shape.is_fully_defined()
    batches = examples.batch(images.batch_size(tuple(spec.shape)) if full else 1).prefetch(1)
    for batch in batches.as_numpy_iterator():
        pictures = batch[image]
        if spec.dtype == tf.uint16:
            pictures = pictures.astype(np.float32) / 257.0
        yield pictures, batch["label"] if classes else None


def _reason(error: Exception) -> str:
    """What went wrong, on one line of bounded length."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return text if len(text) <= 200 else f"{text[:200]}..."
