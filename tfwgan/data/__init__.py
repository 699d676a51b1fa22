"""Data sets, and the one pipeline that feeds them to training."""

import importlib
from collections.abc import Callable
from typing import Any

from tfwgan.data.catalogue import tfds
from tfwgan.data.dataset import Dataset, Outline
from tfwgan.data.fashion import fashion_mini
from tfwgan.data.folders import folder
from tfwgan.data.images import View
from tfwgan.data.pipeline import batches
from tfwgan.data.stacked import stacked_mnist
from tfwgan.data.synthetic import grid25, grid25_centres, ring8, ring8_centres, squares

DATASETS: dict[str, Callable[..., Dataset]] = {
    "fashion_mini": fashion_mini,
    "squares": squares,
    "ring8": ring8,
    "grid25": grid25,
    "tfds": tfds,
    "stacked_mnist": stacked_mnist,
    "folder": folder,
}

__all__ = [
    "DATASETS",
    "Dataset",
    "Outline",
    "View",
    "batches",
    "grid25_centres",
    "ring8_centres",
    *DATASETS,
]


def __getattr__(name: str) -> Any:
    """Finds `load` and `outline`, which are in `tfwgan.program.datasets` now.

    Code that was written for the first release looks for them here.
    """
    if name in ("load", "outline"):
        return getattr(importlib.import_module("tfwgan.program.datasets"), name)
    raise AttributeError(f"module 'tfwgan.data' has no attribute {name!r}")
