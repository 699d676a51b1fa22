"""These are laws of the files in configs/.

Each is a whole run, says how it is started, and builds what its comment names.
"""

import contextlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import free_memory
from PIL import Image
from tensorflow_datasets.testing import mock_data

from tfwgan.main import main
from tfwgan.program import assemble as parts
from tfwgan.program import describe as report
from tfwgan.program.config import Config, read_config
from tfwgan.trainer import GanTrainer

ROOT = Path(__file__).parent.parent
TEST_DATA = os.environ.get("TFWGAN_TEST_DATA")
ORIGINALS = sorted((ROOT / "configs" / "original").glob("*.yaml"))
SMALL = sorted((ROOT / "configs").glob("*.yaml"))
DOCS = (ROOT / "docs" / "seeds.md").read_text()

# Weights that training moves, in generator and critic, of the systems that the files follow.
WEIGHTS = {
    "acgan_cifar10": (12_174_083, 10_683_147),
    "cgan_cbn_cifar10": (12_174_083, 10_560_257),
    "cgan_cifar10": (12_305_667, 10_560_257),
    "dcgan_fashion": (765_761, 138_817),
    "eigengan_ffhq": (22_994_951, 13_635_601),
    "fig2_ffhq": (24_763_590, 23_164_368),
    "fig5_squares": (536_704, 6_295_553),
    "fig6_squares": (536_704, 6_295_553),
    "fig7_fc_squares": (536_704, 382_208),
    "fig7_gap_squares": (536_704, 369_920),
    "fig7_local_patch_swd_squares": (536_704, 0),
    "fig7_patch_swd_squares": (536_704, 0),
    "fig7_w1_squares": (536_704, 0),
    "gan_celeba": (18_872_323, 4_316_545),
    "infogan_mnist": (1_115_585, 710_093),
    "lsgan_mnist": (360_464, 333_825),
    "sn_wgan_gp_fashion": (765_761, 138_561),
    "veegan_mnist": (360_464, 359_425),
    "veegan_ring8": (142_082, 141_825),
    "wgan_celeba": (12_658_432, 2_765_568),
    **{
        f"{loss}_cifar10": (12_141_827, 10_519_297)
        for loss in ("gan", "wgan", "wgan_gp", "sngan", "sngan_hinge", "lsgan")
    },
    **{
        f"{loss}_ring8": (140_546, 132_609) for loss in ("gan", "wgan", "wgan_gp", "sngan", "lsgan")
    },
    **{f"{loss}_mnist": (358_928, 332_801) for loss in ("gan", "wgan", "wgan_gp", "sngan")},
}


def label(path):
    return str(path.relative_to(ROOT / "configs"))


def config_of(path):
    return Config(**read_config(path))


def of_tfds(path):
    return config_of(path).data.startswith("tfds=")


def needs_tfds(path):
    return of_tfds(path) or config_of(path).data == "stacked_mnist"  # which is made of its digits


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder of 64 small pictures of two classes."""
    folder, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for kind in ("cats", "dogs"):
        (folder / kind).mkdir()
        for i in range(32):
            Image.fromarray(rng.integers(0, 256, [40, 40, 3], np.uint8)).save(
                folder / kind / f"{i}.png"
            )
    return folder


@pytest.fixture
def run(images, tmp_path, monkeypatch):
    """Runs the program on a file, with pictures where it wants a folder; returns the exit code.

    With one critic update a step, and without a graph, which takes longer to build than such small
    steps take to make; graphs of these networks are built elsewhere.
    """
    compile_it = GanTrainer.compile
    monkeypatch.setattr(
        GanTrainer, "compile", lambda *these, **more: compile_it(*these, **more, run_eagerly=True)
    )

    def start(path, *flags):
        own = (
            [f"--data=folder={images}", "--center_crop=none"]
            if config_of(path).data.startswith("folder=")
            else []
        )
        return main([f"--config={path}", f"--out_dir={tmp_path}", "--n_critic=1", *own, *flags])

    yield start
    free_memory()  # the originals are large


@pytest.mark.parametrize("path", [*SMALL, *ORIGINALS], ids=label)
def test_every_file_is_a_run_and_says_how_to_start_it(path):
    text, config = path.read_text(), config_of(path)
    parts.resolve(config)
    head = re.match(r"(# .+\n){3,}", text)[0]
    assert (
        re.search(
            rf"--config=(configs/)?{path.relative_to(ROOT / 'configs').with_suffix('')}\b", head
        )
        or "bash run_main.sh" in head
    )
    assert ("--data=folder=<path>" in head) == config.data.startswith("folder=")
    assert config.name in (path.stem, None) and "#" not in text[len(head) :]
    assert all(len(line) <= 120 for line in text.splitlines())


def test_no_two_files_share_a_name():
    names = [path.stem for path in (*SMALL, *ORIGINALS)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[] if config_of(path).data == "ring8" else pytest.mark.slow)
        for path in (
            *(path for path in SMALL if needs_tfds(path) or config_of(path).data == "ring8"),
            *ORIGINALS,
        )
    ],  # the other small ones are trained below
    ids=label,
)
def test_a_dry_run_builds_what_the_original_has_without_its_data(
    path, run, tmp_path, monkeypatch, capsys
):
    seen, describe = [], report.describe
    monkeypatch.setattr(
        report,
        "describe",
        lambda experiment, costs: (
            seen.append(experiment) or describe(experiment)
        ),  # timed elsewhere
    )
    assert run(path, "--dry_run", f"--data_dir={tmp_path / 'data'}") == 0
    assert (
        "images unknown until downloaded" in " ".join(capsys.readouterr().out.split())
    ) == of_tfds(path)
    assert list(tmp_path.iterdir()) == []
    if path.parent.name == "original":
        nets = (seen[0].trainer.generator, seen[0].trainer.critic)
        counted = [
            sum(int(np.prod(v.shape)) for v in net.trainable_variables) if net is not None else 0
            for net in nets
        ]
        assert tuple(counted) == WEIGHTS[path.stem]


@pytest.mark.slow
@pytest.mark.parametrize("path", SMALL, ids=label)
def test_every_small_run_trains(path, run, no_export, tmp_path):
    if of_tfds(path) and not TEST_DATA:
        pytest.skip("TFWGAN_TEST_DATA names no folder of real data")
    data = [f"--data_dir={TEST_DATA}/tensorflow_datasets"] if of_tfds(path) else []
    stacked = config_of(path).data == "stacked_mnist"  # of digits that TFDS makes up: that is fast
    few = ["--steps=2", "--batch_size=8", "--eval_images=64", "--name=run"]
    with mock_data(num_examples=64) if stacked else contextlib.nullcontext():
        assert run(path, *few, *data, *(["--limit_data=256"] if stacked else [])) == 0
    rows = [
        json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    ]
    assert rows and all(np.isfinite(value) for row in rows for value in row.values())


def test_the_table_of_commands_names_every_original_and_no_file_that_is_not_there():
    named = set(re.findall(r"configs/[\w/]+\.yaml", DOCS))
    assert {str(path.relative_to(ROOT)) for path in ORIGINALS} <= named
    assert all((ROOT / name).exists() for name in named)
