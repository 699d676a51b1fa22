"""What all tests share: quiet logs, two logical CPUs, and tiny runs."""

import contextlib
import gc
import io
import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest
import tensorflow as tf

from tfwgan.main import main

# Two logical CPUs, so that one process can compare one device with two; one device is still the first of them.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

TINY = {
    "data": "ring8-n=64",
    "gen_arch": "MLP-dim=8",
    "disc_arch": "MLP-dim=8",
    "z_dim": "4",
    "batch_size": "8",
    "n_critic": "2",
    "steps": "4",
    "log_steps": "2",
    "image_steps": "2",
    "checkpoint_steps": "2",
}


@pytest.fixture(autouse=True, scope="module")
def free_memory():
    """Lets go of the networks and graphs of a file, which refer to each other."""
    yield
    keras.utils.clear_session()
    gc.collect()


@pytest.fixture
def tiny(tmp_path):
    """Runs the program on a tiny problem in a folder of this test; returns its exit code."""

    def run(*arguments, **flags):
        flags = {**TINY, "out_dir": str(tmp_path), "name": "run", **flags}
        return main([*(f"--{name}={value}" for name, value in flags.items()), *arguments])

    return run


@pytest.fixture
def script(monkeypatch):
    """Runs a script of scripts/ as its command line would, in this process, where TensorFlow is already loaded."""

    def run(name, *arguments, cwd="."):
        path = Path(__file__).parent.parent / "scripts" / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            with pytest.raises(SystemExit) as stopped:
                runpy.run_path(str(path), run_name="__main__")
        return SimpleNamespace(returncode=stopped.value.code, stdout=out.getvalue(), stderr=err.getvalue())

    return run
