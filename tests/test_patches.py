"""These are laws of patch distances.

They are those of sets of patches cut out one by one, whatever image they belong to.
"""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tfwgan.program.datasets import load
from tfwgan.transport import patches
from tfwgan.transport.exact import w1
from tfwgan.transport.patches import local_patch_swd, patch_swd, patch_w1
from tfwgan.transport.sliced import swd

CASES = [
    # n, m, h, w, c, p, s
    (3, 3, 8, 8, 1, 4, 1),
    (3, 2, 9, 7, 3, 3, 2),
    (2, 3, 8, 8, 2, 8, 1),
    (2, 2, 10, 10, 1, 3, 4),
    (4, 4, 6, 6, 1, 1, 1),
    (1, 1, 12, 9, 3, 4, 8),
    (1, 4, 5, 6, 1, 2, 7),
]
DISTANCES = [patch_swd, local_patch_swd, patch_w1]


def images(n, h, w, c, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, [n, h, w, c])


def cut(x, p, s):
    """Patches `[places, n, p * p * c]`, one by one."""
    h, w = x.shape[1:3]
    corners = [(i, j) for i in range(0, h - p + 1, s) for j in range(0, w - p + 1, s)]
    return np.stack([x[:, i : i + p, j : j + p].reshape(len(x), -1) for i, j in corners])


def pooled(x, p, s):
    return np.concatenate(cut(x, p, s))


@pytest.mark.parametrize("n, m, h, w, c, p, s", CASES)
def test_they_are_the_distances_of_the_patches_cut_out(n, m, h, w, c, p, s):
    x, y = images(n, h, w, c), images(m, h, w, c, 1) * 0.7
    k = 40  # more than one chunk of directions
    np.testing.assert_allclose(
        patch_swd(x, y, p, s, k, 3), swd(pooled(x, p, s), pooled(y, p, s), k, 3), rtol=1e-9
    )
    places = [swd(a, b, k, 3) for a, b in zip(cut(x, p, s), cut(y, p, s), strict=True)]
    np.testing.assert_allclose(local_patch_swd(x, y, p, s, k, 3), np.mean(places), rtol=1e-9)
    np.testing.assert_allclose(
        patch_w1(x, y, p, s), w1(pooled(x, p, s), pooled(y, p, s)), rtol=1e-9
    )


@pytest.mark.parametrize("most", [1, 100, 2000])
@pytest.mark.parametrize("distance", [patch_swd, local_patch_swd])
def test_memory_is_bounded_whatever_the_sets_hold(distance, most, monkeypatch):
    x, y = images(6, 12, 10, 1), images(9, 12, 10, 1, 1) * 0.7
    right, held, project = distance(x, y, 4, 2, 40, 3), [], patches._project

    def watched(*arguments):
        result = project(*arguments)
        held.append(tf.size(result).numpy())
        return result

    monkeypatch.setattr(patches, "_MOST", most)
    monkeypatch.setattr(patches, "_project", watched)
    np.testing.assert_allclose(distance(x, y, 4, 2, 40, 3), right, rtol=1e-12)
    assert max(held) <= max(most, 9 * 5 * 4) and sum(held) == 40 * 5 * 4 * (6 + 9)


@pytest.mark.parametrize("n, m, h, w, c, p, s", CASES)
@pytest.mark.parametrize("distance", DISTANCES)
def test_gradients_are_those_of_the_patches_cut_out(distance, n, m, h, w, c, p, s):
    x, y = tf.constant(images(n, h, w, c)), tf.constant(images(m, h, w, c, 1) * 0.7)
    options = {} if distance is patch_w1 else {"n_projections": 3}
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        value = distance(x, y, p, s, **options)
    gradients = tape.gradient(value, [x, y])
    random, h = np.random.default_rng(2), 1e-6
    for only, gradient in enumerate(gradients):
        step = random.normal(size=(x, y)[only].shape)
        ends = []
        for sign in (-1, 1):
            moved = [x, y]
            moved[only] = moved[only] + sign * h * step
            ends.append(distance(*moved, p, s, **options).numpy())
        np.testing.assert_allclose(
            np.sum(gradient * step), (ends[1] - ends[0]) / (2 * h), rtol=1e-4, atol=1e-7
        )


def test_images_of_the_same_patches_have_no_patch_distance():
    x = images(4, 8, 8, 3)
    tiles = np.random.default_rng(1).permutation(
        x.reshape(4, 2, 4, 2, 4, 3).swapaxes(2, 3).reshape(-1, 4, 4, 3)
    )
    y = tiles.reshape(4, 2, 2, 4, 4, 3).swapaxes(2, 3).reshape(4, 8, 8, 3)
    for distance in (patch_swd, patch_w1):
        np.testing.assert_allclose(distance(x, y, 4, 4), 0, atol=1e-9)
    assert w1(x, y) > 1 and local_patch_swd(x, y, 4, 4) > 0.05


def test_a_patch_as_large_as_the_image_is_the_image():
    x, y = images(5, 6, 6, 1), images(3, 6, 6, 1, 1)
    for distance in (patch_swd, local_patch_swd):
        np.testing.assert_allclose(distance(x, y, 6, 1, 16, 2), swd(x, y, 16, 2), rtol=1e-9)
    np.testing.assert_allclose(patch_w1(x, y, 6), w1(x, y), rtol=1e-9)


