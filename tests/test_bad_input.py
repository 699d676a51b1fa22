"""Every mistake at the shell gets one line that names the fix.

The exit code is 2, and nothing is left behind.
"""

import os
import stat

import numpy as np
import pytest
from conftest import CPU_ONLY
from PIL import Image

from tfwgan.main import main

CONV = {"data": "squares-size=16-square=3", "gen_arch": "DCGAN-nf=2", "disc_arch": "DCGAN-nf=2"}

# What was typed on top of a run that works, and what the answer must mention.
MISTAKES = [
    ({"loss": "wgan_gb"}, "did you mean 'wgan_gp'"),
    ({"loss": ""}, "has no name"),
    ({"loss": "wgan_gp-pg=10"}, "has no option 'pg'. Known: gp, lp"),
    ({"loss": "wgan-clip=-0.01"}, "clip must be at least 0"),
    ({"loss": "wgan-clip=abc"}, "clip must be a number, got 'abc'"),
    ({"loss": "wgan-gp=nan"}, "gp must be finite"),
    ({"loss": "wgan-gp=1-gp=2"}, "twice"),
    ({"data": "rings"}, "Unknown data set 'rings'; did you mean 'ring8'"),
    ({"data": "mnist"}, "Unknown data set 'mnist'; did you mean tfds=mnist?"),
    ({"data": "CelebA"}, "did you mean tfds=celeb_a?"),
    ({"data": "/"}, "Unknown data set '/'; did you mean folder=/?"),
    ({"data": "ring8-m=3"}, "has no option 'm'"),
    ({"data": "ring8-n=63"}, "63"),
    ({"data": "folder"}, "needs a value"),
    ({"data": "folder=no/such/place"}, "no/such/place"),
    ({"data": "tfds=mnits"}, "did you mean mnist"),
    ({"data": "squares-square=99"}, "99"),
    ({"batch_size": "65"}, "more than the 64 items"),
    ({"batch_size": "0"}, "--batch_size must be at least 1"),
    ({"batch_size": "8.5"}, "--batch_size must be a whole number"),
    ({"limit_data": "0"}, "--limit_data must be at least 1"),
    ({"limit_data": "4"}, "more than the 4 items"),
    ({"image_size": "16"}, "leave them out"),
    ({"steps": "-5"}, "--steps must be at least 1, got -5"),
    ({"steps": "many"}, "--steps must be a whole number, got 'many'"),
    ({"data": "ring8", "flip": "True"}, "--flip mirrors images, and 'ring8' has points"),
    ({"n_critic": "0"}, "n must be at least 1"),
    ({"ema": "1"}, "--ema must be in [0, 1)"),
    ({"ema": "nan"}, "--ema must be finite"),
    ({"ema": "-0.5"}, "--ema must be in [0, 1)"),
    ({"seed": "-1"}, "--seed must be in"),
    ({"z_dim": "0"}, "--z_dim must be at least 1"),
    ({"z_prior": "const=0"}, "prior 'const=0': n must be at least 1"),
    ({"z_prior": "const"}, "write const=<n>"),
    ({"z_prior": "normal=3"}, "takes no value"),
    ({"z_prior": "uniform-low=2"}, "low must be below high"),
    ({"z_prior": "gauss"}, "Unknown prior 'gauss'"),
    ({"gen_arch": "FC-nff=3"}, "did you mean 'nf'"),
    ({"gen_arch": "FC-z_dim=3"}, "has no option 'z_dim'"),
    ({"gen_arch": "FC-depth=1"}, "depth at least 2"),
    ({"gen_arch": "CNN"}, "Unknown generator 'CNN'"),
    ({"gen_arch": "DCGAN"}, "MLP and FC take any shape"),
    ({"disc_arch": "MLP-norm=bach"}, "did you mean 'batch'"),
    ({"disc_arch": "MLP-mults=(1,x)"}, "whole numbers"),
    ({**CONV, "image_size": "30"}, "--image_size=24, 28 or 32"),
    ({**CONV, "disc_arch": "CNN-depth=6"}, "too many for 16x16"),
    ({**CONV, "disc_arch": "CNN-GAP=maybe"}, "GAP must be True or False"),
    ({**CONV, "center_crop": "99"}, "99"),
    ({"g_opt": "adam-lr=0"}, "lr must be above 0"),
    ({"g_opt": "adma"}, "did you mean 'adam'"),
    ({"d_opt": "adam-beta_1=1"}, "beta_1 must be in [0, 1)"),
    ({"d_opt": "rmsprop-schedule=cos"}, "cosine"),
    pytest.param({"devices": "gpu:0"}, "this machine has 0", marks=CPU_ONLY),
    ({"devices": "tpu"}, "--devices must be"),
    ({"devices": "cpu:3"}, "split evenly over 3 devices"),
    pytest.param({"devices": "cpu:2", "xla": "true"}, "one device only", marks=CPU_ONLY),
    ({"xla": "maybe"}, "--xla"),
    ({"name": "a/b"}, "--name must be one folder name"),
    ({"config": "no.yaml"}, "Can't read --config=no.yaml"),
    ({"lost": "wgan"}, "Did you mean: loss"),
]


