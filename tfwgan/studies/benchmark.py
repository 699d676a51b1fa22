"""Timings of standard workloads.

They are trainings, through the real trainer and input pipeline, optimal transport, and what scores
of features take.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.linalg import sqrtm

from tfwgan.callbacks.steps import StepCallback
from tfwgan.data import Dataset, load
from tfwgan.errors import UsageError, suggest
from tfwgan.loop import Logs
from tfwgan.metrics import precision, recall
from tfwgan.metrics.classifiers import fashion_cnn
from tfwgan.program.config import Config
from tfwgan.program.cost import flop_per_step
from tfwgan.program.experiment import build
from tfwgan.transport.means import ot_means
from tfwgan.transport.moments import frechet_of_moments
from tfwgan.transport.patches import patch_swd

_WARM_UP = 3


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, [1024, *shape], np.uint8)


def _points() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, [4096, 2]).astype(np.float32)


def _patch_swd() -> dict[str, float]:
    """Loss and gradient of the sliced W1 between all 16x16 patches, in 128 directions.

    The patches are of 64 + 64 images 64x64x1.
    """
    x, y = (tf.random.stateless_normal([64, 64, 64, 1], [0, i]) for i in range(2))

    @tf.function
    def gradient(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = patch_swd(x, y)
        return tape.gradient(loss, x)

    return {"seconds": _median_seconds(lambda: gradient(x).numpy(), runs=10)}


def _otmeans() -> dict[str, float]:
    """Moves 64 points on the 2704 squares until they converge.

    It gives `value`, their W1, and the number of `steps`.
    """
    squares = load("squares").real(slice(None))
    means = ot_means(squares, 64)
    seconds = _median_seconds(lambda: ot_means(squares, 64), runs=3)
    return {"seconds": seconds, "value": round(means.value, 4), "steps": means.steps}


def _frechet(d: int) -> dict[str, float]:
    """The Frechet distance of two moments of `d` features, as many as Inception has.

    Beside it stands the formula as it is mostly programmed, by SciPy's square root of the product
    of the covariances, on the same matrices in the same run: its seconds, how many times ours those
    are, and how far apart the two values are, relatively.
    """
    covariances = []
    for x in _features(2 * d, d).astype(np.float64):
        x *= np.geomspace(1.0, 0.03, d)  # a spectrum that falls, as of the features of images
        covariances.append(x.T @ x / len(x))
    (cov_x, cov_y), means = covariances, (np.zeros(d), np.full(d, 0.1))

    def by_sqrtm() -> float:
        root = np.trace(np.real(sqrtm(cov_x @ cov_y)))
        return float(np.sum((means[0] - means[1]) ** 2) + np.trace(cov_x + cov_y) - 2 * root)

    seconds = _median_seconds(lambda: frechet_of_moments(means[0], cov_x, means[1], cov_y), runs=3)
    start = time.perf_counter()
    other = by_sqrtm()
    theirs = time.perf_counter() - start
    value = frechet_of_moments(means[0], cov_x, means[1], cov_y)
    return {
        "seconds": seconds,
        "sqrtm_seconds": round(theirs, 5),
        "ratio": round(theirs / seconds, 2),
        "value": round(value, 6),
        "apart": float(f"{abs(value - other) / value:.1g}"),
    }


def _neighbours(n: int, d: int) -> dict[str, float]:
    """Precision and recall of `n` generated and `n` real features in `d` dimensions."""
    fake, real = _features(n, d)
    seconds = _median_seconds(lambda: (precision(fake, real), recall(fake, real)), runs=1)
    return {"seconds": seconds}


def _extraction(n: int) -> dict[str, float]:
    """Features of bundled images by the bundled classifier of clothes."""
    images, extractor = load("fashion_mini").items[:n], fashion_cnn()
    seconds = _median_seconds(lambda: extractor(images), runs=3)
    return {"seconds": seconds, "images_per_second": round(len(images) / seconds, 1)}


def _features(n: int, d: int) -> np.ndarray:
    """Two sets of numbers in the place of features, `[2, n, d]`."""
    return np.random.default_rng(0).normal(size=(2, n, d)).astype(np.float32)


def _median_seconds(work: Callable[[], object], runs: int) -> float:
    """Median seconds of some runs after a first one that doesn't count."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return round(statistics.median(times[1:]), 5)


