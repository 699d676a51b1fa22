"""Features of data sets, which are kept so that the next comparison finds them made."""

import dataclasses
import hashlib
import json
from pathlib import Path

from tfwgan.data.dataset import Dataset
from tfwgan.errors import UsageError
from tfwgan.metrics.feature_sets import FeatureSet
from tfwgan.metrics.features import Extractor
from tfwgan.screen import Screen


def features_of(
    dataset: Dataset, extractor: Extractor, screen: Screen, cache: Path | None
) -> FeatureSet:
    """Features of a set, kept in a folder if one is given.

    Pixels are not kept: they are the set itself.
    """
    digest, names = dataset.fingerprint["digest"], dataset.class_names
    key = json.dumps([digest, extractor.name, extractor.digest, extractor.preprocessing])
    path = cache and cache / f"{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}.npz"
    if path is not None and extractor.name != "pixels":
        try:
            kept = FeatureSet.load(path)
            # The same items may have had another name, and their classes others.
            about = {**kept.about, "data": dataset.name, "class_names": names and list(names)}
            if kept.about["data_digest"] == digest:
                return dataclasses.replace(kept, about=about)
        except UsageError:
            pass  # not there, or damaged: made anew
    total = len(dataset)
    made = FeatureSet.of(
        dataset.items,
        extractor,
        dataset.name,
        dataset.labels,
        lambda done: screen.status(f"{extractor.name} of {dataset.name}: {done:,}/{total:,}"),
        digest,
        names,
    )
    screen.status("")
    if path is not None and extractor.name != "pixels":
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.save(path)
        except OSError as error:
            screen.say(f"(features are not kept: {path.parent}: {error.strerror or error})")
    return made
