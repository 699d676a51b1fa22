"""What Keras allows and a GAN has no use for is answered in a sentence, before anything is trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_trainer import make

from tfwgan.errors import UsageError

WRONG_DATA = {
    "an array": lambda x: x,
    "a dictionary": lambda x: {"image": x},
    "arrays": lambda x: tf.data.Dataset.from_tensor_slices(x).batch(4),
    "no critic batches": lambda x: tf.data.Dataset.from_tensor_slices({"image": x}).batch(4, drop_remainder=True),
    "another shape": lambda x: tf.data.Dataset.from_tensors({"image": np.zeros([4, 2, 3], np.float32)}),
    "an unknown batch": lambda x: tf.data.Dataset.from_tensor_slices({"image": x[:, None]}).batch(4),
    "pairs": lambda x: tf.data.Dataset.from_tensors(({"image": x[None]}, 0)),
    "None": lambda x: None,
}


@pytest.mark.parametrize("what", WRONG_DATA)
def test_data_of_another_form_are_answered_in_a_sentence(what):
    with pytest.raises(UsageError, match=r"'image': \[batch, n_critic, 2\].* got "):
        make().fit(WRONG_DATA[what](np.zeros([8, 2], np.float32)), verbose=0)


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
        lambda t: t.fit(None, callbacks=keras.callbacks.CallbackList([keras.callbacks.SwapEMAWeights()])),
    ],
)
def test_what_makes_no_sense_for_two_networks_is_answered_in_a_sentence(call):
    with pytest.raises(UsageError) as caught:
        call(make())
    assert "\n" not in str(caught.value)


def test_xla_is_never_on_behind_the_flag(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda *_: [type("D", (), {"device_type": "GPU"})])
    assert make().jit_compile is False
