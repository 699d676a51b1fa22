"""Laws of pairs of sets in TensorFlow: how and where points are given is no matter."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cdist
from small_distances import distance_of

from tfwgan.transport import DISTANCES
from tfwgan.transport.exact import w1
from tfwgan.transport.pairs import distances, flat_pair
from tfwgan.transport.sinkhorn import sinkhorn, sinkhorn_loss
from tfwgan.transport.sliced import full_dim_swd

OPTIONS = {
    "projected_w1": "-dim=4",
    "sinkhorn": "=9",
    "patch_w1": "-p=2-s=1",
    "patch_swd": "-p=2",
    "mmd": "-sigma=99",
}
OPTIONS["local_patch_swd"] = "-p=2-s=1"


def build(name):
    return distance_of(name + OPTIONS.get(name, ""))


def sets(n=9, m=7, d=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.5


@pytest.mark.parametrize(
    "kind", ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
)
@pytest.mark.parametrize("name", DISTANCES)
def test_whole_numbers_are_as_far_apart_as_the_same_floats(name, kind):
    rng = np.random.default_rng(0)
    x, y = (
        rng.integers(0, 100 if kind != "bool" else 2, (n, 4, 4, 1)).astype(kind) for n in (6, 5)
    )
    right = float(build(name)(x.astype(np.float64), y.astype(np.float64)))
    assert right > 0
    for one in (x, tf.constant(x)) if name not in ("nn", "frechet", "mmd") else (x,):
        np.testing.assert_allclose(float(build(name)(one, y)), right, rtol=1e-4)
    np.testing.assert_allclose(float(build(name)(x, y.astype(np.float64))), right, rtol=1e-4)


@pytest.mark.parametrize("bad", [np.zeros((3, 4, 4, 1), complex), np.full((3, 4, 4, 1), "a")])
@pytest.mark.parametrize("name", DISTANCES)
def test_what_is_no_number_is_refused(name, bad):
    for pair in ((bad, np.ones((2, 4, 4, 1))), (np.ones((2, 4, 4, 1)), bad)):
        with pytest.raises(ValueError, match="must hold real numbers"):
            build(name)(*pair)


def test_the_type_is_that_of_the_first_set():
    for x, y, kind in [
        ("float32", "float64", "float32"),
        ("float64", "int8", "float64"),
        ("uint8", "int64", "float32"),
    ]:
        pair = flat_pair(np.ones((2, 3), x), np.ones((4, 3), y))
        assert [part.dtype.name for part in pair] == [kind] * 2


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("chunk", [1, 2**22])
@pytest.mark.parametrize("shift, far", [(0, 0), (1e3, 0), (1e9, 0), (0, 1e20), (1e6, 1e100)])
def test_distances_keep_their_digits(shift, far, chunk, graph, monkeypatch):
    monkeypatch.setattr("tfwgan.transport.pairs._CHUNK", chunk)
    x, y = (part + shift for part in sets())
    y[2] = x[3]
    y[4] = x[5] + 1e-5
    if far:
        x, y = (np.concatenate([part, np.full((1, 5), far)]) for part in (x, y))
    measure = distances
    if graph:
        measure = tf.function(
            distances, input_signature=[tf.TensorSpec([None, None], tf.float64)] * 2
        )
    found = measure(tf.constant(x), tf.constant(y)).numpy()
    np.testing.assert_allclose(found, cdist(x, y), rtol=1e-10)
    assert found[3, 2] == 0


@pytest.mark.parametrize(
    "function", [lambda x, y: full_dim_swd(x, y, 16), lambda x, y: sinkhorn_loss(x, y, 0.3)]
)
@pytest.mark.parametrize("shift", [1e2, 1e5, 1e8])
def test_distances_and_their_slopes_know_no_origin(function, shift):
    x, y = sets()
    values = []
    for origin in (0.0, shift):
        moved = tf.constant(x + origin)
        with tf.GradientTape() as tape:
            tape.watch(moved)
            value = function(moved, y + origin)
        values.append((value.numpy(), tape.gradient(value, moved).numpy()))
    for plain, moved in zip(*values, strict=True):
        np.testing.assert_allclose(moved, plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("far", [1e6, 1e9, 1e12])
def test_a_far_point_of_both_sets_adds_nothing_to_sinkhorn(far):
    x, y = sets(8, 8)
    alone = float(sinkhorn_loss(x, y, 0.3, tolerance=1e-8, max_iterations=5000))
    x, y = (np.concatenate([part, np.full((1, 5), far)]) for part in (x, y))
    together = float(sinkhorn_loss(x, y, 0.3, tolerance=1e-8, max_iterations=5000))
    np.testing.assert_allclose(together, alone * 8 / 9, rtol=1e-4)


@pytest.mark.parametrize("far", [1e6, 1e12, 1e16, 1e20, 1e100])
def test_sinkhorn_claims_no_number_that_a_far_point_has_spoilt(far):
    x, y = sets(8, 8)
    alone = sinkhorn(x, y, 0.3).value
    x, y = (np.concatenate([part, np.full((1, 5), far)]) for part in (x, y))
    result = sinkhorn(x, y, 0.3)
    assert not result.converged or result.value == pytest.approx(alone * 8 / 9, rel=1e-3)
    assert result.converged or far > 1e6


@pytest.mark.parametrize("shift", [0.0, 1e3, 1e6])
@pytest.mark.parametrize("gap", [1.0, 1e-3, 1e-6])
def test_coupled_along_lines_is_at_least_w1_however_near_the_sets_are(gap, shift):
    y = np.random.default_rng(0).normal(size=(6, 3)) + shift
    x = y + gap * np.random.default_rng(1).normal(size=y.shape)
    assert full_dim_swd(x, y, 16) >= w1(x, y) * (1 - 1e-9)
