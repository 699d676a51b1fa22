"""These are laws of evaluation during training.

They concern the exact distance, its references, the critic's certified gap, and the rows.
"""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_distances import distance_of

from tfwgan.audit.critic import certified_gap
from tfwgan.callbacks.evaluate import Evaluate, _rounded, real_rows
from tfwgan.metrics import METRICS
from tfwgan.program import datasets, experiment, spec
from tfwgan.program.assemble import make_metrics
from tfwgan.program.config import Config
from tfwgan.transport import DISTANCES
from tfwgan.transport.exact import w1

pytestmark = pytest.mark.usefixtures("no_export")

RING = {
    "data": "ring8-n=64",
    "gen_arch": "MLP-dim=8-mults=(1,)",
    "disc_arch": "MLP-dim=8-mults=(1,)",
    "z_dim": "4",
    "z_prior": "const=8",
}


OF_LOSSES = {
    "seconds",
    "images_per_second",
    "critic_loss",
    "critic_estimate",
    "gp",
    "generator_loss",
}


def rows(path, metrics=True):
    """The rows with metrics, without what training logs; or those with losses."""
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    if not metrics:
        return [line for line in lines if "seconds" in line]
    lines = [{key: value for key, value in line.items() if key not in OF_LOSSES} for line in lines]
    return [line for line in lines if len(line) > 1]


def build(**settings):
    return experiment.build(Config(**{**RING, "z_dim": 4, "batch_size": 8, **settings}))


OPTIONS = {"projected_w1": "-dim=4", "sinkhorn": "-epsilon=1", "patch_w1": "-p=8"}


@pytest.mark.parametrize("name", DISTANCES)
def test_every_metric_measures_what_its_distance_says(name):
    text = name + OPTIONS.get(name, "")
    images = datasets.load("squares-size=16-square=5").real(slice(None))
    metric = spec.build(text, METRICS, "metric")
    metric.check(images.shape[1:])
    fake, real = images[::7], images[1::5]
    distance = distance_of(text)
    assert metric.measure(fake, real)[""] == pytest.approx(float(distance(fake, real, 0)), rel=1e-5)
    floor = metric.reference(images, 4)
    half = len(images) // 2
    assert floor["_floor"] == pytest.approx(
        float(distance(images[:half], images[half:], 0)), rel=1e-5
    )
    assert floor["_real"] == pytest.approx(float(distance(images[:4], images[4:], 0)), rel=1e-5)


def test_rows_go_to_the_file_with_every_reference(tiny, tmp_path):
    tiny("--metrics=w1-otmeans=True", "--metrics=swd", z_prior="const=8", eval_steps="2")
    evaluated = rows(tmp_path / "run")
    assert [row["step"] for row in evaluated] == [0, 2, 4]
    last, name = evaluated[-1], "w1"
    trainer = experiment.load_trainer(tmp_path / "run")
    real = datasets.load("ring8-n=64").real(slice(None))
    assert last[name] == pytest.approx(w1(trainer.evaluation_samples(), real), rel=1e-6)
    assert last[f"{name}_ratio"] == pytest.approx(last[name] / last[f"{name}_otmeans"], rel=1e-6)
    assert {"swd", "swd_floor", "swd_real", f"{name}_floor", f"{name}_real"} <= last.keys()
    assert last["critic_certified"] <= last[name] and last["critic_gradient_norm"] > 0
    assert last["critic_gap"] == pytest.approx(last[name] - last["critic_certified"], rel=1e-4)
    assert [row["step"] for row in rows(tmp_path / "run", metrics=False)] == [2, 4]


@pytest.mark.slow
def test_a_resumed_run_writes_the_rows_of_one_that_was_not_stopped(tiny, tmp_path):
    flags = {"z_prior": "const=8", "eval_steps": "1"}
    tiny("--metrics=w1", "--metrics=mmd", name="whole", **flags)
    tiny("--metrics=w1", "--metrics=mmd", name="parts", **flags, steps="2")
    tiny("--metrics=w1", "--metrics=mmd", "--resume", name="parts", **flags)
    assert rows(tmp_path / "whole") == rows(tmp_path / "parts")


DAMAGE = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"w1": 3, "swd": []}',
    b'{"w1": {"of": "", "values": {}}}',
    b"[" * 9999,
]


def evaluation(folder, real, specs=("w1-otmeans=True", "swd")):
    """What a callback keeps in a folder and takes from it, and how often a reference was found."""
    run = SimpleNamespace(file=lambda name: folder / name)
    callback = Evaluate(run, None, real, make_metrics(specs), 1, 1, 1000)
    callback._real, found = real, []
    for name, metric in callback.metrics.items():
        metric.reference = lambda real, n, name=name, find=metric.reference: (
            found.append(name) or find(real, n)
        )
    return callback._kept_or_found(8), found, callback.metrics["w1"].measure(real[:8], real)


