"""DCGAN against WGAN by epochs: whose losses are smooth, whose mean something, what an epoch costs.

The comparison is that of WGANvsDCGAN, and so are networks, optimizers, batches and latents. Its
defects are not: images are shuffled, and scaled to [-1, 1], where the generator draws them; every
critic step has a batch and latents of its own; the penalty mixes by uniform weights, one per
sample, and is no part of what is called the critic's estimate; scales of batch norm begin near 1.
An epoch is the authors': one generator step per batch.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import median_filter
from scipy.stats import spearmanr
from scipy.stats import t as student

from tfwgan.errors import UsageError
from tfwgan.heads import with_heads
from tfwgan.plots import Numbers, line_chart
from tfwgan.program.loading import load_data
from tfwgan.render import tiles
from tfwgan.studies.study import Settings, Study, Trained, report, table, train_all
from tfwgan.transport.exact import w1
from tfwgan.transport.patches import patch_swd

BATCH, PENALTY = 64, 10
WINDOW = 51  # steps of the running median
EPOCHS = {True: 2, False: 10}  # fast or not; 10 are the authors'

_PANEL = 240  # about the side of a snapshot in pixels

_GENERATOR = "DCGAN-stem=linear-norm=batch-bias=all-init=normal"
_DCGAN = "adam-lr=2e-4-beta_1=0.5-beta_2=0.999"
_WGAN = "adam-lr=2e-4-beta_1=0-beta_2=0.9"
METHODS = {
    "DCGAN": {
        "loss": "gan",
        "disc_arch": "DCGAN-norm=batch-act=leaky-bias=all",
        "g_opt": _DCGAN,
        "d_opt": _DCGAN,
    },
    "SN-WGAN-GP": {
        "loss": f"wgan_gp={PENALTY}",
        "disc_arch": "DCGAN-norm=instance-first_norm=True-act=leaky-bias=all-sn=True-sn_head=False",
        "g_opt": _WGAN,
        "d_opt": _WGAN,
    },
}


def common(every: int, epochs: int) -> Settings:
    """What both runs share; `every` is the number of steps of an epoch."""
    return {
        "gen_arch": _GENERATOR,
        "gray_scale": True,
        "batch_size": BATCH,
        "z_dim": 100,
        # As in the seed; and the critic's estimate is of the generator that is measured.
        "ema": 0.0,
        "steps": every * epochs,
        "log_steps": 1,
        "metrics": ("w1",),
        "eval_steps": every,
        "eval_images": 1000,
        "image_steps": every,
        "checkpoint_steps": every,
        "keep_checkpoints": 1,
    }


def run(study: Study) -> str:
    """Trains both, measures, writes the report; returns it."""
    dataset, epochs = load_data(study.config("data")), EPOCHS[study.fast]
    items, every = len(dataset), len(dataset) // BATCH
    if not dataset.is_image:
        raise UsageError(
            f"This study draws images, and {study.data!r} is a set of points; "
            "try --data=fashion_mini."
        )
    if every < 2:
        raise UsageError(
            f"An epoch needs at least 2 batches of {BATCH}, "
            f"and {study.data!r} has {items} items here."
        )
    configs = {
        method: study.config(method, **common(every, epochs), **own)
        for method, own in METHODS.items()
    }
    runs = train_all(configs, progress_steps=math.ceil(every / 4))
    folders, side = (
        [config.run_dir / "images" for config in configs.values()],
        next(iter(runs.values())).real.shape[1],
    )
    ends = range(every, every * epochs + 1, every)
    shots = [
        [_corner(folder / f"step_{step:06d}.png", side) for step in ends] for folder in folders
    ]
    rows = [_row(method, trained, every) for method, trained in runs.items()]
    text = _text(runs, rows, every, epochs, items)
    samples = with_heads(tiles(shots), list(runs), [f"epoch {i + 1}" for i in range(epochs)])
    pictures = {"samples": samples, "curves": _charts(runs, every)}
    return report(study.out, f"DCGAN against WGAN, {study.data}", text, rows, pictures, {})


def epoch_seconds(logged: Sequence[Mapping[str, float]], every: int) -> np.ndarray:
    """Seconds of each epoch, from the clock of rows that were logged after every step.

    They run from the end of an epoch's first step to that of its last, and are scaled to all of its
    steps: the first step holds what is no training, compilation or the evaluation, pictures and
        checkpoint at the end of an epoch.

    Args:
        logged: The rows in order.
        every: Steps of an epoch, at least 2.
    """
    clock = np.array([row["seconds"] for row in logged]).reshape(-1, every)
    return (clock[:, -1] - clock[:, 0]) * every / (every - 1)


def spike(values: Numbers, window: int = WINDOW) -> tuple[float, float]:
    """The largest distance of a series from its running median.

    The second number is the same in units of the median distance.
    """
    values = np.asarray(values, np.float64)
    distances = np.abs(values - median_filter(values, window, mode="nearest"))
    typical = np.median(distances)
    return float(distances.max()), float(distances.max() / typical) if typical else 0.0


def estimates(trained: Trained, every: int) -> np.ndarray:
    """What the critic says of the distance to the data at the end of each epoch.

    That is its mean over the last tenth of the epoch.

    For `gan` that is log 2 - loss / 2, at most the Jensen-Shannon divergence; for WGANs E f(x) - E
    f(G(z)).
    """
    if "critic_estimate" in trained.trainer.objective.terms:
        values = np.array(trained.curve("critic_estimate")[1])
    else:
        values = math.log(2) - np.array(trained.curve("critic_loss")[1]) / 2
    return _ends(values, every)


def _ends(values: Numbers, every: int) -> np.ndarray:
    """Means over the last tenth of each epoch."""
    return np.reshape(values, [-1, every])[:, -math.ceil(every / 10) :].mean(axis=1)


def _distances(trained: Trained) -> list[float]:
    """Exact W1 after each epoch."""
    return [value for step, value in zip(*trained.curve("w1"), strict=True) if step]


def agreement(x: Numbers, y: Numbers) -> float | str:
    """Spearman's rank correlation of two series; of fewer than four pairs none."""
    if len(x) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return "-"
    return float(spearmanr(x, y).statistic)


