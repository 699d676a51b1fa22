"""What `tfwgan evaluate` compares: a run, a SavedModel, a folder, an array file or a data set."""

import dataclasses
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tfwgan.data.dataset import Dataset
from tfwgan.data.images import View
from tfwgan.errors import UsageError, one_line, text_in
from tfwgan.metrics.feature_metric import as_items
from tfwgan.metrics.feature_sets import FeatureSet
from tfwgan.program.config import Config, read_config
from tfwgan.program.datasets import load
from tfwgan.program.loading import load_trainer
from tfwgan.saved_model import class_names, count_classes
from tfwgan.saved_model import load as load_model
from tfwgan.trainer import GanTrainer

_BATCH = 256  # samples drawn at once
_ARRAYS = (".npz", ".npy")

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
        """At most `n` items, random ones of more; of a generator exactly so many (10,000 if None).

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
    rows = np.sort(np.random.default_rng(seed).permutation(len(dataset))[:n])
    labels = None if dataset.labels is None else dataset.labels[rows]
    return dataclasses.replace(dataset, items=dataset.items[rows], labels=labels)


def find(text: str, view: View, data_dir: str | None) -> Source:
    """What a word of the command line names.

    In this order: a run folder or one of its checkpoints, a SavedModel, a folder of images, an .npz
    or .npy of samples or features, a data set by its spec.

    Raises:
        UsageError: If it is none of these, or can't be read.
    """
    path = Path(text).expanduser()
    if _is_run(path):
        return _run(path)
    if path.is_dir() and (path / "saved_model.pb").exists():
        return Source(path.name, draw=_drawn_by_model(load_model(path), path.name))
    if path.is_dir():
        text = f"folder={text}"
    elif path.suffix.lower() in _ARRAYS and path.is_file():
        return _array_file(path)
    elif path.suffix or "/" in text.split("=")[0]:
        raise UsageError(f"There is no file or folder {text}.")
    options = dataclasses.asdict(view)
    return Source(text, load(text, data_dir=data_dir, **options))


def _is_run(path: Path) -> bool:
    run = path.parent.parent if path.suffix == ".npz" else path
    return (run / "config.json").is_file() and (run / "checkpoints").is_dir()


def _run(path: Path) -> Source:
    """A run as its newest checkpoint left it, or one of its checkpoints."""
    trainer = load_trainer(path)
    folder = path.parent.parent if path.suffix == ".npz" else path
    config = Config(**read_config(folder / "config.json"))
    name = folder.name if path == folder else f"{folder.name}/{path.name}"
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
            items.append(as_items(some))
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
            whole = path.suffix.lower() == ".npz"
            arrays = {key: content[key] for key in content.files} if whole else {"images": content}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} can't be read: {one_line(error)}.") from None
    if "about" in arrays or "features" in arrays:
        return Source(path.name, features=FeatureSet.load(path))
    if "mu" in arrays and "sigma" in arrays:
        raise UsageError(
            f"{path} holds moments of another tool, which don't say how they were made; "
            "give the images, and `save` keeps their features with all that."
        )
    key = "images" if "images" in arrays else next(iter(arrays), "")
    if len(arrays) != 1 and key != "images":
        raise UsageError(
            f"{path} holds {text_in(sorted(arrays))}; one array is read, or the one named 'images'."
        )
    array = arrays[key]
    floats = array.dtype.kind == "f"
    if floats and array.size and np.isfinite(array).all() and np.abs(array).max() > 1.001:
        raise UsageError(f"{path}: floats must lie in [-1, 1]; give bytes (uint8) for 0 ... 255.")
    return Source(path.name, Dataset(path.name, as_items(array) if floats else array))
