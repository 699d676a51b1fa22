"""Memory does not grow with the length of a run."""

import gc
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import TINY

from tfwgan import data, experiment
from tfwgan.callbacks.guard import StopOnNonFinite
from tfwgan.config import Config
from tfwgan.data.pipeline import batches


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


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells how much memory a process has")
def test_thousands_of_steps_take_no_more_than_hundreds():
    parts = experiment.build(Config(**{**TINY, "n_critic": 1, "steps": 5000}))
    watch = Watch(1000)
    callbacks = [watch, StopOnNonFinite(Path("."))]
    parts.trainer.fit(parts.batches(), steps_per_epoch=50, epochs=100, verbose=0, callbacks=callbacks)
    assert watch.seen[-1] - watch.seen[1] < 2 << 20, watch.seen


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells how much memory a process has")
def test_a_warm_up_does_not_copy_the_data_for_each_of_its_parts(tmp_path, no_export):
    items = np.random.default_rng(0).integers(0, 256, (20000, 32, 32, 1), dtype=np.uint8)  # 20 MB
    settings = {"gen_arch": "FC-nf=4", "disc_arch": "FC-nf=4", "n_critic": "1-warmup=2-first=1-every=2", "steps": 60}
    config = Config(
        **{**TINY, **settings, "log_steps": 10, "image_steps": 1000, "out_dir": str(tmp_path), "name": "run"}
    )
    watch = Watch(10)
    experiment.fit(experiment.build(config, data.Dataset("noise", items)), [watch], verbose=False)
    assert watch.seen[-1] - watch.seen[1] < items.nbytes, watch.seen


def test_pipelines_of_one_set_share_its_items():
    dataset = data.load("ring8-n=64")
    for _ in range(2):
        next(iter(batches(dataset, batch_size=8, n_critic=1, seed=0)))
    assert dataset.tensors[0] is dataset.tensors[0]
