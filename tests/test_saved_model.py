"""What a run hands over works without us, and is what the run's own trainer makes."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from conftest import TINY

import tfwgan
from tfwgan import experiment, saved_model
from tfwgan.config import Config
from tfwgan.spec import UsageError

IMAGES = {
    "data": "squares-size=16-square=3",
    "gen_arch": "DCGAN-nf=4-norm=batch",
    "disc_arch": "DCGAN-nf=4-norm=instance",
    "z_prior": "const=12",
    "batch_size": 8,
}

# A name that is None in sys.modules can't be imported, whether it is installed or not.
BARE = """
import sys
sys.modules.update(keras=None, tfwgan=None)
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
images, z = model.sample(5, 3), model.latent(5, 3)
np.savez(sys.argv[2], sample=images, decode=model.decode(z), atom=model.atom([0, 11]), score=model.score(images),
         one=model.sample(1, 0), many=model.sample(1000, 0), served=model.signatures["decode"](z=z)["output_0"])
assert sys.modules["keras"] is None and sys.modules["tfwgan"] is None
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    config = Config(**{**TINY, **IMAGES, "out_dir": str(folder), "name": "run"})
    parts = experiment.build(config)
    return parts.trainer, experiment.fit(parts, verbose=False)


def test_a_bare_process_gets_what_the_trainer_gives(trained, tmp_path):
    trainer, result = trained
    (tmp_path / "bare.py").write_text(BARE)
    command = [sys.executable, "bare.py", str(result.saved_model.resolve()), "out.npz"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "out.npz") as out:
        images = trainer.sample(5, seed=3).numpy()
        atoms = trainer(trainer.average_prior(tf.constant([0, 11], tf.int64)))
        np.testing.assert_allclose(out["sample"], images, atol=1e-6)
        np.testing.assert_allclose(out["decode"], images, atol=1e-6)
        np.testing.assert_allclose(out["served"], images, atol=1e-6)
        np.testing.assert_allclose(out["atom"], atoms, atol=1e-6)
        np.testing.assert_allclose(out["score"], trainer.critic({"image": images}), atol=1e-6)
        assert out["one"].shape == (1, 16, 16, 1) and out["many"].shape == (1000, 16, 16, 1)
        assert out["many"].dtype == np.float32 and np.abs(out["many"]).max() <= 1


def test_all_atoms_at_once_are_the_table_in_order(trained):
    model = saved_model.load(trained[1].run_dir)
    np.testing.assert_allclose(model.sample(12, 7), model.atom(tf.range(12, dtype=tf.int64)), atol=1e-6)


def test_the_averaged_generator_is_the_one_exported(trained):
    trainer, result = trained
    model = saved_model.load(result.saved_model)
    z = trainer.prior.sample(3, tf.constant([1, 2], tf.int64))
    np.testing.assert_allclose(model.decode(z), trainer.average_generator({"z": z}), atol=1e-6)
    assert np.abs(model.decode(z) - trainer.generator({"z": z})).max() > 1e-4


def test_a_trainer_without_average_or_table_exports_its_generator(tmp_path):
    trainer = experiment.build(Config(**{**TINY, "ema": 0})).trainer
    model = saved_model.load(saved_model.export_saved_model(trainer, tmp_path / "model"))
    np.testing.assert_allclose(model.sample(4, 1), trainer.sample(4, seed=1), atol=1e-6)
    assert not hasattr(model, "atom")


def test_servers_find_every_endpoint(trained):
    model = saved_model.load(trained[1].saved_model)
    assert set(model.signatures) == {"sample", "latent", "decode", "atom", "score", "serving_default"}
    n, seed = tf.constant(3, tf.int64), tf.constant(1, tf.int64)
    served = model.signatures["serving_default"](n=n, seed=seed)["output_0"]
    np.testing.assert_array_equal(served, model.sample(3, 1))


def test_seeds_are_repeatable_and_differ(trained):
    model = saved_model.load(trained[1].saved_model)
    np.testing.assert_array_equal(model.sample(3, 1), model.sample(3, 1))
    assert np.abs(model.sample(3, 1) - model.sample(3, 2)).max() > 0


def test_exporting_again_replaces_the_whole_folder(trained, tmp_path):
    path = saved_model.export_saved_model(trained[0], tmp_path / "model")
    before = path.stat().st_ino
    saved_model.export_saved_model(trained[0], path)
    assert path.stat().st_ino != before and [p.name for p in tmp_path.iterdir()] == ["model"]


def test_a_run_or_one_of_its_checkpoints_loads_without_its_data(trained, monkeypatch):
    trainer, result = trained
    monkeypatch.setattr(experiment, "load", None)
    for source in (result.run_dir, result.run_dir / "checkpoints" / "step_000004.npz"):
        loaded = tfwgan.load_trainer(source)
        np.testing.assert_array_equal(loaded.sample(4, seed=2), trainer.sample(4, seed=2))
    assert tfwgan.load_trainer(result.run_dir / "checkpoints" / "step_000002.npz").steps_done == 2


def test_what_is_no_model_is_named(trained, tmp_path):
    with pytest.raises(UsageError, match="no SavedModel in"):
        saved_model.load(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match=r"tfwgan export .* makes it"):
        saved_model.load(tmp_path)
    with pytest.raises(UsageError, match="Can't read"):
        tfwgan.load_trainer(tmp_path / "no")
