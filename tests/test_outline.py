"""These are laws of outlines.

What is known of data without having them is true of them, and enough for a dry run.
"""

import dataclasses
import os
import re
import socket
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as library
from PIL import Image

import tfwgan
from tfwgan.data.dataset import Outline
from tfwgan.errors import UsageError
from tfwgan.program import datasets
from tfwgan.program.describe import describe

TEST_DATA = os.environ.get("TFWGAN_TEST_DATA")
real = pytest.mark.skipif(not TEST_DATA, reason="TFWGAN_TEST_DATA names no folder of real data")
VIEWS = [
    {},
    {"image_size": 16},
    {"gray_scale": True},
    {"center_crop": 20},
    {"image_size": 32, "center_crop": 20, "gray_scale": True},
]


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """Makes a machine without prepared data that must not even look for a network.

    It returns where data would lie.
    """

    def refuse(*_, **__):
        raise AssertionError("something asks the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tmp_path / "data"


@pytest.mark.parametrize("view", VIEWS, ids=str)
@pytest.mark.parametrize(
    "text", ["tfds=mnist-split=train[:40]", "tfds=fashion_mnist-split=test[:10]+train[:20]"]
)
@real
def test_the_outline_of_a_prepared_set_is_that_of_the_loaded_one(text, view):
    options = {**view, "data_dir": str(Path(TEST_DATA) / "tensorflow_datasets")}
    for limit_data in (None, 7, 1000):
        loaded = datasets.load(text, **options, limit_data=limit_data)
        assert datasets.outline(text, **options, limit_data=limit_data) == Outline.of(loaded)


@pytest.mark.parametrize(
    "split, size", [("train", 60000), ("test", 10000), ("train[10%:]+test", 64000)]
)
@real
def test_the_outline_of_a_prepared_set_has_its_true_size(split, size):
    folder = str(Path(TEST_DATA) / "tensorflow_datasets")
    assert datasets.outline(f"tfds=mnist-split={split}", data_dir=folder).size == size


@pytest.mark.parametrize(
    "name, view",
    [
        *((name, view) for name in ("mnist", "cifar10", "celeb_a", "stl10") for view in VIEWS),
        *(
            ("oxford_flowers102", view)
            for view in ({"image_size": 16}, {"center_crop": 2, "gray_scale": True})
        ),
    ],
    ids=str,
)
def test_the_outline_of_any_set_is_that_of_the_loaded_one_but_for_the_size(name, view):
    with library.testing.mock_data(num_examples=3):
        outline, loaded = (
            datasets.outline(f"tfds={name}", **view),
            datasets.load(f"tfds={name}", **view),
        )
    assert outline.size is None and dataclasses.replace(outline, size=3) == Outline.of(loaded)


def test_images_of_any_size_need_one():
    with pytest.raises(UsageError, match="oxford_flowers102 may have any size.*give `image_size`"):
        datasets.outline("tfds=oxford_flowers102", gray_scale=True)


@pytest.mark.parametrize(
    "text, options",
    [
        ("squares-size=16-square=3", {"image_size": 8}),
        ("fashion_mini", {"limit_data": 9, "center_crop": 20}),
        ("ring8-n=64", {}),
        ("ring8-n=64", {"limit_data": 9}),
        ("folder={}", {"gray_scale": True}),
    ],
)
def test_data_at_hand_are_looked_at(text, options, tmp_path):
    for name in ("cats/0.png", "dogs/1.png"):
        (tmp_path / name).parent.mkdir()
        Image.fromarray(np.zeros([8, 8, 3], np.uint8)).save(tmp_path / name)
    text = text.format(tmp_path)
    assert datasets.outline(text, **options) == Outline.of(datasets.load(text, **options))


@pytest.mark.parametrize(
    "text, options",
    [
        ("tfds=mnits", {}),
        ("tfds=imdb_reviews", {}),
        ("tfds=mnist-spilt=test", {}),
        ("tfds=celeb_a", {"center_crop": 200}),
        ("tfds=mnist", {"image_size": 0}),
        ("ring8", {"image_size": 8}),
        ("rign8", {}),
    ],
)
def test_mistakes_are_answered_as_they_are_on_loading(text, options):
    with library.testing.mock_data(num_examples=2):
        with pytest.raises(UsageError) as loading:
            datasets.load(text, **options)
        with pytest.raises(UsageError) as outlining:
            datasets.outline(text, **options)
    assert str(outlining.value) == str(loading.value)


@real
def test_an_unknown_split_of_a_prepared_set_names_the_known():
    with pytest.raises(UsageError, match=r"mnist has no split 'tarin'.*splits: train, test"):
        datasets.outline(
            "tfds=mnist-split=tarin", data_dir=str(Path(TEST_DATA) / "tensorflow_datasets")
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags, kind",
    [
        (["--data=tfds=cifar10"], "32x32x3 images, 10 classes"),
        (["--data=tfds=celeb_a", "--center_crop=108", "--image_size=64"], "64x64x3 images"),
        (["--data=tfds=celeb_a", "--image_size=32", "--gray_scale"], "32x32x1 images"),
    ],
    ids=str,
)
def test_a_dry_run_needs_neither_network_nor_data(flags, kind, alone, tiny, tmp_path, capsys):
    networks = {"gen_arch": "DCGAN-nf=4", "disc_arch": "DCGAN-nf=4", "data_dir": str(alone)}
    assert tiny("--dry_run", *flags, **networks) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert (
        f"data {kind}" in out
        and "(number of images unknown until downloaded)" in out
        and "GFLOP a step" in out
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {
            "data": "fashion_mini",
            "gen_arch": "FC-nf=8-cond=concat",
            "disc_arch": "FC-nf=8-cond=projection",
        },
        {"data": "squares-size=16-square=3", "gen_arch": "DCGAN-nf=4", "disc_arch": "DCGAN-nf=4"},
        {
            "data": "ring8-n=64",
            "gen_arch": "MLP-dim=8-mults=(1,)",
            "disc_arch": "MLP-dim=8-mults=(1,)",
            "n_critic": 2,
        },
        {"data": "ring8-n=64", "gen_arch": "MLP-dim=8-mults=(1,)", "loss": "swd"},
    ],
    ids=str,
)
def test_a_dry_run_says_what_the_run_would_say(settings):
    config = tfwgan.Config(**{"n_critic": 1, **settings}, batch_size=8)
    wet, dry = (
        describe(tfwgan.build(config, dry_run=dry_run), costs=True) for dry_run in (False, True)
    )
    measured = re.compile(r"^(time|memory):.*", re.S | re.M)
    assert measured.sub("", dry) == measured.sub("", wet) and measured.search(dry)


def test_a_dry_run_checks_the_size_of_the_batch_where_it_can():
    with pytest.raises(UsageError, match="--batch_size=65 is more than the 64 items"):
        tfwgan.build(tfwgan.Config(data="ring8-n=64", batch_size=65), dry_run=True)


@pytest.mark.parametrize("shape, n_classes", [((4, 4, 3), None), ((4, 4, 1), 10), ((2,), 8)])
def test_blank_data_have_the_outline_that_they_are_made_from(shape, n_classes):
    names = tuple("abcdefghij"[:n_classes]) if n_classes else None
    outline = Outline("new", shape, n_classes, None, class_names=names)
    assert Outline.of(outline.blank(5)) == dataclasses.replace(outline, size=5)


def test_an_outline_is_not_trained_on(tmp_path):
    config = tfwgan.Config(
        data="ring8-n=64",
        gen_arch="MLP-dim=8-mults=(1,)",
        disc_arch="MLP-dim=8-mults=(1,)",
        out_dir=str(tmp_path),
    )
    with pytest.raises(UsageError, match="no data to train on"):
        tfwgan.fit(tfwgan.build(config, dry_run=True))
    assert list(tmp_path.iterdir()) == []
