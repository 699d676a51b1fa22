"""Every objective on one data set, with the same networks and the same budget of steps."""

import numpy as np

from tfwgan.objectives import OBJECTIVES
from tfwgan.studies.study import Settings, Study, Trained, report, side_by_side, train_all
from tfwgan.transport.exact import w1
from tfwgan.transport.patches import patch_swd

_NEED_MORE = ("acgan", "infogan", "veegan")  # which need networks of their own
_PATCHES = "-p=8-s=4"  # which leave nothing of 28, 32 or 64 pixels out
# What has no default, and what would take seconds a step.
_SPECS = {"sinkhorn": "sinkhorn=0.1", "patch_w1": f"patch_w1{_PATCHES}-max_patches=512"}


def settings(study: Study) -> dict[str, Settings]:
    """The runs by name."""
    if study.data in ("ring8", "grid25"):
        networks = {"gen_arch": "MLP", "disc_arch": "MLP", "z_dim": 32, "batch_size": 256}
    else:
        networks = {"gen_arch": "FC-nf=256", "disc_arch": "FC-nf=256", "gray_scale": True}
    shared = {
        **networks,
        "steps": 300 if study.fast else 1500,
        "log_steps": 100,
        "image_steps": 10**9,
    }
    losses = [name for name in OBJECTIVES if name not in _NEED_MORE]
    if len(networks) == 4:  # points have no patches
        losses = [name for name in losses if "patch" not in name]
    specs = {
        name: _SPECS.get(name, name + _PATCHES if "patch" in name else name) for name in losses
    }
    return {name: {**shared, "loss": text} for name, text in specs.items()}


def run(study: Study) -> str:
    """Trains with every objective, measures, writes the report; returns it."""
    chosen = settings(study)
    runs = train_all({name: study.config(name, **options) for name, options in chosen.items()})
    rows = [_row(name, trained) for name, trained in runs.items()]
    steps = next(iter(chosen.values()))["steps"]
    minutes = sum(trained.seconds for trained in runs.values()) / 60
    text = (
        f"{steps:,} generator steps each, one seed, every loss with its own optimizer, "
        f"{minutes:.1f} minutes in all."
    )
    images = {name: trained.trainer.evaluation_samples(16) for name, trained in runs.items()}
    first = next(iter(images.values()))
    pictures = {"samples": side_by_side(images, columns=4, across=6)} if first.ndim == 4 else {}
    text += " Sixteen samples of each." if pictures else ""
    return report(study.out, f"Losses, {study.data}", text, rows, pictures, {})


def _row(name: str, trained: Trained) -> dict[str, object]:
    fake, real = trained.trainer.evaluation_samples(), trained.real
    row: dict[str, object] = {"loss": name, "exact W1": w1(fake, real)}
    if np.ndim(fake) == 4:
        row["patch SWD (8, 2)"] = float(patch_swd(fake, real[: len(fake)], p=8, s=2))
    return {**row, "seconds": trained.seconds}
