"""Laws of traversals: one code moves, all else stands still; and of the accuracy of clusters."""

import itertools

import numpy as np
import pytest

from tfwgan.audit.codes import categories, cluster_accuracy, traversals
from tfwgan.errors import UsageError
from tfwgan.program import experiment
from tfwgan.program.config import Config

COMMON = {
    "data": "squares-size=16-square=3",
    "batch_size": 4,
    "n_critic": 1,
    "steps": 1,
    "log_steps": 1,
    "ema": 0,
}
EIGEN = {
    "gen_arch": "EigenGAN-dim=2-n_basis=3-init=he",
    "disc_arch": "EigenGAN-dim=2-init=he",
    "z_dim": 12,
}
INFO = {
    "gen_arch": "SimpleCNN-dim=4",
    "disc_arch": "SimpleCNN-dim=4-norm=none-categories=3-codes=2",
    "z_prior": "info-categories=3-codes=2",
    "z_dim": 8,
    "loss": "infogan",
}


def trainer(settings):
    return experiment.build(Config(**{**COMMON, **settings})).trainer


@pytest.mark.parametrize(
    "settings, names",
    [
        (EIGEN, [f"L{layer}D{basis}" for layer in range(2) for basis in range(3)]),
        (INFO, ["category", "code_0", "code_1"]),
    ],
    ids=["EigenGAN", "InfoGAN"],
)
def test_every_code_has_its_picture(settings, names):
    made = traversals(trainer(settings), rows=2, columns=5)
    assert list(made) == names
    for name, images in made.items():
        assert images.shape == (2 * (3 if name == "category" else 5), 16, 16, 1)
        first = images[: len(images) // 2]
        assert all(np.abs(a - b).max() > 1e-7 for a, b in itertools.combinations(first, 2)), name


def test_in_the_middle_of_all_walks_stands_the_same_image():
    made = traversals(trainer(EIGEN), rows=3, columns=3, truncation=0.0)
    middle = [images[1] for images in made.values()]
    for image in middle:
        np.testing.assert_allclose(image, middle[0], atol=1e-6)


def test_only_structured_latents_have_codes():
    with pytest.raises(UsageError, match="no codes"):
        traversals(trainer({"gen_arch": "FC-nf=4", "disc_arch": "FC-nf=4"}))


def test_clusters_are_matched_to_classes_as_well_as_can_be():
    labels = np.random.default_rng(0).integers(0, 5, 400)
    for order in itertools.islice(itertools.permutations(range(5)), 0, 120, 17):
        assert cluster_accuracy(np.array(order)[labels], labels) == 1
    assert cluster_accuracy(np.zeros(400, int), labels) == np.bincount(labels).max() / 400
    assert cluster_accuracy(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])) == 0.75


def test_the_critic_names_a_category_of_every_image():
    model = trainer(INFO)
    guessed = categories(model, np.zeros([300, 16, 16, 1], np.float32))
    assert guessed.shape == (300,) and set(guessed) <= {0, 1, 2}


@pytest.mark.slow
def test_the_script_draws_them_and_says_how_well_categories_are_classes(tmp_path, script):
    config = {**COMMON, **INFO, "data": "fashion_mini", "image_size": 16, "limit_data": 40}
    run = experiment.fit(
        experiment.build(Config(**config, out_dir=str(tmp_path), name="r")), verbose=False
    ).run_dir
    done = script("traverse", run, "--rows=2")
    assert (
        done.returncode == 0 and "3 pictures" in done.stdout and "cluster accuracy" in done.stdout
    ), done.stderr
    assert {path.name for path in (run / "traverse").iterdir()} == {
        "category.png",
        "code_0.png",
        "code_1.png",
    }
    assert script("traverse", tmp_path / "nowhere").returncode == 2
    done = script("traverse", run, f"--out={run / 'config.json' / 'x'}")
    assert (
        done.returncode == 2
        and "Can't write --out=" in done.stderr
        and done.stderr.count("\n") == 1
    )
