"""The best checkpoint is kept, and the number told of it is one that did not choose it."""

import json

import numpy as np
import pytest

from tfwgan import checkpoint
from tfwgan.callbacks.evaluate import real_rows
from tfwgan.errors import UsageError
from tfwgan.program import experiment
from tfwgan.program.config import Config
from tfwgan.transport import swd

pytestmark = pytest.mark.usefixtures("no_export")

RING = {
    "data": "ring8-n=64",
    "gen_arch": "MLP-dim=8-mults=(1,)",
    "disc_arch": "MLP-dim=8-mults=(1,)",
    "z_dim": 4,
    "batch_size": 8,
    "steps": 6,
    "log_steps": 2,
    "eval_steps": 1,
    "keep_best": "swd",
    "metrics": ("swd", "precision"),
}


def run(tmp_path, **settings):
    config = Config(**{**RING, **settings, "out_dir": str(tmp_path), "name": "run"})
    made = experiment.build(config)
    return made, experiment.fit(made, verbose=False)


@pytest.mark.parametrize("key, best", [("swd", min), ("precision", max)])
def test_the_best_checkpoint_is_kept_whichever_way_is_better(key, best, tmp_path):
    made, result = run(tmp_path, keep_best=key, keep_checkpoints=1)
    values = {row["step"]: row[key] for row in result.history if key in row and row["step"] > 0}
    kept = json.loads((result.run_dir / "best.json").read_text())
    assert len(values) == 6 and kept["chosen"] == best(values.values())
    assert values[kept["step"]] == kept["chosen"] and kept["metric"] == key
    (path,) = checkpoint.paths(result.run_dir / "best")
    assert path.name == f"step_{kept['step']:06d}.npz"
    assert experiment.load_trainer(path).steps_done == kept["step"]
    assert len(checkpoint.paths(result.run_dir / "checkpoints")) == 1


def test_one_half_of_the_data_chooses_and_the_other_reports(tmp_path):
    made, result = run(tmp_path)
    kept = json.loads((result.run_dir / "best.json").read_text())
    trainer = experiment.load_trainer(checkpoint.paths(result.run_dir / "best")[0])
    rows = real_rows(64, made.config.eval_images, 0)
    halves = [made.loaded.real(rows[start::2]) for start in (0, 1)]
    chosen = float(swd(trainer.evaluation_samples(), halves[0]))
    assert kept["chosen"] == pytest.approx(chosen, rel=1e-6) and kept["n"] == 1000
    same_samples = float(swd(trainer.evaluation_samples(), halves[1]))
    assert kept["reported"] not in (kept["chosen"], same_samples)
    assert kept["reported"] == pytest.approx(same_samples, rel=0.2)


def test_a_resumed_run_knows_what_was_best(tmp_path):
    whole, result = run(tmp_path / "whole")
    kept = json.loads((result.run_dir / "best.json").read_text())

    class Stop(experiment.keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = self.model.steps_done >= 3

    config = Config(**{**RING, "out_dir": str(tmp_path / "parts"), "name": "run"})
    first = experiment.fit(experiment.build(config), [Stop()], verbose=False)
    assert first.step < 6
    again = experiment.fit(experiment.build(config), resume=True, verbose=False)
    assert json.loads((again.run_dir / "best.json").read_text()) == kept
    np.testing.assert_array_equal(
        *[
            checkpoint.load(checkpoint.paths(folder / "best")[0])[1]["step"]
            for folder in (result.run_dir, again.run_dir)
        ]
    )


@pytest.mark.parametrize(
    "settings, answer",
    [
        ({"keep_best": "fid"}, "`keep_best=fid` is none of the metrics"),
        ({"keep_best": "swd", "metrics": ()}, "`metrics`: none"),
        ({"metrics": ("swd", "fid_infinity"), "z_prior": "const=8"}, "`metrics=fid_infinity`"),
        ({"metrics": ("swd", "classes")}, "features that classify"),
        ({"features": "fashion_cnn", "metrics": ("swd", "fid")}, "fashion_cnn"),
    ],
)
def test_what_can_not_be_measured_is_refused_before_anything_is_written(settings, answer, tmp_path):
    with pytest.raises(UsageError, match=answer):
        experiment.build(Config(**{**RING, **settings, "out_dir": str(tmp_path)}))
    assert not list(tmp_path.iterdir())
