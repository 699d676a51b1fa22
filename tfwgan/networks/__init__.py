"""Generators and critics are functional Keras models whose input names say what they read."""

from collections.abc import Callable

import keras

from tfwgan.networks.cnn import cnn_critic
from tfwgan.networks.dcgan import dcgan_critic, dcgan_generator
from tfwgan.networks.eigengan import eigengan_critic, eigengan_generator
from tfwgan.networks.fastgan import (
    fastgan_critic,
    fastgan_generator,
    new_fastgan_critic,
    new_fastgan_generator,
)
from tfwgan.networks.fc import fc_critic, fc_generator
from tfwgan.networks.mlp import mlp_critic, mlp_generator, mlp_reconstructor
from tfwgan.networks.resnet import resnet_critic, resnet_generator
from tfwgan.networks.simple_cnn import simple_cnn_critic, simple_cnn_generator

GENERATORS: dict[str, Callable[..., keras.Model]] = {
    "FC": fc_generator,
    "MLP": mlp_generator,
    "DCGAN": dcgan_generator,
    "SimpleCNN": simple_cnn_generator,
    "ResNet": resnet_generator,
    "EigenGAN": eigengan_generator,
    "FastGAN": fastgan_generator,
    "OldFastGAN": fastgan_generator,  # its name in the paper's commands
    "NewFastGAN": new_fastgan_generator,
}

CRITICS: dict[str, Callable[..., keras.Model]] = {
    "FC": fc_critic,
    "MLP": mlp_critic,
    "DCGAN": dcgan_critic,
    "CNN": cnn_critic,
    "SimpleCNN": simple_cnn_critic,
    "ResNet": resnet_critic,
    "EigenGAN": eigengan_critic,
    "FastGAN": fastgan_critic,
    "OldFastGAN": fastgan_critic,
    "NewFastGAN": new_fastgan_critic,
}

RECONSTRUCTORS: dict[str, Callable[..., keras.Model]] = {"MLP": mlp_reconstructor}
