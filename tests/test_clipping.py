"""These are laws of the study of weight clips.

Boxes hold, histograms count everything, and sentences follow the numbers.
"""

import json

import numpy as np
import pytest

from tfwgan.studies import clipping
from tfwgan.studies.study import Study, train
from tfwgan.trainer import GanTrainer

pytestmark = pytest.mark.usefixtures("no_export")


@pytest.mark.parametrize("clip", [0.0, 0.001, 0.01, 0.03])
def test_a_histogram_counts_every_weight_once(clip):
    weights = np.random.default_rng(0).normal(0, 0.02, 5000).astype(np.float32)
    if clip:
        weights = np.clip(
            weights, -np.float32(clip), np.float32(clip)
        )  # float32(0.001) is above 0.001
    places, counts = clipping.histogram(weights.astype(float), clip)
    assert counts.sum() == 5000 and len(places) == len(counts) == clipping.BINS
    np.testing.assert_allclose(places, -places[::-1])
    if clip:
        assert np.abs(places).max() == pytest.approx(clip * (1 - 1 / clipping.BINS))
        edge = np.mean(np.abs(weights) >= 0.99 * clip)
        assert counts[0] + counts[-1] >= edge * 5000 > 0


def numbers(**changes):
    """Returns numbers of all methods, as the claims would have them.

    Only the changes, of every clip's numbers, depart from that.
    """
    usual = {
        "weights at the box": [0.9, 0.8, 0.5, 0.2, 0.0],
        "proves W1 >=": [19.0, 12.0, 8.0, 5.0, 1.0],
        "slope": [1e-9, 1e-6, 1e-2, 1.0, 30.0],
        "exact W1": [20.0, 15.0, 12.0, 11.0, 10.0],
    }
    columns = {**usual, **changes}
    means = {
        name: {label: values[i] for label, values in columns.items()}
        for i, name in enumerate(clipping.CLIPS)
    }
    return {**means, "WGAN-GP": {"proves W1 >=": 9.0, "slope": 1.0, "exact W1": 9.5}}


def test_the_sentences_follow_the_numbers():
    assert ": seen here." in clipping.large_clips(
        numbers()
    ) and ": seen here." in clipping.small_clips(numbers())
    assert "with c = 0.1; WGAN-GP reaches 9.5" in clipping.small_clips(numbers())
    same = [0.5] * 5
    assert ": seen here in part." in clipping.large_clips(numbers(**{"weights at the box": same}))
    better = {"exact W1": [10.0, 11.0, 12.0, 15.0, 20.0]}
    assert ": seen here in part." in clipping.small_clips(numbers(**better))
    assert ": not seen here." in clipping.small_clips(numbers(**better, slope=same))
    assert "with c = 0.001" in clipping.small_clips(numbers(**better))


@pytest.fixture
def short(monkeypatch):
    """Makes every run of the study a few steps of small networks."""
    few = {"steps": 6, "log_steps": 2, "batch_size": 8, "n_critic": "2", "z_dim": 4}
    nets = {"gen_arch": "MLP-dim=8-mults=(1,)", "disc_arch": "MLP-dim=8-mults=(1,)"}
    original, two = (
        clipping.common,
        {name: clipping.CLIPS[name] for name in ("c = 0.001", "c = 0.01")},
    )
    monkeypatch.setattr(clipping, "CLIPS", two)
    monkeypatch.setattr(clipping, "common", lambda study: {**original(study), **few, **nets})


@pytest.mark.slow
@pytest.mark.parametrize("method", ["c = 0.001", "c = 0.01", "WGAN-GP"])
def test_no_clipped_weight_leaves_its_box(method, short, tmp_path):
    study = Study("squares-size=8-square=3", tmp_path)
    trained = train(study.config("run", **clipping.common(study), **clipping.methods()[method]))
    weights, clip = clipping.critic_weights(trained.trainer), trained.trainer.objective.clip
    assert len(weights) == trained.trainer.critic.count_params()
    assert clip == clipping.CLIPS.get(method, 0.0)
    if clip:
        assert np.abs(weights).max() <= np.float32(clip)
    found = clipping.measure(trained)
    assert found["largest weight"] == np.abs(weights).max() and found["slope"] >= 0
    assert 0 <= found["proves W1 >="] <= found["exact W1"] * (1 + 1e-6)
    assert (
        np.isnan(found["weights at the box"]) if not clip else 0 <= found["weights at the box"] <= 1
    )


@pytest.mark.slow
@pytest.mark.parametrize("data, seeds", [("squares-size=8-square=3", 1), ("ring8-n=64", 2)])
def test_the_study_writes_its_report_and_repeats_nothing(data, seeds, short, tmp_path, monkeypatch):
    study = Study(data, tmp_path, fast=True, seeds=seeds)
    markdown = clipping.run(study)
    rows = json.loads((study.out / "results.json").read_text())
    assert [row["method"] for row in rows] == [*clipping.CLIPS, "WGAN-GP"]
    assert ("±" in str(rows[0]["exact W1"])) == (seeds > 1)
    assert rows[-1]["weights at the box"] == "-"
    pictures = {"weights.png", "critic_estimate.png"} | (
        {"samples.png"} if "squares" in data else set()
    )
    assert {path.name for path in study.out.glob("*.png")} == pictures
    assert all(f"({picture})" in markdown for picture in pictures)
    monkeypatch.setattr(GanTrainer, "train_step", None)  # would fail if it were needed
    assert clipping.run(study) == markdown
