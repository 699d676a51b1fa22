"""These are laws of what a trainer shows.

It shows the running average of its generator, samples of it, and trained atoms.
"""

import numpy as np
import pytest
import tensorflow as tf
from small_trainer import SEED, assert_same, data, differs, fit, make, values

from tfwgan.optimizers import OPTIMIZERS


@pytest.mark.slow
@pytest.mark.parametrize("prior", ["normal", "const=8-trainable=True"])
def test_the_average_follows_the_generator_with_a_memory_that_grows(prior):
    ema = 0.25  # below (1 + t) / (10 + t) from t = 2 on
    trainer = make(norm="batch", prior=prior, ema=ema)
    sources = trainer.generator.variables + trainer.prior.variables
    averages = trainer.average_generator.variables + trainer.average_prior.variables
    expected = values(sources)
    assert_same(values(averages), expected, rtol=0)
    assert {"moving_mean", "moving_variance"} <= {v.name for v in sources}
    for t, element in enumerate(data(), start=1):
        trainer.train_step({"image": tf.constant(element)})
        decay = min(ema, (1 + t) / (10 + t))
        assert decay == (2 / 11 if t == 1 else ema)
        expected = [
            decay * a + (1 - decay) * v for a, v in zip(expected, values(sources), strict=True)
        ]
        assert_same(values(averages), expected, rtol=1e-5, atol=1e-7)
    assert differs(values(averages), values(sources))
    assert (
        not trainer.average_generator.trainable_variables
        and not trainer.average_prior.trainable_variables
    )


def test_a_long_memory_starts_short():
    trainer, expected = make(ema=0.999), None
    expected = values(trainer.generator.variables)
    for t, element in enumerate(data(), start=1):
        trainer.train_step({"image": tf.constant(element)})
        decay = (1 + t) / (10 + t)
        expected = [
            decay * a + (1 - decay) * v.numpy()
            for a, v in zip(expected, trainer.generator.variables, strict=True)
        ]
    assert_same(values(trainer.average_generator.variables), expected, rtol=1e-5, atol=1e-7)


def test_without_an_average_the_generator_itself_is_shown():
    trainer = make(ema=0.0)
    assert trainer.average_generator is trainer.generator and trainer.average_prior is trainer.prior


@pytest.mark.slow
def test_samples_are_a_function_of_their_seed():
    trainer = make(ema=0.9)
    fit(trainer)
    samples = trainer.sample(5, 1).numpy()
    assert samples.shape == (5, 2) and np.abs(samples).max() <= 1
    np.testing.assert_array_equal(trainer.sample(5, 1), samples)
    assert not np.array_equal(trainer.sample(5, 2), samples)
    np.testing.assert_array_equal(make().sample(5, 1), make(seed=9).sample(5, 1))


@pytest.mark.slow
def test_samples_come_from_the_average_and_change_nothing():
    trainer = make(norm="batch", ema=0.9)
    fit(trainer)
    before = trainer.get_weights()
    z = tf.random.stateless_normal([5, 3], [0, 0])
    np.testing.assert_array_equal(trainer(z), trainer.average_generator({"z": z}, training=False))
    assert not np.array_equal(trainer(z), trainer.generator({"z": z}, training=False))
    trainer.sample(5)
    assert_same(trainer.get_weights(), before, rtol=0)


@pytest.mark.slow
def test_a_fixed_table_generates_its_atoms_in_order():
    trainer = make(prior="const=5", ema=0.9)
    fit(trainer)
    np.testing.assert_allclose(trainer.sample(5, 7), trainer(trainer.prior.table), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("opt", OPTIMIZERS)
@pytest.mark.parametrize("trainable", [True, False])
def test_a_table_is_trained_with_the_generator_if_asked(opt, trainable):
    trainer = make(
        prior=f"const=6-trainable={trainable}", opt=f"{opt}-lr=1e-2", eager=not trainable
    )
    before = trainer.prior.table.numpy().copy()
    fit(trainer)
    moved = np.abs(trainer.prior.table.numpy() - before).max(axis=1) > 0
    assert np.all(moved == trainable)


@pytest.mark.slow
def test_the_average_of_what_does_not_move_does_not_move():
    trainer = make(prior="const=50", ema=0.999, eager=True)
    before = trainer.prior.table.numpy().copy()
    fit(trainer, epochs=5)
    np.testing.assert_array_equal(trainer.prior.table, before)
    np.testing.assert_allclose(trainer.average_prior.table, before, rtol=2e-7)


@pytest.mark.parametrize("opt", OPTIMIZERS)
def test_rows_that_are_not_drawn_are_not_moved_by_the_first_update(opt):
    trainer = make(prior="const=30-trainable=True", opt=opt)
    before = trainer.prior.table.numpy().copy()
    codes = tf.constant([1, 1, 4, 0, 7, 7, 7, 29], tf.int64)
    trainer.generator_step({"image": tf.constant(data()[0, :, 0])}, codes, SEED)
    moved = np.abs(trainer.prior.table.numpy() - before).max(axis=1) > 0
    assert set(np.flatnonzero(moved)) == {0, 1, 4, 7, 29}
