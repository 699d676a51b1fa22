"""Networks have as many weights as those of the systems they come from."""

import pytest
from small_networks import DIGITS, GRAY, POINTS, RGB, critic, generator, n_weights

from tfwgan.networks import RECONSTRUCTORS
from tfwgan.program import spec

CIFAR, MNIST = (32, 32, 3), (32, 32, 1)

GENERATOR_WEIGHTS = [
    ("FC", RGB, 64, 1_593_472),
    ("FC", GRAY, 64, 536_704),
    ("FC-nf=1024", RGB, 64, 12_661_760),
    ("FC-nf=1024", GRAY, 64, 4_264_960),
    ("DCGAN", RGB, 64, 3_280_835),
    ("DCGAN", GRAY, 64, 3_278_785),
    ("DCGAN-nf=128-kernel=5-stem=dense-norm=batch-bias=all", RGB, 100, 18_872_323),
    ("DCGAN-nf=128-stem=dense-norm=batch-bias=none", RGB, 100, 12_658_432),
    ("DCGAN-stem=linear-norm=batch-bias=all", DIGITS, 100, 765_761),
    ("MLP", POINTS, 32, 140_546),
    ("MLP-norm=batch", POINTS, 32, 142_082),
    ("MLP", DIGITS, 100, 358_928),
    ("MLP-norm=batch", DIGITS, 100, 360_464),
    ("SimpleCNN", CIFAR, 100, 12_141_827),
    ("SimpleCNN-cond=concat", CIFAR, 100, 12_305_667),
    ("SimpleCNN-cond=cbn", CIFAR, 100, 12_174_083),
    ("SimpleCNN-dim=64-norm=none", MNIST, 112, 1_115_585),
    ("ResNet", CIFAR, 128, 1_204_483),
]
CRITIC_WEIGHTS = [
    ("FC", RGB, 1_606_145),
    ("FC", GRAY, 557_569),
    ("FC-nf=1024", RGB, 14_684_161),
    ("FC-nf=1024", GRAY, 6_295_553),
    ("CNN", RGB, 371_072),
    ("CNN", GRAY, 369_920),
    ("CNN-GAP=False", RGB, 383_360),
    ("CNN-GAP=False", GRAY, 382_208),
    ("CNN-nf=256", RGB, 5_907_968),
    ("CNN-nf=256", GRAY, 5_903_360),
    ("CNN-nf=256-GAP=False", RGB, 5_957_120),
    ("CNN-nf=256-GAP=False", GRAY, 5_952_512),
    ("DCGAN", RGB, 2_763_841),
    ("DCGAN", GRAY, 2_761_793),
    ("DCGAN-norm=instance", RGB, 2_763_841),
    ("DCGAN-norm=none", RGB, 2_764_737),
    ("DCGAN-norm=none", GRAY, 2_762_689),
    ("DCGAN-kernel=5-norm=batch-act=leaky-bias=all", RGB, 4_316_545),
    ("DCGAN-norm=batch-act=leaky-head=map-bias=none", RGB, 2_765_568),
    ("DCGAN-norm=batch-act=leaky-bias=all", DIGITS, 138_817),
    (
        "DCGAN-norm=instance-first_norm=True-act=leaky-bias=all-sn=True-sn_head=False",
        DIGITS,
        138_561,
    ),
    ("MLP", POINTS, 132_609),
    ("MLP", DIGITS, 332_801),
    ("MLP-norm=batch", DIGITS, 333_825),
    ("SimpleCNN", CIFAR, 10_519_297),
    ("SimpleCNN-sn=True", CIFAR, 10_519_297),
    ("SimpleCNN-cond=concat", CIFAR, 10_560_257),
    ("SimpleCNN-cond=ac", CIFAR, 10_683_147),
    ("SimpleCNN-dim=64-norm=none-categories=10-codes=2", MNIST, 710_093),
    ("ResNet", CIFAR, 1_053_825),
]


@pytest.mark.parametrize("text, shape, z_dim, n", GENERATOR_WEIGHTS)
def test_generators_have_as_many_weights_as_the_originals(text, shape, z_dim, n):
    assert n_weights(generator(text, shape, z_dim, n_classes=10)) == n


@pytest.mark.parametrize("text, shape, n", CRITIC_WEIGHTS)
def test_critics_have_as_many_weights_as_the_originals(text, shape, n):
    assert n_weights(critic(text, shape, n_classes=10)) == n


@pytest.mark.parametrize(
    "shape, z_dim, n_critic, n", [(POINTS, 32, 141_825, 141_600), (DIGITS, 100, 359_425, 359_268)]
)
def test_veegan_has_as_many_weights_as_the_original(shape, z_dim, n_critic, n):
    assert n_weights(critic("MLP-norm=batch-joint=True", shape, z_dim)) == n_critic
    reconstructor = spec.build(
        "MLP", RECONSTRUCTORS, "reconstructor", image_shape=shape, z_dim=z_dim
    )
    assert n_weights(reconstructor) == n
