"""Laws of objectives: losses at scores computed by hand, options, terms, and the clip."""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from tfwgan.errors import UsageError
from tfwgan.objectives import OBJECTIVES
from tfwgan.optimizers import OPTIMIZERS
from tfwgan.program import spec
from tfwgan.program.assemble import ADAM_WGAN_GP as ADAM
from tfwgan.program.assemble import preferred_optimizer
from tfwgan.transport import DIFFERENTIABLE

ADVERSARIAL = [name for name in OBJECTIVES if name not in DIFFERENTIABLE]
ALL = [
    *ADVERSARIAL,
    "gan-r1=1",
    "wgan-gp=1-lp=2-r1=3-r2=4-clip=0.5",
    "wgan_gp-gp=0",
    "gan-fm=0.1",
    "lsgan-soft=True-flip=0.1",
    "acgan=2-gp=1",
    "infogan=0.5-code=0.1-fm=1",
    "rpgan-r1=1-r2=1-joint=True",
]


def objective(text):
    return spec.build(text, OBJECTIVES, "loss")


def log_logistic(score):
    return -math.log(1 + math.exp(-score))


REAL, FAKE = [1.0, 3.0], [0.0, -2.0]
GAN = (
    -(log_logistic(1) + log_logistic(3)) / 2 - (log_logistic(0) + log_logistic(2)) / 2,
    -(log_logistic(0) + log_logistic(-2)) / 2,
)
PAIRS = math.log(1 + math.exp(-1)), math.log(1 + math.exp(-5))  # real minus fake is 1 and 5
LOSSES = {
    "gan": GAN,
    "wgan": (-3.0, 1.0),
    "wgan_gp": (-3.0, 1.0),
    "wgan_lp": (-3.0, 1.0),
    "lsgan": (0.5 * (0 + 4) / 2 + 0.5 * (0 + 4) / 2, 0.5 * (1 + 9) / 2),
    "hinge": ((0 + 0) / 2 + (1 + 0) / 2, 1.0),
    "soft_hinge": ((0 + 0) / 2 + (1 + 0) / 2, 1.0),
    "rpgan": (sum(PAIRS) / 2, (1 + 5) / 2 + sum(PAIRS) / 2),
    "acgan": GAN,
    "infogan": GAN,
    "veegan": (GAN[0], 1.0),
}


def generator_loss(loss, fake, real):
    return loss.generator_loss(fake, real) if loss.relative else loss.generator_loss(fake)


def test_every_objective_has_a_law():
    assert list(LOSSES) == ADVERSARIAL  # of the others, see test_direct.py


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_losses_at_scores_computed_by_hand(name):
    loss, (critic_loss, expected) = objective(name), LOSSES[name]
    np.testing.assert_allclose(
        loss.critic_loss(tf.constant(REAL), tf.constant(FAKE)), critic_loss, rtol=1e-6
    )
    np.testing.assert_allclose(
        generator_loss(loss, tf.constant(FAKE), tf.constant(REAL)), expected, rtol=1e-6
    )


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_losses_stay_finite_at_huge_scores(name):
    scores, loss = tf.constant([1e4, -1e4]), objective(name)
    assert np.isfinite(loss.critic_loss(scores, scores)) and np.isfinite(
        generator_loss(loss, scores, scores)
    )


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_real_samples_score_high(name):
    loss = objective(name)
    real, fake = tf.Variable([0.3, -0.2]), tf.Variable([0.1, 0.4])
    with tf.GradientTape(persistent=True) as tape:
        critic_loss, lost = loss.critic_loss(real, fake), generator_loss(loss, fake, real)
    assert np.all(tape.gradient(critic_loss, real) < 0) and np.all(
        tape.gradient(critic_loss, fake) > 0
    )
    assert np.all(tape.gradient(lost, fake) < 0)


SEED = tf.constant([0, 0], tf.int64)


