"""Which devices --devices chooses, on a machine that is given GPUs for the test."""

import pytest
import tensorflow as tf
from conftest import CPU_ONLY

from tfwgan.errors import UsageError
from tfwgan.program import devices

GPUS = ["first", "second", "third"]


@pytest.fixture
def machine(monkeypatch):
    """What was asked of TensorFlow; it has three GPUs and takes whatever it is told."""
    asked = {"visible": GPUS, "deterministic": False, "strategy": None}
    config = tf.config
    found = config.list_physical_devices
    monkeypatch.setattr(
        config, "list_physical_devices", lambda kind: GPUS if kind == "GPU" else found(kind)
    )
    monkeypatch.setattr(config, "get_visible_devices", lambda kind: asked["visible"])
    monkeypatch.setattr(
        config, "set_visible_devices", lambda gpus, kind: asked.update(visible=gpus)
    )
    monkeypatch.setattr(
        config.experimental, "enable_op_determinism", lambda: asked.update(deterministic=True)
    )
    monkeypatch.setattr(devices, "mirrored", lambda names: asked.update(strategy=names))
    return asked


@pytest.mark.parametrize(
    "flag, visible, strategy",
    [
        ("auto", GPUS, ("GPU:0", "GPU:1", "GPU:2")),
        ("gpu:2,0", ["third", "first"], ("GPU:0", "GPU:1")),
        ("gpu:1", ["second"], None),
        ("cpu", [], None),
        pytest.param("cpu:2", [], ("CPU:0", "CPU:1"), marks=CPU_ONLY),
    ],
)
def test_the_devices_asked_for_are_the_ones_seen_and_gpus_add_up_in_order(
    flag, visible, strategy, machine
):
    devices.make_strategy(flag, 6)
    assert machine == {"visible": visible, "strategy": strategy, "deterministic": bool(visible)}


@pytest.mark.parametrize("flag", ["gpu:3", "gpu:0,0"])
def test_gpus_that_are_not_there_are_refused(flag, machine):
    with pytest.raises(UsageError, match="this machine has 3"):
        devices.make_strategy(flag, 6)
    assert machine["visible"] == GPUS


def test_a_batch_that_the_gpus_cannot_share_is_refused(machine):
    with pytest.raises(UsageError, match="split evenly over 3 devices"):
        devices.make_strategy("auto", 4)
