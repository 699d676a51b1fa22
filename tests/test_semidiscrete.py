"""Laws of the semi-discrete dual: a lower bound at any time, and W1 in the end."""

import numpy as np
import pytest

from tfwgan.transport.certificate import c_transform_bound
from tfwgan.transport.exact import exact_plan, w1
from tfwgan.transport.semidiscrete import semi_discrete


def clusters(k=64, n=2000, d=16, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(10, d))
    return tuple(
        centres[rng.integers(10, size=size)] + 0.5 * rng.normal(size=(size, d)) for size in (k, n)
    )


@pytest.mark.parametrize("steps, averaged", [(1, True), (2, False), (7, True), (50, False)])
def test_it_is_a_lower_bound_at_any_time(steps, averaged):
    for seed in range(5):
        atoms, data = clusters(8, 100, 3, seed)
        result = semi_discrete(
            atoms, data, steps=steps, batch_size=10, averaged=averaged, seed=seed
        )
        assert result.lower <= w1(atoms, data) + 1e-9
        assert result.history.shape == (steps,) and result.potentials.shape == (8,)
        assert result.lower == c_transform_bound(atoms, data, result.potentials)
        np.testing.assert_allclose(result.potentials.mean(), 0, atol=1e-9)


def test_stochastic_ascent_comes_within_two_percent_of_w1():
    atoms, data = clusters()
    result = semi_discrete(atoms, data, steps=1500)
    truth = w1(atoms, data)
    assert 0.98 * truth <= result.lower <= truth
    assert result.history[-200:].mean() == pytest.approx(truth, rel=0.02)


@pytest.mark.parametrize("unit", [1e-100, 1e-9, 1e-3, 1e3, 1e9, 1e100])
def test_the_unit_of_length_is_no_matter_and_polish_never_harms(unit):
    rng = np.random.default_rng(0)
    atoms, data = unit * rng.normal(size=(6, 3)), unit * (rng.normal(size=(150, 3)) + 0.5)
    truth = w1(atoms, data)
    plain, polished = (
        semi_discrete(atoms, data, steps=200, polish=polish).lower for polish in (False, True)
    )
    assert plain <= polished <= truth * (1 + 1e-12)
    assert plain > 0.99 * truth and polished > (1 - 1e-5) * truth
    far = semi_discrete(atoms, data, steps=1, learning_rate=1e-6, polish=True)
    assert abs(far.potentials.mean()) < 1e-12 * unit and far.lower > (1 - 1e-5) * truth


def test_polish_closes_the_gap_and_finds_the_potentials():
    atoms, data = clusters(20, 1000, 5)
    exact = exact_plan(atoms, data)
    result = semi_discrete(atoms, data, steps=100, polish=True)
    assert -1e-12 <= exact.value - result.lower <= 1e-5 * exact.value
    assert semi_discrete(atoms, data, steps=100).lower < result.lower
    shift = exact.potentials[0] - exact.potentials[0].mean()
    np.testing.assert_allclose(result.potentials, shift, atol=0.05)


def test_averages_are_better_than_the_last_step():
    atoms, data = clusters(30, 500, 5)
    lower = [
        semi_discrete(atoms, data, steps=1000, batch_size=32, averaged=a).lower
        for a in (True, False)
    ]
    assert lower[0] > lower[1]


def test_against_a_continuous_law_the_value_is_known():
    """Atoms 1/4 and 3/4 against U[0, 1]: the mean way is 1/8."""
    result = semi_discrete(
        [[0.25], [0.75]], lambda rng, count: rng.random((count, 1)), steps=2000, learning_rate=1.0
    )
    assert result.lower is None
    np.testing.assert_allclose(result.potentials, 0, atol=0.02)
    np.testing.assert_allclose(result.history[-1000:].mean(), 1 / 8, atol=0.002)


def test_it_is_a_function_of_the_seed():
    atoms, data = clusters(5, 50, 2)
    first, again, other = (semi_discrete(atoms, data, steps=20, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.history, again.history)
    assert (first.history != other.history).any()


X, Y = np.zeros((2, 1)), np.ones((3, 1))
BAD = {
    "steps": (lambda: semi_discrete(X, Y, steps=0), "steps must be above 0, got 0"),
    "batch": (lambda: semi_discrete(X, Y, batch_size=0), "batch_size must be above 0"),
    "rate": (
        lambda: semi_discrete(X, Y, learning_rate=-1.0),
        "learning_rate must be above 0, got -1",
    ),
    "dimensions": (lambda: semi_discrete(X, np.zeros((3, 2))), "equal dimensions"),
    "atoms": (lambda: semi_discrete(np.zeros((0, 1)), Y), "atoms must hold at least one point"),
    "data": (lambda: semi_discrete(X, np.full((3, 1), np.nan)), "data must be finite"),
    "polish": (
        lambda: semi_discrete(X, lambda rng, n: rng.random((n, 1)), polish=True),
        "needs all of the data",
    ),
}


@pytest.mark.parametrize("call, says", BAD.values(), ids=BAD)
def test_bad_arguments_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
