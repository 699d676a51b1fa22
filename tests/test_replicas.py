"""Two devices give what one gives on the same global batch.

This holds for weights, averages, optimizers and logged means.
"""

import numpy as np
import pytest
import tensorflow as tf
from conftest import two_devices
from small_networks import MISFITS, SMALL, Z_DIM

from tfwgan import checkpoint, rng
from tfwgan.networks import CRITICS, GENERATORS, spectral
from tfwgan.program import datasets, experiment, spec
from tfwgan.program.config import Config

RING = {
    "data": "ring8-n=512",
    "gen_arch": "MLP-dim=16-mults=(1,)",
    "disc_arch": "MLP-dim=16-mults=(1,)",
    "z_dim": 4,
}
DENSE = {**RING, "batch_size": 16, "n_critic": 2}
IMAGES = {
    "data": "squares-size=16-square=5",
    "gen_arch": "DCGAN-nf=4-norm=batch",
    "disc_arch": "DCGAN-nf=4-norm=none-act=leaky",
    "batch_size": 8,
    "n_critic": 1,
}

# Adam and RMSProp divide by the size of a gradient, so where that is all rounding they turn it into
# a whole step: the dense cases, which have such gradients, go downhill plainly, the image cases use
# the papers' optimizers.
PLAIN = {"g_opt": "sgd-lr=0.05", "d_opt": "sgd-lr=0.05-momentum=0.5"}
CASES = [
    {**DENSE, **PLAIN, "loss": "gan"},
    {**DENSE, **PLAIN, "loss": "wgan-clip=0.1"},
    {**DENSE, **PLAIN, "loss": "wgan_gp"},
    {**DENSE, **PLAIN, "loss": "gan-r1=1", "z_prior": "const=24-trainable=True"},
    {**DENSE, **PLAIN, "loss": "soft_hinge", "disc_arch": "MLP-dim=16-mults=(1,)-sn=True"},
    {**IMAGES, "loss": "wgan_gp", "z_prior": "sphere"},
]
MORE = [
    {**DENSE, **PLAIN, "loss": "gan-soft=True-flip=0.1", "augment": "noise=0.1-steps=3"},
    {
        **DENSE,
        **PLAIN,
        "loss": "hinge-joint=True",
        "disc_arch": "MLP-dim=16-mults=(1,)-cond=concat",
        "gen_arch": "MLP-dim=16-mults=(1,)-cond=concat",
    },
    {
        **DENSE,
        **PLAIN,
        "loss": "veegan",
        "disc_arch": "MLP-dim=16-mults=(1,)-joint=True",
        "rec_arch": "MLP-dim=16-mults=(1,)-norm=none",
    },
    {
        **IMAGES,
        **PLAIN,
        "loss": "infogan-fm=0.1",
        "gen_arch": "SimpleCNN-dim=4-norm=none",
        "disc_arch": "SimpleCNN-dim=4-norm=none-categories=3-codes=2",
        "z_prior": "info-categories=3-codes=2",
        "augment": "color,translation,cutout",
    },
    {
        **IMAGES,
        **PLAIN,
        "loss": "rpgan-r1=1-r2=1",
        "gen_arch": "SimpleCNN-dim=4",
        "disc_arch": "ResNet-nf=4-norm=none",
    },
    {
        **IMAGES,
        **PLAIN,
        "loss": "hinge-r1=10",
        "gen_arch": "EigenGAN-dim=4-init=he",
        "disc_arch": "EigenGAN-dim=4-init=he",
    },
    {**IMAGES, "loss": "gan-r1=1-r2=1"},
    {**IMAGES, "loss": "wgan", "disc_arch": "DCGAN-nf=4-norm=batch-act=leaky"},
    {**IMAGES, "loss": "wgan_lp", "disc_arch": "CNN-nf=4", "z_prior": "binary"},
]


def train(config, strategy, steps):
    dataset = datasets.load(config.data)
    trainer = experiment.make_trainer(config, dataset.shape, strategy, dataset.n_classes)
    parts = experiment.Experiment(config, dataset, trainer, strategy)
    logs = trainer.fit(parts.batches(), steps_per_epoch=steps, shuffle=False, verbose=0).history
    return {name: variable.numpy() for name, variable in checkpoint.state(trainer).items()}, logs


@pytest.mark.parametrize(
    "settings",
    [CASES[2], *(pytest.param(c, marks=pytest.mark.slow) for c in (*CASES[:2], *CASES[3:], *MORE))],
    ids=lambda settings: settings["loss"] + "," + settings["disc_arch"],
)
def test_two_devices_equal_one(settings):
    config = Config(**settings)
    one, logs_of_one = train(config, tf.distribute.get_strategy(), steps=4)
    two, logs_of_two = train(config, two_devices(), steps=4)
    assert one.keys() == two.keys() and logs_of_one.keys() == logs_of_two.keys()
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=0, atol=1e-5, err_msg=name)
    for name in logs_of_one:
        np.testing.assert_allclose(
            logs_of_two[name], logs_of_one[name], rtol=1e-5, atol=1e-5, err_msg=name
        )


NETWORKS = [
    pytest.param(kind, name, shape, marks=marks)
    for kind, table in (("generator", GENERATORS), ("critic", CRITICS))
    for name in table
    for shape, marks in (((8, 8, 1), ()), ((32, 32, 3), pytest.mark.slow))
    if (name, shape) not in MISFITS and name != "OldFastGAN"  # another name of FastGAN
]


@pytest.mark.slow
@pytest.mark.parametrize("kind, name, shape", NETWORKS, ids=lambda part: str(part))
def test_every_network_has_its_shape_and_all_gradients_on_two_devices(
    kind, name, shape, monkeypatch
):
    monkeypatch.setattr(spectral, "_WARM_UP", 1)
    strategy, z_dim = two_devices(), Z_DIM.get(name, 4)
    table = {"generator": GENERATORS, "critic": CRITICS}[kind]
    with strategy.scope(), rng.seeded_initializers(0):
        network = spec.build(
            SMALL[name], table, kind, z_dim=z_dim, image_shape=shape, n_classes=None
        )
    (given,) = network.input
    size = (z_dim,) if given == "z" else shape

    def step():
        with tf.GradientTape() as tape:
            out = network({given: rng.normal([2, *size], rng.seed_pair(1, 2))}, training=True)
            loss = tf.reduce_sum(out * rng.normal(out.shape, rng.seed_pair(3, 4)))
        return out, tape.gradient(loss, network.trainable_variables)

    out, gradients = tf.function(lambda: strategy.run(step))()
    for replica in strategy.experimental_local_results(out):
        assert replica.shape == ((2, *shape) if kind == "generator" else (2,))
    assert len(gradients) == len(network.trainable_variables) > 0
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        for replica in strategy.experimental_local_results(gradient):
            assert replica is not None and np.isfinite(replica).all(), variable.path
