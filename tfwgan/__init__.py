"""Wasserstein GANs in Keras 3: train, resume bit for bit, export a SavedModel that runs on its own.

    >>> import tfwgan
    >>> config = tfwgan.Config(data="ring8", loss="wgan_gp=0.1", gen_arch="MLP", disc_arch="MLP")
    >>> config.run_name
    'ring8_wgan_gp=0.1_MLP_MLP_normal_s0'

Public names are loaded at first use, so that importing the package costs nothing and does not
import TensorFlow.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "GanTrainer": "trainer",
    "Dataset": "data",
    "batches": "data",
    **dict.fromkeys(
        "wgan wgan_gp wgan_lp gan lsgan hinge soft_hinge rpgan acgan infogan veegan "
        "Adversarial Direct gradient_penalty lipschitz_penalty r1_penalty r2_penalty".split(),
        "objectives",
    ),
    **dict.fromkeys(["Normal", "Uniform", "Binary", "Sphere", "Const", "Info"], "priors"),
    **dict.fromkeys(
        "w1 exact_plan sinkhorn swd patch_swd ot_means certify".split(),
        "transport",
    ),
    "export_saved_model": "saved_model",
    "UsageError": "errors",
    "Config": "program.config",
    **dict.fromkeys(
        "Experiment NonFiniteLoss TrainingStopped build fit load_trainer".split(),
        "program.experiment",
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
