"""Laws of the atom inspector: planted dead, double and copied atoms are found, and nothing else."""

import json

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from tfwgan.audit.atoms import (
    assignment_rows,
    inspect_atoms,
    mean_distance,
    nearest_patches,
    patch_rows,
)
from tfwgan.errors import UsageError
from tfwgan.program import datasets
from tfwgan.transport.exact import w1


@pytest.fixture(scope="module")
def squares():
    return datasets.load("squares-size=16-square=5").real(slice(None))


def test_a_generator_that_copies_is_all_copies(squares):
    atoms = inspect_atoms(squares, squares)
    assert len(atoms.copies) == len(squares) and len(atoms.dead) == 0 and atoms.duplicates == ()
    assert atoms.transport.value == pytest.approx(0, abs=1e-9)
    assert list(atoms.nearest_real) == list(range(len(squares)))
    assert sorted(atoms.assignment) == list(range(len(squares)))


def test_planted_atoms_are_found(squares):
    fake = squares[::9].copy()
    fake[2] = fake[5] = np.random.default_rng(0).uniform(
        -1, 1, squares.shape[1:]
    )  # far from everything, and double
    fake[7] = 0.5 * (squares[0] + squares[-1])  # no copy
    atoms = inspect_atoms(fake, squares)
    assert {2, 5} <= set(atoms.dead) and atoms.duplicates == ((2, 5),)
    assert set(range(len(fake))) - set(atoms.copies) == {2, 5, 7}
    assert atoms.share.sum() == pytest.approx(1)
    assert atoms.transport.value == pytest.approx(w1(fake, squares), abs=1e-9)
    assert atoms.cost.mean() == pytest.approx(atoms.transport.value, abs=1e-9)
    report = json.loads(json.dumps(atoms.as_dict()))
    assert report["distinct_atoms"] == len(fake) - 1 and report["per_atom"][5]["duplicate_of"] == [
        2
    ]
    assert "2 dead" in atoms.summary() or f"{len(atoms.dead)} dead" in atoms.summary()


ORDERS = {
    "sorted": lambda x: x[np.lexsort(x.T)],
    "reversed": lambda x: x[::-1],
    "shuffled": lambda x: np.random.default_rng(5).permutation(x),
}


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("n", [300, 5000])
@pytest.mark.parametrize("copies", [1, 50])  # of each sample
def test_a_report_knows_no_order_of_the_data(order, n, copies):
    rng = np.random.default_rng(0)
    centres = (
        rng.normal(size=(10, 3)) * 10.0 ** np.arange(10)[:, None] / 1e6
    )  # classes of very unequal size
    real = np.sort(np.arange(n // copies) % 10)
    real = np.repeat(
        centres[real] + 1e-3 * rng.normal(size=(n // copies, 3)), copies, axis=0
    ).astype(np.float32)
    fake = real[:: n // 20] + 1e-4
    plain, moved = inspect_atoms(fake, real), inspect_atoms(fake, ORDERS[order](real))
    assert moved.transport.value == pytest.approx(plain.transport.value, rel=1e-9)
    for name in ("share", "nearest_distance", "scale"):
        np.testing.assert_allclose(
            getattr(moved, name), getattr(plain, name), rtol=1e-6, err_msg=name
        )
    assert plain.duplicates == moved.duplicates and np.array_equal(plain.copies, moved.copies)
    assert plain.scale == pytest.approx(pdist(real).mean(), rel=0.1)


@pytest.mark.parametrize(
    "one, other", [((3, 8, 8), (8, 8, 3)), ((6,), (2, 3)), ((4,), (3,)), ((2, 2), (4,))]
)
def test_atoms_of_another_shape_are_refused(one, other):
    with pytest.raises(ValueError, match="must have one shape"):
        inspect_atoms(np.zeros((2, *one)), np.ones((5, *other)))


def test_the_mean_distance_is_that_of_all_pairs():
    points = np.random.default_rng(0).normal(size=[5, 3])
    pairs = [np.linalg.norm(a - b) for i, a in enumerate(points) for b in points[:i]]
    assert mean_distance(points) == pytest.approx(np.mean(pairs))
    assert mean_distance(points[:1]) == 0


def test_a_patch_that_was_moved_is_found_within_the_margin(squares):
    # The real image is the atom shifted by two pixels.
    atom = np.random.default_rng(0).uniform(-1, 1, [1, 16, 16, 1])
    real = np.concatenate([squares[:3], np.roll(atom, (2, -1), axis=(1, 2))])
    corners, images, found = nearest_patches(atom, real, p=5, margin=4)
    assert list(images) == [3] and np.array_equal(found - corners, [[2, -1]])


def test_pictures_have_a_row_per_atom(squares):
    atoms = inspect_atoms(squares[::20], squares)
    n = len(atoms.fake)
    rows = assignment_rows(atoms, columns=6).reshape(n, 6, 16, 16, 1)
    assert np.array_equal(rows[:, 0], atoms.fake)
    assert np.array_equal(rows[:, 1], squares[atoms.nearest_real])
    assert patch_rows(atoms.fake, squares, p=6).shape == (4 * n, 16, 16, 1)


@pytest.mark.parametrize("p", [0, 17])
def test_a_patch_that_does_not_fit_is_refused(squares, p):
    with pytest.raises(UsageError, match="patches of"):
        nearest_patches(squares[:1], squares, p=p)


def test_a_negative_tolerance_is_refused(squares):
    with pytest.raises(UsageError, match="tolerance"):
        inspect_atoms(squares[:2], squares, tolerance=-1)
