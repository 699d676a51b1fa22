"""A run that was stopped, however rudely, ends as the run that was not: bit for bit."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from conftest import TINY

from tfwgan import checkpoint
from tfwgan.callbacks.steps import StepCallback
from tfwgan.errors import UsageError
from tfwgan.main import main
from tfwgan.program import experiment
from tfwgan.program.config import Config

pytestmark = pytest.mark.usefixtures("no_export")

IMAGES = {
    "data": "squares-size=16-square=3",
    "gen_arch": "DCGAN-nf=4-norm=batch",
    "disc_arch": "DCGAN-nf=4-act=leaky",
}

RUNS = [
    {"n_critic": "2"},
    {"loss": "wgan", "z_prior": "const=24-trainable=True"},
    {"loss": "gan-r1=1", "g_opt": "adam-schedule=cosine", "ema": "0"},
    {"n_critic": "1-warmup=3-first=2-every=5"},
]


def start(out_dir, *arguments, cores=None, **flags):
    command = [
        f"--{name}={value}" for name, value in {**TINY, "out_dir": str(out_dir), **flags}.items()
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "tfwgan.main", *command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
    )


def finish(process, code=0):
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    return out, err


def rows(run):
    """The rows of metrics.jsonl without what depends on the clock."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [
        {k: v for k, v in line.items() if k not in ("seconds", "images_per_second")}
        for line in lines
    ]


def final_state(run):
    return checkpoint.load(checkpoint.paths(run / "checkpoints")[0])[0]


def assert_same_end(run, other):
    a, b = final_state(run), final_state(other)
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    assert rows(run) == rows(other)


def wait_for_step(run, step, process):
    """Returns when the run has written a row of at least this step."""
    for _ in range(600):
        if process.poll() is not None:
            raise AssertionError(process.communicate()[1])
        path = run / "metrics.jsonl"
        if path.exists() and any(row["step"] >= step for row in rows(run)):
            return
        time.sleep(0.05)
    raise AssertionError(f"no row of step {step} within 30 seconds")


