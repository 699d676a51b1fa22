"""Mode collapse: which GANs find all modes, on the ring of eight Gaussians and on digits.

This is the comparison of GANs-Implementations.

The networks, batches and numbers of steps are those of its authors. The optimizers are one for all
but the clipped WGAN, since theirs differ from method to method and so compare optimizers too; rates
fall to 0, and samples are drawn from the running average of the generator. A generator draws
bridges between modes where its latents are connected: latents are corners of a cube, which are not,
and one more method on the ring is WGAN-GP with 2,500 atoms that are trained.
"""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from tfwgan.data.synthetic import SIGMA, ring8_centres
from tfwgan.heads import with_heads
from tfwgan.metrics.modes import class_coverage, coverage
from tfwgan.render import tiles
from tfwgan.studies.study import Settings, Study, Trained, report, spread, train_all
from tfwgan.transport.exact import w1

Measure = Callable[[np.ndarray], Mapping[str, float]]  # of generated samples

SNAPSHOTS = {
    True: (200, 400, 600, 800, 5000),
    False: (1000, 2000, 3000, 5000, 10000),
}  # the authors', of the ring or not
_SAMPLES = 2500
_PANEL = 480  # about the side of a snapshot in pixels


def methods(ring: bool) -> dict[str, Settings]:
    """The runs by name."""
    penalty = 0.1 if ring else 10
    rates = {"g_opt": "4e-3", "d_opt": "2e-3"} if ring else {"g_opt": "1e-3", "d_opt": "5e-4"}
    adam = {
        name: f"adam-lr={rate}-beta_1=0-beta_2=0.99-schedule=linear" for name, rate in rates.items()
    }
    rmsprop = "rmsprop-lr=3e-4-schedule=linear"
    normed = (
        {} if ring else {"gen_arch": "MLP-norm=batch", "disc_arch": "MLP-norm=batch"}
    )  # as in the seed
    atoms = {
        "WGAN-GP, 2,500 atoms": {
            **adam,
            "loss": f"wgan_gp={penalty}",
            "z_prior": "const=2500-trainable=True",
        }
    }
    return {
        "GAN": {**adam, "loss": "gan"},
        "GAN + R1": {**adam, "loss": f"gan-r1={0.1 if ring else 10}"},
        "WGAN": {"loss": "wgan", "g_opt": rmsprop, "d_opt": rmsprop},
        "WGAN-GP": {**adam, "loss": f"wgan_gp={penalty}"},
        "SNGAN": {**adam, "loss": "gan", "disc_arch": "MLP-sn=True"},
        "LSGAN": {**adam, "loss": "lsgan", **normed},
        **(atoms if ring else {}),
        "VEEGAN": {
            **adam,
            "loss": "veegan",
            "gen_arch": "MLP-norm=batch",
            "disc_arch": "MLP-norm=batch-joint=True",
        },
    }


def common(study: Study) -> Settings:
    """What all runs share."""
    ring = study.data == "ring8"
    every = 200 if ring else 1000
    steps = every * (5 if study.fast else 25 if ring else 10)
    view = {"z_dim": 32} if ring else {"z_dim": 100, "gray_scale": True}
    return {
        "gen_arch": "MLP",
        "disc_arch": "MLP",
        "z_prior": "binary",
        "batch_size": 256,
        "steps": steps,
        "log_steps": 100,
        "image_steps": every,
        "checkpoint_steps": 1000,
        **view,
    }


def run(study: Study) -> str:
    """Trains every method with every seed and measures what they cover.

    It writes the report and returns it.
    """
    ring, shared = study.data == "ring8", common(study)
    chosen, configs = methods(ring), {}
    for seed, (method, settings) in itertools.product(range(study.seeds), chosen.items()):
        name = f"{''.join(c if c.isalnum() else '_' for c in method)}_{seed}"
        configs[method, seed] = study.config(name, seed=seed, **{**shared, **settings})
    runs = train_all(configs)
    measure = _measure(study.data, next(iter(runs.values())))
    rows = [
        _row(method, [runs[method, seed] for seed in range(study.seeds)], measure)
        for method in chosen
    ]
    steps = [step for step in SNAPSHOTS[ring] if step <= shared["steps"]]
    folders = [configs[method, 0].run_dir / "images" for method in chosen]
    shots = [[_read(folder / f"step_{step:06d}.png") for step in steps] for folder in folders]
    minutes = sum(trained.seconds for trained in runs.values()) / 60
    text = (
        f"{shared['steps']:,} generator steps with 5 critic steps each, {minutes:.1f} minutes of "
        f"training in all. Seeds: {study.seeds}; of several, mean and standard deviation.\n\n"
        "Snapshots are of seed 0."
    )
    heads = list(chosen), [f"{step:,} steps" for step in steps]
    snapshots = with_heads(tiles(shots), *heads)
    return report(
        study.out, f"Mode collapse, {study.data}", text, rows, {"snapshots": snapshots}, {}
    )


def _measure(data: str, trained: Trained) -> Measure | None:
    """How coverage is measured.

    It is measured by the modes of the mixture, or by the classes of labelled images.
    """
    if data == "ring8":
        return lambda fake: coverage(fake, ring8_centres(), SIGMA)
    real, labels = trained.real, trained.labels
    if labels is None:
        return None
    return lambda fake: class_coverage(fake, real, labels)


def _row(method: str, runs: list[Trained], measure: Measure | None) -> dict[str, object]:
    """A line of the table."""
    fakes = [trained.trainer.evaluation_samples(_SAMPLES) for trained in runs]
    row: dict[str, object] = {"method": method}
    if measure:
        covered = [measure(fake) for fake in fakes]
        row["modes"] = ", ".join(str(one[""]) for one in covered)
        row["high quality"] = ", ".join(f"{one['_quality']:.1%}" for one in covered)
        row["KL to uniform"] = spread([one["_kl"] for one in covered])
    row["exact W1"] = spread([w1(fake, one.real) for fake, one in zip(fakes, runs, strict=True)])
    row["seconds"] = spread([trained.seconds for trained in runs])
    return row


def _read(path: Path) -> np.ndarray:
    """A picture of a run, reduced by a whole factor so that many fit beside each other."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").reduce(max(1, round(max(image.size) / _PANEL))))
