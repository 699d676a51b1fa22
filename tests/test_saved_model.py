"""What a run hands over works without us, and is what the run's own trainer makes."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from conftest import TINY

import tfwgan
from tfwgan import saved_model
from tfwgan.errors import UsageError
from tfwgan.program import experiment, loading
from tfwgan.program.config import Config

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
np.savez(sys.argv[2], sample=images, decode=model.decode(z), atom=model.atom([0, 11]),
         score=model.score(images), one=model.sample(1, 0), many=model.sample(1000, 0),
         served=model.signatures["decode"](z=z)["output_0"])
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
    np.testing.assert_allclose(
        model.sample(12, 7), model.atom(tf.range(12, dtype=tf.int64)), atol=1e-6
    )


def test_the_averaged_generator_is_the_one_exported(trained):
    trainer, result = trained
    model = saved_model.load(result.saved_model)
    z = trainer.prior.sample(3, tf.constant([1, 2], tf.int64))
    np.testing.assert_allclose(model.decode(z), trainer.average_generator({"z": z}), atol=1e-6)
    assert np.abs(model.decode(z) - trainer.generator({"z": z})).max() > 1e-4


@pytest.mark.slow
def test_a_trainer_without_average_or_table_exports_its_generator(tmp_path):
    trainer = experiment.build(Config(**{**TINY, "ema": 0})).trainer
    model = saved_model.load(saved_model.export_saved_model(trainer, tmp_path / "model"))
    np.testing.assert_allclose(model.sample(4, 1), trainer.sample(4, seed=1), atol=1e-6)
    assert not hasattr(model, "atom")


def test_servers_find_every_endpoint(trained):
    model = saved_model.load(trained[1].saved_model)
    assert set(model.signatures) == {*"sample latent decode atom score serving_default".split()}
    n, seed = tf.constant(3, tf.int64), tf.constant(1, tf.int64)
    served = model.signatures["serving_default"](n=n, seed=seed)["output_0"]
    np.testing.assert_array_equal(served, model.sample(3, 1))


def test_seeds_are_repeatable_and_differ(trained):
    model = saved_model.load(trained[1].saved_model)
    np.testing.assert_array_equal(model.sample(3, 1), model.sample(3, 1))
    assert np.abs(model.sample(3, 1) - model.sample(3, 2)).max() > 0


@pytest.mark.slow
def test_exporting_again_replaces_the_whole_folder(trained, tmp_path):
    path = saved_model.export_saved_model(trained[0], tmp_path / "model")
    before = path.stat().st_ino
    saved_model.export_saved_model(trained[0], path)
    assert path.stat().st_ino != before and [p.name for p in tmp_path.iterdir()] == ["model"]


def test_a_run_or_one_of_its_checkpoints_loads_without_its_data(trained, monkeypatch):
    trainer, result = trained
    monkeypatch.setattr(loading, "load", None)
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


def made(**changes):
    """Makes an untrained trainer; of its exported model only shapes and words matter."""
    return experiment.build(Config(**{**TINY, **changes})).trainer


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    settings = {
        "data": "ring8-n=64",
        "gen_arch": "MLP-dim=8-mults=(1,)-cond=concat",
        "disc_arch": "MLP-dim=8-mults=(1,)-cond=projection",
    }
    trainer = made(**settings, z_prior="const=6")
    return saved_model.load(
        saved_model.export_saved_model(trainer, tmp_path_factory.mktemp("conditional") / "model")
    )


NUMBERS = [int, np.int32, np.int64, lambda n: tf.constant(n), lambda n: tf.constant(n, tf.int64)]


@pytest.mark.parametrize("of", NUMBERS, ids=["int", "int32", "int64", "tensor", "int64 tensor"])
@pytest.mark.parametrize("n", [0, 1, 5, 256, 257])
def test_any_usual_kind_of_number_is_taken_and_any_count(of, n, conditional):
    reference = conditional.sample(n, 3, 2).numpy()
    assert reference.shape == (n, 2)
    np.testing.assert_array_equal(conditional.sample(of(n), of(3), of(2)), reference)
    assert conditional.latent(of(n), of(3)).shape == (n, 4)


@pytest.mark.parametrize("of", NUMBERS, ids=["int", "int32", "int64", "tensor", "int64 tensor"])
def test_arguments_have_names_and_any_order(of, conditional):
    reference, rows, labels = conditional.sample(5, 3, 2), [0, 5], [7, 0]
    for given in ({"label": of(2), "seed": of(3), "n": of(5)}, {"n": 5, "seed": of(3), "label": 2}):
        np.testing.assert_array_equal(conditional.sample(**given), reference)
    np.testing.assert_array_equal(conditional.sample(of(5), label=2, seed=of(3)), reference)
    z = conditional.latent(of(5), seed=of(3))
    np.testing.assert_array_equal(z, conditional.latent(n=of(5), seed=3))
    atoms, kind = conditional.atom(rows, labels), np.asarray(of(1)).dtype
    for index in (rows, np.array(rows, kind), tf.constant(rows, kind)):
        np.testing.assert_array_equal(conditional.atom(index=index, label=labels), atoms)
    images = conditional.decode(z=z[:2], label=labels)
    for latents in (z[:2].numpy().astype("float64"), z[:2].numpy().tolist()):
        np.testing.assert_array_equal(conditional.decode(label=labels, z=latents), images)
    scores = conditional.score(images, labels)
    np.testing.assert_array_equal(conditional.score(label=labels, image=images), scores)


def test_an_argument_that_is_missing_or_unknown_is_named(conditional):
    with pytest.raises(TypeError, match="seed"):
        conditional.sample(n=5, label=1)
    with pytest.raises(TypeError, match="seeds"):
        conditional.sample(5, 3, 2, seeds=1)


@pytest.mark.parametrize("seed", [-(2**63), -1, 0, 2**31, 2**63 - 1])
def test_any_seed_of_64_bits_is_one(seed, conditional):
    assert np.isfinite(conditional.sample(3, seed, -1)).all()


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_rows_and_labels_are_whole_numbers_of_either_size(dtype, conditional):
    rows, labels = np.arange(6, dtype=dtype), np.array([0, 1, 2, 3, 4, 7], dtype)
    atoms = conditional.atom(rows, labels)
    np.testing.assert_array_equal(conditional.atom(tf.range(6), labels), atoms)
    np.testing.assert_array_equal(conditional.atom([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 7]), atoms)
    z = np.random.default_rng(0).normal(size=(6, 4))  # float64, as NumPy makes it
    np.testing.assert_array_equal(
        conditional.decode(z, labels), conditional.decode(z.astype("float32"), labels)
    )
    assert conditional.decode(z[:0], labels[:0]).shape == (0, 2)
    assert conditional.score(np.zeros([6, 2]), labels).shape == (6,)


WRONG = {
    "sample, one too many": lambda m: m.sample(2, 1, 8),
    "sample, far": lambda m: m.sample(2, 1, 2**31 + 3),
    "sample, below": lambda m: m.sample(2, 1, -2),
    "sample, negative": lambda m: m.sample(-1, 1, 0),
    "latent, negative": lambda m: m.latent(-1, 1),
    "decode, above": lambda m: m.decode(np.zeros([2, 4], np.float32), [3, 8]),
    "decode, below": lambda m: m.decode(np.zeros([2, 4], np.float32), [-1, 0]),
    "atom, a row above": lambda m: m.atom([6], [0]),
    "atom, a row below": lambda m: m.atom([-1], [0]),
    "atom, a label": lambda m: m.atom([0], [8]),
    "score": lambda m: m.score(np.zeros([1, 2], np.float32), [8]),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_out_of_range_is_an_error_and_no_picture(what, conditional):
    with pytest.raises(tf.errors.InvalidArgumentError, match="must (lie in|be at least)"):
        WRONG[what](conditional)


def test_a_label_of_the_trainer_is_checked_too():
    trainer = made(
        gen_arch="MLP-dim=8-mults=(1,)-cond=concat",
        disc_arch="MLP-dim=8-mults=(1,)-cond=projection",
    )
    with pytest.raises(UsageError, match=r"label must lie in 0 ... 7, got 8"):
        trainer.sample(2, label=8)


@pytest.mark.slow
def test_a_model_works_in_one_line_and_by_its_endpoint_alone(trained):
    path = str(trained[1].saved_model)
    expected = saved_model.load(path).sample(3, 1)
    np.testing.assert_array_equal(tf.saved_model.load(path).sample(3, 1), expected)
    sample = tf.saved_model.load(path).sample
    np.testing.assert_array_equal(sample(3, 1), expected)


def test_the_model_names_its_classes(conditional, trained):
    assert saved_model.class_names(conditional) == [f"mode {i}" for i in range(8)]
    assert saved_model.class_names(saved_model.load(trained[1].saved_model)) == []


FOREIGN = {
    "a file beside": lambda p: (p / "thesis.tex").write_text("years"),
    "a hidden file": lambda p: (p / ".notes").write_text("years"),
    "a file among the weights": lambda p: (p / "variables" / "thesis.tex").write_text("years"),
    "a file among the assets": lambda p: (p / "assets" / "thesis.tex").write_text("years"),
    "an empty folder": lambda p: (p / "mine").mkdir(),
    "no model": lambda p: (p / "saved_model.pb").unlink(),
    "a link": lambda p: (p / "link").symlink_to(p),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", FOREIGN)
def test_nothing_that_is_not_ours_is_ever_removed(what, trained, tmp_path):
    path = saved_model.export_saved_model(trained[0], tmp_path / "model")
    FOREIGN[what](path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match="holds other files"):
        saved_model.export_saved_model(trained[0], path)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
def test_an_export_goes_where_it_is_asked_to(trained, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert saved_model.export_saved_model(trained[0], ".") == tmp_path / "empty"
    assert (tmp_path / "empty" / "saved_model.pb").exists() and [
        p.name for p in tmp_path.iterdir()
    ] == ["empty"]


@pytest.mark.slow
def test_a_kill_between_two_renames_loses_no_model(trained, tmp_path, monkeypatch):
    path = saved_model.export_saved_model(trained[0], tmp_path / "model")
    path.rename(tmp_path / ".model.0a0b.old")
    (tmp_path / ".model.0a0b.new").mkdir()
    (tmp_path / ".model.mine.old").mkdir()
    (tmp_path / ".model.mine.old" / "thesis.tex").write_text("years")

    def full(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tf.saved_model, "save", full)
        with pytest.raises(OSError, match="No space left"):
            saved_model.export_saved_model(trained[0], path)
    assert saved_model.load(path).sample(2, 0).shape == (2, 16, 16, 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".model.mine.old", "model"]