@pytest.mark.parametrize("distance", DISTANCES)
def test_equal_sets_have_no_distance_and_no_gradient(distance):
    x = tf.constant(images(4, 9, 9, 1), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = distance(x, tf.reverse(x, [0]), 4, 2)
    np.testing.assert_allclose(value, 0, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(value, x), 0, atol=1e-6)


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_graph_for_batches_of_any_size_agrees(distance):
    @tf.function(
        input_signature=[tf.TensorSpec([None, 8, 8, 2])] * 2 + [tf.TensorSpec([2], tf.int64)]
    )
    def graph(x, y, seed):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = distance(x, y, 3, 2, seed=seed)
        return value, tape.gradient(value, x)

    seed = tf.constant([3, 4], tf.int64)
    for n, m in ((2, 2), (2, 3)):
        x, y = (
            tf.constant(images(n, 8, 8, 2), tf.float32),
            tf.constant(images(m, 8, 8, 2, 1), tf.float32),
        )
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = distance(x, y, 3, 2, seed=seed)
        for one, other in zip(graph(x, y, seed), (value, tape.gradient(value, x)), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("distance", [patch_swd, local_patch_swd])
def test_a_seed_is_a_choice_of_directions(distance):
    x, y = images(2, 8, 8, 1), images(2, 8, 8, 1, 1)
    assert distance(x, y, 4, 2, 8, 1).numpy() == distance(x, y, 4, 2, 8, 1).numpy()
    assert distance(x, y, 4, 2, 8, 1).numpy() != distance(x, y, 4, 2, 8, 2).numpy()


def test_too_many_patches_are_thinned_out_by_a_seed():
    x, y = images(3, 8, 8, 1), images(3, 8, 8, 1, 1) + 1
    exact = patch_w1(x, y, 4, 1).numpy()
    few = [patch_w1(x, y, 4, 1, seed, 20).numpy() for seed in (1, 1, 2)]
    assert few[0] == few[1] != few[2]
    np.testing.assert_allclose(few, exact, rtol=0.2)
    np.testing.assert_allclose(patch_w1(x, y, 4, 1, 5, 75), exact, rtol=1e-9)
    np.testing.assert_allclose(patch_w1(x, x, 4, 1, 5, 20), 0, atol=1e-12)


@pytest.mark.slow
def test_patches_tell_sets_of_squares_apart():
    squares = load("squares").real(slice(None))
    some = squares[np.random.default_rng(0).choice(len(squares), 64, replace=False)]
    mean, black = squares.mean(axis=0, keepdims=True), -np.ones_like(squares[:1])
    assert 0.004 < patch_swd(some, squares, 16, 8) < 0.011
    assert 0.035 < local_patch_swd(some, squares, 16, 8) < 0.07
    for distance, of_mean, of_black in (
        (patch_swd, 0.1323, 0.1006),
        (local_patch_swd, 0.1376, 0.1006),
    ):
        np.testing.assert_allclose(distance(mean, squares, 16, 8), of_mean, rtol=0.07)
        np.testing.assert_allclose(distance(black, squares, 16, 8), of_black, rtol=0.07)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize(
    "x, y, options, answer",
    [
        (
            (4, 8, 8, 1),
            (4, 8, 8, 1),
            {"p": 9},
            "p must lie in 1 ... 8, the side of the images, got 9",
        ),
        ((4, 8, 6, 1), (4, 8, 6, 1), {"p": 7}, "p must lie in 1 ... 6"),
        ((4, 8, 8, 1), (4, 8, 8, 1), {"p": 0}, "got 0"),
        ((4, 8, 8, 1), (4, 8, 8, 1), {"p": 2, "s": 0}, "s must be at least 1, got 0"),
        ((4, 2), (4, 2), {"p": 2}, r"got samples of shape \[4, 2\]"),
        ((4, 8, 8, 1), (4, 8, 8, 3), {"p": 2}, r"got \[8, 8, 1\] and \[8, 8, 3\]"),
        ((4, 8, 8, 1), (4, 9, 8, 1), {"p": 2}, "images of one shape"),
    ],
)
def test_wrong_arguments_are_told(distance, x, y, options, answer):
    with pytest.raises(ValueError, match=answer):
        distance(np.zeros(x, np.float32), np.zeros(y, np.float32), **options)


def test_wrong_numbers_are_told():
    x = np.zeros([2, 4, 4, 1], np.float32)
    with pytest.raises(ValueError, match="n_projections must be at least 1"):
        patch_swd(x, x, 2, n_projections=0)
    with pytest.raises(ValueError, match="max_patches must be at least 1"):
        patch_w1(x, x, 2, max_patches=0)


MEMORY = """
import resource, tensorflow as tf
from tfwgan.transport.patches import patch_swd

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

@tf.function
def loss_and_gradient(x, y):
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = patch_swd(x, y, p=16, s=1)
    return loss, tape.gradient(loss, x)

x, y = tf.random.stateless_normal([2, 64, 64, 64, 1], [0, 0])
loss_and_gradient(x[:2], y[:2])
before = peak()
loss_and_gradient(x, y)[1].numpy()
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory in other units")
def test_the_patches_are_never_laid_out():
    # They would take 2 * 64 * 49^2 * 256 floats: 315 MB of their own, and as much again to project
    # and sort them.
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 600
