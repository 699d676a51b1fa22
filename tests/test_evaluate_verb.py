"""`tfwgan evaluate`: what it compares, what it refuses, what it keeps."""

import json
import shutil

import numpy as np
import pytest
from conftest import TINY

from tfwgan.metrics import fid
from tfwgan.program import experiment
from tfwgan.program.config import Config
from tfwgan.program.datasets import load
from tfwgan.program.verbs import main
from tfwgan.render import save_samples

FEW = ["--metrics=fid", "--metrics=precision", "--features=projections=8", "--n=40"]


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tfwgan"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    images = {"data": "squares-size=16-square=3", "gen_arch": "FC-nf=8", "disc_arch": "FC-nf=8"}
    config = Config(**{**TINY, **images, "out_dir": str(folder), "name": "run"})
    return experiment.fit(experiment.build(config), verbose=False).run_dir


@pytest.fixture
def said(capsys):
    """Runs the verb; the table and the JSON line, if all is well, else its one line of error."""

    def evaluate(*arguments, code=0):
        assert main(["evaluate", *map(str, arguments)]) == code, capsys.readouterr().err
        out = capsys.readouterr()
        if code:
            assert out.err.count("\n") == 1 and "Traceback" not in out.err
            return out.err
        *table, line = out.out.strip().splitlines()
        return "\n".join(table), json.loads(line)

    return evaluate


def pictures(folder, n=40, seed=0, size=16, channels=1):
    images = np.random.default_rng(seed).uniform(-1, 1, (n, size, size, channels))
    save_samples(images.astype(np.float32), f"{folder}/")
    return folder


def test_two_folders_of_pictures_are_one_command(said, tmp_path):
    a, b = pictures(tmp_path / "a"), pictures(tmp_path / "b", seed=1)
    table, found = said(a, f"--against={b}")
    assert "fid40-fashion_cnn" in table and "real against real" in table
    assert found["judged"]["n"] == 40 and found["judged"]["extractor"] == "fashion_cnn"
    assert set(found["scores"]) == {
        f"{name}40-fashion_cnn"
        for name in ("fid", "kid", "mind", "precision", "recall", "density", "coverage")
    }


@pytest.mark.parametrize("side", ["run", "checkpoint", "model", "folder", "npz", "npy", "spec"])
def test_every_kind_of_side_can_be_judged(side, run, said, tmp_path):
    sides = {
        "run": run,
        "checkpoint": run / "checkpoints" / "step_000002.npz",
        "model": run / "export" / "saved_model",
        "spec": "squares-size=16-square=3",
        "folder": tmp_path / "a",
        "npz": tmp_path / "a.npz",
        "npy": tmp_path / "a.npy",
    }
    if side in ("folder", "npz", "npy"):
        pictures(tmp_path / "a")
        samples = np.random.default_rng(0).uniform(-1, 1, (40, 16, 16, 1)).astype(np.float32)
        if side != "folder":
            save_samples(samples, str(sides[side]))
    _, found = said(sides[side], "--against=squares-size=16-square=3", *FEW)
    assert found["judged"]["n"] == 40
    assert found["scores"]["fid40-projections8"]["value"] >= 0
    if side == "spec":
        assert found["scores"]["precision40-projections8"]["value"] == 1


def test_a_run_is_judged_as_its_export_and_against_its_own_data(run, said):
    _, own = said(run, *FEW)
    _, exported = said(run / "export" / "saved_model", "--against=squares-size=16-square=3", *FEW)
    assert own["against"]["data_digest"] == exported["against"]["data_digest"]
    for name, numbers in own["scores"].items():
        assert exported["scores"][name]["value"] == pytest.approx(numbers["value"], rel=1e-3)


def test_the_number_is_that_of_the_library(said, tmp_path):
    a, b = pictures(tmp_path / "a"), pictures(tmp_path / "b", 60, seed=1)
    _, found = said(a, f"--against={b}", "--metrics=fid-replicates=0", "--features=pixels")
    x, y = (load(f"folder={one}").real(slice(None)) for one in (a, b))
    (numbers,) = found["scores"].values()
    assert numbers["value"] == pytest.approx(fid(x, y), rel=1e-6)


def test_several_seeds_give_mean_and_spread(run, said):
    values = [
        said(run, *FEW, f"--seed={seed}")[1]["scores"]["fid40-projections8"]["value"]
        for seed in (5, 6)
    ]
    _, both = said(run, *FEW, "--seed=5", "--seeds=2")
    numbers = both["scores"]["fid40-projections8"]
    assert numbers["value"] == pytest.approx(np.mean(values)) and both["seeds"] == [5, 6]
    assert numbers["std"] == pytest.approx(np.std(values, ddof=1))


