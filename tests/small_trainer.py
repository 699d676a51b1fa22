"""A small trainer on points of the plane, which several tests run."""

import numpy as np
import tensorflow as tf

from tfwgan import rng
from tfwgan.networks import CRITICS, GENERATORS
from tfwgan.objectives import OBJECTIVES
from tfwgan.optimizers import OPTIMIZERS
from tfwgan.priors import PRIORS
from tfwgan.program import spec
from tfwgan.trainer import GanTrainer

N_CRITIC, B, STEPS = 2, 8, 3
SEED = rng.seed_pair(0, 0)


def objective(text="wgan_gp"):
    return spec.build(text, OBJECTIVES, "loss")


def make(
    loss="wgan_gp",
    prior="normal",
    norm="none",
    opt="adam-lr=1e-2",
    n_critic=N_CRITIC,
    seed=0,
    eager=False,
    **options,
):
    with rng.seeded_initializers(0):
        loss = objective(loss) if isinstance(loss, str) else loss
        critic = (
            spec.build("MLP-dim=6-mults=(1,2)", CRITICS, "critic", image_shape=(2,))
            if loss.uses_critic
            else None
        )
        trainer = GanTrainer(
            spec.build(prior, PRIORS, "prior", z_dim=3),
            spec.build(
                f"MLP-dim=6-mults=(1,2)-norm={norm}",
                GENERATORS,
                "generator",
                z_dim=3,
                image_shape=(2,),
            ),
            critic,
            loss,
            n_critic=n_critic,
            seed=seed,
            **options,
        )
        g_opt, d_opt = (spec.build(opt, OPTIMIZERS, "optimizer", updates=100) for _ in range(2))
        trainer.compile(g_opt, d_opt, run_eagerly=eager)
    return trainer


def data(n_critic=N_CRITIC, steps=STEPS, seed=0):
    """Elements `[b, n_critic, 2]`, every point different."""
    return np.random.default_rng(seed).uniform(-1, 1, (steps, B, n_critic, 2)).astype(np.float32)


def fit(trainer, images=None, epochs=1, callbacks=()):
    images = data(trainer.critic_steps.n) if images is None else images
    elements = tf.data.Dataset.from_tensor_slices({"image": images})
    return trainer.fit(
        elements, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks)
    ).history


def values(variables):
    return [np.array(v.numpy()) for v in variables]


def assert_same(one, other, **tolerance):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, **tolerance)


def differs(one, other):
    return any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))
