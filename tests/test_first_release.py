"""What the first release wrote goes on: its runs, checkpoints, exports and names of modules."""

import dataclasses
import importlib
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

import tfwgan
from tfwgan.program.config import Config, read_config

FIRST = (
    ROOT / "tests" / "first_release"
)  # 6 steps of `wgan=0.02` with 8 trainable atoms on points of a ring


@pytest.fixture
def old_run(tmp_path):
    shutil.copytree(FIRST, tmp_path / "run")
    return tmp_path / "run"


def test_a_run_of_the_first_release_goes_on(old_run):
    config = Config(**read_config(old_run / "config.json"))
    config = dataclasses.replace(
        config, out_dir=str(old_run.parent), name="run", steps=8, threads=None
    )
    before = (old_run / "metrics.jsonl").read_text()
    result = tfwgan.fit(tfwgan.build(config), resume=True, verbose=False)
    assert result.step == 8 and [row["step"] for row in result.history] == [2, 4, 6, 8]
    assert (old_run / "metrics.jsonl").read_text().startswith(before)
    assert json.loads((old_run / "config.json").read_text())["loss"] == "wgan=0.02"


def test_a_checkpoint_of_the_first_release_makes_the_samples_that_its_export_makes(old_run):
    exported = tf.saved_model.load(str(old_run / "export" / "saved_model"))
    trainer = tfwgan.load_trainer(old_run)
    np.testing.assert_allclose(trainer.sample(16, seed=3), exported.sample(16, 3), atol=1e-6)
    np.testing.assert_allclose(trainer.evaluation_samples(), exported.atom(np.arange(8)), atol=1e-6)


@pytest.mark.parametrize("module", ["config", "experiment", "runs", "spec"])
def test_modules_that_moved_are_found_under_their_first_names(module):
    moved = importlib.import_module(f"tfwgan.program.{module}")
    assert importlib.import_module(f"tfwgan.{module}") is moved


def test_data_that_are_loaded_by_name_are_found_under_their_first_name():
    from tfwgan import data

    assert len(data.load("ring8-n=64")) == 64 and data.outline("ring8-n=64").size == 64
    with pytest.raises(AttributeError, match="has no attribute 'unload'"):
        data.unload("ring8")