class StopAt(StepCallback):
    """Stops a run as a signal would, after some step."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def on_step(self, step, logs):
        if step == self.at:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    "stop, flags",
    [(3, RUNS[0]), *(pytest.param(4, run, marks=pytest.mark.slow) for run in RUNS)],
    ids=str,
)
def test_a_run_stopped_anywhere_in_an_interval_ends_the_same(flags, stop, tmp_path):
    settings = {
        **TINY,
        **flags,
        "steps": 7,
        "log_steps": 3,
        "checkpoint_steps": 100,
        "out_dir": str(tmp_path),
    }
    whole = experiment.fit(experiment.build(Config(**settings, name="whole")), verbose=False)
    config = Config(**settings, name="parts")
    # The user's callbacks run after ours, so the signal of step s ends the run at step s + 1.
    part = experiment.fit(experiment.build(config), [StopAt(stop)], verbose=False)
    assert part.interrupted == "SIGINT" and part.step == stop + 1 and part.saved_model is None
    rest = experiment.fit(experiment.build(config), resume=True, verbose=False)
    assert rest.step == whole.step == 7
    assert_same_end(whole.run_dir, rest.run_dir)


@pytest.mark.slow
@pytest.mark.parametrize(
    "times, flags",
    [(2, RUNS[0]), (1, {**IMAGES, "z_prior": "const=8", "devices": "cpu:2"})],
    ids=str,
)
def test_a_run_killed_at_random_steps_ends_the_same(times, flags, tmp_path):
    long = {
        **flags,
        "steps": "60",
        "log_steps": "4",
        "checkpoint_steps": "5",
        "image_steps": "1000",
    }
    finish(start(tmp_path, name="whole", **long))
    moments, resume = np.random.default_rng().integers(1, 55, times), []
    for moment in sorted(moments):
        process = start(tmp_path, *resume, name="killed", **long)
        wait_for_step(tmp_path / "killed", moment, process)
        process.send_signal(signal.SIGKILL)
        finish(process, -signal.SIGKILL)
        resume = ["--resume"]
    finish(start(tmp_path, "--resume", name="killed", **long))
    assert_same_end(tmp_path / "whole", tmp_path / "killed")


@pytest.mark.slow
def test_fresh_graphs_of_one_step_agree_bit_for_bit():
    parts = experiment.build(Config(**{**TINY, "loss": "gan-r1=1", "ema": 0}))
    state = checkpoint.state(parts.trainer)
    start, elements, ends = (
        {name: v.numpy() for name, v in state.items()},
        list(parts.batches(steps=4)),
        [],
    )
    for _ in range(12):
        for name, variable in state.items():
            variable.assign(start[name])
        step = tf.function(parts.trainer.train_step)
        for element in elements:
            step(element)
        ends.append({name: v.numpy() for name, v in state.items()})
    for name in state:
        assert all(np.array_equal(end[name], ends[0][name]) for end in ends), name


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_says_how_to_resume_and_exits_cleanly(number, tmp_path):
    process = start(tmp_path, name="run", steps="100000")
    wait_for_step(tmp_path / "run", 4, process)
    process.send_signal(number)
    out, err = finish(process)
    assert err == ""
    step = checkpoint.load(checkpoint.paths(tmp_path / "run" / "checkpoints")[0])[1]["step"]
    assert number.name in out and f"step {step}" in out
    assert f"--config={tmp_path / 'run' / 'config.json'} --resume" in out


@pytest.mark.slow
def test_what_the_farewell_says_about_resuming_works(tiny, tmp_path, capsys):
    assert tiny() == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "--resume" in line)
    assert main(shlex.split(line.split(" train ")[1])) == 0
    assert [row["step"] for row in rows(tmp_path / "run")] == [2, 4, 6, 8]


@pytest.mark.slow
def test_a_finished_run_can_be_resumed_and_changes_nothing(tiny, tmp_path):
    assert tiny() == 0
    before = rows(tmp_path / "run"), final_state(tmp_path / "run")
    assert tiny("--resume") == 0
    assert rows(tmp_path / "run") == before[0]
    for name, array in final_state(tmp_path / "run").items():
        np.testing.assert_array_equal(array, before[1][name])


def test_a_broken_newest_checkpoint_is_passed_over(tiny, tmp_path):
    assert tiny(name="whole", steps="6") == 0
    assert tiny(steps="6") == 0
    newest, second, *_ = checkpoint.paths(tmp_path / "run" / "checkpoints")
    newest.write_bytes(newest.read_bytes()[:-500])
    with pytest.warns(UserWarning, match="step_000006.npz is damaged"):
        assert tiny("--resume", steps="6") == 0
    assert_same_end(tmp_path / "whole", tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:4000] + b"\xff" + b[4001:]]
)
def test_any_damage_to_a_checkpoint_is_noticed(damage, tiny, tmp_path):
    assert tiny() == 0
    path = checkpoint.paths(tmp_path / "run" / "checkpoints")[0]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UsageError, match="damaged"):
        checkpoint.load(path)


@pytest.mark.slow
def test_only_broken_checkpoints_are_an_error(tiny, tmp_path, capfd):
    assert tiny() == 0
    for path in checkpoint.paths(tmp_path / "run" / "checkpoints"):
        path.write_bytes(b"")
    with pytest.warns(UserWarning, match="damaged"):
        assert tiny("--resume") == 2
    assert "Every checkpoint" in capfd.readouterr().err


@pytest.mark.slow
def test_what_a_kill_left_half_written_is_cleared_away(tiny, tmp_path):
    assert tiny(name="whole", steps="6") == 0
    assert tiny(steps="4") == 0
    (tmp_path / "run" / "checkpoints" / ".step_000006.npz.123.tmp").write_bytes(b"PK")
    assert tiny("--resume", steps="6") == 0
    assert_same_end(tmp_path / "whole", tmp_path / "run")
    assert all(path.suffix == ".npz" for path in (tmp_path / "run" / "checkpoints").iterdir())


@pytest.mark.slow
def test_the_last_k_checkpoints_are_kept(tiny, tmp_path):
    assert tiny(steps="9", keep_checkpoints="2", checkpoint_steps="2") == 0
    assert [path.stem for path in checkpoint.paths(tmp_path / "run" / "checkpoints")] == [
        "step_000009",
        "step_000008",
    ]


@pytest.mark.slow
def test_a_run_killed_before_its_first_checkpoint_starts_again(tiny, tmp_path):
    assert tiny(name="whole") == 0
    assert tiny() == 0
    for path in checkpoint.paths(tmp_path / "run" / "checkpoints"):
        path.unlink()
    assert tiny("--resume") == 0
    assert_same_end(tmp_path / "whole", tmp_path / "run")


@pytest.mark.slow
def test_a_checkpoint_of_another_network_is_refused(tiny, tmp_path):
    assert tiny() == 0
    arrays, _ = checkpoint.load(checkpoint.paths(tmp_path / "run" / "checkpoints")[0])
    for change in ({"gen_arch": "MLP-dim=9"}, {"ema": 0}):
        other = experiment.build(Config(**{**TINY, **change}))
        with pytest.raises(UsageError, match="does not fit"):
            checkpoint.restore(other.trainer, arrays)


class Poison(StepCallback):
    """Ruins a weight after some step."""

    def on_step(self, step, logs):
        if step == 3:
            self.model.generator.weights[0].assign(np.nan * self.model.generator.weights[0])


@pytest.mark.slow
def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_checkpoint(tmp_path):
    config = Config(
        **{**TINY, "steps": 50, "checkpoint_steps": 1, "out_dir": str(tmp_path), "name": "run"}
    )
    with pytest.raises(
        experiment.NonFiniteLoss, match=r"At step 4, .*generator_loss = nan.*step_000003.npz"
    ) as caught:
        experiment.fit(experiment.build(config), [Poison()], verbose=False)
    assert "critic_estimate = nan" in str(caught.value)
    kept = checkpoint.paths(tmp_path / "run" / "checkpoints")[0]
    assert kept.stem == "step_000003"
    assert all(np.isfinite(array).all() for array in checkpoint.load(kept)[0].values())


@pytest.mark.slow
def test_a_run_that_breaks_down_ends_with_one_line_and_exit_code_1(tiny, capfd):
    assert tiny(steps="200", d_opt="sgd-lr=1e9") == 1
    err = capfd.readouterr().err
    assert err.startswith("tfwgan: training stopped. At step ") and err.count("\n") == 1


def test_weights_that_are_no_numbers_are_never_saved(tmp_path):
    trainer = experiment.build(Config(**TINY)).trainer
    trainer.generator.weights[0].assign(np.inf * np.ones(trainer.generator.weights[0].shape))
    with pytest.raises(checkpoint.NonFiniteState, match="generator"):
        checkpoint.save(tmp_path, trainer, keep=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="only Linux binds a process to cores"
)
def test_a_run_is_the_same_on_one_core_with_the_threads_it_was_begun_with(tmp_path):
    images = {**IMAGES, "n_critic": "1", "threads": "2"}
    finish(start(tmp_path, name="two", **images))
    process = start(tmp_path, name="one", **images, cores={0})
    finish(process)
    assert_same_end(tmp_path / "two", tmp_path / "one")
