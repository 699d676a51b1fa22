"""Small networks of every kind, which several tests build."""

import numpy as np
import tensorflow as tf

from tfwgan import rng
from tfwgan.networks import CRITICS, GENERATORS
from tfwgan.program import spec

RGB, GRAY, POINTS, DIGITS = (64, 64, 3), (64, 64, 1), (2,), (28, 28, 1)
FASTGAN = ("FastGAN", "OldFastGAN", "NewFastGAN")


class Small(dict):
    """Specs of small networks by name; others are taken as they are."""

    def __missing__(self, name):
        return name


SMALL = Small(
    {
        "FC": "FC-nf=6",
        "MLP": "MLP-dim=6",
        "DCGAN": "DCGAN-nf=2",
        "CNN": "CNN-nf=2",
        "SimpleCNN": "SimpleCNN-dim=2",
        "ResNet": "ResNet-nf=4",
        "EigenGAN": "EigenGAN-dim=2",
        **{name: f"{name}-nf=2" for name in FASTGAN},
    }
)
Z_DIM = {"EigenGAN": 30}  # it has six codes for each doubling
MISFITS = {
    (
        "DCGAN",
        POINTS,
    ): "it works on square images, not on data of shape (2,); MLP and FC take any shape.",
    **{
        (name, shape): message
        for name in ("SimpleCNN", "ResNet", "EigenGAN", *FASTGAN)
        for shape, message in [
            (
                POINTS,
                "it works on square images, not on data of shape (2,); MLP and FC take any shape.",
            ),
            (DIGITS, "it can't double 4 pixels to 28; try `image_size=32`."),
        ]
    },
    **{
        (name, (8, 8, 1)): "it works on images of 32 to 256 pixels a side, not 8"
        for name in FASTGAN
    },
    ("CNN", POINTS): "it reads images, not data of shape (2,); MLP and FC take any shape.",
    ("CNN", (8, 8, 1)): "3 layers of stride 2 are too many for 8x8 pixels.",
}


def generator(text, shape, z_dim=4, n_classes=None):
    with rng.seeded_initializers(0):
        return spec.build(
            text, GENERATORS, "generator", z_dim=z_dim, image_shape=shape, n_classes=n_classes
        )


def critic(text, shape, z_dim=4, n_classes=None):
    with rng.seeded_initializers(0):
        return spec.build(
            text, CRITICS, "critic", image_shape=shape, z_dim=z_dim, n_classes=n_classes
        )


def n_weights(model):
    return sum(int(np.prod(v.shape)) for v in model.trainable_variables)


def noise(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)