def test_what_was_found_of_the_real_samples_is_kept_and_used_again(tmp_path):
    real = datasets.load("ring8-n=64").real(slice(None))
    first, found, measured = evaluation(tmp_path, real)
    assert found == ["w1", "swd"] and "_ratio" in measured
    again, found, same = evaluation(tmp_path, real)
    assert found == [] and again == first and same == measured
    more, found, _ = evaluation(tmp_path, real, ["swd", "w1-otmeans=True", "mmd"])
    assert found == ["mmd"] and more["swd"] == first["swd"]
    assert evaluation(tmp_path, real, ["w1", "swd-n_projections=9"])[1] == [
        "w1",
        "swd",
    ]  # other options
    other = np.concatenate([real[1:], real[:1]])
    assert evaluation(tmp_path, other)[1] == ["w1", "swd"] and evaluation(tmp_path, other)[1] == []


@pytest.mark.parametrize("damage", [*DAMAGE, "nan", "text", "list", "cut"])
def test_references_that_are_damaged_are_found_again(damage, tmp_path):
    real, path = datasets.load("ring8-n=64").real(slice(None)), tmp_path / "references.json"
    right, *_ = evaluation(tmp_path, real)
    whole = path.read_bytes()
    wrong = {"nan": float("nan"), "text": "0.1", "list": [0.1]}
    if isinstance(damage, bytes):
        path.write_bytes(damage)
    elif damage == "cut":
        path.write_bytes(whole[:-20])
    else:
        kept = json.loads(whole)
        kept["w1"]["values"]["_floor"] = wrong[damage]
        path.write_text(json.dumps(kept))
    again, found, _ = evaluation(tmp_path, real)
    assert "w1" in found and again == right and path.read_bytes() == whole


@pytest.mark.slow
@pytest.mark.parametrize("metric, proves", [("w1", True), ("swd", False)])
def test_what_a_critic_proves_stands_beside_an_exact_w1_only(metric, proves, tiny, tmp_path):
    tiny(f"--metrics={metric}", steps="1")
    assert all(("critic_certified" in row) is proves for row in rows(tmp_path / "run"))


class Spoil(keras.callbacks.Callback):
    """Makes the next samples what no solver takes, the losses still being finite."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def on_train_batch_end(self, batch, logs=None):
        for variable in self.model.average_generator.weights:
            variable.assign(tf.fill(variable.shape, self.value))


@pytest.mark.slow
@pytest.mark.parametrize(
    "metric, value", [("w1", np.nan), ("swd", np.inf), ("modes=ring8", np.nan)]
)
def test_samples_that_are_no_numbers_stop_the_run_in_one_line(metric, value, tmp_path):
    settings = {
        "out_dir": str(tmp_path),
        "name": "run",
        "steps": 3,
        "eval_steps": 2,
        "metrics": (metric,),
    }
    with pytest.raises(experiment.NonFiniteLoss) as caught:
        experiment.fit(build(**settings, checkpoint_steps=1), [Spoil(value)], verbose=False)
    says = "At step 2, the generated samples are NaN or infinite. The last good checkpoint is "
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(
    "value, kept", [(0.1, np.float32(0.1)), (1e300, 1e300), (0.0, 0.0), (-3e38, np.float32(-3e38))]
)
def test_numbers_have_the_precision_of_images_or_what_it_takes(value, kept):
    assert _rounded(value) == kept and type(_rounded(value)) is float


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["--eval_images=1", "--eval_images=3"])
def test_few_items_are_measured_and_every_row_is_json(limit, tiny, tmp_path):
    names = [
        "w1-otmeans=True",
        "sinkhorn=0.1",
        "swd",
        "full_dim_swd",
        "projected_w1",
        "nn",
        "frechet",
        "mmd",
        "modes",
    ]
    assert tiny(limit, *(f"--metrics={name}" for name in names), steps="1") == 0

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line, parse_constant=refuse)
        assert limit != "--eval_images=1" or not [key for key in row if key.endswith("_floor")]


@pytest.mark.slow
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
    assert metric.measure(ot_means(points, 6).centroids, points)["_ratio"] == pytest.approx(
        1.0, abs=1e-3
    )
    assert metric.measure(points[:6], points)["_ratio"] == pytest.approx(
        w1(points[:6], points) / reference["_otmeans"], rel=1e-6
    )


@pytest.mark.slow
@pytest.mark.parametrize("disc_arch", ["MLP-dim=8-mults=(1,)", "FC-nf=8"])
def test_what_a_critic_certifies_is_below_the_distance(disc_arch):
    parts = build(disc_arch=disc_arch)
    real, fake = parts.dataset.real(slice(None)), parts.trainer.evaluation_samples()
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
    np.testing.assert_allclose(atoms.evaluation_samples(), atoms(atoms.prior.table), atol=1e-6)
    assert atoms.evaluation_samples(3).shape == (8, 2)
    normal = build(z_prior="normal").trainer
    assert normal.evaluation_samples(300).shape == (300, 2)
    assert np.array_equal(normal.evaluation_samples(300), normal.evaluation_samples(300))
