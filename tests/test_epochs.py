"""These are laws of the comparison by epochs.

Clocks leave out pauses, spikes are as high as they are, and a study runs from end to end.
"""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from tfwgan.errors import UsageError
from tfwgan.heads import with_heads
from tfwgan.studies import epochs
from tfwgan.studies.study import Study
from tfwgan.trainer import GanTrainer

pytestmark = pytest.mark.usefixtures("no_export")


def test_an_epoch_s_seconds_hold_no_pause_between_epochs():
    pause, step, every = 100.0, 2.0, 5
    clock = np.cumsum([pause + step if i % every == 0 else step for i in range(3 * every)])
    seconds = epochs.epoch_seconds([{"seconds": value} for value in clock], every)
    np.testing.assert_allclose(seconds, [every * step] * 3)


@pytest.mark.parametrize("height", [-3.0, 0.5, 20.0])
def test_a_spike_is_as_high_as_it_was_planted(height):
    series = np.full(200, 1.5)
    assert epochs.spike(series) == (0.0, 0.0)
    series[77] += height
    assert epochs.spike(series)[0] == abs(height)


def test_what_is_typical_has_the_loss_s_own_unit():
    series = np.random.default_rng(0).normal(size=500)
    series[300] = 40.0
    (height, times), (larger, same) = epochs.spike(series), epochs.spike(10 * series)
    assert larger == pytest.approx(10 * height) and same == pytest.approx(times)
    assert times == pytest.approx(40 / 0.674, rel=0.1)  # half of a normal law lies within 0.674


def test_a_slow_drift_is_no_spike():
    assert epochs.spike(np.linspace(0, 10, 1000))[0] < 0.3


def test_ranks_agree_whatever_the_scale_and_few_say_nothing():
    x = np.array([1.0, 2.0, 5.0, 3.0, 4.0])
    assert epochs.agreement(x, np.exp(x)) == pytest.approx(1.0)
    assert epochs.agreement(x, -x) == pytest.approx(-1.0)
    assert epochs.agreement(x[:3], x[:3]) == "-" and epochs.agreement(x, np.ones(5)) == "-"


@pytest.mark.slow
def test_the_study_writes_its_report_and_repeats_nothing(tmp_path, monkeypatch):
    original = Study.config

    def config(self, name, **settings):
        narrow = {
            key: value.replace("DCGAN", "DCGAN-nf=4")
            for key, value in settings.items()
            if "arch" in key
        }
        return dataclasses.replace(original(self, name, **settings), **narrow)

    monkeypatch.setattr(Study, "config", config)
    study = Study("fashion_mini", tmp_path, fast=True, limit_data=3 * epochs.BATCH + 5)
    markdown = epochs.run(study)
    rows = json.loads((study.out / "results.json").read_text())
    assert [row["method"] for row in rows] == list(epochs.METHODS)
    for row in rows:
        assert row["seconds per epoch"] > 0 and row["exact W1"] > 0 and row["patch SWD (8, 2)"] > 0
        assert row["critic spike"] >= 0 and row["generator spike"] >= 0
        logged = (study.out / "runs" / row["method"] / "metrics.jsonl").read_text().splitlines()
        assert (
            sum("critic_loss" in line for line in logged) == 2 * 3
        )  # every step of two epochs of three batches
        pictures = (study.out / "runs" / row["method"] / "images").glob("step_*.png")
        assert [path.stem for path in sorted(pictures)] == [
            "step_000000",
            "step_000003",
            "step_000006",
        ]
    with Image.open(study.out / "samples.png") as picture:
        side = 2 * (4 * 29 + 1)  # four images of 28 pixels and their borders, enlarged twice
        blank = np.zeros(
            [2 * side + 12, 2 * side + 12, 1], np.uint8
        )  # two epochs of two methods, 12 pixels apart
        assert (
            picture.size
            == with_heads(blank, list(epochs.METHODS), ["epoch 1", "epoch 2"]).shape[1::-1]
        )
    monkeypatch.setattr(GanTrainer, "train_step", None)  # would fail if it were needed
    assert epochs.run(study) == markdown


@pytest.mark.parametrize(
    "data, answer", [("fashion_mini", "at least 2 batches of 64"), ("ring8", "a set of points")]
)
def test_data_without_epochs_of_images_are_refused(data, answer, tmp_path):
    with pytest.raises(UsageError, match=answer):
        epochs.run(Study(data, tmp_path, limit_data=100))
    assert not list(tmp_path.iterdir())
