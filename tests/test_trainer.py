"""Laws of the training step, on tiny networks and points of the plane."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_trainer import (
    N_CRITIC,
    SEED,
    STEPS,
    B,
    assert_same,
    data,
    differs,
    fit,
    make,
    objective,
    values,
)

from tfwgan import repeat
from tfwgan.program.assemble import preferred_optimizer
from tfwgan.program.config import critic_steps


class Spy:
    """An objective that notes what it is shown; only for eager training."""

    def __init__(self, inner):
        self.inner, self.critic_calls, self.generator_calls = inner, [], []
        self.uses_critic, self.terms, self.project = inner.uses_critic, inner.terms, inner.project
        self.reads_features = inner.reads_features

    def critic_terms(self, critic, real, fake, mix, seed):
        self.critic_calls.append([x.numpy() for x in (real["image"], fake["image"], mix)])
        return self.inner.critic_terms(critic, real, fake, mix, seed)

    def generator_terms(self, critic, real, fake, seed):
        self.generator_calls.append([x["image"].numpy() for x in (real, fake)])
        return self.inner.generator_terms(critic, real, fake, seed)


class Distance:
    """An objective without a critic: the generated mean should be the real one."""

    uses_critic, reads_features, terms = False, False, ("generator_loss",)

    def generator_terms(self, critic, real, fake, seed):
        fake, real = fake["image"], real["image"]
        return {
            "generator_loss": tf.reduce_sum(
                tf.square(tf.reduce_mean(fake, 0) - tf.reduce_mean(real, 0))
            )
        }


@pytest.mark.slow
@pytest.mark.parametrize("n_critic", [1, 3])
def test_one_step_is_n_critic_critic_updates_and_one_generator_update(n_critic):
    trainer = make(n_critic=n_critic)
    fit(trainer)
    assert int(trainer.d_optimizer.iterations) == n_critic * STEPS
    assert int(trainer.g_optimizer.iterations) == STEPS == trainer.steps_done


def test_every_critic_update_sees_a_batch_latents_and_mix_of_its_own():
    spy, images = Spy(objective()), data()
    trainer = make(spy, eager=True)
    fit(trainer, images)
    real, fake, mix = (np.stack(part) for part in zip(*spy.critic_calls, strict=True))
    np.testing.assert_array_equal(real, images.swapaxes(1, 2).reshape(STEPS * N_CRITIC, B, 2))
    assert len(np.unique(fake, axis=0)) == len(np.unique(mix, axis=0)) == STEPS * N_CRITIC
    assert mix.shape == (STEPS * N_CRITIC, B) and len(np.unique(mix)) == mix.size
    assert 0 <= mix.min() and mix.max() < 1


def test_the_generator_update_sees_the_last_batch_and_latents_of_its_own():
    spy, images = Spy(objective()), data()
    fit(make(spy, eager=True), images)
    real, fake = (np.stack(part) for part in zip(*spy.generator_calls, strict=True))
    np.testing.assert_array_equal(real, images[:, :, -1])
    others = np.stack([call[1] for call in spy.critic_calls])
    assert len(np.unique(np.concatenate([fake, others]), axis=0)) == STEPS * (N_CRITIC + 1)


def one_batch():
    return (
        {"image": tf.constant(data()[0, :, 0])},
        tf.random.stateless_normal([B, 3], [0, 0]),
        tf.linspace(0.0, 0.9, B),
    )


def test_a_critic_update_moves_the_critic_only():
    trainer = make(norm="batch")
    before = (
        values(trainer.generator.trainable_variables),
        values(trainer.critic.trainable_variables),
    )
    terms = trainer.critic_step(*one_batch(), SEED)
    assert terms.keys() == {"critic_loss", "critic_estimate", "gp"}
    assert_same(values(trainer.generator.trainable_variables), before[0], rtol=0)
    after = values(trainer.critic.trainable_variables)
    assert all(not np.array_equal(a, b) for a, b in zip(after[:-1], before[1][:-1], strict=True))
    # The last bias cancels in the difference of means and moves no slope.
    np.testing.assert_allclose(after[-1], before[1][-1], atol=0.02)


def test_a_generator_update_moves_the_generator_only():
    trainer = make(norm="batch")
    before = values(trainer.generator.trainable_variables), values(trainer.critic.variables)
    batch, codes, _ = one_batch()
    assert trainer.generator_step(batch, codes, SEED).keys() == {"generator_loss"}
    assert_same(values(trainer.critic.variables), before[1], rtol=0)
    after = values(trainer.generator.trainable_variables)
    assert all(not np.array_equal(a, b) for a, b in zip(after, before[0], strict=True))


def test_updates_go_downhill():
    trainer = make(opt="sgd-lr=1e-3")
    batch, codes, mix = one_batch()
    losses = [float(trainer.critic_step(batch, codes, mix, SEED)["critic_loss"]) for _ in range(5)]
    assert np.all(np.diff(losses) < 0)
    losses = [float(trainer.generator_step(batch, codes, SEED)["generator_loss"]) for _ in range(5)]
    assert np.all(np.diff(losses) < 0)


def test_one_critic_update_is_gradient_descent_on_the_critic_s_loss():
    trainer = make(opt="sgd-lr=0.5")
    batch, codes, mix = one_batch()
    w = trainer.critic.trainable_variables
    with tf.GradientTape() as tape:
        fake = trainer.generator({"z": codes}, training=True)
        loss = trainer.objective.critic_terms(trainer._criticise, batch, {"image": fake}, mix, SEED)
    expected = [
        v.numpy() - 0.5 * g.numpy()
        for v, g in zip(w, tape.gradient(loss["critic_loss"], w), strict=True)
    ]
    trainer.critic_step(batch, codes, mix, SEED)
    assert_same(values(w), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
def test_clipped_weights_stay_inside_after_every_update():
    trainer = make("wgan-clip=0.02")
    fit(trainer)
    largest = max(np.abs(w).max() for w in values(trainer.critic.trainable_variables))
    assert largest == np.float32(0.02)


@pytest.mark.slow
def test_the_seed_decides_every_number():
    first, same, other = (fit(make(seed=seed), epochs=2) for seed in (0, 0, 1))
    assert first == same
    assert all(first[name] != other[name] for name in first)


@pytest.mark.slow
def test_logs_are_running_means_of_an_epoch():
    trainer, single = make(), make()
    history, steps = fit(trainer, epochs=2), []
    for element in [*data(), *data()]:
        for metric in single.metrics:
            metric.reset_state()
        steps.append(
            {k: float(v) for k, v in single.train_step({"image": tf.constant(element)}).items()}
        )
    assert list(history) == sorted(trainer.objective.terms) or list(history) == list(
        trainer.objective.terms
    )
    for name, means in history.items():
        per_step = np.array([step[name] for step in steps]).reshape(2, STEPS)
        np.testing.assert_allclose(means, per_step.mean(axis=1), rtol=1e-4, atol=1e-6)


def test_a_term_of_the_critic_is_the_mean_over_its_updates():
    spy = Spy(objective("wgan-clip=0"))
    trainer = make(spy, eager=True, opt="sgd-lr=1e-9")
    logs = trainer.train_step({"image": tf.constant(data()[0])})
    estimates = [
        np.mean(trainer.critic({"image": real})) - np.mean(trainer.critic({"image": fake}))
        for real, fake, _ in spy.critic_calls
    ]
    np.testing.assert_allclose(logs["critic_estimate"], np.mean(estimates), rtol=1e-4)
    np.testing.assert_allclose(logs["critic_loss"], -np.mean(estimates), rtol=1e-4)


class Counter(keras.callbacks.Callback):
    """A user's callback, knowing nothing of this package."""

    def __init__(self):
        super().__init__()
        self.batches, self.epochs = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(dict(logs))

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append((epoch, dict(logs)))


