"""Laws of schedules of critic updates, and that a run keeps to them."""

import json
import math

import numpy as np
import pytest
from conftest import CPU_ONLY, TINY

from tfwgan.program import experiment
from tfwgan.program.config import Config, critic_steps
from tfwgan.program.describe import describe
from tfwgan.schedule import CriticSteps

pytestmark = pytest.mark.usefixtures("no_export")

SCHEDULES = [
    "5",
    "1",
    "5-warmup=25",
    "5-warmup=5",
    "2-warmup=7-first=0-every=3",
    "3-warmup=1-first=10-every=4",
    "2-warmup=4-first=5-every=1",
    "1-warmup=9-first=12-every=100",
]
N = 1100


def test_the_warm_up_of_the_tensorflow_port_of_the_wgan():
    steps = critic_steps("5-warmup=25")
    assert [steps.at(step) for step in range(N)] == [
        25 if s < 25 or s % 500 == 0 else 5 for s in range(N)
    ]


@pytest.mark.parametrize("text", SCHEDULES)
def test_sums_and_changes_are_those_of_the_steps(text):
    steps = critic_steps(text)
    counts = [steps.at(step) for step in range(N + 1)]
    np.testing.assert_array_equal(
        [steps.before(step) for step in range(N + 1)], np.cumsum([0, *counts])[:-1]
    )
    assert steps.most == max(counts)
    for step in range(0, N, 7):
        changed = [later for later in range(step + 1, N + 1) if counts[later] != counts[step]]
        found = steps.next_change(step)
        assert found == (changed[0] if changed else math.inf) or (not changed and found > N)
    if steps.warmup not in (None, steps.n):
        assert steps.warm_before(N) == counts[:N].count(steps.warmup)


def train(out_dir, name, **settings):
    config = Config(
        **{**TINY, "steps": 9, "log_steps": 4, "out_dir": str(out_dir), "name": name, **settings}
    )
    parts = experiment.build(config)
    result = experiment.fit(parts, verbose=False)
    return parts, [
        json.loads(line) for line in (result.run_dir / "metrics.jsonl").read_text().splitlines()
    ]


@pytest.mark.slow
def test_a_run_makes_the_updates_of_its_schedule(tmp_path):
    parts, rows = train(tmp_path, "run", n_critic="1-warmup=3-first=2-every=4")
    assert (
        int(parts.trainer.d_optimizer.iterations)
        == parts.critic_steps.before(9)
        == 3 + 3 + 1 + 1 + 3 + 3 + 3 * 1
    )
    assert parts.trainer.steps_done == int(parts.trainer.g_optimizer.iterations) == 9
    assert [row["step"] for row in rows] == [4, 8, 9]


def test_a_schedule_reads_every_batch_of_the_data_in_turn(tmp_path):
    parts = experiment.build(Config(**{**TINY, "n_critic": "1-warmup=3-first=2-every=4"}))
    plain = experiment.build(Config(**{**TINY, "n_critic": "1"}))
    wanted = [
        element["image"][:, 0]
        for element in plain.batches(0, parts.critic_steps.before(9)).as_numpy_iterator()
    ]
    read = []
    for step in range(9):
        element = next(parts.batches(step, 1).as_numpy_iterator())
        read += list(element["image"].swapaxes(0, 1))
    np.testing.assert_array_equal(read, wanted)


@pytest.mark.slow
def test_a_warm_up_that_changes_nothing_changes_no_bit(tmp_path):
    plain, rows = train(tmp_path, "plain", n_critic="2")
    same, others = train(tmp_path, "same", n_critic="2-warmup=2-first=3-every=4")
    for one, other in zip(plain.trainer.variables, same.trainer.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    assert [row["critic_loss"] for row in rows] == [row["critic_loss"] for row in others]


@CPU_ONLY
@pytest.mark.slow
def test_a_schedule_is_the_same_on_two_devices(tmp_path):
    settings = {"n_critic": "1-warmup=3-first=2-every=4", "g_opt": "sgd", "d_opt": "sgd"}
    one, _ = train(tmp_path, "one", **settings)
    two, _ = train(tmp_path, "two", devices="cpu:2", **settings)
    for a, b in zip(one.trainer.get_weights(), two.trainer.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.slow
def test_the_cost_tells_both_kinds_of_step():
    settings = {**TINY, "steps": 9, "n_critic": "1-warmup=3-first=2-every=4"}
    text = describe(experiment.build(Config(**settings)), costs=True)
    text = " ".join(text.split())
    assert (
        "(3 critic updates and 1 generator update)" in text
        and "(1 critic update and 1 generator update)" in text
    )


def test_without_a_critic_there_is_no_schedule():
    settings = {**TINY, "loss": "swd", "n_critic": "1-warmup=3"}
    parts = experiment.build(Config(**settings))
    assert parts.critic_steps == CriticSteps(1)
