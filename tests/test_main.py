"""Runs are seen from the shell's point of view.

The tests look at what runs write, and check that every part works with every other.
"""

import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import CPU_ONLY, TINY
from PIL import Image

import tfwgan
from tfwgan import data
from tfwgan.callbacks.steps import StepCallback

ROOT = Path(__file__).parent.parent
SQUARES = {"data": "squares-size=16-square=3", "gen_arch": "DCGAN-nf=4", "disc_arch": "DCGAN-nf=4"}

COMBINATIONS = [
    {},
    {
        "data": "fashion_mini",
        "limit_data": "32",
        "gen_arch": "DCGAN-nf=4",
        "disc_arch": "CNN-GAP=False-nf=4",
    },
    {
        **SQUARES,
        "loss": "wgan_lp",
        "z_prior": "const=8",
        "gen_arch": "DCGAN-nf=4-norm=batch-extra_layers=1",
    },
    {
        **SQUARES,
        "g_opt": "adam-lr=1e-3-schedule=cosine",
        "d_opt": "rmsprop-lr=5e-5-schedule=linear",
        "xla": "true",
    },
    pytest.param({**SQUARES, "devices": "cpu:2"}, marks=CPU_ONLY),
]
MORE = [
    {"data": "grid25-n=100", "loss": "gan", "z_prior": "sphere"},
    {
        "data": "fashion_mini",
        "limit_data": "32",
        "image_size": "8",
        "gen_arch": "FC-nf=8",
        "disc_arch": "CNN-nf=4-depth=2",
    },
    {**SQUARES, "loss": "wgan", "z_prior": "uniform-low=0"},
    {
        **SQUARES,
        "loss": "wgan-gp=1-r1=1-clip=0.5",
        "z_prior": "binary",
        "disc_arch": "FC-nf=8-norm=layer",
    },
    {
        **SQUARES,
        "loss": "gan-r1=1-r2=1",
        "z_prior": "const=20-trainable=True",
        "disc_arch": "DCGAN-nf=4-extra_layers=1",
    },
    {
        **SQUARES,
        "z_prior": "const=20-replace=True",
        "gen_arch": "MLP-dim=8-mults=(1,)-norm=batch",
        "ema": "0",
    },
]


def rows(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags",
    [*COMBINATIONS, *(pytest.param(more, marks=pytest.mark.slow) for more in MORE)],
    ids=str,
)
def test_every_part_works_with_every_other(flags, tiny, tmp_path):
    assert tiny(**{**flags, "steps": "2"}) == 0
    (row,) = rows(tmp_path / "run")
    assert all(np.isfinite(value) for value in row.values())
    assert (tmp_path / "run" / "export" / "saved_model" / "saved_model.pb").exists()


def test_a_run_writes_what_the_readme_promises(tiny, tmp_path, capsys):
    assert tiny(**SQUARES, steps="5") == 0
    run, out = tmp_path / "run", capsys.readouterr().out
    assert json.loads((run / "config.json").read_text())["steps"] == 5
    assert [row["step"] for row in rows(run)] == [2, 4, 5]
    names = [
        "step",
        "seconds",
        "critic_loss",
        "critic_estimate",
        "gp",
        "generator_loss",
        "images_per_second",
    ]
    assert all(list(row) == names for row in rows(run))
    pictures = sorted(path.name for path in (run / "images").iterdir())
    assert pictures == ["real.png", *(f"step_{step:06d}.png" for step in (0, 2, 4, 5))]
    assert pixels(run / "images" / "real.png").ndim == 2
    assert [path.name for path in sorted((run / "checkpoints").iterdir())] == [
        f"step_{step:06d}.npz" for step in (2, 4, 5)
    ]
    for word in ("tensorboard.main --logdir", "tfwgan sample", "--resume"):
        assert word in out