def first_coordinate(samples):
    """A critic of slope 2 in its scores, with every head that an objective may want."""
    x = samples["image"]
    return {
        "score": 2.0 * x[:, 0],
        "features": 3.0 * x,
        "label": tf.concat([x, x], axis=1),
        "category": x,
        "code": x[:, :1],
    }


def points():
    real = tf.constant([[1.0, 0.0], [3.0, 5.0]])
    fake = tf.constant([[0.0, 1.0], [-2.0, 2.0]])
    return real, fake, tf.constant([0.25, 0.5]), SEED


def samples(order=(0, 1)):
    """Points as an objective is shown them: with labels, latents and their reconstruction."""
    labels, z = tf.constant([3, 1]), tf.constant([[0.5, 1.0, 0.0, -1.0], [0.0, 0.0, 1.0, 2.0]])
    real, fake = (points()[i] for i in order)
    real = {"image": real, "label": labels}
    return real, {"image": fake, "label": labels, "z": z, "reconstruction": z + 2.0}, *points()[2:]


@pytest.mark.parametrize("text", ALL)
def test_terms_are_what_training_logs(text):
    loss = objective(text)
    real, fake, mix, seed = samples()
    critic_terms = loss.critic_terms(first_coordinate, real, fake, mix, seed)
    generator_terms = loss.generator_terms(first_coordinate, real, fake, seed)
    assert loss.terms == tuple(dict.fromkeys([*critic_terms, *generator_terms]))
    assert not critic_terms.keys() & generator_terms.keys()
    assert all(term.shape == () for term in (critic_terms | generator_terms).values())


@pytest.mark.parametrize("text", ALL)
def test_real_minus_fake_is_an_estimate_only_of_losses_that_estimate_w1(text):
    terms = objective(text).critic_terms(first_coordinate, *samples())
    swapped = objective(text).critic_terms(first_coordinate, *samples((1, 0)))
    names = ["score_gap", "critic_estimate"]
    if text.split("-")[0].split("=")[0] in ("wgan", "wgan_gp", "wgan_lp"):
        names.reverse()
    name, other = names
    np.testing.assert_allclose([terms[name], swapped[name]], [4.0 - -2.0, -6.0])
    assert other not in terms and other not in objective(text).terms


def features_are_the_image(samples):
    x = samples["image"]
    return {**first_coordinate(samples), "features": x}


@pytest.mark.parametrize(
    "text", ["gan-fm=0.3", "wgan-fm=2", "hinge-fm=1", "rpgan-fm=0.1", "acgan-fm=0.5"]
)
def test_feature_matching_compares_means_of_batches(text):
    real, fake, _, seed = samples()
    term = objective(text).generator_terms(features_are_the_image, real, fake, seed)["features"]
    means = [np.mean(part["image"], axis=0) for part in (real, fake)]
    np.testing.assert_allclose(term, np.square(means[0] - means[1]).sum(), rtol=1e-6)
    # Who is beside whom is no matter, nor how far samples spread about the same mean.
    other = {**fake, "image": tf.reverse(fake["image"], [0])}
    np.testing.assert_allclose(
        objective(text).generator_terms(features_are_the_image, real, other, seed)["features"],
        term,
        rtol=1e-6,
    )
    spread = {
        **fake,
        "image": tf.reduce_mean(real["image"], axis=0) + tf.constant([[9.0, -4.0], [-9.0, 4.0]]),
    }
    alike = objective(text).generator_terms(features_are_the_image, real, spread, seed)["features"]
    np.testing.assert_allclose(alike, 0, atol=1e-9)


def test_the_critic_s_loss_holds_every_penalty_with_its_weight():
    terms = objective("wgan-gp=1-lp=2-r1=3-r2=4").critic_terms(first_coordinate, *samples())
    # The slope is 2 everywhere: gp = lp = 1, r1 = r2 = 2.
    np.testing.assert_allclose(
        [terms[k] for k in ("gp", "lp", "r1", "r2")], [1, 1, 2, 2], rtol=1e-5
    )
    np.testing.assert_allclose(terms["critic_loss"], -6 + 1 * 1 + 2 * 1 + 3 * 2 + 4 * 2, rtol=1e-5)


