"""What all tests share: quiet logs, two logical devices, and tiny runs.

The suite computes on the CPU, also where there is a GPU; `CUDA_VISIBLE_DEVICES=0 bash
scripts/test.sh -n 4` takes that.
"""

import contextlib
import gc
import io
import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the commands do
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

from tfwgan.main import main
from tfwgan.program import devices, experiment

# Two logical devices, so that one process can compare one device with two; one device is still the
# first of them.
KIND = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
GPU_MEMORY = 3072 if KIND == "GPU" else None  # MiB; a GPU's are of fixed size
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices(KIND)[0], [tf.config.LogicalDeviceConfiguration(GPU_MEMORY)] * 2
)
CPU_ONLY = pytest.mark.skipif(
    KIND == "GPU", reason="TensorFlow was given the GPU when the tests began"
)


def two_devices():
    """The strategy over both logical devices."""
    return devices.mirrored((f"{KIND}:0", f"{KIND}:1"))


ROOT = Path(__file__).parent.parent
TINY = {
    "data": "ring8-n=64",
    "gen_arch": "MLP-dim=8-mults=(1,)",
    "disc_arch": "MLP-dim=8-mults=(1,)",
    "z_dim": "4",
    "batch_size": "8",
    "n_critic": "1",
    "steps": "4",
    "log_steps": "2",
    "image_steps": "2",
    "checkpoint_steps": "2",
}


# The files that take longest, begun first: else one process ends with them while the others wait.
LONGEST = ("test_installation", "test_examples", "test_adding", "test_memory", "test_studies")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem not in LONGEST)


def free_memory():
    """Lets go of the networks and graphs that nobody uses any more.

    TensorFlow registers the gradient functions of every graph for good, and with them the graph and
    its variables.
    """
    registry = ops.gradient_registry._registry
    for name in [name for name in registry if name.startswith("CustomGradient-")]:
        del registry[name]
    gc.collect()
    gc.freeze()  # what is left stays; to look through gigabytes of it again and again takes minutes


@pytest.fixture(autouse=True, scope="module")
def one_file_in_memory():
    yield
    free_memory()


@pytest.fixture
def tiny(tmp_path):
    """Runs the program on a tiny problem in a folder of this test; returns its exit code."""

    def run(*arguments, **flags):
        flags = {**TINY, "out_dir": str(tmp_path), "name": "run", **flags}
        return main([*(f"--{name}={value}" for name, value in flags.items()), *arguments])

    return run


@pytest.fixture
def no_export(monkeypatch):
    """Makes finished runs write no SavedModel.

    That would take a third of a tiny run's time, which tests of other things need not spend.
    """
    monkeypatch.setattr(experiment, "export_saved_model", lambda trainer, path: path)


@pytest.fixture
def script(monkeypatch):
    """Runs a script of scripts/ as its command line would.

    It runs in this process, where TensorFlow is already loaded.
    """

    def run(name, *arguments, cwd="."):
        path = Path(__file__).parent.parent / "scripts" / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(cwd),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            with pytest.raises(SystemExit) as stopped:
                runpy.run_path(str(path), run_name="__main__")
        return SimpleNamespace(
            returncode=stopped.value.code, stdout=out.getvalue(), stderr=err.getvalue()
        )

    return run
