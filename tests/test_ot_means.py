"""These are laws of OTMeans.

W1 never rises, known optima and the data themselves are found, and nothing breaks at a sample.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.optimize import minimize

from tfwgan.program.datasets import load
from tfwgan.transport import descent
from tfwgan.transport import means as module
from tfwgan.transport.exact import w1
from tfwgan.transport.means import ot_means, save
from tfwgan.transport.patches import local_patch_swd, patch_swd
from tfwgan.transport.sliced import swd

METHODS = ["weiszfeld", "mean", "gradient"]
ROOT = Path(__file__).parent.parent


def cloud(n, d=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def squares():
    return load("squares").real(slice(None))


@pytest.mark.slow
@pytest.mark.parametrize("float32", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_w1_never_rises_and_is_that_of_the_points(method, float32, monkeypatch):
    monkeypatch.setattr(descent, "_SMALL", 0 if float32 else 2**20)
    for seed in range(8):
        x = cloud(60, 1 + seed % 4, seed)
        x = np.rint(x) if seed % 3 == 2 else x
        means = ot_means(x, 1 + 3 * seed, method, seed=seed, tolerance=1e-7, starts=2)
        assert len(means.history) > 1 and (np.diff(means.history) <= 0).all()
        np.testing.assert_allclose(means.value, w1(means.centroids, x), rtol=1e-5)
        assert means.value == means.history[-1] and means.steps >= len(means.history) - 1
        assert means.centroids.dtype == np.float32
        assert (means.centroids >= x.min(axis=0)).all() and (means.centroids <= x.max(axis=0)).all()


def test_a_step_of_weiszfeld_never_has_to_be_taken_back():
    for seed in range(20):
        x = cloud(50, 3, seed)
        steps = []

        def note(step, value, steps=steps):
            steps.append(value)

        means = ot_means(x, 7, seed=seed, tolerance=1e-9, on_step=note, starts=1)
        assert (np.diff(steps) <= 1e-9).all()
        assert len(steps) == means.steps + 1 and means.steps - len(means.history) + 1 <= 1


@pytest.mark.parametrize("float32", [False, True])
@pytest.mark.parametrize("method", ["weiszfeld", "mean"])
def test_as_many_points_as_samples_are_the_samples(method, float32, monkeypatch):
    monkeypatch.setattr(descent, "_SMALL", 0 if float32 else 2**20)
    for x in (
        cloud(40, 5),
        np.repeat(cloud(10, 3), 4, axis=0),
        np.zeros([6, 2], np.float32),
        cloud(1),
    ):
        means = ot_means(x, len(x), method)
        assert means.value == 0.0 and means.converged
        np.testing.assert_array_equal(np.unique(means.centroids, axis=0), np.unique(x, axis=0))


def test_as_many_points_as_squares_are_the_squares():
    x = squares()[::27]
    means = ot_means(x, len(x))
    assert means.value == 0.0 and means.centroids.shape == x.shape
    assert {c.tobytes() for c in means.centroids} == {image.tobytes() for image in x}


@pytest.mark.slow
def test_steps_against_the_gradient_nearly_reach_the_samples():
    x = cloud(20)
    means = ot_means(x, 20, "gradient", max_steps=300, tolerance=1e-4)
    assert means.value < 1e-2 * means.history[0]


@pytest.mark.parametrize("method", ["weiszfeld", "gradient"])
def test_one_point_is_the_geometric_median(method):
    x = cloud(51, 3).astype(np.float64)
    best = minimize(lambda c: np.linalg.norm(x - c, axis=1).mean(), x.mean(axis=0), tol=1e-10)
    means = ot_means(x, 1, method, max_steps=500, tolerance=1e-9)
    np.testing.assert_allclose(means.value, best.fun, rtol=1e-6)
    np.testing.assert_allclose(means.centroids[0], best.x, atol=1e-2)


def test_one_point_on_a_sample_stays_if_it_is_the_median_and_leaves_if_not():
    cross = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)
    stays = ot_means(cross, 1, initial=cross[:1])
    np.testing.assert_array_equal(stays.centroids, cross[:1])
    np.testing.assert_allclose(stays.value, 0.8, rtol=1e-6)
    leaves = ot_means(cross, 1, initial=cross[1:2], max_steps=500, tolerance=1e-9)
    np.testing.assert_allclose(leaves.value, 0.8, rtol=1e-3)
    doubled = np.concatenate([np.repeat(cross[1:2], 6, axis=0), cross])
    np.testing.assert_array_equal(ot_means(doubled, 1, initial=cross[1:2]).centroids, cross[1:2])


def test_on_the_line_every_point_is_the_median_of_its_share():
    x = np.random.default_rng(0).permutation(np.linspace(-1, 1, 60, dtype=np.float32))[:, None]
    for k in (1, 4, 12):
        means = ot_means(x, k, max_steps=500, tolerance=1e-9)
        shares = np.sort(x[:, 0]).reshape(k, -1)
        best = np.abs(shares - np.median(shares, axis=1, keepdims=True)).mean()
        np.testing.assert_allclose(means.value, best, rtol=1e-3)


def test_the_mean_of_one_point_is_the_mean():
    x = cloud(30, 4)
    means = ot_means(x, 1, "mean", initial=np.full([1, 4], 3.0))
    np.testing.assert_allclose(
        means.history[1], np.linalg.norm(x - x.mean(axis=0), axis=1).mean(), rtol=1e-6
    )


@pytest.mark.parametrize("d", [2, 5])
@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("each", [2, 4])  # clusters, next to each other, for a point
def test_several_starts_find_what_is_seen_at_a_glance(k, each, d):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        groups = rng.normal(size=(k, d))
        groups = (
            20 * np.linalg.qr(groups.T)[0].T[:k]
            if k <= d
            else 20 * np.eye(k, d) - 9 * np.arange(k)[:, None]
        )
        near = rng.normal(size=(k, each, d))
        centres = (
            groups[:, None] + 2 * near / np.linalg.norm(near, axis=2, keepdims=True)
        ).reshape(-1, d)
        x = rng.permutation(
            np.repeat(centres, 6, axis=0) + 0.01 * rng.normal(size=(k * each * 6, d))
        )
        by_hand = w1(groups, x)
        found = ot_means(x, k)
        assert found.value <= 1.001 * by_hand and found.starts > 1


@pytest.mark.parametrize(
    "method, lr", [("weiszfeld", 1.0), ("gradient", 1.0), ("gradient", 1e3), ("gradient", 1e8)]
)
def test_what_is_called_converged_is_stationary(method, lr):
    for seed in range(3):
        x = cloud(60, 3, seed).astype(np.float64)
        means = ot_means(x, 4, method, seed=seed, lr=lr, tolerance=1e-6, max_steps=300, starts=1)
        better = ot_means(x, 4, initial=means.centroids, tolerance=1e-9, max_steps=100)
        assert means.converged and better.value >= (1 - 1e-3) * means.value


def test_a_start_beside_the_samples_is_left():
    x = cloud(200, 5)
    beside = x[:4] + np.float32(1e-6)
    means = ot_means(x, 4, initial=beside)
    assert means.converged and means.value < 0.98 * w1(x[:4], x)


def test_a_short_step_grows_again():
    x = cloud(60, 3)
    means = ot_means(x, 4, "gradient", lr=1e8, tolerance=1e-6, max_steps=300, starts=1)
    assert means.steps > len(means.history) > 10 and means.converged


def test_clusters_of_equal_size_get_one_point_each():
    centres = np.array([[-0.8, -0.8], [0.8, -0.8], [0.0, 0.9], [0.1, 0.0]], np.float32)
    x = np.concatenate([centre + 0.01 * cloud(25, 2, i) for i, centre in enumerate(centres)])
    found = ot_means(x, 4).centroids
    distances = np.linalg.norm(found[:, None] - centres, axis=2)
    assert sorted(distances.argmin(axis=1)) == [0, 1, 2, 3] and distances.min(axis=1).max() < 0.01


@pytest.mark.parametrize("method", METHODS)
def test_nearly_coinciding_samples_break_nothing(method):
    for scale in (1e-3, 1e-6, 1e-9, 1e-20):
        x = np.concatenate(
            [np.repeat(cloud(5), 4, axis=0) + scale * cloud(20), cloud(3, 2, 1) * 1e4]
        )
        means = ot_means(x, 6, method, initial=x[:6])
        assert np.isfinite(means.centroids).all() and np.isfinite(means.history).all()
        assert (np.diff(means.history) <= 0).all()


@pytest.mark.slow
def test_a_large_set_starts_from_part_of_it(monkeypatch):
    x = cloud(3000, 3)
    whole = ot_means(x, 8)
    monkeypatch.setattr(module, "_LARGE", 1000)
    part = ot_means(x, 8)
    assert part.history[0] < 1.1 * whole.value and whole.history[0] > 1.5 * whole.value
    np.testing.assert_allclose(part.value, whole.value, rtol=0.02)


def test_the_start_is_given_or_of_the_seed():
    x = cloud(40)
    one, same, other = (ot_means(x, 3, seed=seed, max_steps=2, starts=1) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.centroids, same.centroids)
    assert one.history == same.history != other.history
    again = ot_means(x, 3, initial=one.centroids)
    assert again.history[0] == one.value
    assert not one.converged and one.steps == 2 and again.starts == 1
    steps = []
    several = [ot_means(x, 3, starts=4, on_step=lambda *step: steps.append(step)) for _ in range(2)]
    assert several[0].history == several[1].history and several[0].starts == 4
    assert len([step for step, _ in steps if step == 0]) == 2 * 4
    assert several[0].value == min(value for _, value in steps)


@pytest.mark.slow
def test_the_squares_have_known_optima(tmp_path):
    x = squares()
    np.testing.assert_allclose(ot_means(x, 1, tolerance=1e-7).value, 19.6726, rtol=1e-4)
    means = ot_means(x, 64)
    assert (
        means.converged and 12.23 < means.value < 12.243
    )  # four starts end between 12.2347 and 12.2423
    np.testing.assert_allclose(means.value, w1(means.centroids, x), rtol=1e-5)
    assert (
        means.centroids.shape == (64, 64, 64, 1)
        and -1 <= means.centroids.min() <= means.centroids.max() <= 1
    )
    # Far nearer to the data than 64 of them, whose patches are far more like those of the data.
    some = x[np.random.default_rng(0).choice(len(x), 64, replace=False)]
    assert (
        w1(some, x) > 1.4 * means.value
        and patch_swd(some, x, 16, 8) < patch_swd(means.centroids, x, 16, 8) / 3
    )
    np.testing.assert_allclose(patch_swd(means.centroids, x, 16, 8), 0.0263, rtol=0.15)
    np.testing.assert_allclose(local_patch_swd(means.centroids, x, 16, 8), 0.0327, rtol=0.15)
    np.testing.assert_allclose(swd(means.centroids, x), 0.056, rtol=0.15)
    save(tmp_path / "means.npz", means)
    with np.load(tmp_path / "means.npz") as file:
        np.testing.assert_array_equal(file["centroids"], means.centroids)
        assert file["value"] == means.value and list(file["history"]) == means.history
    assert [path.name for path in tmp_path.iterdir()] == ["means.npz"]


@pytest.mark.parametrize(
    "options, answer",
    [
        ({"k": 0}, "k must lie in 1 ... 10, the number of samples"),
        ({"k": 11}, "got 11"),
        ({"method": "sgd"}, "method must be one of weiszfeld, mean, gradient, got 'sgd'"),
        ({"max_steps": 0}, "max_steps and starts must be at least 1"),
        ({"starts": 0}, "starts must be at least 1, .* got 100, 0"),
        ({"tolerance": -1.0}, "tolerance at least 0"),
        ({"tolerance": np.nan}, "tolerance at least 0"),
        ({"lr": 0.0}, "lr above 0"),
        ({"initial": np.zeros([3, 2])}, r"initial must have shape \[2, 2\], got \[3, 2\]"),
        ({"initial": np.full([2, 2], np.nan)}, "initial must be finite"),
        ({"data": np.full([10, 2], np.inf)}, "data must be finite"),
        ({"data": np.zeros([0, 2])}, "data must hold at least one point"),
    ],
)
def test_wrong_arguments_are_told(options, answer):
    with pytest.raises(ValueError, match=answer):
        ot_means(**{"data": cloud(10), "k": 2, **options})


def test_the_script_writes_points_and_their_picture(tmp_path, script):
    done = script(
        "ot_means", "--data=squares=16-square=3", "--k=9", f"--out={tmp_path / 'a' / 'images'}"
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "step 1" in done.stdout and "W1" in done.stdout.splitlines()[-1]
    done = script(
        "ot_means",
        "--data=ring8-n=80",
        "--k=8",
        "--method=mean",
        "--steps=3",
        f"--out={tmp_path / 'points'}",
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    with np.load(tmp_path / "a" / "images" / "centroids.npz") as file:
        assert file["centroids"].shape == (9, 16, 16, 1)
    with Image.open(tmp_path / "points" / "centroids.png") as picture:
        assert picture.mode == "RGB"


@pytest.mark.parametrize(
    "arguments, answer",
    [
        (["--data=squares", "--k=3000"], "k must lie in 1 ... 2704"),
        (["--data=squares", "--k=0"], "--k=0"),
        (["--data=square"], "did you mean 'squares'"),
        (["--data=squares", "--method=sgd"], "weiszfeld"),
    ],
)
def test_a_mistake_is_answered_in_one_line(arguments, answer, tmp_path, script):
    done = script("ot_means", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and answer in done.stderr and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