OPTIONS = [
    ("gan", {}, 0.0, "adam-lr=2e-4-beta_1=0.5-beta_2=0.999"),
    ("gan-r1=10", {"r1": 10.0}, 0.0, ADAM),
    ("wgan", {}, 0.01, "rmsprop-lr=5e-5"),
    ("wgan-clip=0.1", {}, 0.1, "rmsprop-lr=5e-5"),
    ("wgan-clip=0", {}, 0.0, "rmsprop-lr=5e-5"),
    ("wgan-gp=10", {"gp": 10.0}, 0.0, ADAM),
    ("wgan-r2=1-clip=0.1", {"r2": 1.0}, 0.1, ADAM),
    ("wgan_gp", {"gp": 10.0}, 0.0, ADAM),
    ("wgan_gp=5", {"gp": 5.0}, 0.0, ADAM),
    ("wgan_gp-gp=0.1", {"gp": 0.1}, 0.0, ADAM),
    ("wgan_gp-r1=1", {"gp": 10.0, "r1": 1.0}, 0.0, ADAM),
    ("wgan_gp-gp=0-lp=1", {"lp": 1.0}, 0.0, ADAM),
    ("wgan_lp", {"lp": 10.0}, 0.0, ADAM),
    ("wgan_lp-lp=3", {"lp": 3.0}, 0.0, ADAM),
]


@pytest.mark.parametrize("text, weights, clip, optimizer", OPTIONS, ids=[row[0] for row in OPTIONS])
def test_options_say_what_is_added(text, weights, clip, optimizer):
    loss = objective(text)
    assert (dict(loss.penalties), loss.clip, preferred_optimizer(text)) == (
        weights,
        clip,
        optimizer,
    )
    difference = "critic_estimate" if text.startswith("wgan") else "score_gap"
    assert loss.terms == ("critic_loss", difference, *weights, "generator_loss")
    assert loss.uses_critic


def test_the_first_value_of_a_penalised_objective_is_the_weight_of_its_own_penalty():
    assert objective("wgan_gp=5") == objective("wgan_gp-gp=5")
    assert objective("wgan_lp=5") == objective("wgan_lp-lp=5")


@pytest.mark.parametrize("text", ALL)
def test_the_paper_s_optimizer_can_be_built(text):
    assert spec.build(preferred_optimizer(text), OPTIMIZERS, "optimizer", updates=10).built is False


@pytest.mark.parametrize("name", ["gp", "lp", "r1", "r2", "clip"])
@pytest.mark.parametrize(
    "value, message", [("-1", "must be at least 0"), ("nan", "finite"), ("x", "a number")]
)
def test_impossible_weights_are_refused(name, value, message):
    with pytest.raises(UsageError, match=message):
        objective(f"wgan-{name}={value}")


@pytest.mark.parametrize("clip", [0.01, 0.5])
def test_the_clip_leaves_every_weight_inside(clip):
    inside, outside = tf.Variable([[0.009, -0.009], [0.0, 0.004]]), tf.Variable([-3.0, 0.2, 1e9])
    before = inside.numpy()
    objective(f"wgan-clip={clip}").project([inside, outside])
    np.testing.assert_array_equal(inside, before)
    np.testing.assert_array_equal(
        outside, np.clip(np.float32([-3.0, 0.2, 1e9]), -np.float32(clip), np.float32(clip))
    )


@pytest.mark.parametrize("text", ["gan", "wgan_gp", "wgan-clip=0"])
def test_without_a_clip_weights_are_left_alone(text):
    w = tf.Variable([-3.0, 0.2])
    objective(text).project([w])
    np.testing.assert_array_equal(w, np.float32([-3.0, 0.2]))


def test_an_objective_can_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        objective("wgan").clip = 1.0
