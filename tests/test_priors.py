"""Laws of latent priors."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfwgan import rng
from tfwgan.errors import UsageError
from tfwgan.priors import PRIORS
from tfwgan.program import spec

SPECS = [
    "normal",
    "uniform",
    "uniform-low=0-high=1",
    "binary",
    "sphere",
    "const=5",
    "const=5-replace=True",
]


def prior(text, z_dim=3):
    return spec.build(text, PRIORS, "prior", z_dim=z_dim)


def seed(counter=0, number=0):
    return rng.seed_pair(rng.stream(number, "latents"), counter)


def codes(one, n, counters, number=0):
    return np.concatenate([one.draw(n, seed(c, number)).numpy() for c in counters])


@pytest.mark.parametrize("text", SPECS)
@pytest.mark.parametrize("n", [1, 5, 8])
def test_latents_have_the_promised_shape(text, n):
    one = prior(text)
    drawn = one.draw(n, seed())
    assert drawn.shape[0] == n and drawn.dtype == one.code_dtype
    z = one.sample(n, seed())
    assert z.shape == (n, 3) and z.dtype == tf.float32
    np.testing.assert_array_equal(z, one(drawn))


@pytest.mark.parametrize("text", SPECS)
def test_latents_are_a_function_of_the_seed(text):
    one = prior(text)
    np.testing.assert_array_equal(one.sample(8, seed(3)), one.sample(8, seed(3)))
    for other in (seed(4), seed(3, number=1)):
        assert not np.array_equal(one.sample(8, seed(3)), one.sample(8, other))


@pytest.mark.parametrize("text", SPECS)
def test_a_number_known_only_when_running_gives_the_same_latents(text):
    one = prior(text)
    late = tf.function(
        one.sample, input_signature=[tf.TensorSpec([], tf.int64), tf.TensorSpec([2], tf.int64)]
    )
    for n in (5, 8):
        np.testing.assert_allclose(
            late(tf.constant(n, tf.int64), seed(2)), one.sample(n, seed(2)), rtol=1e-6
        )


MOMENTS = [
    ("normal", -np.inf, np.inf, 0.0, 1.0),
    ("uniform", -1.0, 1.0, 0.0, 3**-0.5),
    ("uniform-low=0-high=1", 0.0, 1.0, 0.5, 12**-0.5),
    ("binary", -1.0, 1.0, 0.0, 1.0),
    ("sphere", -(3**0.5), 3**0.5, 0.0, 1.0),
]


@pytest.mark.parametrize(
    "text, low, high, mean, deviation", MOMENTS, ids=[row[0] for row in MOMENTS]
)
def test_latents_have_the_range_and_moments_of_their_distribution(text, low, high, mean, deviation):
    z = prior(text).sample(20_000, seed()).numpy()
    assert z.min() >= low - 1e-6 and z.max() <= high + 1e-6
    np.testing.assert_allclose(z.mean(axis=0), mean, atol=0.05)
    np.testing.assert_allclose(np.cov(z.T), deviation**2 * np.eye(3), atol=0.05)


def test_binary_latents_are_plus_or_minus_1():
    assert set(np.unique(prior("binary").sample(100, seed()))) == {-1.0, 1.0}


@pytest.mark.parametrize("z_dim", [1, 2, 100])
def test_the_sphere_has_the_radius_of_gaussian_latents(z_dim):
    z = prior("sphere", z_dim).sample(50, seed()).numpy()
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), z_dim**0.5, rtol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 5, 64])
def test_a_draw_of_exactly_all_atoms_is_the_table_in_order(n):
    one = prior(f"const={n}")
    for counter in (0, 1, 7):
        np.testing.assert_array_equal(one.draw(n, seed(counter)), np.arange(n))
        np.testing.assert_array_equal(one.sample(n, seed(counter)), one.table)


@pytest.mark.slow
@settings(deadline=None, max_examples=40, database=None)
@given(st.integers(1, 12), st.integers(1, 20), st.integers(0, 1000))
def test_every_atom_is_drawn_once_per_epoch(n, b, epoch):
    """Draws c, c + 1, ... of `b` each are one sequence of shuffled tables."""
    one = prior(f"const={n}")
    first = epoch * n  # draws of b from here on begin with a whole epoch
    draws = codes(one, b, range(first, first + n))
    epochs = draws.reshape(b, n)
    np.testing.assert_array_equal(np.sort(epochs, axis=1), np.tile(np.arange(n), (b, 1)))


@pytest.mark.slow
def test_draws_with_replacement_are_independent():
    one = prior("const=8-replace=True")
    drawn = codes(one, 8, range(2000)).reshape(2000, 8)
    assert drawn.min() == 0 and drawn.max() == 7
    np.testing.assert_allclose(np.bincount(drawn.ravel()) / drawn.size, 1 / 8, atol=0.01)
    # Of 8 draws from 8 atoms, 8 (1 - (7/8)^8) = 5.25 are different on average.
    distinct = np.mean([len(set(row)) for row in drawn])
    np.testing.assert_allclose(distinct, 8 * (1 - (7 / 8) ** 8), atol=0.1)


def test_the_table_is_standard_normal_and_a_function_of_its_own_seed():
    tables = [prior(f"const=400-table_seed={k}", 10).table.numpy() for k in (0, 0, 1)]
    np.testing.assert_array_equal(tables[0], tables[1])
    assert not np.array_equal(tables[0], tables[2])
    np.testing.assert_array_equal(prior("const=400", 10).table, tables[0])
    np.testing.assert_allclose([tables[0].mean(), tables[0].std()], [0, 1], atol=0.05)
    with rng.seeded_initializers(5):
        np.testing.assert_array_equal(prior("const=400", 10).table, tables[0])


@pytest.mark.parametrize("trainable", [True, False])
def test_a_trainable_table_receives_the_gradient_of_the_rows_drawn(trainable):
    one = prior(f"const=5-trainable={trainable}")
    assert len(one.trainable_variables) == trainable and len(one.variables) == 1
    if not trainable:
        return
    drawn = one.draw(3, seed())
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(one(drawn) * [1.0, 2.0, 3.0])
    gradient = tf.convert_to_tensor(tape.gradient(loss, one.table.value)).numpy()
    expected = np.outer(np.bincount(drawn.numpy(), minlength=5), [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(gradient, expected)


@pytest.mark.parametrize("text", [*SPECS, "const=4-trainable=True-table_seed=3"])
def test_a_prior_is_made_again_from_its_configuration(text):
    one = prior(text)
    other = type(one).from_config(one.get_config())
    assert other.get_config() == one.get_config()
    assert [v.trainable for v in other.variables] == [v.trainable for v in one.variables]
    np.testing.assert_array_equal(other.sample(4, seed()), one.sample(4, seed()))


@pytest.mark.parametrize("text", SPECS)
def test_only_the_table_is_a_weight(text):
    assert [v.name for v in prior(text).variables] == (
        ["table"] if text.startswith("const") else []
    )


@pytest.mark.parametrize(
    "text, message",
    [
        ("const", "write const=<n>"),
        ("const=0", "prior 'const=0': n must be at least 1, got 0."),
        ("const=1.5", "n must be a whole number"),
        ("uniform-low=1", "low must be below high, got 1.0 and 1.0."),
        ("normal=3", "takes no value"),
        ("normal-z_dim=3", "no option 'z_dim'"),
        ("gauss", "Unknown prior 'gauss'"),
    ],
)
def test_impossible_priors_are_refused(text, message):
    with pytest.raises(UsageError) as caught:
        prior(text)
    assert message in str(caught.value)
