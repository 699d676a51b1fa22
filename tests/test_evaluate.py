"""Laws of evaluation during training: the exact distance, its references, the critic's certified gap, the rows."""

import json

import numpy as np
import pytest

from tfwgan import data, experiment, spec
from tfwgan.audit.critic import certified_gap
from tfwgan.callbacks.evaluate import real_rows
from tfwgan.config import Config
from tfwgan.metrics import METRICS
from tfwgan.transport import DISTANCES
from tfwgan.transport.exact import w1

pytestmark = pytest.mark.usefixtures("no_export")

RING = {"data": "ring8-n=64", "gen_arch": "MLP-dim=8", "disc_arch": "MLP-dim=8", "z_dim": "4", "z_prior": "const=8"}


def rows(path, metrics=True):
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if ("seconds" not in line) == metrics]


def build(**settings):
    return experiment.build(Config(**{**RING, "z_dim": 4, "batch_size": 8, **settings}))


OPTIONS = {"projected_w1": "-dim=4", "sinkhorn": "-epsilon=1", "patch_w1": "-p=8"}


@pytest.mark.parametrize("name", DISTANCES)
def test_every_metric_measures_what_its_distance_says(name):
    text = name + OPTIONS.get(name, "")
    images = data.load("squares-size=16-square=5").real(slice(None))
    metric = spec.build(text, METRICS, "metric")
    metric.check(images.shape[1:])
    fake, real = images[::7], images[1::5]
    distance = spec.build(text, DISTANCES, "distance")
    assert metric.measure(fake, real)[""] == pytest.approx(float(distance(fake, real, 0)), rel=1e-5)
    floor = metric.reference(images, 4)
    half = len(images) // 2
    assert floor["_floor"] == pytest.approx(float(distance(images[:half], images[half:], 0)), rel=1e-5)
    assert floor["_real"] == pytest.approx(float(distance(images[:4], images[4:], 0)), rel=1e-5)


def test_rows_go_to_the_file_with_every_reference(tiny, tmp_path):
    tiny("--metrics=w1-otmeans=True", "--metrics=swd", z_prior="const=8", eval_steps="2")
    evaluated = rows(tmp_path / "run")
    assert [row["step"] for row in evaluated] == [0, 2, 4]
    last, name = evaluated[-1], "w1-otmeans=True"
    trainer = experiment.load_trainer(tmp_path / "run")
    real = data.load("ring8-n=64").real(slice(None))
    assert last[name] == pytest.approx(w1(trainer.distribution(), real), rel=1e-6)
    assert last[f"{name}_ratio"] == pytest.approx(last[name] / last[f"{name}_otmeans"], rel=1e-6)
    assert {"swd", "swd_floor", "swd_real", f"{name}_floor", f"{name}_real"} <= last.keys()
    assert last["critic_certified"] <= last[name] and last["critic_slope"] > 0
    assert last["critic_gap"] == pytest.approx(last[name] - last["critic_certified"], rel=1e-4)
    assert [row["step"] for row in rows(tmp_path / "run", metrics=False)] == [2, 4]


def test_a_resumed_run_writes_the_rows_of_one_that_was_not_stopped(tiny, tmp_path):
    flags = {"z_prior": "const=8", "eval_steps": "1"}
    tiny("--metrics=w1", "--metrics=mmd", name="whole", **flags)
    tiny("--metrics=w1", "--metrics=mmd", name="parts", **flags, steps="2")
    tiny("--metrics=w1", "--metrics=mmd", "--resume", name="parts", **flags)
    assert rows(tmp_path / "whole") == rows(tmp_path / "parts")


def test_without_metrics_nothing_is_evaluated(tiny, tmp_path):
    tiny()
    assert rows(tmp_path / "run") == []


def test_the_warm_start_changes_no_value():
    rng = np.random.default_rng(0)
    real, metric = rng.normal(size=[300, 20]), METRICS["w1"]()
    fake = rng.normal(size=[16, 20])
    for _ in range(3):
        fake = fake + 0.01 * rng.normal(size=fake.shape)
        assert metric.measure(fake, real)[""] == pytest.approx(w1(fake, real), abs=1e-9)


def test_the_optimality_ratio_of_the_optimum_is_one():
    from tfwgan.transport.means import ot_means

    points = np.random.default_rng(0).normal(size=[60, 3]).astype(np.float32)
    metric = METRICS["w1"](otmeans=True)
    reference = metric.reference(points, 6)
    assert metric.measure(ot_means(points, 6).centroids, points)["_ratio"] == pytest.approx(1.0, abs=1e-3)
    assert metric.measure(points[:6], points)["_ratio"] == pytest.approx(
        w1(points[:6], points) / reference["_otmeans"], rel=1e-6
    )


@pytest.mark.parametrize("disc_arch", ["MLP-dim=8", "FC-nf=8"])
def test_what_a_critic_certifies_is_below_the_distance(disc_arch):
    parts = build(disc_arch=disc_arch)
    real, fake = parts.dataset.real(slice(None)), parts.trainer.distribution()
    for _ in range(3):
        parts.trainer.fit(parts.batches(), steps_per_epoch=5, shuffle=False, verbose=0)
        report = certified_gap(parts.trainer, fake, real)
        assert report["critic_certified"] <= w1(fake, real) + 1e-9
        assert report["critic_gap"] >= w1(fake, real) - report["critic_certified"] - 1e-6


def test_the_same_real_items_are_evaluated_every_time():
    assert np.array_equal(real_rows(100, 10, 3), real_rows(100, 10, 3))
    assert not np.array_equal(real_rows(100, 10, 3), real_rows(100, 10, 4))
    assert sorted(real_rows(10, 100, 0)) == list(range(10))


def test_all_atoms_once_stand_for_a_discrete_prior_and_samples_for_another():
    atoms = build().trainer
    np.testing.assert_allclose(atoms.distribution(), atoms(atoms.prior.table), atol=1e-6)
    assert atoms.distribution(3).shape == (8, 2)
    normal = build(z_prior="normal").trainer
    assert normal.distribution(300).shape == (300, 2)
    assert np.array_equal(normal.distribution(300), normal.distribution(300))
