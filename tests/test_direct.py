"""These are laws of direct objectives, which have no critic: the distance itself is the loss.

They concern gradients and replicas, and that such objectives learn.
"""

import numpy as np
import pytest
import tensorflow as tf
from conftest import two_devices
from small_distances import distance_of

from tfwgan.errors import UsageError
from tfwgan.objectives import OBJECTIVES
from tfwgan.program import experiment, spec
from tfwgan.program.config import Config
from tfwgan.transport import DIFFERENTIABLE, DISTANCES

# Every direct loss with options that suit images of 8 x 8.
SPECS = {
    "w1": "w1",
    "sinkhorn": "sinkhorn-epsilon=0.5",
    "swd": "swd-n_projections=16",
    "full_dim_swd": "full_dim_swd-n_projections=4",
    "projected_w1": "projected_w1-dim=3-n_projections=2",
    "patch_w1": "patch_w1-p=4-s=4",
    "patch_swd": "patch_swd-p=4-s=2-n_projections=16",
    "local_patch_swd": "local_patch_swd-p=4-s=4-n_projections=16",
}
SHAPE = (8, 8, 1)


def images(n, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).uniform(-1, 1, [n, *SHAPE]).astype(dtype)


def test_every_direct_loss_has_a_law():
    assert SPECS.keys() == DIFFERENTIABLE.keys() <= DISTANCES.keys()


@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
def test_the_loss_is_the_distance_and_there_is_no_critic(text):
    loss, distance = spec.build(text, OBJECTIVES, "loss"), distance_of(text)
    fake, real = images(6), images(6, 1)
    samples = [{"image": tf.constant(images)} for images in (real, fake)]
    terms = loss.generator_terms(None, *samples, tf.constant([3, 4], tf.int64))
    assert not loss.uses_critic and tuple(terms) == loss.terms
    expected = distance(tf.constant(fake), tf.constant(real), tf.constant([3, 4], tf.int64))
    np.testing.assert_allclose(terms["generator_loss"], expected, rtol=1e-6)


@pytest.mark.parametrize("p", range(1, 9))
@pytest.mark.parametrize("s", range(1, 9))
@pytest.mark.parametrize("name", ["patch_w1", "patch_swd", "local_patch_swd"])
def test_patches_that_leave_no_row_out_are_taken(name, p, s):
    loss = spec.build(f"{name}-p={p}-s={s}", OBJECTIVES, "loss")
    reached = {row for first in range(0, 8 - p + 1, s) for row in range(first, first + p)}
    if len(reached) == 8:
        loss.check(SHAPE)
    else:
        with pytest.raises(UsageError, match="leave out rows or columns"):
            loss.check(SHAPE)


@pytest.mark.parametrize("max_patches", [1, 4, 16, 64])
@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 16, 3)])
def test_however_few_patches_a_step_draws_all_of_the_image_is_drawn_in_time(shape, max_patches):
    spec.build(f"patch_w1-p=8-s=4-max_patches={max_patches}", OBJECTIVES, "loss").check(shape)
    with pytest.raises(UsageError, match="leave out rows or columns"):
        spec.build(f"patch_w1-p=8-s=5-max_patches={max_patches}", OBJECTIVES, "loss").check(
            (32, 28, 1)
        )


@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
def test_gradients_equal_finite_differences(text):
    distance = distance_of(text)
    fake, real = tf.constant(images(5, 0, np.float64)), tf.constant(images(5, 1, np.float64))
    with tf.GradientTape() as tape:
        tape.watch(fake)
        value = distance(fake, real, 7)
    gradient = tape.gradient(value, fake).numpy()
    h = 1e-5
    for direction in images(3, 2, np.float64)[:, None]:
        up, down = (float(distance(fake + sign * h * direction, real, 7)) for sign in (1, -1))
        np.testing.assert_allclose(
            (up - down) / (2 * h), (gradient * direction).sum(), rtol=2e-4, atol=1e-9
        )


def config(text, **options):
    settings = {
        "data": "squares-size=8-square=3",
        "z_prior": "const=4",
        "gen_arch": "FC-nf=32",
        "z_dim": 4,
        "batch_size": 4,
        "g_opt": "adam-lr=1e-2-beta_1=0.5-beta_2=0.9",
        "ema": 0.0,
    }
    return Config(loss=text, **{**settings, **options})


QUICK = {
    "w1",
    "patch_swd",
}  # one that calls the solver, one that sorts; the others are as slow and much alike
SOME = [
    pytest.param(text, id=name, marks=() if name in QUICK else pytest.mark.slow)
    for name, text in SPECS.items()
]


@pytest.mark.parametrize("text", SOME)
def test_training_on_a_distance_lowers_it(text):
    # As many atoms as images: the least distance is 0.
    parts = experiment.build(config(text, limit_data=4))
    assert parts.trainer.critic is None
    real = parts.dataset.real(slice(None))
    distance = distance_of(text)
    before = float(distance(parts.trainer.evaluation_samples(), real, 0))
    parts.trainer.fit(parts.batches(), steps_per_epoch=60, shuffle=False, verbose=0)
    assert float(distance(parts.trainer.evaluation_samples(), real, 0)) < 0.6 * before


@pytest.mark.slow
@pytest.mark.parametrize("text", SOME)
def test_two_devices_minimise_the_distance_of_the_global_batch(text):
    settings = config(text, batch_size=8, z_prior="normal", g_opt="sgd-lr=0.01")
    data = experiment.load_data(settings)
    trained = []
    for strategy in (tf.distribute.get_strategy(), two_devices()):
        trainer = experiment.make_trainer(settings, data.shape, strategy)
        parts = experiment.Experiment(settings, data, trainer, strategy)
        logs = trainer.fit(parts.batches(), steps_per_epoch=3, shuffle=False, verbose=0).history
        trained.append(
            [*(np.asarray(v) for v in trainer.generator.variables), logs["generator_loss"]]
        )
    for one, two in zip(*trained, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"loss": "patch_swd-p=9"}, "the loss does not fit the data"),
        ({"loss": "local_patch_swd-p=0"}, "the loss does not fit the data"),
        ({"loss": "patch_w1-p=4-s=0"}, "the loss does not fit the data"),
        ({"loss": "patch_swd-p=3-s=4"}, "patches leave out rows or columns of 8x8 images"),
        ({"loss": "local_patch_swd-p=3-s=3"}, "choose p and s"),
        ({"loss": "patch_w1-p=4-s=8"}, "choose p and s"),
        ({"loss": "sinkhorn=-1"}, "epsilon"),
        (
            {"loss": "swd-projections=3"},
            "has no option 'projections'; did you mean 'n_projections'?",
        ),
        ({"loss": "w1", "xla": True}, "--xla can't compile --loss=w1"),
        (
            {"loss": "patch_swd", "data": "ring8", "gen_arch": "MLP"},
            "the loss does not fit the data",
        ),
        ({"loss": "w1", "metrics": ("patch_swd-p=9",)}, "the metric does not fit the data"),
        ({"loss": "w1", "metrics": ("w2",)}, "Unknown metric 'w2'"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_written(settings, message):
    with pytest.raises(UsageError, match=message) as caught:
        experiment.build(config(settings.pop("loss"), **settings))
    assert "\n" not in str(caught.value)
