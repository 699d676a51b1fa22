"""Wasserstein GANs in Keras 3: train, resume bit for bit, export a SavedModel that runs on its own.

Public names are loaded at first use, so that importing the package costs nothing and does not
import TensorFlow.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Config": "program.config",
    "UsageError": "errors",
    "Dataset": "data.dataset",
    "Experiment": "program.experiment",
    "NonFiniteLoss": "program.experiment",
    "TrainingStopped": "program.experiment",
    "build": "program.experiment",
    "fit": "program.experiment",
    "load_trainer": "program.experiment",
    "GanTrainer": "trainer",
    "export_saved_model": "saved_model",
    "batches": "data.pipeline",
    **dict.fromkeys(["Normal", "Uniform", "Binary", "Sphere", "Const"], "priors"),
    "gradient_penalty": "objectives.penalties",
    "lipschitz_penalty": "objectives.penalties",
    **dict.fromkeys(
        ["certify", "exact_plan", "ot_means", "patch_swd", "sinkhorn", "swd", "w1"], "transport"
    ),
}
_LIGHT = {"Config", "UsageError"}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tfwgan' has no attribute {name!r}")
    if name not in _LIGHT:
        importlib.import_module("tfwgan.start").prepare()
    return getattr(importlib.import_module(f"tfwgan.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
