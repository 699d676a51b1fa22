"""Generators and critics: functional Keras models that say by the names of their inputs what they read."""

from tfwgan.networks.cnn import cnn_critic
from tfwgan.networks.dcgan import dcgan_critic, dcgan_generator
from tfwgan.networks.fc import fc_critic, fc_generator
from tfwgan.networks.mlp import mlp_critic, mlp_generator

GENERATORS = {"FC": fc_generator, "MLP": mlp_generator, "DCGAN": dcgan_generator}

CRITICS = {"FC": fc_critic, "MLP": mlp_critic, "DCGAN": dcgan_critic, "CNN": cnn_critic}
