"""The README's examples do what it says of them.

They are run as they stand, and what they give is looked at.
"""

import re
from pathlib import Path

import numpy as np
import pytest

from tfwgan.data.synthetic import SIGMA, ring8_centres
from tfwgan.metrics.modes import coverage
from tfwgan.program.config import Config, read_config
from tfwgan.transport.exact import w1

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)


def block(word):
    """The one example that holds a word."""
    (found,) = [block for block in BLOCKS if word in block]
    return found


def run(code, names=None):
    names = {} if names is None else names
    exec(compile(code, "README.md", "exec"), names)
    return names


def check_ring(samples, real):
    found = coverage(samples, ring8_centres(), SIGMA)
    assert found[""] == 8 and found["_quality"] >= 0.95 and found["_kl"] < 0.05, found
    assert w1(samples[:1000], real) < 0.08


def test_every_example_is_python():
    assert len(BLOCKS) >= 3
    for code in BLOCKS:
        compile(code, "README.md", "exec")


def test_the_distances_of_the_example_are_in_order():
    names = run(block("exact_plan(x, y)"))
    x, y, plan = names["x"], names["y"], names["plan"]
    assert plan.converged and plan.value == pytest.approx(w1(x, y))
    assert names["certify"](x, y, names["f"], -plan.potentials[1]).lower == pytest.approx(
        plan.value
    )
    assert float(names["swd"](x, y)) < plan.value and names["sinkhorn"](x, y, epsilon=0.1).converged
    assert names["ot_means"](x, k=4).value < w1(x[:4], x)


@pytest.mark.slow
def test_the_library_s_example_learns_all_modes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run(block("tfwgan.build(config)"))
    assert names["result"].step == names["config"].steps
    samples = np.asarray(names["samples"])
    assert samples.shape == (1000, 2)
    check_ring(samples, names["experiment"].dataset.real(slice(None)))


def test_the_ring_s_configuration_is_that_of_the_library_s_example():
    names = run(block("tfwgan.build(config)").split("experiment = ")[0])
    ours, theirs = (
        names["config"].as_dict(),
        Config(**read_config(ROOT / "configs" / "ring8_wgan_gp.yaml")).as_dict(),
    )
    looks = {"name", "log_steps", "image_steps", "checkpoint_steps"}
    assert {name for name in ours if ours[name] != theirs[name]} <= looks


def test_own_networks_and_data_come_near_and_the_loop_goes_on():
    names = run(block("def network"))
    assert names["w1"](names["trainer"].sample(1000), names["x"][:1000]) < 0.12
    run(block("trainer.steps(data)"), names)
    assert names["trainer"].steps_done == 900


def test_the_page_of_the_library_runs_and_labels_mean_places():
    page = (ROOT / "docs" / "library.md").read_text()
    names = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.S):
        run(code, names)
    places = np.median(names["right"], axis=0)
    np.testing.assert_allclose(places, [1, 0], atol=0.25)
    assert names["simple"].steps_done == 5
    assert names["sliced"].parameters["n_projections"].default == 256
