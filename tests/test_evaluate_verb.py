"""`tfwgan evaluate`: what it compares, what it refuses, what it keeps."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import TINY

from tfwgan.data.images import AS_IS
from tfwgan.metrics import fid
from tfwgan.program import evaluate, experiment, sources
from tfwgan.program.config import Config
from tfwgan.program.datasets import load
from tfwgan.program.verbs import main
from tfwgan.render import save_samples
from tfwgan.saved_model import export_saved_model

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
        (["nan.npz", "--against=a"], "nan.npz: "),
        (["moments.npz", "--against=a"], "moments of another tool"),
        (["two.npz", "--against=a"], "one array is read"),
        (["none-at-all.npz", "--against=a"], "holds no array"),
        (["scalar.npy", "--against=a"], "an array of no shape, not images"),
        (["one.npy", "--against=a"], "an array of 16 x 16 x 3, not images"),
        (["unit.npy", "--against=a"], "these all lie in [0, 1]"),
        (["a.png", "--against=a"], "neither .npz nor .npy"),
        (["~nobody-here/x", "--against=a"], "a user who is not known here"),
        (["a", "--against="], "An empty name was given"),
        (["a", "--against=a", "--metrics=feature_swd=0"], "n_projections must be at least 1"),
        (["a", "--against=a", "--features=projections-seed=-1"], "`seed` at least 0"),
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
    np.savez("two.npz", x=samples, y=samples), np.savez("none-at-all.npz")
    np.save("scalar.npy", np.uint8(3)), np.save("one.npy", np.zeros((16, 16, 3), np.uint8))
    np.save("unit.npy", samples + 0.5), (tmp_path / "a.png").write_bytes(b"PNG")
    error = said(*arguments, code=2)
    assert answer in error or answer in re.sub(r"--(most|seed)", r"`\1`", error)


def test_nothing_is_written_where_something_is_refused(said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pictures("a"), pictures("bigger", size=20)
    before = sorted(tmp_path.iterdir())
    said("a", "--against=bigger", "--save=b.npz", "--out=s.jsonl", code=2)
    assert sorted(tmp_path.iterdir()) == before


def test_one_real_picture_is_enough_for_what_needs_no_more(said, tmp_path):
    a, one = pictures(tmp_path / "a"), pictures(tmp_path / "one", 1)
    _, found = said(a, f"--against={one}", *FEW[:1], *FEW[2:])
    assert found["scores"]["fid40-projections8"].keys() == {"value", "error", "low", "high"}


def test_arrays_may_lack_the_channel_of_gray_and_have_another_ending(said, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16)).astype(np.uint8)
    np.save(tmp_path / "a.npy", images)
    np.savez(tmp_path / "b.npz", images=images[..., None], labels=np.arange(40) % 2)
    shutil.copy(tmp_path / "b.npz", tmp_path / "c.npy")
    shutil.copy(tmp_path / "a.npy", tmp_path / "d.npz")
    real = pictures(tmp_path / "real")
    found = [said(tmp_path / f, f"--against={real}", *FEW)[1] for f in "a.npy c.npy d.npz".split()]
    assert found[0]["scores"] == found[1]["scores"] == found[2]["scores"]
    arguments = f"--against={tmp_path / 'c.npy'}", "--metrics=intra_fid", "--features=pixels"
    numbers = said(tmp_path / "b.npz", *arguments)[1]["scores"]["intra_fid40-pixels"]
    assert numbers["value"] == pytest.approx(0, abs=1e-9)


def test_names_may_have_blanks_dots_and_what_looks_like_options(said, run, tmp_path, monkeypatch):
    odd = pictures(tmp_path / "my set v1.5-lr=0.1")
    assert said(odd, f"--against={odd}", *FEW)[1]["judged"]["n"] == 40
    with monkeypatch.context() as patch:
        patch.setattr(sources, "load", lambda text, **_: text)
        assert sources.find("tfds=mnist:3.0.1", AS_IS, None).dataset == "tfds=mnist:3.0.1"
    samples = np.zeros((40, 16, 16, 1), np.uint8)
    (run / "drawn").mkdir(exist_ok=True)
    np.savez(run / "drawn" / "s.npz", images=samples)  # in a run, and no state of it
    assert len(sources.find(str(run / "drawn" / "s.npz"), AS_IS, None).dataset) == 40


@pytest.mark.slow
def test_two_generators_are_drawn_independently(run, said):
    _, found = said(run, f"--against={run}", *FEW, "--nofloor")
    assert found["against"]["n"] == 10000
    assert found["scores"]["fid40-projections8"]["value"] > 0


def test_a_model_of_points_is_judged_by_its_points(said, tmp_path):
    model = export_saved_model(experiment.build(Config(**TINY)).trainer, tmp_path / "model")
    _, found = said(model, "--against=ring8-n=64", "--metrics=fid", "--n=40")
    assert found["scores"]["fid40-pixels"]["value"] > 0


def test_two_files_of_features_keep_the_name_of_what_made_them(said, tmp_path):
    a, b = pictures(tmp_path / "a"), pictures(tmp_path / "b", seed=1)
    for one, other in ((a, b), (b, a)):
        said(one, f"--against={other}", *FEW, f"--save={other}.npz", "--nofloor")
    files = f"{a}.npz", f"--against={b}.npz"
    scores = said(*files, "--metrics=fid", "--metrics=kid=30")[1]["scores"]
    assert set(scores) == {"fid40-projections8", "kid30-projections8-30"}
    assert set(said(*files, *FEW[:2], "--n=20")[1]["scores"]) > {"fid20-projections8"}
    assert "leave --features out" in said(*files, *FEW, code=2)
    assert "that classify" in said(*files, "--metrics=classes", code=2)


def test_fewer_items_than_asked_for_are_told(said, tmp_path):
    a, out = pictures(tmp_path / "a"), tmp_path / "s.jsonl"
    out.write_text("cut")
    table, _ = said(a, f"--against={a}", *FEW[:3], "--n=50", f"--out={out}")
    assert "has 40 items, not 50" in table and len(out.read_text().splitlines()) == 2


def test_a_run_is_compared_with_the_part_of_the_data_that_it_was_trained_on():
    config = Config(**{**TINY, "limit_data": 20})
    own = sources.own_data(sources.Source("run", config=config), AS_IS, None)
    assert len(own.dataset) == 20


def test_nobody_s_features_are_kept_nowhere(monkeypatch):
    def nobody():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", nobody)
    assert evaluate._cache_dir() is None
