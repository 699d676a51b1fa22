"""Laws of scores of features: closed forms, brute force, orientation, errors."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.special import softmax

from tfwgan import metrics
from tfwgan.errors import UsageError
from tfwgan.metrics.manifold import radii
from tfwgan.transport.moments import Moments, frechet_of_moments
from tfwgan.transport.sliced import directions


def sets(n=60, m=80, d=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), 1.4 * rng.normal(size=(m, d)) + 0.4


def standard(n, d, seed):
    """Points whose mean is exactly 0 and whose covariance is exactly 1."""
    x = np.random.default_rng(seed).normal(size=(n, d))
    x -= x.mean(0)
    return x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T


# The Frechet distance


@pytest.mark.parametrize("n, m", [(50, 50), (50, 311), (2000, 900)])
def test_fid_of_gaussians_is_the_closed_form(n, m):
    a, b = np.array([1.0, 2.0, 0.5, 3.0]), np.array([2.0, 2.0, 1.5, 0.1])
    x, y = standard(n, 4, 0) * a, standard(m, 4, 1) * b + 1.0
    np.testing.assert_allclose(metrics.fid(x, y), 4.0 + np.sum((a - b) ** 2), rtol=1e-9)


@pytest.mark.parametrize("n, m, d", [(300, 200, 7), (40, 40, 30), (12, 300, 30), (10, 11, 60)])
def test_fid_is_its_formula_symmetric_and_knows_no_rotation(n, m, d):
    x, y = sets(n, m, d)
    cov_x, cov_y = np.cov(x.T), np.cov(y.T)
    root = np.trace(np.real(sqrtm(cov_x @ cov_y)))
    formula = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(cov_x + cov_y) - 2 * root
    rotation = np.linalg.qr(np.random.default_rng(3).normal(size=(d, d)))[0]
    # Below full rank the formula's own square root is good to a few digits only.
    np.testing.assert_allclose(metrics.fid(x, y), formula, rtol=1e-6 if min(n, m) > d else 1e-3)
    np.testing.assert_allclose(metrics.fid(y, x), metrics.fid(x, y), rtol=1e-9)
    np.testing.assert_allclose(metrics.fid(x @ rotation, y @ rotation), metrics.fid(x, y), 1e-8)


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_fid_of_degenerate_sets_is_right(scale):
    x, y = sets(200, 300, 6)
    x, y = scale * x, scale * y
    x[:, 3:], y[:, 3:] = x[:, :3], y[:, :3]  # of rank 3, with more points than dimensions
    np.testing.assert_allclose(metrics.fid(x, y), 2 * metrics.fid(x[:, :3], y[:, :3]), rtol=1e-6)
    constant = np.full((50, 6), scale)
    assert metrics.fid(constant, constant) == pytest.approx(0, abs=1e-12 * scale**2)
    assert metrics.fid(constant, 0 * constant) == pytest.approx(6 * scale**2)
    assert metrics.fid(x, x) == pytest.approx(0, abs=1e-7 * scale**2)


def test_moments_of_batches_are_those_of_all_at_once_even_far_from_the_origin():
    x = sets(1000, d=6)[0] + 1e6
    moments = Moments()
    for batch in np.array_split(x, [1, 2, 30, 700]):
        moments.update(batch)
    np.testing.assert_allclose(moments.mean, x.mean(0), rtol=1e-14)
    np.testing.assert_allclose(moments.covariance, np.cov(x.T), rtol=1e-6, atol=1e-9)
    assert moments.n == 1000


def test_moments_near_to_singular_give_the_same_as_the_points():
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(500, 40)) * np.geomspace(1, 1e-7, 40) for _ in range(2))
    whole = metrics.fid(np.concatenate([x, x]), np.concatenate([y, y]))
    shared = frechet_of_moments(x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T))
    assert shared == pytest.approx(whole, rel=0.01) and shared > 0


def test_the_bootstrap_tells_the_spread_of_fid():
    rng = np.random.default_rng(0)
    drawn = lambda: (rng.normal(size=(300, 3)), 1.5 * rng.normal(size=(300, 3)))  # noqa: E731
    spread = np.std([metrics.fid(*drawn()) for _ in range(300)])
    errors = [metrics.fid_error(*drawn(), replicates=60, seed=i) for i in range(10)]
    assert 0.75 < np.mean([error for error, _, _ in errors]) / spread < 1.33
    for (x, y), seed in zip([drawn() for _ in range(5)], range(5), strict=True):
        error, low, high = metrics.fid_error(x, y, seed=seed)
        assert low < metrics.fid(x, y) < high and 3 * error < high - low < 5 * error


def test_fid_at_infinity_has_less_bias_than_fid():
    values = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(600, 20)), standard(5000, 20, seed)
        values.append((metrics.fid(x, y), metrics.fid_infinity(x, y, seed)[0]))
    plain, continued = np.mean(values, axis=0)
    assert plain > 0.15 and abs(continued) < 0.2 * plain  # the true distance is 0


def test_intra_fid_is_fid_within_each_class():
    x, y = sets(300, 400)
    x_labels, y_labels = np.arange(300) % 3, np.arange(400) % 3
    found = metrics.intra_fid(x, x_labels, y, y_labels)
    assert found == {c: metrics.fid(x[x_labels == c], y[y_labels == c]) for c in range(3)}
    with pytest.raises(UsageError, match="no generated sample of class 2"):
        metrics.intra_fid(x[x_labels < 2], x_labels[x_labels < 2], y, y_labels)


# The kernel distance


def brute_kid(x, y):
    def k(a, b):
        return (a @ b / len(a) + 1) ** 3

    n, m = len(x), len(y)
    xx = sum(k(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    yy = sum(k(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return xx + yy - 2 * np.mean([[k(a, b) for b in y] for a in x])


@pytest.mark.parametrize("n, m", [(3, 3), (20, 31)])
def test_kid_is_its_formula_and_its_error_the_jackknife(n, m):
    x, y = sets(n, m)
    value, error = metrics.kid(x, y)
    np.testing.assert_allclose(value, brute_kid(x, y), rtol=1e-9)
    np.testing.assert_allclose(metrics.kid(y, x), (value, error), rtol=1e-9)
    if n > 3:
        less_x = [brute_kid(np.delete(x, i, 0), y) for i in range(n)]
        less_y = [brute_kid(x, np.delete(y, i, 0)) for i in range(m)]
        variance = (n - 1) * np.var(less_x) + (m - 1) * np.var(less_y)
        np.testing.assert_allclose(error, variance**0.5, rtol=1e-6)


def test_kid_is_unbiased_and_its_error_is_its_spread():
    rng = np.random.default_rng(0)
    found = np.array([metrics.kid(*rng.normal(size=(2, 60, 4))) for _ in range(300)])
    assert abs(found[:, 0].mean()) < 3 * found[:, 0].std() / 300**0.5
    shifted = np.array(
        [metrics.kid(rng.normal(size=(60, 4)), rng.normal(size=(60, 4)) + 1) for _ in range(200)]
    )
    assert 0.8 < shifted[:, 1].mean() / shifted[:, 0].std() < 1.25


# The Inception Score and classes


def test_the_inception_score_is_its_formula():
    logits = 3 * np.random.default_rng(0).normal(size=(101, 7))
    scores = []
    for part in np.array_split(softmax(logits, axis=1), 4):
        marginal = part.mean(0)
        divergences = [
            sum(p * np.log(p / q) for p, q in zip(row, marginal, strict=True)) for row in part
        ]
        scores.append(np.exp(np.mean(divergences)))
    value = metrics.inception_score(logits, splits=4)
    np.testing.assert_allclose(value, (np.mean(scores), np.std(scores)), rtol=1e-9)
    np.testing.assert_allclose(metrics.inception_score(logits + 500.0, 4), value, rtol=1e-9)


def test_the_inception_score_lies_between_1_and_the_number_of_classes():
    assert metrics.inception_score(np.ones([20, 5]), 2) == pytest.approx((1.0, 0.0))
    sure = 1e3 * np.eye(5)[np.arange(100) % 5]
    assert metrics.inception_score(sure, 4) == pytest.approx((5.0, 0.0))
    with pytest.raises(UsageError, match="splits"):
        metrics.inception_score(sure, 101)


def test_classes_found_are_counted_and_their_divergence_is_the_formula():
    logits = np.eye(6)[[0, 0, 0, 2, 2, 5]]
    found, divergence = metrics.classes_found(logits, [0, 1, 2, 3])
    assert found == 2  # class 5 is none of the data's
    share = np.array([0.6, 0.4])
    np.testing.assert_allclose(divergence, np.sum(share * np.log(share / 0.25)))
    assert metrics.classes_found(np.eye(4), range(4)) == (4, 0.0)
    assert metrics.classes_found(np.eye(4)[[3]], [0, 1, 1]) == (0, pytest.approx(np.log(3)))


# Neighbourhoods


def brute_radii(x, k):
    far = np.linalg.norm(x[:, None] - x, axis=-1)
    return np.sort(far, axis=1)[:, k]


@pytest.mark.parametrize("n, m, k", [(60, 80, 3), (40, 30, 5), (7, 9, 6), (1200, 1100, 4)])
def test_neighbourhoods_are_those_of_brute_force(n, m, k):
    fake, real = sets(n, m, 3)
    far = np.linalg.norm(fake[:, None] - real, axis=-1)
    of_fake, of_real = brute_radii(fake, k), brute_radii(real, k)
    np.testing.assert_allclose(radii(real, k), of_real, rtol=1e-9)
    assert metrics.precision(fake, real, k) == (far <= of_real).any(1).mean()
    assert metrics.recall(fake, real, k) == (far <= of_fake[:, None]).any(0).mean()
    np.testing.assert_allclose(metrics.density(fake, real, k), (far <= of_real).sum() / (k * n))
    assert metrics.coverage(fake, real, k) == (far.min(0) <= of_real).mean()
    copied = far.min(1) < brute_radii(real, 1)[far.argmin(1)]
    np.testing.assert_allclose(metrics.authenticity(fake, real), 1 - copied.mean())


def test_orientation_of_precision_and_recall():
    real = np.random.default_rng(0).normal(size=(300, 4))
    collapsed = real[:1] + 1e-3 * np.random.default_rng(1).normal(size=(300, 4))
    assert metrics.precision(collapsed, real) == 1 and metrics.recall(collapsed, real) < 0.01
    assert metrics.precision(real, collapsed) < 0.01 and metrics.recall(real, collapsed) == 1
    scattered = np.concatenate([real, real + 100.0])  # all is there, and as much rubbish
    assert metrics.precision(scattered, real) == 0.5 and metrics.recall(scattered, real) == 1


@pytest.mark.parametrize("copies", [1, 4])
def test_identical_sets_are_perfect(copies):
    x = np.repeat(sets(50)[0], copies, axis=0)
    assert metrics.precision(x, x) == metrics.recall(x, x) == metrics.coverage(x, x) == 1
    assert metrics.fid(x, x) == pytest.approx(0, abs=1e-9) and metrics.mind(x, x) == 0
    assert metrics.authenticity(x, x) == (0 if copies == 1 else 1)  # a duplicate is no nearer


def test_what_is_expected_of_samples_of_one_law():
    rng = np.random.default_rng(0)
    fake, real = rng.normal(size=(2, 1500, 4))
    assert metrics.density(fake, real) == pytest.approx(1, abs=0.05)
    assert metrics.coverage(fake, real) == pytest.approx(1 - 2**-5, abs=0.02)
    assert metrics.authenticity(fake, real) == pytest.approx(0.5, abs=0.05)
    assert metrics.authenticity(real + 1e-6, real) == 0


# MIND


def test_mind_is_its_formula_for_any_numbers_of_samples():
    x, y = sets(40, 60, 6)
    lines = directions(6, 50, 3).numpy()
    # As many copies of both, so that the optimal plan pairs them in order.
    gaps = [np.sort(np.repeat(x @ u, 60)) - np.sort(np.repeat(y @ u, 40)) for u in lines.T]
    formula = 3 * 6 * np.mean(np.square(gaps))
    np.testing.assert_allclose(metrics.mind(x, y, 50, 3), formula, rtol=1e-5)
    np.testing.assert_allclose(metrics.mind(y, x, 50, 3), formula, rtol=1e-5)
    twice = metrics.mind(np.repeat(x, 2, 0), np.repeat(y, 2, 0), 50, 3)
    np.testing.assert_allclose(twice, formula, rtol=1e-5)


def test_mind_of_a_translate_is_three_times_fid():
    x = sets(50, d=8)[0]
    shift = np.full(8, 0.5)
    assert metrics.mind(x, x + shift, 20000) == pytest.approx(3 * metrics.fid(x, x + shift), 0.02)


# What is refused

TWO = {"fid": 1, "kid": 3, "mind": 1, "precision": 4, "recall": 4, "density": 6, "coverage": 6}


@pytest.mark.parametrize("name", TWO)
def test_wrong_features_are_refused_in_one_line(name):
    score = getattr(metrics, name)
    x = np.zeros((TWO[name], 3))
    score(x, x)
    for wrong in (np.full((9, 3), np.nan), np.zeros((9, 4)), np.zeros((0, 3))):
        with pytest.raises(ValueError, match=r"^[^\n]+$"):
            score(wrong, np.zeros((9, 3)))
    if TWO[name] > 1:
        with pytest.raises(UsageError, match="at least|more than"):
            score(x[1:], x[1:])
