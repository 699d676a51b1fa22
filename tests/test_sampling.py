"""Laws of paths between latents."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfwgan.sampling import lerp, rows, slerp

T = np.linspace(0, 1, 9)
VECTORS = st.lists(st.floats(-100, 100, width=32), min_size=3, max_size=3).map(np.array)


def ends(n=5, d=8, seed=0):
    return np.random.default_rng(seed).normal(size=(2, n, d))


def angles(path):
    """Angles between neighbours on paths `[..., k, d]`."""
    unit = path / np.linalg.norm(path, axis=-1, keepdims=True)
    return 2 * np.arcsin(np.linalg.norm(np.diff(unit, axis=-2), axis=-1) / 2)


@pytest.mark.parametrize("path", [lerp, slerp])
def test_paths_hit_both_ends(path):
    a, b = ends()
    points = path(a, b, T)
    assert points.shape == (5, 9, 8)
    np.testing.assert_allclose(points[:, 0], a, atol=1e-12)
    np.testing.assert_allclose(points[:, -1], b, atol=1e-12)


@pytest.mark.parametrize("path", [lerp, slerp])
def test_paths_of_one_pair_and_of_many_agree(path):
    a, b = ends()
    np.testing.assert_allclose(path(a[2], b[2], T), path(a, b, T)[2], atol=1e-12)


@pytest.mark.parametrize("path", [lerp, slerp])
def test_the_way_back_is_the_way_there(path):
    a, b = ends()
    np.testing.assert_allclose(path(b, a, T), path(a, b, T)[:, ::-1], atol=1e-12)


def test_lerp_is_a_straight_line():
    np.testing.assert_allclose(
        lerp([0.0, 0.0], [1.0, 2.0], [0, 0.25, 1]), [[0, 0], [0.25, 0.5], [1, 2]]
    )


def test_slerp_keeps_the_length_of_ends_of_equal_length():
    a, b = (7.0 * x / np.linalg.norm(x, axis=-1, keepdims=True) for x in ends())
    np.testing.assert_allclose(np.linalg.norm(slerp(a, b, T), axis=-1), 7.0, rtol=1e-12)


def test_slerp_interpolates_other_lengths_linearly():
    a, b = ends()
    lengths = np.linalg.norm(slerp(a, b, T), axis=-1)
    expected = lerp(*(np.linalg.norm(x, axis=-1, keepdims=True) for x in (a, b)), T)[..., 0]
    np.testing.assert_allclose(lengths, expected, rtol=1e-12)


def test_slerp_turns_by_equal_angles():
    a, b = ends()
    steps = angles(slerp(a, b, T))
    np.testing.assert_allclose(steps, steps[:, :1] * np.ones(8), rtol=1e-9)
    total = np.arccos(np.sum(a * b, -1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1))
    np.testing.assert_allclose(steps.sum(axis=1), total, rtol=1e-9)


def test_slerp_on_the_plane_is_known():
    path = slerp([2.0, 0.0], [0.0, 2.0], [0, 1 / 3, 0.5, 1])
    expected = [[2, 0], [3**0.5, 1], [2**0.5, 2**0.5], [0, 2]]
    np.testing.assert_allclose(path, expected, atol=1e-12)


def test_parallel_vectors_give_the_straight_line():
    a = np.array([1.0, 2.0, -2.0])
    for factor in (1.0, 3.0, 1 + 1e-9):
        np.testing.assert_allclose(slerp(a, factor * a, T), lerp(a, factor * a, T), atol=1e-12)


@pytest.mark.parametrize("a", [[1.0, 0.0], [0.0, -3.0, 0.0], [1.0, 2.0, -2.0]])
def test_opposite_vectors_are_joined_by_half_a_circle(a):
    a = np.array(a)
    path = slerp(a, -a, T)
    np.testing.assert_allclose(path[-1], -a, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(path, axis=-1), np.linalg.norm(a), rtol=1e-12)
    np.testing.assert_allclose(angles(path), np.pi / 8, rtol=1e-9)


@pytest.mark.parametrize(
    "a, b",
    [
        ([0.0, 0.0], [0.0, 0.0]),
        ([0.0, 0.0], [3.0, 4.0]),
        ([1e-45, 0.0], [1.0, 1.0]),
        ([2.0], [-2.0]),
    ],
)
def test_vectors_without_a_circle_stay_finite_and_hit_both_ends(a, b):
    path = slerp(a, b, T)
    assert np.isfinite(path).all()
    np.testing.assert_allclose(path[[0, -1]], [a, b], atol=1e-12)


@settings(deadline=None, max_examples=200, database=None)
@given(VECTORS, VECTORS)
def test_slerp_is_finite_never_longer_than_its_ends_and_hits_them(a, b):
    path = slerp(a, b, T)
    lengths = np.linalg.norm(path, axis=-1)
    assert np.isfinite(path).all()
    assert lengths.max() <= max(np.linalg.norm(a), np.linalg.norm(b)) * (1 + 1e-9)
    np.testing.assert_allclose(path[[0, -1]], [a, b], atol=1e-9)


@pytest.mark.parametrize("path", [lerp, slerp])
def test_rows_chain(path):
    points = ends(n=4)[0]
    grid = rows(points, 6, path)
    assert grid.shape == (3, 6, 8)
    np.testing.assert_allclose(grid[:-1, -1], grid[1:, 0], atol=1e-12)
    np.testing.assert_allclose(grid[:, 0], points[:-1], atol=1e-12)
    np.testing.assert_allclose(grid[:, -1], points[1:], atol=1e-12)


def test_rows_follow_the_circle_unless_told_otherwise():
    points = ends(n=3)[0]
    np.testing.assert_array_equal(rows(points, 5), rows(points, 5, slerp))
