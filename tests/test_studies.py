"""Studies run from end to end at the smallest size.

They say what they found, and go on where they were stopped.
"""

import dataclasses
import json

import numpy as np
import pytest

from tfwgan.objectives import OBJECTIVES
from tfwgan.program import spec
from tfwgan.studies import COMPARISONS, FIGURES, collapse, fig5, fig6, fig7, losses
from tfwgan.studies.paper import BASE
from tfwgan.studies.study import Study, table
from tfwgan.trainer import GanTrainer

pytestmark = pytest.mark.usefixtures("no_export")

SMALL = {
    "steps": 3,
    "eval_steps": 3,
    "log_steps": 3,
    "xla": False,
    "batch_size": 16,
    "eval_images": 100,
}


@pytest.fixture
def small(monkeypatch):
    """Makes every run of a study three steps long."""
    original = Study.config

    def config(self, name, **settings):
        return dataclasses.replace(original(self, name, **settings), **SMALL)

    monkeypatch.setattr(Study, "config", config)


@pytest.mark.slow
@pytest.mark.parametrize("figure", FIGURES)
def test_a_study_writes_its_report_and_repeats_nothing(figure, small, tmp_path, monkeypatch):
    study = Study("squares", tmp_path / figure, fast=True, seeds=1, base=BASE)
    markdown = FIGURES[figure](study)
    assert (study.out / "report.md").read_text() == markdown
    assert markdown.startswith(f"# Figure {figure[-1]}")
    for picture in study.out.glob("*.png"):
        assert f"({picture.name})" in markdown
    assert json.loads((study.out / "results.json").read_text())
    monkeypatch.setattr(GanTrainer, "train_step", None)  # would fail if it were needed
    assert FIGURES[figure](study) == markdown


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("data", ["squares", "fashion_mini", "tfds=mnist"])
def test_every_setting_is_a_configuration(data, fast, tmp_path):
    study = Study(data, tmp_path, fast, base=BASE)
    for name, settings in {"fig5": fig5.settings(study), "fig6": fig6.settings(study)}.items():
        assert study.config(name, **settings).name == name
    for name, settings in fig7.methods(fast).items():
        study.config(name.replace(" ", "_"), **fig7.common(study), **settings)


def test_the_critic_of_figure_7_sees_every_pixel():
    size = fig7.SIZE
    for _ in range(fig7.DEPTH):
        assert (size - fig7.KERNEL) % 2 == 0  # nothing is left over at the border
        size = (size - fig7.KERNEL) // 2 + 1
    assert fig7.FIELD == 15 and fig7.STRIDE == 8


def test_bright_parts_counts_squares():
    images = -np.ones([4, 12, 12, 1])
    images[1, 2:5, 2:5] = images[2, 2:5, 2:5] = images[2, 7:9, 7:9] = 1
    images[3] = 1
    assert list(fig7.bright_parts(images)) == [0, 1, 2, 1]


@pytest.mark.parametrize("data, shape", [("ring8", (2,)), ("fashion_mini", (28, 28, 1))])
def test_every_loss_that_is_compared_fits_the_data(data, shape, tmp_path):
    for settings in losses.settings(Study(data, tmp_path)).values():
        spec.build(settings["loss"], OBJECTIVES, "loss").check(shape)


def test_a_table_is_markdown():
    assert table([{"a": 1.23456, "b": "x"}]) == "| a | b |\n| --- | --- |\n| 1.235 | x |"


@pytest.mark.slow
@pytest.mark.parametrize("name, data", [("modes", "ring8"), ("losses", "squares-size=16-square=3")])
def test_a_comparison_writes_its_report_and_repeats_nothing(
    name, data, tmp_path, monkeypatch, capsys
):
    original = Study.config

    def config(self, run, **settings):
        few = {"steps": 4, "image_steps": 2} if name == "modes" else {"steps": 3}
        tiny = {
            "batch_size": 8,
            "n_critic": 1,
            "log_steps": few["steps"],
            "checkpoint_steps": few["steps"],
        }
        prior = "const=16" if "const" in settings.get("z_prior", "") else "normal"
        return dataclasses.replace(original(self, run, **settings), **few, **tiny, z_prior=prior)

    monkeypatch.setattr(Study, "config", config)
    monkeypatch.setattr(collapse, "SNAPSHOTS", {True: (2, 4)})
    monkeypatch.setattr(collapse, "_SAMPLES", 200)
    if name == "losses":  # every kind of objective once
        kinds = ("wgan_gp", "rpgan", "soft_hinge", "patch_swd-p=4-s=2", "w1")
        nets = {"gen_arch": "FC-nf=4", "disc_arch": "FC-nf=4", "steps": 3}
        monkeypatch.setattr(
            losses, "settings", lambda study: {kind: {"loss": kind, **nets} for kind in kinds}
        )
    study = Study(data, tmp_path / name, fast=True, seeds=1, limit_data=200)
    markdown = COMPARISONS[name](study)
    assert (study.out / "report.md").read_text() == markdown
    lines = (study.out / "results.csv").read_text().splitlines()
    assert len(lines) == 1 + len(json.loads((study.out / "results.json").read_text()))
    for picture in study.out.glob("*.png"):
        assert f"({picture.name})" in markdown
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("run ")]
    runs = len(list((study.out / "runs").iterdir()))
    assert [line.split(",")[0] for line in said] == [f"run {i + 1} of {runs}" for i in range(runs)]
    assert all(line.endswith(" to go") for line in said[1:])
    monkeypatch.setattr(GanTrainer, "train_step", None)  # would fail if it were needed
    assert COMPARISONS[name](study) == markdown
    assert (
        "to go" not in (again := capsys.readouterr().out) and again.count("finished before") == runs
    )