# All train WGAN-GP with 5 critic updates per generator update: one unit of work. Name: (data,
# settings, timed units).
TRAININGS: dict[str, tuple[Callable[[], np.ndarray], dict[str, Any], int]] = {
    # 32x32x3 images, batch 64, DCGAN of width 64 with batch norm in the generator
    "dcgan32": (
        lambda: _images(32, 32, 3),
        {
            "gen_arch": "DCGAN-norm=batch-bias=all",
            "disc_arch": "DCGAN-norm=none-act=leaky",
            "z_dim": 100,
        },
        10,
    ),
    # 64x64x1 images, batch 64, FC generator of width 128, FC critic of three layers of width 1024
    "fc64": (
        lambda: _images(64, 64, 1),
        {
            "gen_arch": "FC",
            "disc_arch": "FC-nf=1024",
            "z_dim": 64,
            "d_opt": "adam-lr=1e-3-beta_2=0.9",
        },
        20,
    ),
    # points of the plane, batch 256, MLPs of three layers of width 256
    "mlp2d": (
        _points,
        {"gen_arch": "MLP", "disc_arch": "MLP", "z_dim": 32, "batch_size": 256},
        100,
    ),
}

# What is no training: functions that return their `seconds`, and what else there is to tell.
OTHERS: dict[str, Callable[[], dict[str, float]]] = {
    "patch_swd": _patch_swd,
    "otmeans": _otmeans,
    "frechet2048": lambda: _frechet(2048),
    "neighbours": lambda: _neighbours(5000, 2048),
    "features10k": lambda: _extraction(10000),
}

WORKLOADS = (*TRAININGS, *OTHERS)


def benchmark(names: Sequence[str] = (), xla: bool = False) -> Iterator[dict[str, Any]]:
    """Runs workloads one after the other.

    Args:
        names: Names in `WORKLOADS`; none means all.
        xla: Compile the updates of the trainings with XLA.

    Yields:
        For each: `workload`; `seconds`, the median per unit. Of a training also:
        `images_per_second`, real images seen by the critic; `gflop` per unit; `peak_share`, the
        achieved share of `peak_gflops`, which a product of two 2048x2048 matrices reaches in this
        process; `input_share`, the time to make one element of input alone, over `seconds`.

    Raises:
        UsageError: If a workload is unknown.
    """
    for name in names:
        if name not in WORKLOADS:
            raise UsageError(f"Unknown workload {name!r}{suggest(name, WORKLOADS)}")
    names = names or WORKLOADS
    peak = _matmul_flops() if set(names) & set(TRAININGS) else 0.0
    for name in names:
        yield {
            "workload": name,
            **(OTHERS[name]() if name in OTHERS else _train(name, xla, peak)),
        }


def _train(name: str, xla: bool, peak: float) -> dict[str, float]:
    """What `benchmark` yields of one of the trainings.

    `peak` is what a product of matrices reaches.
    """
    make, settings, units = TRAININGS[name]
    config = Config(**settings, data=name, ema=0, xla=xla)
    parts = build(config, Dataset(name, make()))
    timer = _Timer()
    parts.trainer.fit(
        parts.batches(),
        steps_per_epoch=_WARM_UP + units,
        shuffle=False,
        verbose=0,
        callbacks=[timer],
    )
    seconds = statistics.median(timer.seconds[_WARM_UP:])
    flop = flop_per_step(parts.trainer, parts.batches().element_spec)
    return {
        "seconds": round(seconds, 5),
        "images_per_second": round(parts.images_before(1) / seconds, 1),
        "gflop": round(flop / 1e9, 2),
        "peak_gflops": round(peak / 1e9, 1),
        "peak_share": round(flop / seconds / peak, 3),
        "input_share": round(_input_seconds(parts.batches(), units) / seconds, 4),
        "xla": xla,
    }


class _Timer(StepCallback):
    """Seconds of each step, its results in hand."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        super().on_train_begin()
        self.seconds: list[float] = []
        self._mark = time.perf_counter()

    def on_step(self, step: int, logs: Logs) -> None:
        self.values(logs)
        now = time.perf_counter()
        self.seconds.append(now - self._mark)
        self._mark = now


def _matmul_flops(n: int = 2048, runs: int = 10) -> float:
    """Floating-point operations per second of the best of some n x n matrix products."""
    a = tf.random.stateless_normal([n, n], [0, 0])
    product = tf.function(lambda: tf.reduce_sum(a @ a))
    product()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        product().numpy()
        times.append(time.perf_counter() - start)
    return 2 * n**3 / min(times)


def _input_seconds(elements: tf.data.Dataset, count: int) -> float:
    """Mean seconds to make one element when nothing else runs."""
    iterator = iter(elements)
    next(iterator)
    start = time.perf_counter()
    for _ in range(count):
        next(iterator)
    return (time.perf_counter() - start) / count
