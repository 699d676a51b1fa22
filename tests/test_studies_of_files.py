"""Laws of the studies whose runs are those of files: scores, and the modes of StackedMNIST."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as library

from tfwgan.data import stacked_mnist
from tfwgan.errors import UsageError
from tfwgan.plots import COLOURS, named_points
from tfwgan.program.config import Config, read_config
from tfwgan.studies import COMPARISONS, scores, stacked
from tfwgan.studies.of_files import config_of, kept, sample_rows
from tfwgan.studies.study import Study
from tfwgan.trainer import GanTrainer

pytestmark = pytest.mark.usefixtures("no_export")

DOCS = (Path(__file__).parent.parent / "docs" / "seeds.md").read_text()
FILES = [*(model.file for model in scores.MODELS.values()), *stacked.MODELS.values()]


@pytest.mark.parametrize("file", FILES)
def test_a_run_is_what_its_file_says(file, tmp_path):
    study, own = Study("squares", tmp_path, limit_data=None), Config(**read_config(file))
    config = config_of(study, file, seed=3)
    changed = {"data": "squares", "seed": 3, "out_dir": str(tmp_path / "runs")}
    assert config == dataclasses.replace(own, **changed, name=f"{file}_3")
    assert own.data in ("fashion_mini", "stacked_mnist") and own.name in (file, None)
    fast, fewer = (dataclasses.replace(study, **one) for one in ({"fast": True}, {"steps": 7}))
    assert config_of(fast, file, 0).steps == own.steps // 10
    assert config_of(fewer, file, 0).steps == 7


def test_every_sibling_of_the_published_runs_is_scored_beside_what_is_published():
    stated = re.findall(
        r"`configs/original/\w+_cifar10.yaml` \| `configs/(\w+).yaml` \| ([\d.]+)", DOCS
    )
    there = {model.file: model.there for model in scores.MODELS.values() if model.there}
    assert there == {file: float(value) for file, value in stated} and len(there) == 9


@pytest.mark.parametrize("order, says", [([1, 2, 3, 4], "is 1.00"), ([4, 3, 2, 1], "is -1.00")])
def test_the_rank_correlation_is_of_orders_only(order, says):
    assert says in scores.rank_correlation(np.exp(order), [10, 20, 30, 99])
    assert "over 4 models" in scores.rank_correlation(order, [10, 20, 30, 99])
    assert "too few" in scores.rank_correlation(order[:3], [1, 2, 3])


def test_what_was_measured_is_kept_until_it_depends_on_something_else(tmp_path):
    path, calls = tmp_path / "scores.json", []

    def make():
        calls.append(1)
        return {"FID": float(len(calls))}

    assert [kept(path, {"n": 5}, make)["FID"] for _ in range(3)] == [1, 1, 1]
    assert kept(path, {"n": 6}, make)["FID"] == 2
    path.write_text("{")
    assert kept(path, {"n": 6}, make)["FID"] == 3


def test_rows_of_samples_of_two_sizes_share_a_picture():
    picture = sample_rows({"a": np.ones([3, 4, 4, 1]), "b": np.ones([3, 6, 6, 1])})
    white = sample_rows({"a": np.ones([3, 6, 6, 1]), "b": np.ones([3, 6, 6, 1])})
    assert picture.shape == white.shape and (picture == 0).sum() > (white == 0).sum()


def test_named_points_lie_where_they_should():
    picture = named_points({"low": (1.0, 2.0), "high": (3.0, 9.0)}, "title", "x", "y")
    blue = np.abs(picture.astype(int) - np.array(COLOURS[0])).max(axis=-1) < 3
    rows, columns = np.nonzero(blue)
    left = columns < columns.mean()
    assert rows[left].mean() > rows[~left].mean()  # what is lower is farther down


@pytest.fixture
def tiny(monkeypatch):
    """Makes every run of a study three steps of narrow networks, without a graph to build."""
    original, compile_it = Study.config, GanTrainer.compile
    monkeypatch.setattr(
        GanTrainer, "compile", lambda *these, **more: compile_it(*these, **more, run_eagerly=True)
    )
    few = {"steps": 3, "log_steps": 3, "checkpoint_steps": 3, "image_steps": 10**9}

    def config(self, name, **settings):
        for net in ("gen_arch", "disc_arch"):
            narrow = settings[net].replace("dim=32", "dim=4")
            settings[net] = narrow.replace("DCGAN", "DCGAN-nf=4")
        small = original(self, name, **settings)
        return dataclasses.replace(small, **few, batch_size=8, n_critic="1")

    monkeypatch.setattr(Study, "config", config)


def assert_written_and_not_repeated(study, run, monkeypatch, markdown):
    assert (study.out / "report.md").read_text() == markdown
    rows = json.loads((study.out / "results.json").read_text())
    assert len((study.out / "results.csv").read_text().splitlines()) == 1 + len(rows)
    for picture in study.out.glob("*.png"):
        assert f"({picture.name})" in markdown
    monkeypatch.setattr(GanTrainer, "train_step", None)  # would fail if it were needed
    assert run(study) == markdown
    return rows


@pytest.mark.slow
def test_scores_are_ranked_beside_the_published_ones(tiny, tmp_path, monkeypatch):
    chosen = ("WGAN", "CGAN", "R3GAN's loss")
    monkeypatch.setattr(scores, "MODELS", {name: scores.MODELS[name] for name in chosen})
    monkeypatch.setattr(scores, "SAMPLES", {True: 80})
    study = Study("fashion_mini", tmp_path, fast=True, seeds=1, limit_data=200)
    markdown = COMPARISONS["scores"](study)
    monkeypatch.setattr(scores, "SCORES", None)  # neither would these be needed
    rows = assert_written_and_not_repeated(study, scores.run, monkeypatch, markdown)
    by_model = {row["model"]: row for row in rows}
    assert by_model.keys() == set(chosen) and [row["rank"] for row in rows] == [1, 2, 3]
    means = [row["FID"] for row in rows]
    assert means == sorted(means)
    assert by_model["WGAN"]["FID there"] == 49.9169 and by_model["WGAN"]["rank there"] == "2"
    assert by_model["R3GAN's loss"]["rank there"] == "-" and "too few" in markdown
    assert by_model["WGAN"]["FID of a class"] == "-" != by_model["CGAN"]["FID of a class"]
    assert {"samples.png", "order.png"} == {path.name for path in study.out.glob("*.png")}


@pytest.mark.slow
def test_modes_of_stacked_digits_are_counted(tiny, tmp_path, monkeypatch):
    chosen = {name: stacked.MODELS[name] for name in ("GAN", "R3GAN's loss")}
    monkeypatch.setattr(stacked, "MODELS", chosen)
    monkeypatch.setattr(stacked, "SAMPLES", {True: 80})
    study = Study("stacked_mnist-n=200", tmp_path, fast=True, seeds=1, limit_data=None)
    with library.testing.mock_data(num_examples=9):
        markdown = COMPARISONS["stacked"](study)
        rows = assert_written_and_not_repeated(study, stacked.run, monkeypatch, markdown)
    assert [row["model"] for row in rows] == ["the data", *stacked.MODELS]
    assert all(0 <= int(row["modes (of 1000)"]) <= 80 for row in rows)


def test_the_data_themselves_have_their_modes(monkeypatch):
    """A classifier that reads each digit rightly finds the classes that are there, evenly."""
    with library.testing.mock_data(num_examples=9):
        data = stacked_mnist(n=60)
    truth = {item.tobytes(): label for item, label in zip(data.items, data.labels, strict=True)}

    def read(items):
        logits = np.eye(1000)[[truth[item.tobytes()] for item in items]]
        return items.reshape(len(items), -1)[:, :50].astype(np.float32), logits

    monkeypatch.setattr(stacked, "stacked_mnist_cnn", lambda: read)
    reference = stacked.Reference.of(data, n=1000)
    assert len(reference.features) == 30
    assert reference.real["modes"] == len(set(data.labels[30:]))
    whole = reference.measure(data.items)
    assert whole["modes"] == len(set(data.labels)) and whole["KL"] == pytest.approx(0, abs=1e-12)
    assert reference.measure(data.items[:30])["FID"] == pytest.approx(0, abs=1e-4)


def test_modes_are_counted_of_no_other_data(tmp_path):
    with pytest.raises(UsageError, match="`tfwgan compare modes` takes any"):
        stacked.run(Study("fashion_mini", tmp_path))


def test_only_studies_of_files_take_a_number_of_steps(script, tmp_path):
    done = script("compare", "losses", "--steps=5", cwd=tmp_path)
    assert done.returncode == 2 and "--steps is for scores and stacked" in done.stderr
    assert done.stderr.count("\n") == 1 and list(tmp_path.iterdir()) == []
