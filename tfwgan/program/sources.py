"""What `tfwgan evaluate` compares: a run, a SavedModel, a folder, an array file or a data set."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tfwgan.data.dataset import Dataset
from tfwgan.data.folders import folder
from tfwgan.data.images import AS_IS, View
from tfwgan.errors import UsageError, one_line, text_in
from tfwgan.metrics.feature_metric import as_items
from tfwgan.metrics.feature_sets import FeatureSet
from tfwgan.program.config import Config, read_config
from tfwgan.program.datasets import load
from tfwgan.program.loading import load_data, load_trainer
from tfwgan.program.spec import parse
from tfwgan.saved_model import class_names, count_classes
from tfwgan.saved_model import load as load_model
from tfwgan.trainer import GanTrainer

_BATCH = 256  # samples drawn at once
_ARRAYS = (".npz", ".npy")
_STATES = ("checkpoints", "best")  # folders of a run whose .npz are states, not samples

Draw = Callable[[int, int], Dataset]  # so many samples of a seed


@dataclasses.dataclass(frozen=True)
class Source:
    """One side of a comparison: items that are there, a generator of them, or their features.

    Attributes:
        name: What to call it.
        dataset: The items.
        draw: The generator.
        features: What a file of features holds.
        config: Of a run, the data and the view that it was trained with.
    """

    name: str
    dataset: Dataset | None = None
    draw: Draw | None = None
    features: FeatureSet | None = None
    config: Config | None = None

    def items(self, n: int | None, seed: int) -> Dataset:
        """At most `n` of the items, chosen at random; a generator makes `n`, or 10,000 if None.

        Raises:
            UsageError: If there are features only.
        """
        if self.draw is not None:
            return self.draw(n or 10000, seed)
        if self.dataset is None:
            raise UsageError(f"{self.name} holds features, not images; `n` and `features` are set.")
        return subset(self.dataset, n, seed)


def subset(dataset: Dataset, n: int | None, seed: int) -> Dataset:
    """At most `n` items of a data set, random ones, in their order."""
    if n is None or n >= len(dataset):
        return dataset
    rows = rows_of(len(dataset), n, seed)
    labels = None if dataset.labels is None else dataset.labels[rows]
    return dataclasses.replace(dataset, items=dataset.items[rows], labels=labels)


def rows_of(size: int, n: int, seed: int) -> np.ndarray:
    """`n` of so many rows at most, random ones, in their order."""
    return np.sort(np.random.default_rng([abs(seed), seed < 0]).permutation(size)[:n])


def find(text: str, view: View, data_dir: str | None) -> Source:
    """What a word of the command line names.

    In this order: a run folder or one of its checkpoints, a SavedModel, a folder of images, an .npz
    or .npy of samples or features, a data set by its spec.

    Raises:
        UsageError: If it is none of these, or can't be read.
    """
    path = _path(text)
    name = path.resolve().name  # of "." too
    if _is_run(path):
        return _run(path)
    if path.is_dir() and (path / "saved_model.pb").exists():
        return Source(name, draw=_drawn_by_model(load_model(path), name))
    if path.is_dir():
        return Source(text, folder(str(path), view=view))
    head = text.split("=")[0]  # what stands behind it is a value: tfds=mnist:3.0.1
    if "/" in head or Path(head).suffix:
        if not path.is_file():
            raise UsageError(f"There is no file or folder {text}.")
        if path.suffix.lower() not in _ARRAYS:
            raise UsageError(
                f"{text} is a file, but neither .npz nor .npy; give a folder of images."
            )
        return _array_file(path)
    return Source(text, load(text, data_dir=data_dir, **dataclasses.asdict(view)))


def own_data(run: Source, view: View, data_dir: str | None) -> Source:
    """The data that a run was trained on, or another view of them.

    Raises:
        UsageError: If `run` is none, or its data can't be had.
    """
    config = run.config
    if config is None or parse(config.data).name == "given":
        raise UsageError(
            f"{run.name} does not say what it is to be compared with; give --against=<folder, data "
            "set, run or .npz>."
        )
    changes = {} if view == AS_IS else dataclasses.asdict(view)
    config = dataclasses.replace(config, data_dir=data_dir or config.data_dir, **changes)
    return Source(config.data, load_data(config))


def _path(text: str) -> Path:
    if not text.strip():
        raise UsageError("An empty name was given for a run, a folder, a file or a data set.")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UsageError(
            f"{text} names the home of a user who is not known here; write the whole path."
        ) from None


def _is_run(path: Path) -> bool:
    if path.suffix == ".npz":
        return path.parent.name in _STATES and _is_run(path.parent.parent)
    return (path / "config.json").is_file() and (path / "checkpoints").is_dir()


def _run(path: Path) -> Source:
    """A run as its newest checkpoint left it, or one of its checkpoints."""
    trainer = load_trainer(path)
    run_dir = path.parent.parent if path.suffix == ".npz" else path
    config = Config(**read_config(run_dir / "config.json"))
    name = run_dir.resolve().name + (f"/{path.name}" if path != run_dir else "")
    return Source(name, draw=_drawn_by_trainer(trainer, name), config=config)


def _drawn_by_trainer(trainer: GanTrainer, name: str) -> Draw:
    n_classes = trainer.n_classes or 0
    names = trainer.class_names or tuple(map(str, range(n_classes)))

    def draw(n: int, seed: int, label: int | None = None) -> np.ndarray:
        return trainer.sample(n, seed, **({} if label is None else {"label": label})).numpy()

    return lambda n, seed: _collected(draw, n, seed, names, name)


def _drawn_by_model(model: Any, name: str) -> Draw:
    names = tuple(class_names(model)) if count_classes(model) else ()

    def draw(n: int, seed: int, label: int | None = None) -> np.ndarray:
        return model.sample(n, seed, *([] if label is None else [label])).numpy()

    return lambda n, seed: _collected(draw, n, seed, names, name)


def _collected(
    draw: Callable[..., np.ndarray], n: int, seed: int, names: tuple[str, ...], name: str
) -> Dataset:
    """Samples in batches, as bytes; of a conditional model as many of each class, in turn."""
    items, labels, counter = [], [], 0
    counts = [n // len(names) + (c < n % len(names)) for c in range(len(names))] if names else [n]
    for label, count in enumerate(counts):
        for start in range(0, count, _BATCH):
            some = draw(
                min(_BATCH, count - start),
                _seed_of(seed, counter),
                *([label] if names else []),
            )
            items.append(_bytes_of(some, name))
            labels += [label] * len(some)
            counter += 1
    samples = np.concatenate(items)
    if samples.ndim == 2:  # points may lie beyond the square of the data
        samples = np.clip(samples, -1.0, 1.0)
    return Dataset(name, samples, np.array(labels) if names else None, names or None)


def _seed_of(seed: int, batch: int) -> int:
    """A seed for each batch of a draw; the first has the draw's own."""
    if batch == 0:
        return seed
    return int(np.random.default_rng([abs(seed), seed < 0, batch]).integers(2**62))


