"""These are laws of conditional and structured models.

They concern labels, codes, guessed latents, and which network learns from what.
"""

import numpy as np
import pytest
import tensorflow as tf

from tfwgan import rng, saved_model
from tfwgan.data.dataset import Dataset
from tfwgan.errors import UsageError
from tfwgan.program import experiment
from tfwgan.program.config import Config
from tfwgan.trainer import sample_seed

CLASSES, B = 3, 4
SEED = rng.seed_pair(0, 0)
COMMON = {"batch_size": B, "n_critic": 2, "z_dim": 8, "steps": 2, "ema": 0.5, "log_steps": 1}
CONDITIONAL = {
    "concat": {
        "gen_arch": "SimpleCNN-dim=4-cond=concat",
        "disc_arch": "SimpleCNN-dim=4-cond=concat",
        "loss": "gan",
    },
    "cbn": {
        "gen_arch": "SimpleCNN-dim=4-cond=cbn",
        "disc_arch": "SimpleCNN-dim=4-cond=projection",
        "loss": "hinge",
    },
    "gp": {
        "gen_arch": "MLP-dim=8-mults=(1,)-cond=concat",
        "disc_arch": "MLP-dim=8-mults=(1,)-cond=concat",
        "loss": "wgan_gp",
    },
    "r1r2": {
        "gen_arch": "DCGAN-nf=4-cond=concat",
        "disc_arch": "DCGAN-nf=4-cond=projection",
        "loss": "rpgan-r1=1-r2=1",
    },
    "ac": {
        "gen_arch": "SimpleCNN-dim=4-cond=concat",
        "disc_arch": "SimpleCNN-dim=4-cond=ac",
        "loss": "acgan",
    },
}
INFO = {
    "gen_arch": "SimpleCNN-dim=4",
    "disc_arch": "SimpleCNN-dim=4-norm=none-categories=3-codes=2",
    "z_prior": "info-categories=3-codes=2",
    "loss": "infogan-r1=1",
}
VEEGAN = {
    "gen_arch": "MLP-dim=8-mults=(1,)",
    "disc_arch": "MLP-dim=8-mults=(1,)-joint=True",
    "rec_arch": "MLP-dim=8-mults=(1,)",
    "loss": "veegan",
}
MODELS = {**CONDITIONAL, "infogan": INFO, "veegan": VEEGAN}


def images(n=12, classes=CLASSES):
    """Grey images, the darker the lower their class."""
    labels = np.arange(n, dtype=np.int32) % classes
    noise = np.random.default_rng(0).integers(0, 40, (n, 8, 8, 1))
    return Dataset("grey", (labels[:, None, None, None] * 100 + noise).astype(np.uint8), labels)


def make(settings, **more):
    return experiment.build(Config(**{**COMMON, **settings, **more}), images()).trainer


def batch():
    data = images()
    return {"image": tf.constant(data.real(slice(B))), "label": tf.constant(data.labels[:B])}


def codes(trainer):
    return trainer.prior.draw(B, SEED)


def values(model):
    return [v.numpy().copy() for v in model.trainable_variables]


def moved(model, before):
    return [not np.array_equal(a, b) for a, b in zip(values(model), before, strict=True)]


@pytest.mark.parametrize("name", MODELS)
def test_an_update_moves_its_own_networks_only(name):
    trainer = make(MODELS[name])
    networks = [
        trainer.generator,
        trainer.critic,
        *([trainer.reconstructor] if trainer.reconstructor else []),
    ]
    before = [values(network) for network in networks]
    trainer.critic_step(batch(), codes(trainer), tf.linspace(0.0, 0.9, B), SEED)
    change = [moved(network, old) for network, old in zip(networks, before, strict=True)]
    assert any(change[1]) and not any(change[0]) and not any(any(c) for c in change[2:])
    before = [values(network) for network in networks]
    terms = trainer.generator_step(batch(), codes(trainer), SEED)
    change = [moved(network, old) for network, old in zip(networks, before, strict=True)]
    assert any(change[0]) and not any(change[1]) and all(any(c) for c in change[2:])
    assert all(np.isfinite(value) for value in terms.values())


def gradient_sizes(trainer, term):
    """How much each network could change one term of either loss."""
    real, names = batch(), ("generator", "critic", "reconstructor")
    networks = {
        name: getattr(trainer, name) for name in names if getattr(trainer, name) is not None
    }
    parts = {name: network.trainable_variables for name, network in networks.items()}
    with tf.GradientTape(persistent=True) as tape:
        fake = trainer._fake(real, codes(trainer), SEED)
        if trainer.reconstructor is not None:
            fake["reconstruction"] = trainer.reconstructor({"image": fake["image"]}, training=True)
        critic = trainer.objective.critic_terms(
            trainer._criticise, trainer._real(real, SEED), fake, tf.linspace(0.0, 0.9, B), SEED
        )
        terms = critic | trainer.objective.generator_terms(trainer._criticise, real, fake, SEED)
    gradients = {name: tape.gradient(terms[term], variables) for name, variables in parts.items()}
    return {
        name: sum(float(tf.norm(g)) for g in grads if g is not None)
        for name, grads in gradients.items()
    }