def _by_chance(n: int) -> float:
    """The rank correlation that n unrelated pairs exceed in one of 20 cases, either way."""
    bound = student.ppf(0.975, n - 2)
    return float(bound / math.sqrt(n - 2 + bound**2))


def _row(method: str, trained: Trained, every: int) -> dict[str, object]:
    """A line of the table."""
    fake, distances = trained.trainer.evaluation_samples(), _distances(trained)
    row: dict[str, object] = {
        "method": method,
        "seconds per epoch": float(np.median(epoch_seconds(trained.logged, every))),
    }
    for name in ("critic", "generator"):
        losses = trained.curve(f"{name}_loss")[1][every:]
        row[f"{name} spike"], row[f"{name} spike / typical"] = spike(losses)
    row["exact W1"] = w1(fake, trained.real)
    row["patch SWD (8, 2)"] = float(patch_swd(fake, trained.real[: len(fake)], p=8, s=2))
    row["rank correlation of estimate and W1"] = agreement(estimates(trained, every), distances)
    row["of generator loss and W1"] = agreement(
        _ends(trained.curve("generator_loss")[1], every), distances
    )
    return row


def _text(
    runs: Mapping[str, Trained],
    rows: Sequence[Mapping[str, Any]],
    every: int,
    epochs: int,
    items: int,
) -> str:
    """What was done and found, in words, and a table of the epochs."""
    minutes = sum(trained.seconds for trained in runs.values()) / 60
    quick, slow = (row["seconds per epoch"] for row in rows)
    lines: list[dict[str, float]] = [{"epoch": epoch + 1} for epoch in range(epochs)]
    for method, trained in runs.items():
        columns: dict[str, Numbers] = {
            "seconds": epoch_seconds(trained.logged, every),
            "estimate": estimates(trained, every),
            "W1": _distances(trained),
        }
        for label, values in columns.items():
            for line, value in zip(lines, values, strict=True):
                line[f"{method}: {label}"] = float(value)
    chance = (
        "are too few for one"
        if epochs < 4
        else f"by chance exceed ±{_by_chance(epochs):.2f} once in 20"
    )
    return (
        f"{epochs} epochs of {every:,} generator steps, one per batch of {BATCH} of the {items:,} "
        "images. Each comes after 5 critic steps, which draw a new batch every time, where the "
        "notebooks that this repeats showed the same one five times. One random seed; "
        f"{minutes:.1f} minutes in all. An epoch of {rows[1]['method']} takes {slow / quick:.2f} "
        f"times as long as one of {rows[0]['method']}: medians over the epochs, without "
        "compilation, evaluation, pictures and checkpoints, by a clock that other work on the "
        "machine slows.\n\n"
        "Losses are logged at every step, those of the critic as means over its 5 updates. A "
        f"spike is the largest distance of a loss from its running median over {WINDOW} steps, "
        "after the first epoch; beside it in units of the median distance.\n\n"
        "The critic's estimate is E f(x) - E f(G(z)), the penalty apart; for DCGAN log 2 - loss / "
        "2, at most the Jensen-Shannon divergence. Its mean over the last tenth of an epoch, and "
        "that of the generator's loss, are ranked against the exact W1 between 1,000 samples and "
        f"1,000 images at the end of the epoch: Spearman's correlation over the epochs ({epochs} "
        f"epochs {chance}). The exact W1 of the table above is to all images.\n\n"
        f"{table(lines)}\n\n"
        "Samples are of the same latents after each epoch."
    )


def _corner(path: Path, side: int, n: int = 4) -> np.ndarray:
    """The first n x n of the 8 x 8 images of a picture of a run.

    They are enlarged to about `_PANEL` pixels.
    """
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    zoom = len(pixels) // (8 * (side + 1) + 1)
    size = (n * (side + 1) + 1) * zoom
    pixels = pixels[:size:zoom, :size:zoom]
    zoom = max(1, round(_PANEL / len(pixels)))
    return pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)


def _charts(runs: Mapping[str, Trained], every: int) -> np.ndarray:
    """Losses of each method; the estimate apart from the penalty; exact distances."""

    def curve(trained: Trained, name: str, factor: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        steps, values = trained.curve(name)
        return np.array(steps) / every, factor * np.array(values)

    losses = [
        line_chart(
            {name: curve(trained, f"{name}_loss") for name in ("critic", "generator")},
            f"{method}: losses",
            "epochs",
        )
        for method, trained in runs.items()
    ]
    wgan = list(runs)[1]
    apart = line_chart(
        {
            "estimate": curve(runs[wgan], "critic_estimate"),
            f"{PENALTY} x penalty": curve(runs[wgan], "gp", PENALTY),
        },
        f"{wgan}: E f(x) - E f(G(z)), and the penalty",
        "epochs",
    )
    distances = {method: curve(trained, "w1") for method, trained in runs.items()}
    exact = line_chart(distances, "Exact W1, 1,000 samples to 1,000 images", "epochs")
    return tiles([losses, [apart, exact]])