def _array_file(path: Path) -> Source:
    """Images, points or features in an array file."""
    try:
        with open(path, "rb") as stream:
            content = np.load(stream, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return Source(path.name, _dataset(path, content))
            if "about" in content.files or "features" in content.files:
                return Source(path.name, features=FeatureSet.load(path))
            arrays = {key: content[key] for key in content.files}
    except UsageError:
        raise
    except Exception as error:  # a damaged archive makes its reader raise anything
        raise UsageError(f"{path} can't be read: {one_line(error)}.") from None
    if "mu" in arrays and "sigma" in arrays:
        raise UsageError(
            f"{path} holds moments of another tool, which don't say how they were made; "
            "give the images, and `save` keeps their features with all that."
        )
    labels = arrays.pop("labels", None)
    if "images" not in arrays and len(arrays) != 1:
        known = text_in(sorted(arrays)) if arrays else "no array"
        raise UsageError(f"{path} holds {known}; one array is read, or the one named 'images'.")
    array = arrays["images"] if "images" in arrays else next(iter(arrays.values()))
    return Source(path.name, _dataset(path, array, labels))


def _dataset(path: Path, array: np.ndarray, labels: np.ndarray | None = None) -> Dataset:
    """An array as a data set: gray images may lack their channel, floats are made bytes.

    Raises:
        UsageError: If it is neither images nor points, or in another range.
    """
    shape = " x ".join(map(str, array.shape)) or "no shape"
    if array.size == 0 or array.ndim == 0 or array.ndim == 3 and array.shape[2] in (3, 4):
        raise UsageError(
            f"{path} holds an array of {shape}, not images [n, h, w, c] or points [n, d]."
        )
    if array.ndim == 3:
        array = array[..., np.newaxis]
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())
        if max(-low, high) > 1.001:
            raise UsageError(
                f"{path}: floats must lie in [-1, 1]; give bytes (uint8) for 0 ... 255."
            )
        if array.ndim == 4 and low >= 0 < high:
            raise UsageError(
                f"{path}: floats of images are read in [-1, 1], but these all lie in [0, 1]; give "
                "2 x - 1, or bytes (uint8)."
            )
        pieces = range(0, len(array), _BATCH)  # floats of all images at once may be many
        array = np.concatenate([_bytes_of(array[i : i + _BATCH], str(path)) for i in pieces])
        array = np.clip(array, -1.0, 1.0) if array.ndim == 2 else array
    return Dataset(path.name, array, labels)


def _bytes_of(samples: np.ndarray, name: str) -> np.ndarray:
    """What `as_items` makes of samples; its errors name whose they are."""
    try:
        return as_items(samples)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