@pytest.mark.parametrize(
    "name, term, networks",
    [
        ("ac", "class_real", {"critic"}),
        ("ac", "class_fake", {"generator", "critic"}),
        ("infogan", "category", {"generator", "critic"}),
        ("infogan", "code_fake", {"generator", "critic"}),
        ("veegan", "reconstruction", {"generator", "reconstructor"}),
    ],
)
def test_a_term_depends_on_the_networks_it_should(name, term, networks):
    sizes = gradient_sizes(make(MODELS[name]), term)
    assert {part for part, size in sizes.items() if size > 0} == networks


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_step_in_a_graph_is_finite_and_logs_its_terms(name):
    parts = experiment.build(Config(**{**COMMON, **MODELS[name]}), images())
    logs = parts.trainer.fit(parts.batches(), steps_per_epoch=2, shuffle=False, verbose=0).history
    assert logs.keys() == set(parts.trainer.objective.terms)
    assert all(np.isfinite(values).all() for values in logs.values())


@pytest.mark.parametrize("name", CONDITIONAL)
def test_a_label_changes_the_picture_and_nothing_else_does(name):
    trainer = make(CONDITIONAL[name])
    zero, zero_again, one = (trainer.sample(5, 7, label).numpy() for label in (0, 0, 1))
    np.testing.assert_array_equal(zero, zero_again)
    assert trainer.n_classes == CLASSES
    if name != "cbn":  # all classes of a conditional norm begin alike
        assert np.abs(zero - one).max() > 1e-6
    drawn = trainer.labels(3000, 0).numpy()
    np.testing.assert_allclose(np.bincount(drawn) / 3000, 1 / CLASSES, atol=0.05)
    mixed = trainer.sample(5, 7).numpy()
    for image, label in zip(mixed, trainer.labels(5, 7).numpy(), strict=True):
        assert any(
            np.allclose(image, own, atol=1e-6) for own in trainer.sample(5, 7, int(label)).numpy()
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", CONDITIONAL)
def test_the_saved_model_takes_the_label(name, tmp_path):
    trainer = make(CONDITIONAL[name], z_prior="const=6")
    model = tf.saved_model.load(str(saved_model.export_saved_model(trainer, tmp_path / "model")))
    assert saved_model.count_classes(model) == CLASSES
    for label in (0, 2):
        np.testing.assert_allclose(
            model.sample(5, 3, label), trainer.sample(5, 3, label), atol=1e-6
        )
    np.testing.assert_allclose(model.sample(5, 3, -1), trainer.sample(5, 3), atol=1e-6)
    labels = tf.constant([0, 1, 2, 1, 0])
    np.testing.assert_allclose(
        model.decode(model.latent(5, 3), labels), trainer(model.latent(5, 3), labels), atol=1e-6
    )
    assert model.atom([0, 5], [1, 2]).shape == (2, 8, 8, 1)
    inputs = [batch()[name] for name in ("image", "label") if name in trainer.critic.input]
    said = trainer.critic(dict(zip(("image", "label"), inputs, strict=False)))
    np.testing.assert_allclose(
        model.score(*inputs), said["score"] if name == "ac" else said, atol=1e-5
    )


WALKED = {
    **MODELS,
    "eigengan": {
        "gen_arch": "EigenGAN-dim=2-init=he",
        "disc_arch": "EigenGAN-dim=2",
        "loss": "hinge",
    },
    "atoms": {**CONDITIONAL["cbn"], "z_prior": "const=6"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WALKED)
def test_every_model_draws_walks_between_its_latents(name, tmp_path, script):
    trainer = make(WALKED[name])
    model = saved_model.export_saved_model(trainer, tmp_path / "model")
    done = script(
        "interpolate", model, "--rows=2", "--columns=4", f"--out={tmp_path / 'walks.npz'}"
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    with np.load(tmp_path / "walks.npz") as file:
        walks = file["images"]
    z = trainer.average_prior.sample(3, sample_seed(0))
    label = tf.constant([0, 0, 1, 1]) % CLASSES if trainer.n_classes else None
    ends = trainer(tf.gather(z, [0, 1, 1, 2]), label)
    np.testing.assert_allclose(walks[[0, 3, 4, 7]], ends, atol=1e-5)
    assert (
        len(np.unique(walks, axis=0)) >= 7
    )  # the end of one walk begins the next, there perhaps in another class


def test_a_conditional_set_of_atoms_is_every_atom_in_every_class():
    trainer = make(CONDITIONAL["concat"], z_prior="const=4")
    assert (
        len(trainer.evaluation_samples())
        == 4 * CLASSES
        == len(np.unique(trainer.evaluation_samples(), axis=0))
    )
    assert len(make(CONDITIONAL["concat"]).evaluation_samples(7)) == 7


def test_the_codes_of_info_latents_are_what_they_say():
    z = make(INFO).prior.sample(2000, SEED).numpy()
    noise, category, code = np.split(z, [3, 6], axis=1)
    assert set(np.unique(category)) == {0.0, 1.0} and (category.sum(axis=1) == 1).all()
    np.testing.assert_allclose(category.mean(axis=0), 1 / 3, atol=0.04)
    np.testing.assert_allclose([noise.std(), code.std()], [1, 3**-0.5], atol=0.04)
    assert -1 <= code.min() and code.max() < 1
    np.testing.assert_allclose(np.corrcoef(z.T)[:3, 6:], 0, atol=0.08)


def test_info_terms_are_the_errors_of_the_guesses():
    objective = make(INFO).objective
    z = tf.constant([[9.0, 1.0, 0.0, 0.5], [9.0, 0.0, 1.0, -1.0]])
    said = {
        "score": tf.zeros(2),
        "category": tf.constant([[2.0, 0.0], [0.0, 0.0]]),
        "code": tf.constant([[1.5], [1.0]]),
    }
    terms = objective.generator_terms(lambda samples: said, {}, {"z": z}, SEED)
    np.testing.assert_allclose(
        terms["category_fake"], (np.log(1 + np.exp(-2)) + np.log(2)) / 2, rtol=1e-5
    )
    np.testing.assert_allclose(terms["code_fake"], (1 + 4) / 2, rtol=1e-6)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"loss": "acgan"}, "needs a critic with the head 'label'"),
        ({"loss": "infogan"}, "needs a critic with the head 'category'"),
        ({**INFO, "z_prior": "normal"}, "--z_prior=info-categories=3-codes=2"),
        ({**INFO, "z_prior": "info-categories=4-codes=1"}, "--z_prior=info-categories=3-codes=2"),
        ({**VEEGAN, "disc_arch": "MLP-dim=8-mults=(1,)"}, "MLP-joint=True"),
        ({**VEEGAN, "loss": "gan"}, "only --loss=veegan"),
        ({**VEEGAN, "loss": "veegan-fm=1"}, "fm compares features"),
        ({**CONDITIONAL["ac"], "gen_arch": "SimpleCNN-dim=4"}, "add -cond=concat"),
        ({**CONDITIONAL["concat"], "gen_arch": "SimpleCNN-dim=4"}, "add -cond=concat"),
        ({"loss": "swd", "augment": "color"}, "leave it out"),
        ({"augment": "colour"}, "did you mean 'color'"),
        ({"loss": "gan-flip=0.5"}, "flip must be in [0, 0.5)"),
        ({"loss": "wgan-soft=True"}, "no option 'soft'"),
        ({"z_prior": "info-categories=6"}, "more than `z_dim=8`"),
    ],
    ids=str,
)
def test_parts_that_do_not_fit_are_told(settings, message):
    plain = {"gen_arch": "MLP-dim=8-mults=(1,)", "disc_arch": "MLP-dim=8-mults=(1,)"}
    with pytest.raises(UsageError) as caught:
        make({**plain, **settings})
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_without_labels_there_is_no_conditional_model():
    with pytest.raises(UsageError, match="label"):
        experiment.build(
            Config(**{**COMMON, **CONDITIONAL["concat"], "data": "squares-size=8-square=3"})
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "augment",
    ["color,translation,cutout", pytest.param("noise=0.1-steps=5", marks=pytest.mark.slow)],
)
def test_an_augmented_run_trains_and_a_second_one_agrees(augment):
    def run():
        parts = experiment.build(
            Config(**{**COMMON, **CONDITIONAL["concat"], "augment": augment}), images()
        )
        parts.trainer.fit(parts.batches(), steps_per_epoch=2, shuffle=False, verbose=0)
        return values(parts.trainer.critic)

    plain = experiment.build(Config(**{**COMMON, **CONDITIONAL["concat"]}), images())
    plain.trainer.fit(plain.batches(), steps_per_epoch=2, shuffle=False, verbose=0)
    one, two = run(), run()
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not all(
        np.array_equal(a, b) for a, b in zip(one, values(plain.trainer.critic), strict=True)
    )
