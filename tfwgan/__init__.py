"""Wasserstein GANs in Keras 3: train, resume bit for bit, export a SavedModel that runs on its own.

Public names are loaded at first use, so that importing the package costs nothing and does not import TensorFlow.
"""

import importlib
import os
import platform
from typing import Any

__version__ = "0.1.0"

# TensorFlow reads this when it is first imported. On x86 CPUs older than VNNI it leaves oneDNN off, whose convolutions
# are twice as fast.
if platform.machine() in ("x86_64", "AMD64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

_HOMES = {
    "Config": "config",
    "UsageError": "spec",
    "Experiment": "experiment",
    "NonFiniteLoss": "experiment",
    "build": "experiment",
    "fit": "experiment",
    "load_trainer": "experiment",
    "GanTrainer": "trainer",
    "export": "export",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tfwgan' has no attribute {name!r}")
    return getattr(importlib.import_module(f"tfwgan.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