def test_features_are_kept_and_damage_to_them_does_no_harm(said, tmp_path, cache):
    a, b = pictures(tmp_path / "a"), pictures(tmp_path / "b", seed=1)
    first = said(a, f"--against={b}", *FEW)
    (kept, _) = sorted(cache.glob("*.npz"))
    kept.write_bytes(b"damaged")
    assert said(a, f"--against={b}", *FEW) == first and kept.stat().st_size > 100
    shutil.rmtree(cache)
    (tmp_path / "file").write_text("no folder")
    table, found = said(a, f"--against={b}", *FEW, f"--cache_dir={tmp_path / 'file'}")
    assert found == first[1] and "not kept" in table


def test_saved_features_stand_for_the_images(said, tmp_path):
    a, b = pictures(tmp_path / "a"), pictures(tmp_path / "b", seed=1)
    first = said(a, f"--against={b}", *FEW, f"--save={tmp_path / 'b.npz'}", "--nofloor")[1]
    again = said(a, f"--against={tmp_path / 'b.npz'}", *FEW, "--nofloor")[1]
    assert again["scores"] == first["scores"]
    wrong = said(a, f"--against={tmp_path / 'b.npz'}", "--features=pixels", code=2)
    assert "extractor pixels and projections8" in wrong


def test_lines_are_added_to_a_file(said, tmp_path):
    a, b, out = pictures(tmp_path / "a"), pictures(tmp_path / "b"), tmp_path / "new" / "s.jsonl"
    lines = [said(a, f"--against={b}", *FEW, f"--out={out}")[1] for _ in range(2)]
    assert [json.loads(line) for line in out.read_text().splitlines()] == lines


def test_conditional_samples_have_a_score_of_each_class(said, tmp_path):
    for label in ("ants", "bees"):
        pictures(tmp_path / "real" / label, 30, size=16, channels=1)
        pictures(tmp_path / "fake" / label, 20, seed=1, size=16, channels=1)
    arguments = "--metrics=intra_fid", "--features=projections=4"
    _, found = said(tmp_path / "fake", f"--against={tmp_path / 'real'}", *arguments)
    numbers = found["scores"]["intra_fid40-projections4"]
    mean = (numbers["class0"] + numbers["class1"]) / 2
    assert numbers["value"] == pytest.approx(mean)
    arguments = "--metrics=intra_fid", "--features=projections=4"
    without = said(tmp_path / "fake" / "ants", f"--against={tmp_path / 'real'}", *arguments, code=2)
    assert "intra_fid needs the classes of both sets" in without


@pytest.mark.parametrize(
    "arguments, answer",
    [
        (["a"], "give --against="),
        (["a", "--against=none"], "Unknown data set 'none'"),
        (["a", "--against=none.npz"], "no file or folder none.npz"),
        (["a", "--against=x/y"], "no file or folder x/y"),
        (["a", "--against=bigger"], "--image_size"),
        (["a", "--against=a", "--metrics=fidd"], "did you mean 'fid'"),
        (["a", "--against=a", "--metrics=kid-most=0"], "`most` must be at least 1"),
        (["a", "--against=a", "--features=incepton"], "Unknown features 'incepton'"),
        (["a", "--against=a", "--features=model=none.keras"], "no model at none.keras"),
        (["a", "--against=a", "--metrics=classes", "--features=pixels"], "that classify"),
        (["a", "--against=few", "--metrics=precision"], "need more than 3 samples"),
        (["a", "--against=a", "--metrics=fid_infinity"], "at least 150"),
        (["bad.npz", "--against=a"], "bad.npz can't be read"),
        (["nan.npz", "--against=a"], "NaN or infinite"),
        (["large.npz", "--against=a"], "must lie in [-1, 1]"),
        (["moments.npz", "--against=a"], "moments of another tool"),
        (["two.npz", "--against=a"], "one array is read"),
        (["a", "--against=a", "--n=1"], "--n"),
        (["a", "--against=a", "--save=bad.npz/b.npz"], "--save=bad.npz/b.npz"),
        (["a", "--against=a", "--out=bad.npz/s.jsonl"], "--out=bad.npz/s.jsonl"),
    ],
)
def test_what_means_nothing_is_refused_in_one_line(arguments, answer, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pictures("a"), pictures("bigger", size=20), pictures("few", 3)
    samples = np.zeros((5, 16, 16, 1), np.float32)
    (tmp_path / "bad.npz").write_bytes(b"PK damaged")
    np.savez("nan.npz", images=samples * np.nan)
    np.savez("large.npz", images=samples + 7)
    np.savez("moments.npz", mu=np.zeros(3), sigma=np.eye(3))
    np.savez("two.npz", x=samples, y=samples)
    error = said(*arguments, code=2)
    assert answer in error.replace("--most", "`most`") or answer in error


def test_nothing_is_written_where_something_is_refused(said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pictures("a"), pictures("bigger", size=20)
    before = sorted(tmp_path.iterdir())
    said("a", "--against=bigger", "--save=b.npz", "--out=s.jsonl", code=2)
    assert sorted(tmp_path.iterdir()) == before
