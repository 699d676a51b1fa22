"""What Keras allows and a GAN has no use for is answered before anything is trained.

The answer is a sentence.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_trainer import assert_same, make, values

from tfwgan.errors import UsageError
from tfwgan.objectives import wgan_gp
from tfwgan.priors import Normal
from tfwgan.trainer import GanTrainer

X = np.random.default_rng(0).uniform(-1, 1, [24, 2]).astype(np.float32)
LABELS = np.arange(24, dtype=np.int32) % 3


def batched(parts, size=4):
    return tf.data.Dataset.from_tensor_slices(parts).batch(size, drop_remainder=True)


WRONG_DATA = {
    "an array": (X, "got 'ndarray'; of an array make one by tf.data.Dataset"),
    "a dictionary": ({"image": X}, "got 'dict'"),
    "None": (None, "got 'NoneType'"),
    "another shape": (
        batched(X[:, :1]),
        r"samples \(2,\), as the generator makes them; got elements \[4, 1\]",
    ),
    "too many axes": (batched(X[:, None, None]), r"got elements \[4, 1, 1, 2\]"),
    "an unknown batch": (tf.data.Dataset.from_tensor_slices(X).batch(4), "drop_remainder=True"),
    "more critic batches": (
        batched(X.reshape(8, 3, 2)),
        "elements hold 3 critic batches, .* n_critic=2",
    ),
    "three parts": (batched((X, LABELS, LABELS)), "got elements"),
    "no image": (batched({"picture": X}), "got elements {'picture': "),
}


@pytest.mark.parametrize("what", WRONG_DATA)
def test_data_of_another_form_are_answered_in_a_sentence(what):
    data, message = WRONG_DATA[what]
    with pytest.raises(UsageError, match=message) as caught:
        make().fit(data, verbose=0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [X, (X,), (X, LABELS), {"image": X}, {"image": X, "label": LABELS}],
    ids=["images", "one", "pairs", "named", "both named"],
)
def test_a_batch_is_a_batch_for_each_critic_step_one_after_the_other(data):
    """Whatever way batches are handed over, they train as elements do that hold them by hand."""
    by_hand = (
        np.stack([X[:4], X[4:8]], 1),
        np.stack([X[8:12], X[12:16]], 1),
        np.stack([X[16:20], X[20:]], 1),
    )
    expected, trainer, looped = make(), make(), make()
    expected.fit(tf.data.Dataset.from_tensor_slices({"image": np.stack(by_hand)}), verbose=0)
    trainer.fit(batched(data), verbose=0)
    logs = list(looped.steps(batched(data)))
    for one in (trainer, looped):
        assert one.steps_done == 3  # and no more when the data end
        assert (int(one.g_optimizer.iterations), int(one.d_optimizer.iterations)) == (3, 6)
        assert_same(
            values(expected.generator.variables), values(one.generator.variables), rtol=0, atol=0
        )
        assert_same(values(expected.critic.variables), values(one.critic.variables), rtol=0, atol=0)
    assert len(logs) == 3 and list(logs[0]) == list(trainer.trackers)


def points_critic(*layers):
    return keras.Sequential([keras.layers.Dense(6, "relu"), *layers, keras.layers.Dense(1)])


def named(name, shape, *layers):
    inputs = keras.Input(shape, name=name)
    x = inputs
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


class OwnClass(keras.Model):
    """A network as a class, whose inputs Keras does not know before it is called."""

    def __init__(self, units):
        super().__init__()
        self.hidden, self.last = keras.layers.Dense(6, "relu"), keras.layers.Dense(units)

    def call(self, x):
        return self.last(self.hidden(x))


GENERATORS = {
    "functional": lambda: named("anything", (3,), keras.layers.Dense(2)),
    "sequential": lambda: keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]),
    "sequential without input": lambda: keras.Sequential([keras.layers.Dense(2)]),
    "class": lambda: OwnClass(2),
    "layer": lambda: keras.layers.Dense(2),
}
CRITICS = {
    "functional": lambda: named("x", (2,), keras.layers.Dense(6, "relu"), keras.layers.Dense(1)),
    "scores [b]": lambda: named(
        "x", (2,), keras.layers.Dense(6), lambda x: keras.ops.sum(x, axis=1)
    ),
    "sequential": lambda: points_critic(),
    "class": lambda: OwnClass(1),
}


@pytest.mark.parametrize(
    "generator, critic",
    [*((name, "sequential") for name in GENERATORS), *(("sequential", name) for name in CRITICS)],
)
def test_networks_of_one_s_own_are_taken_as_they_come(generator, critic):
    g, c = GENERATORS[generator](), CRITICS[critic]()
    trainer = GanTrainer(Normal(3), g, c, wgan_gp, n_critic=2, seed=0)
    trainer.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
    before = values([*g.trainable_variables, *c.trainable_variables])
    history = trainer.fit(batched(X), verbose=0).history
    after = values([*g.trainable_variables, *c.trainable_variables])
    assert all(np.isfinite(history[name]).all() for name in ("critic_loss", "gp", "generator_loss"))
    assert sum(not np.array_equal(a, b) for a, b in zip(before, after, strict=True)) >= 3
    assert trainer.sample(5).shape == (5, 2)


def test_networks_with_labels_say_so_by_the_names_of_their_inputs():
    z, label = keras.Input((3,), name="z"), keras.Input((), dtype="int32", name="label")
    g = keras.Model(
        [z, label],
        keras.layers.Dense(2)(keras.ops.concatenate([z, keras.ops.one_hot(label, 3)], 1)),
    )
    image, label = keras.Input((2,), name="image"), keras.Input((), dtype="int32", name="label")
    both = keras.ops.concatenate([image, keras.ops.one_hot(label, 3)], 1)
    c = keras.Model([image, label], keras.layers.Dense(1)(both))
    trainer = GanTrainer(Normal(3), g, c, wgan_gp, n_classes=3, n_critic=2)
    trainer.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
    trainer.fit(batched((X, LABELS)), verbose=0)
    assert trainer.steps_done == 3 and trainer.sample(4, label=1).shape == (4, 2)


@pytest.mark.parametrize(
    "g, c, message",
    [
        (None, points_critic(), "the generator has to be a Keras model, got NoneType"),
        (
            named("z", (4,), keras.layers.Dense(2)),
            points_critic(),
            r"reads latents \[4\], and the prior draws \[3\]",
        ),
        (
            keras.layers.Dense(2),
            named("x", (5,), keras.layers.Dense(1)),
            r"reads samples \[5\], .* makes \[2\]",
        ),
        (
            keras.layers.Dense(2),
            named("x", (2,), keras.layers.Dense(4)),
            r"one score per sample.* got \[None, 4\]",
        ),
        (
            keras.layers.Dense(2),
            keras.layers.Reshape((2, 1)),
            r"one score per sample.* got \[None, 2, 1\]",
        ),
        (
            keras.Model(
                [keras.Input((3,), name="a"), b := keras.Input((2,), name="b")],
                keras.layers.Dense(2)(b),
            ),
            points_critic(),
            "the generator has inputs a, b; name them z, image, label",
        ),
    ],
)
def test_networks_that_do_not_fit_are_answered_in_a_sentence(g, c, message):
    with pytest.raises(UsageError, match=message) as caught:
        GanTrainer(Normal(3), g, c, wgan_gp)
    assert "\n" not in str(caught.value)


def test_a_critic_needs_an_optimizer_of_its_own():
    trainer = GanTrainer(Normal(3), keras.layers.Dense(2), points_critic(), wgan_gp)
    with pytest.raises(UsageError, match="d_optimizer"):
        trainer.compile(keras.optimizers.Adam())


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.evaluate(None),
        lambda t: t.train_on_batch(None),
        lambda t: t.save("t.keras"),
        lambda t: t.fit(None, validation_data=1),
        lambda t: t.fit(None, callbacks=[keras.callbacks.ModelCheckpoint("m.keras")]),
        lambda t: t.fit(None, callbacks=[[keras.callbacks.LearningRateScheduler(lambda e: 1.0)]]),
        lambda t: t.fit(None, callbacks=[keras.callbacks.ReduceLROnPlateau("critic_loss")]),
        lambda t: t.fit(
            None, callbacks=keras.callbacks.CallbackList([keras.callbacks.SwapEMAWeights()])
        ),
    ],
)
def test_what_makes_no_sense_for_two_networks_is_answered_in_a_sentence(call):
    with pytest.raises(UsageError) as caught:
        call(make())
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of h5py
def test_keras_callbacks_that_only_look_on_work_as_on_any_model(tmp_path):
    trainer, seen = make(), []
    callbacks = [
        keras.callbacks.EarlyStopping("critic_loss", mode="min", patience=0, min_delta=1e9),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.ModelCheckpoint(tmp_path / "w.weights.h5", save_weights_only=True),
        keras.callbacks.TensorBoard(tmp_path / "board"),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs)),
    ]
    data = tf.data.Dataset.from_tensor_slices(X).repeat().batch(4, drop_remainder=True)
    trainer.fit(data, steps_per_epoch=2, epochs=9, verbose=0, callbacks=callbacks)
    assert trainer.steps_done == 4 and len(seen) == 2  # stopped early
    header, *rows = (tmp_path / "log.csv").read_text().splitlines()
    assert set(trainer.trackers) <= set(header.split(",")) and len(rows) == 2
    assert list((tmp_path / "board").rglob("*tfevents*"))
    other = make(seed=1)
    other.load_weights(tmp_path / "w.weights.h5")
    assert_same(values(trainer.generator.variables), values(other.generator.variables), rtol=0)


def test_xla_is_never_on_behind_the_flag(monkeypatch):
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda *_: [type("D", (), {"device_type": "GPU"})]
    )
    assert make().jit_compile is False
