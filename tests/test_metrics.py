"""These are laws of metrics.

Keys can be read, no number goes without a status, and there is something to say of few samples.
"""

import math
import re
from types import SimpleNamespace

import numpy as np
import pytest

from tfwgan.errors import UsageError
from tfwgan.metrics import FEATURE_METRICS, METRICS, distances, features
from tfwgan.metrics.features import Extractor
from tfwgan.program import datasets, spec
from tfwgan.program.assemble import make_metrics, metric_keys
from tfwgan.transport.exact import exact_plan, w1

NEEDS = {
    "sinkhorn": "=0.5",
    "projected_w1": "-dim=4",
    "patch_w1": "-p=4",
    "patch_swd": "-p=4",
    "local_patch_swd": "-p=4",
}
KEYS = [
    (["w1"], ["w1"]),
    (["w1-otmeans=True", "patch_swd-p=16-s=8"], ["w1", "patch_swd"]),
    (["patch_swd-p=16-s=8", "patch_swd-p=8-s=8"], ["patch_swd_p16", "patch_swd_p8"]),
    (
        ["patch_swd-p=16-s=8", "patch_swd-p=8-s=4", "swd"],
        ["patch_swd_p16_s8", "patch_swd_p8_s4", "swd"],
    ),
    (["patch_swd", "patch_swd-p=8"], ["patch_swd_p16", "patch_swd_p8"]),
    (["sinkhorn=0.1", "sinkhorn=1e-3"], ["sinkhorn_epsilon0p1", "sinkhorn_epsilon0p001"]),
    (["mmd", "mmd-sigma=2.5"], ["mmd_sigmaNone", "mmd_sigma2p5"]),
    (["w1", "w1-otmeans=True"], ["w1_otmeansFalse", "w1_otmeansTrue"]),
    (["modes=ring8", "modes=grid25"], ["modes_mixturering8", "modes_mixturegrid25"]),
    (
        ["swd", "patch_swd-p=4", "swd-n_projections=8"],
        ["swd_n_projections128", "patch_swd", "swd_n_projections8"],
    ),
]


CLASSIFIER = Extractor(
    "toy", "1", "none", lambda items: (features.flat(items)[:, :5], features.flat(items)[:, :3]), 3
)


def full(name):
    return name + NEEDS.get(name, "")


@pytest.mark.parametrize("specs, expected", KEYS)
def test_a_key_is_the_name_with_options_where_two_would_clash(specs, expected):
    metrics = make_metrics(specs)
    assert list(metrics) == expected and all(re.fullmatch(r"\w+", key) for key in metrics)
    for text, metric in zip(specs, metrics.values(), strict=True):
        alone = spec.build(text, METRICS, "metric")
        assert type(metric) is type(alone) and metric.options == alone.options


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_alone_has_its_name_for_a_key_and_twice_is_refused(name):
    assert list(make_metrics([full(name)])) == [name]
    with pytest.raises(UsageError, match="asked for twice"):
        make_metrics([full(name), full(name)])


@pytest.mark.parametrize(
    "specs", [["swd", "swd-n_projections=128"], ["sinkhorn=0.10", "sinkhorn-epsilon=1e-1"]]
)
def test_the_same_metric_in_other_words_is_refused(specs):
    with pytest.raises(UsageError, match=re.escape(f"--metrics={specs[1]} is asked for twice")):
        make_metrics(specs)


def test_an_unknown_metric_is_refused():
    with pytest.raises(UsageError, match="Unknown metric 'w2'"):
        make_metrics(["w1", "w2"])
    assert make_metrics([]) == {} and metric_keys([], []) == []


@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("name", [*METRICS, "mmd-unbiased=True", "w1-otmeans=True"])
def test_few_real_samples_leave_references_out_and_break_nothing(name, m, n):
    context = {"features": CLASSIFIER} if name in FEATURE_METRICS else {}
    metric = spec.build(full(name), METRICS, "metric", **context)
    rng = np.random.default_rng(m)
    shape = (2,) if name == "modes" else (16, 16, 1)
    real, fake = (rng.uniform(-1, 1, (count, *shape)).astype(np.float32) for count in (m, n))
    reference = metric.reference(real, n)
    if m == 1:
        assert not [key for key in reference if key.startswith(("_floor", "_real"))]
    few = name == "mmd-unbiased=True" and min(m, n) == 1
    if name in FEATURE_METRICS:  # the build of a run asks this first
        try:
            metric.check_counts(n, m)
        except UsageError:
            few = True
    if few:
        with pytest.raises(UsageError, match="at least|more than|samples"):
            metric.measure(fake, real)
        return
    assert all(
        type(value) is not str and math.isfinite(value)
        for value in {**reference, **metric.measure(fake, real)}.values()
    )


def test_a_distance_that_was_not_solved_has_no_plain_name(monkeypatch):
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(80, 3)), rng.normal(size=(60, 3))
    monkeypatch.setattr(
        distances, "exact_plan", lambda x, y, **options: exact_plan(x, y, max_iterations=5)
    )
    metric = METRICS["w1"]()
    reference, measured = metric.reference(real, 10), metric.measure(fake, real)
    assert reference.keys() == {"_floor_lower", "_floor_upper", "_real_lower", "_real_upper"}
    assert measured.keys() == {"_lower", "_upper"}
    assert measured["_lower"] <= w1(fake, real) <= measured["_upper"] == metric.upper
    assert reference["_floor_lower"] <= w1(real[:40], real[40:]) <= reference["_floor_upper"]


@pytest.mark.parametrize(
    "epsilon, steps, reached", [(1.0, 500, True), (1.0, 3, False), (0.01, 50, False)]
)
def test_sinkhorn_has_a_plain_name_only_where_it_converged(epsilon, steps, reached):
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(80, 3)), rng.normal(size=(60, 3)) + 1
    metric = spec.build(f"sinkhorn={epsilon}-max_iterations={steps}", METRICS, "metric")
    measured, reference = metric.measure(fake, real), metric.reference(real, 10)
    if reached:
        assert measured.keys() == {""} and reference.keys() == {"_floor", "_real"}
    else:
        assert measured.keys() == {"_unconverged", "_error"} and measured["_error"] > 1e-3
        assert "_floor" not in reference and reference["_floor_error"] > 1e-3


def test_references_that_were_kept_serve_as_those_that_were_found():
    points = datasets.load("ring8-n=64").real(slice(None))
    first, second = METRICS["w1"](otmeans=True), METRICS["w1"](otmeans=True)
    second.recall(first.reference(points, 8))
    assert second.measure(points[:8], points) == first.measure(points[:8], points)
    assert "_ratio" not in METRICS["w1"](otmeans=True).measure(points[:8], points)
    assert SimpleNamespace(**first.options).otmeans is True


def test_metrics_of_one_extractor_make_features_once():
    seen = []

    def counted(items):
        seen.append(len(items))
        return items.astype(np.float32), None

    extractor = Extractor("counted", "1", "none", counted)
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(50, 3)), rng.normal(size=(40, 3))
    alone = [METRICS[name].with_().measure(fake, real) for name in ("mind", "recall", "precision")]
    shared = [METRICS[name].with_(features=extractor) for name in ("mind", "recall", "precision")]
    assert [metric.measure(fake, real) for metric in shared] == alone and sorted(seen) == [40, 50]
    fake[:] = real[:40]  # the same array with other numbers is another set
    assert shared[2].measure(fake, real)[""] == 1 and sorted(seen) == [40, 40, 50]