@pytest.mark.slow
def test_tensorboard_gets_scalars_pictures_and_named_histograms(no_export, tiny, tmp_path):
    assert tiny(**SQUARES) == 0
    (path,) = (tmp_path / "run" / "tensorboard").iterdir()
    seen = {}
    for record in tf.data.TFRecordDataset(str(path)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            seen.setdefault(value.tag, []).append(event.step)
    assert seen["loss/critic_estimate"] == [2, 4] and seen["speed/images_per_second"] == [2, 4]
    assert seen["settings"] == [0] and min(seen).startswith("loss/")
    assert seen["samples"] == [0, 2, 4] and seen["real"] == [0]
    for weights in ("weights/critic/down_0/kernel", "weights/generator/to_image/kernel"):
        assert seen[weights] == [2, 4]


@pytest.mark.slow
def test_fixed_latents_are_the_same_in_every_picture(no_export, tmp_path):
    config = tfwgan.Config(
        **{
            **TINY,
            **SQUARES,
            "ema": 0,
            "g_opt": "sgd-lr=1e-12",
            "out_dir": str(tmp_path),
            "name": "a",
        }
    )
    run = tfwgan.fit(tfwgan.build(config), verbose=False).run_dir
    first, last = (pixels(run / "images" / f"step_00000{i}.png") for i in (0, 4))
    np.testing.assert_array_equal(first, last)


@pytest.mark.slow
def test_logged_values_are_means_over_their_interval(no_export, tmp_path):
    seen = []

    class Watch(StepCallback):
        def on_step(self, step, logs):
            seen.append(self.values(logs))

    shared = {**TINY, "out_dir": str(tmp_path), "steps": 6, "log_steps": 3}
    tfwgan.fit(
        tfwgan.build(tfwgan.Config(**{**shared, "log_steps": 1, "name": "each"})),
        [Watch()],
        verbose=False,
    )
    tfwgan.fit(tfwgan.build(tfwgan.Config(**{**shared, "name": "mean"})), verbose=False)
    for i, row in enumerate(rows(tmp_path / "mean")):
        for name in ("critic_loss", "critic_estimate", "gp", "generator_loss"):
            expected = np.mean([values[name] for values in seen[3 * i : 3 * i + 3]])
            np.testing.assert_allclose(row[name], expected, rtol=1e-5)


def test_dry_run_says_sizes_and_cost_and_writes_nothing(tiny, tmp_path, capsys):
    assert (
        tiny(
            "--dry_run",
            gen_arch="FC",
            disc_arch="FC-nf=1024",
            data="squares",
            z_dim="64",
            z_prior="const=64",
        )
        == 0
    )
    out = " ".join(capsys.readouterr().out.split())
    for part in (
        "generator: 536,704 weights",
        "critic: 6,295,553 weights",
        "GFLOP a step",
        "2,704 64x64x1",
        "MB",
    ):
        assert part in out
    assert re.search(r"time: about (\d+ s|\d+ min \d\d s|[\d,]+ h \d\d min) on this machine", out)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_cost_does_not_depend_on_the_compiler(tiny, capsys):
    costs = []
    for xla in ("false", "true"):
        assert tiny("--dry_run", xla=xla) == 0
        costs.append(re.search(r"^cost: .*?(?=^time: )", capsys.readouterr().out, re.S | re.M)[0])
    assert costs[0] == costs[1] and "cost: 0 " not in " ".join(costs[0].split())


@pytest.mark.slow
def test_the_library_takes_data_and_callbacks_of_the_users_own(tmp_path):
    points = np.random.default_rng(0).uniform(-1, 1, [50, 3]).astype(np.float32)
    config = tfwgan.Config(**{**TINY, "data": "mine", "out_dir": str(tmp_path), "name": "a"})
    parts = tfwgan.build(config, data.Dataset("mine", points))
    history = parts.trainer.fit(
        parts.batches(), steps_per_epoch=2, epochs=2, shuffle=False, verbose=0
    ).history
    assert len(history["critic_estimate"]) == 2 and parts.trainer.steps_done == 4
    assert parts.trainer.sample(5).shape == (5, 3)


@pytest.mark.slow
def test_seeds_decide_everything(no_export, tmp_path):
    def sample(name, **changes):
        config = tfwgan.Config(**{**TINY, **changes, "out_dir": str(tmp_path), "name": name})
        parts = tfwgan.build(config)
        tfwgan.fit(parts, verbose=False)
        return parts.trainer.sample(8).numpy()

    first = sample("a")
    np.testing.assert_array_equal(first, sample("b"))
    assert np.abs(first - sample("c", seed=1)).max() > 0


class Look(keras.callbacks.Callback):
    """Notes what a callback is told, and checks that it is told as of one training."""

    def __init__(self):
        super().__init__()
        self.told, self.epochs, self.logs = [], [], []

    def on_train_begin(self, logs=None):
        self.told.append("begin")

    def on_train_end(self, logs=None):
        self.told.append("end")

    def on_train_batch_end(self, batch, logs=None):
        self.told.append(batch)

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(epoch)
        self.logs.append(logs)


@pytest.mark.parametrize(
    "n_critic, steps, interval",
    [
        ("1-warmup=3-first=2-every=3", 7, 3),
        *(
            pytest.param(n, *steps, marks=pytest.mark.slow)
            for n, *steps in [
                ("1", 7, 3),
                ("1", 2, 50),
                ("1-warmup=3-first=2-every=3", 6, 2),
                ("1", 6, 2),
            ]
        ),
    ],
)
def test_the_users_callbacks_see_one_training(n_critic, steps, interval, no_export, tmp_path):
    look, settings = (
        Look(),
        {"n_critic": n_critic, "steps": steps, "log_steps": interval, "metrics": ("swd",)},
    )
    config = tfwgan.Config(
        **{**TINY, **settings, "eval_steps": 2, "out_dir": str(tmp_path), "name": "a"}
    )
    result = tfwgan.fit(tfwgan.build(config), [look], verbose=False)
    assert look.told == ["begin", *(step % interval for step in range(steps)), "end"]
    assert look.epochs == list(range(-(-steps // interval)))
    rows_with_losses = [row for row in result.history if "seconds" in row]
    assert len(rows_with_losses) == len(look.logs)
    for row, logs in zip(rows_with_losses, look.logs, strict=True):
        assert {name: row[name] for name in logs if name in row} == {
            name: logs[name] for name in logs if name in row
        }
        assert {
            "critic_loss",
            "generator_loss",
            "swd",
        } <= logs.keys()  # a metric drives early stopping, a loss too
    assert len({row["step"] for row in result.history}) == len(
        result.history
    )  # one row for each step