@pytest.mark.parametrize("flags, answer", MISTAKES, ids=str)
def test_a_mistake_is_answered_in_one_line_and_leaves_nothing(flags, answer, tiny, tmp_path, capfd):
    assert tiny(**flags) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.startswith("tfwgan: ") and err.count("\n") == 1
    assert answer in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content, answer",
    [
        ("los: wgan", "unknown key 'los'; did you mean 'loss'"),
        ("- a list", "key: value"),
        ("loss: [", "not valid YAML"),
        ("loss: {name: wgan}", "must be flat, but line 1 is nested"),
        ("steps: 2.5", "--steps must be a whole number"),
        ("gray_scale: 1", "--gray_scale must be True or False"),
        ("", "key: value"),
    ],
)
def test_a_bad_config_file_is_named(content, answer, tmp_path, capfd):
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    assert main([f"--config={path}", f"--out_dir={tmp_path}"]) == 2
    err = capfd.readouterr().err
    assert answer in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_stray_argument_is_refused(tiny, capfd):
    assert tiny("loss=wgan") == 2
    assert "Unexpected argument 'loss=wgan'" in capfd.readouterr().err


def _damaged_png(folder):
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(folder / "a.png")
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes()[:60])


def _text_as_png(folder):
    (folder / "b.png").write_text("no picture")


def _unreadable(folder):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "b.png")
    (folder / "b.png").chmod(0)


@pytest.mark.parametrize(
    "fill, answer",
    [
        (_damaged_png, "b.png"),
        (_text_as_png, "b.png"),
        (lambda folder: None, "No images"),
        (_unreadable, "b.png"),
    ],
)
def test_a_bad_folder_of_images_is_named(fill, answer, tiny, tmp_path, capfd):
    if fill is _unreadable and os.geteuid() == 0:
        pytest.skip("root reads everything")
    folder = tmp_path / "images"
    folder.mkdir()
    fill(folder)
    assert tiny(data=f"folder={folder}", out_dir=str(tmp_path / "out")) == 2
    err = capfd.readouterr().err
    assert answer.lower() in err.lower() and err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_no_folder_is_refused(tiny, tmp_path, capfd):
    (tmp_path / "file").write_text("")
    assert tiny(out_dir=str(tmp_path / "file")) == 2
    assert "--out_dir" in capfd.readouterr().err


def test_an_output_that_cannot_be_written_is_refused(tiny, tmp_path, capfd):
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    (tmp_path / "locked").mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    assert tiny(out_dir=str(tmp_path / "locked")) == 2
    assert "--out_dir" in capfd.readouterr().err


@pytest.mark.slow
def test_a_second_run_in_the_same_folder_is_refused(tiny, tmp_path, capfd):
    assert tiny() == 0
    before = (tmp_path / "run" / "metrics.jsonl").read_bytes()
    assert tiny() == 2
    assert "--resume" in capfd.readouterr().err
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == before


def test_a_folder_with_other_files_is_refused(tiny, tmp_path, capfd):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("years of work")
    assert tiny() == 2
    assert "other files" in capfd.readouterr().err


def test_resuming_what_is_not_there_is_refused(tiny, tmp_path, capfd):
    assert tiny("--resume") == 2
    assert "leave out --resume" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_resuming_with_changes_lists_them(tiny, capfd):
    assert tiny() == 0
    assert tiny("--resume", loss="gan", seed="3") == 2
    err = capfd.readouterr().err
    assert (
        "loss was 'wgan_gp', is 'gan'" in err and "seed was 0, is 3" in err and err.count("\n") == 1
    )


@pytest.mark.slow
def test_the_table_starts_from_a_run_that_works(tiny):
    assert len(MISTAKES) >= 40
    assert tiny() == 0