@pytest.mark.slow
def test_keras_and_its_callbacks_see_an_ordinary_model():
    trainer, counter = make(), Counter()
    history = fit(trainer, epochs=2, callbacks=[counter, keras.callbacks.TerminateOnNaN()])
    assert len(counter.batches) == 2 * STEPS and [epoch for epoch, _ in counter.epochs] == [0, 1]
    assert all(set(logs) == set(trainer.objective.terms) for logs in counter.batches)
    assert counter.epochs[1][1]["critic_loss"] == history["critic_loss"][1]
    assert trainer.steps_done == 2 * STEPS


@pytest.mark.slow
def test_eager_graph_and_parts_of_a_run_agree():
    graph, eager, parts = make(ema=0.9), make(ema=0.9, eager=True), make(ema=0.9)
    images = data()
    fit(graph, images)
    fit(eager, images)
    fit(parts, images[:1])
    fit(parts, images[1:])
    assert_same(values(graph.variables), values(eager.variables), rtol=1e-4, atol=1e-5)
    assert_same(graph.get_weights(), parts.get_weights(), rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("loss, norm", [("wgan_gp", "none"), ("wgan", "batch")])
def test_compiling_with_xla_changes_nothing(loss, norm):
    plain, compiled = (make(loss, norm=norm, ema=0.9, xla=xla, n_critic=2) for xla in (False, True))
    for trainer in (plain, compiled):
        fit(trainer, data(n_critic=2, steps=3))
    assert_same(compiled.get_weights(), plain.get_weights(), atol=1e-5)
    assert compiled.steps_done == 3


def test_an_objective_without_a_critic_trains_the_generator():
    trainer = make(Distance(), opt="adam-lr=5e-2")
    images = np.tile(np.float32([0.5, -0.3]), (40, B, N_CRITIC, 1))
    history = fit(trainer, images, epochs=2)
    assert set(history) == {"generator_loss"}
    assert history["generator_loss"][1] < 0.1 * history["generator_loss"][0]
    assert trainer.critic is None and trainer.steps_done == 80


@pytest.mark.parametrize(
    "loss", ["gan", "gan-r1=1", "wgan", "wgan_gp", "wgan_lp", "wgan-gp=1-lp=1-r1=1-r2=1"]
)
@pytest.mark.parametrize("prior", ["normal", "sphere", "const=4"])
def test_every_objective_and_prior_take_steps_with_finite_logs(loss, prior):
    trainer = make(
        loss, prior=prior, norm="batch", ema=0.5, opt=preferred_optimizer(loss), eager=True
    )
    before = trainer.get_weights()
    history = fit(trainer, data(steps=2))
    assert set(history) == set(objective(loss).terms)
    assert np.isfinite([value for series in history.values() for value in series]).all()
    assert differs(trainer.get_weights(), before)


def test_labels_may_come_along():
    trainer = make()
    element = {"image": tf.constant(data()[0]), "label": tf.zeros([B, N_CRITIC], tf.int32)}
    other = make()
    logs, expected = trainer.train_step(element), other.train_step({"image": element["image"]})
    assert {k: float(v) for k, v in logs.items()} == {k: float(v) for k, v in expected.items()}


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["wgan_gp", "wgan-clip=0.1", "hinge-r1=1"])
def test_many_critic_updates_in_a_loop_are_those_made_one_by_one(loss, monkeypatch):
    ends = []
    for unrolled in (8, 100):
        monkeypatch.setattr(repeat, "_UNROLLED", unrolled)
        trainer = make(loss, n_critic=9, opt="sgd-lr=1e-2")
        logs = fit(trainer, data(9, steps=2))
        ends.append((values(trainer.variables), logs))
    assert_same(ends[0][0], ends[1][0], rtol=0, atol=1e-6)
    for name, numbers in ends[0][1].items():
        np.testing.assert_allclose(numbers, ends[1][1][name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "schedule", ["1-warmup=3-first=2-every=3", "2-warmup=1-first=3-every=5", "3"]
)
def test_the_draws_of_a_run_are_numbered_without_holes(schedule):
    """With a warm-up too: a shuffled table of atoms is gone through as often as the data."""
    steps = critic_steps(schedule)
    trainer, seen = make(prior="const=24", n_critic=steps), []
    for step in range(12):
        trainer.step.assign(step)
        n = steps.at(step)
        seen += list(trainer.draw({"image": tf.zeros([B, n, 2])})["critic_codes"].numpy().T)
    epochs = len(seen) * B // 24
    counts = np.bincount(np.concatenate(seen)[: epochs * 24], minlength=24)
    assert (counts == epochs).all()
