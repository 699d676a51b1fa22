"""The scripts, typed as a user would type them, and mistyped."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import TINY
from PIL import Image

from tfwgan.program import experiment
from tfwgan.program.config import Config

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scripts")
    images = {"data": "squares-size=16-square=3", "gen_arch": "FC-nf=8", "disc_arch": "FC-nf=8"}
    config = Config(**{**TINY, **images, "out_dir": str(folder), "name": "run"})
    return experiment.fit(experiment.build(config), verbose=False).run_dir


def test_sample_writes_a_picture_an_array_or_a_folder(run, tmp_path, script):
    model = run / "export" / "saved_model"
    for out in ("grid.png", "samples.npz", "folder/"):
        done = script("sample", model, "--n=6", "--seed=1", f"--out={tmp_path / out}")
        assert done.returncode == 0 and done.stderr == "", done.stderr
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.mode == "L"
    with np.load(tmp_path / "samples.npz") as file:
        assert file["images"].shape == (6, 16, 16, 1)
    assert len(list((tmp_path / "folder").glob("*.png"))) == 6


def test_interpolate_draws_paths(run, tmp_path, script):
    for path in ("slerp", "lerp"):
        done = script(
            "interpolate",
            run,
            "--rows=2",
            "--columns=5",
            f"--path={path}",
            f"--out={tmp_path / path}.npz",
        )
        assert done.returncode == 0 and done.stderr == "", done.stderr
    with np.load(tmp_path / "slerp.npz") as slerp, np.load(tmp_path / "lerp.npz") as lerp:
        assert slerp["images"].shape == (10, 16, 16, 1)
        ends = [0, 4, 5, 9]
        np.testing.assert_allclose(slerp["images"][ends], lerp["images"][ends], atol=1e-5)
        np.testing.assert_allclose(slerp["images"][4], slerp["images"][5], atol=1e-5)


@pytest.mark.slow
def test_export_takes_a_run_or_a_checkpoint(run, tmp_path, script):
    done = script("export", run / "checkpoints" / "step_000002.npz", f"--out={tmp_path / 'model'}")
    assert done.returncode == 0 and "Step 2:" in done.stdout, done.stderr
    assert (tmp_path / "model" / "saved_model.pb").exists()
    assert script("export", run).returncode == 0


@pytest.mark.parametrize("name", ["export", "sample", "interpolate", "distances"])
def test_an_out_that_cannot_be_written_is_a_mistake(name, run, script):
    inputs, out = {"distances": []}.get(name, [run]), run / "config.json" / "x" / "y.png"
    done = script(name, *inputs, f"--out={out}")
    assert (
        done.returncode == 2
        and done.stderr == f"tfwgan: Can't write --out={out}: Not a directory.\n"
    )


@pytest.mark.slow
def test_an_export_replaces_nothing_but_a_saved_model(run, tmp_path, script):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("kept")
    for out in ("mine", "mine/notes"):
        done = script("export", run, f"--out={tmp_path / out}")
        assert (
            done.returncode == 2
            and "holds other files than those of a SavedModel (notes)" in done.stderr
        )
    assert (tmp_path / "mine" / "notes").read_text() == "kept"
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "notes"]
    (tmp_path / "empty").mkdir()
    for _ in range(2):
        assert script("export", run, f"--out={tmp_path / 'empty'}").returncode == 0


@pytest.mark.slow
def test_inspect_atoms_reports_and_draws(tmp_path, script):
    images = {
        "data": "squares-size=16-square=3",
        "gen_arch": "FC-nf=8",
        "disc_arch": "FC-nf=8",
        "z_prior": "const=8",
    }
    config = Config(**{**TINY, **images, "out_dir": str(tmp_path), "name": "run"})
    run_dir = experiment.fit(experiment.build(config), verbose=False).run_dir
    done = script("inspect_atoms", run_dir, "--patch=5")
    assert done.returncode == 0 and "8 atoms against 121 real samples" in done.stdout, done.stderr
    text = (run_dir / "atoms" / "atoms.json").read_text()
    report = json.loads(text)
    assert report["atoms"] == len(report["per_atom"]) == 8
    assert (
        len(text.splitlines()) == len(report) + 8 + 3
    )  # a line for each entry and each atom, and three brackets
    assert {path.name for path in (run_dir / "atoms").iterdir()} == {
        "atoms.json",
        "atoms.png",
        "patches.png",
    }
    done = script("inspect_atoms", run_dir, "--patch=17", f"--out={tmp_path / 'other'}")
    assert (
        done.returncode == 2
        and "patches of 17 x 17" in done.stderr
        and not (tmp_path / "other").exists()
    )


def test_distances_prints_and_draws_the_worked_examples(tmp_path, script):
    done = script("distances", f"--out={tmp_path / 'd.png'}")
    assert (
        done.returncode == 0
        and "42 in all, 7 per box" in done.stdout
        and "2 in order, 6 crossed" in done.stdout
    )
    assert (tmp_path / "d.png").exists()


SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_is_fast_and_names_the_flags(name):
    command = [sys.executable, str(ROOT / "scripts" / f"{name}.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and f"usage: tfwgan {name.replace('_', '-')}" in done.stdout


@pytest.mark.parametrize(
    "name, arguments, answer",
    [
        ("sample", [], "SAVED_MODEL is missing"),
        ("sample", ["nowhere"], "no SavedModel in nowhere"),
        ("sample", ["nowhere", "--n=0"], "--n=0"),
        ("sample", ["nowhere", "--m=1"], "Unknown command line flag 'm'"),
        ("sample", ["one", "two"], "Unexpected argument 'two'"),
        ("interpolate", ["nowhere", "--path=line"], "slerp"),
        ("export", ["nowhere"], "nowhere/config.json"),
        ("export", ["nowhere/checkpoints/step_000001.npz"], "nowhere/config.json"),
        ("benchmark", ["dcgan33"], "did you mean 'dcgan32'"),
        ("inspect_atoms", ["nowhere"], "nowhere/config.json"),
        ("inspect_atoms", ["nowhere", "--patch=0"], "--patch=0"),
        ("distances", ["--oat=d.png"], "Unknown command line flag 'oat'"),
        ("traverse", ["nowhere"], "nowhere/config.json"),
        ("compare", [], "STUDY is missing"),
        ("compare", ["mode"], "did you mean 'modes'"),
        ("compare", ["losses", "--data=ring9"], "did you mean 'ring8'"),
        ("reproduce", [], "FIGURE is missing"),
        ("reproduce", ["fig8"], "did you mean 'fig"),
        ("reproduce", ["fig5", "--data=squars"], "did you mean 'squares'"),
        ("reproduce", ["fig5", "--seeds=0"], "--seeds=0"),
    ],
)
def test_a_mistake_is_answered_in_one_line(name, arguments, answer, tmp_path, script):
    done = script(name, *arguments, cwd=tmp_path)
    assert done.returncode == 2 and answer in done.stderr and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
