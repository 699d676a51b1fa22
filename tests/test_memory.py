"""Memory does not grow with the length of a run."""

import gc
import os
import resource
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import TINY

from tfwgan import data
from tfwgan.data.pipeline import batches
from tfwgan.errors import UsageError
from tfwgan.program import cost, datasets, experiment
from tfwgan.program.config import Config


def resident():
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Watch(keras.callbacks.Callback):
    def __init__(self, every):
        super().__init__()
        self.every, self.seen = every, []

    def on_train_batch_end(self, batch, logs=None):
        if self.model.steps_done % self.every == 0:
            gc.collect()
            self.seen.append(resident())


LONG_RUN = """
from pathlib import Path
from conftest import TINY
from test_memory import Watch
from tfwgan.callbacks.guard import StopOnNonFinite
from tfwgan.program import experiment
from tfwgan.program.config import Config
parts = experiment.build(Config(**{**TINY, "steps": 4000}))
watch = Watch(1000)
callbacks = [watch, StopOnNonFinite(Path("."))]
parts.trainer.fit(parts.batches(), steps_per_epoch=50, epochs=80, verbose=0, callbacks=callbacks)
print(*watch.seen)
"""

ONE_STEP = """
import sys
from tfwgan.program import cost, experiment
from tfwgan.program.config import Config
from tfwgan.data import Dataset
import numpy as np
batch, settings = int(sys.argv[1]), dict(one.split("=", 1) for one in sys.argv[2:])
data = Dataset("noise", np.zeros([batch, 32, 32, 1], np.uint8))
config = Config(data="given=noise", batch_size=batch, n_critic=1, steps=1, **settings)
parts = experiment.build(config, data)
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # Linux begins a new peak, which the import of TensorFlow has no part in
before = cost.peak_memory()
print(cost.least_memory(parts.trainer) * batch, end=" ")
parts.trainer.fit(parts.batches(), steps_per_epoch=1, verbose=0)
print(cost.peak_memory() - before)
"""


def alone(code, *arguments):
    """Returns the numbers that a program prints.

    It runs in a process of its own, whose memory nothing else touches.
    """
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return [int(word) for word in done.stdout.split()]


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="only Linux tells how much memory a process has"
)
def test_thousands_of_steps_take_no_more_than_hundreds():
    seen = alone(LONG_RUN)
    assert seen[-1] - seen[1] < 2 << 20, seen


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux forgets the peak of a process"
)
@pytest.mark.parametrize(
    "settings",
    [
        ["gen_arch=FC-nf=64", "disc_arch=FC-nf=1024"],
        ["gen_arch=DCGAN-nf=32", "disc_arch=DCGAN-nf=32", "loss=wgan"],
        ["gen_arch=FC-nf=1024", "loss=swd"],
    ],
    ids=" ".join,
)
def test_a_step_takes_at_least_the_memory_that_is_asked_for(settings):
    least, taken = alone(ONE_STEP, 2048, *settings)
    assert 0 < least < taken < 20 * least


def test_a_step_that_memory_cannot_hold_is_refused(monkeypatch):
    config = Config(**TINY)
    need = cost.least_memory(experiment.build(config).trainer) * config.batch_size
    monkeypatch.setattr(cost, "memory_left", lambda: need)
    experiment.build(config)
    monkeypatch.setattr(cost, "memory_left", lambda: need - 1)
    with pytest.raises(
        UsageError, match="--batch_size=8 needs at least 0 MB .* a smaller --batch_size"
    ):
        experiment.build(config)


@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="only Linux tells how much memory a process has"
)
def test_a_limit_on_memory_is_seen(monkeypatch):
    assert (
        (1 << 27) < cost.memory_left() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    )
    used = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
    monkeypatch.setattr(
        resource, "getrlimit", lambda which: (used + (1 << 27), resource.RLIM_INFINITY)
    )
    assert (1 << 26) < cost.memory_left() < (1 << 28)


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="only Linux tells how much memory a process has"
)
def test_a_warm_up_does_not_copy_the_data_for_each_of_its_parts(tmp_path, no_export):
    items = np.random.default_rng(0).integers(0, 256, (20000, 32, 32, 1), dtype=np.uint8)  # 20 MB
    settings = {
        "gen_arch": "FC-nf=4",
        "disc_arch": "FC-nf=4",
        "n_critic": "1-warmup=2-first=1-every=2",
        "steps": 60,
    }
    config = Config(
        **{
            **TINY,
            **settings,
            "log_steps": 10,
            "image_steps": 1000,
            "out_dir": str(tmp_path),
            "name": "run",
        }
    )
    watch = Watch(10)
    experiment.fit(experiment.build(config, data.Dataset("noise", items)), [watch], verbose=False)
    assert watch.seen[-1] - watch.seen[1] < items.nbytes, watch.seen


def test_pipelines_of_one_set_share_its_items():
    dataset = datasets.load("ring8-n=64")
    for _ in range(2):
        next(iter(batches(dataset, batch_size=8, n_critic=1, seed=0)))
    assert dataset.tensors[0] is dataset.tensors[0]
