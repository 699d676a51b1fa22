"""What an objective asks beyond real or fake: the class, the code, or the latent of an image.

Each has `critic_terms` and `generator_terms`, which return terms by name, each with its weight:
`(weight, scalar)`. `outputs` are what the critic says of samples, by the names of its heads;
`samples` are the samples by the names of their parts: `image`, `label` `[b]`, `z` `[b, z_dim]`, and
`reconstruction` `[b, z_dim]` where there is a reconstructor.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import tensorflow as tf

from tfwgan.protocols import Tensors

Terms = dict[str, tuple[float, tf.Tensor]]


class Auxiliary(Protocol):
    """What each of the classes below has.

    Their fields, weights of terms, are options of the objective.
    """

    __dataclass_fields__: ClassVar[dict]
    heads: ClassVar[tuple[str, ...]]
    reconstructs: ClassVar[bool]
    critic_names: ClassVar[tuple[str, ...]]
    generator_names: ClassVar[tuple[str, ...]]

    def critic_terms(
        self, real_outputs: Tensors, fake_outputs: Tensors, real: Tensors, fake: Tensors
    ) -> Terms:
        """What is added to the critic's loss, under `critic_names`."""

    def generator_terms(self, outputs: Tensors, samples: Tensors) -> Terms:
        """What is added to the generator's loss, under `generator_names`."""


@dataclass(frozen=True)
class ClassHead:
    """The critic also names the class: the auxiliary classifier of Odena et al. (2017).

    In its own step it names that of real images, from which alone it learns; in the generator's
    step that of generated ones.
    """

    weight: float = 1.0

    heads: ClassVar[tuple[str, ...]] = ("label",)
    reconstructs: ClassVar[bool] = False
    critic_names: ClassVar[tuple[str, ...]] = ("class_real",)
    generator_names: ClassVar[tuple[str, ...]] = ("class_fake",)

    def critic_terms(
        self, real_outputs: Tensors, fake_outputs: Tensors, real: Tensors, fake: Tensors
    ) -> Terms:
        """Cross entropy of the class of real images."""
        return {"class_real": (self.weight, _class_error(real_outputs["label"], real["label"]))}

    def generator_terms(self, outputs: Tensors, samples: Tensors) -> Terms:
        """Cross entropy of the class that a generated image should have."""
        return {"class_fake": (self.weight, _class_error(outputs["label"], samples["label"]))}


@dataclass(frozen=True)
class InfoHead:
    """The critic's trunk also guesses the codes in the latent (Chen et al., 2016).

    Critic and generator both help it.

    The terms are the bound on the mutual information for a categorical and a Gaussian guess of unit
    variance, without its constants. The latent ends in the one-hot category and the continuous
    codes, as the prior ``info`` draws it.
    """

    category: float = 1.0
    code: float = 1.0

    heads: ClassVar[tuple[str, ...]] = ("category", "code")
    reconstructs: ClassVar[bool] = False
    critic_names: ClassVar[tuple[str, ...]] = ("category", "code")
    generator_names: ClassVar[tuple[str, ...]] = ("category_fake", "code_fake")

    def critic_terms(
        self, real_outputs: Tensors, fake_outputs: Tensors, real: Tensors, fake: Tensors
    ) -> Terms:
        """Errors of the guesses on generated images."""
        return self._terms(fake_outputs, fake["z"], self.critic_names)

    def generator_terms(self, outputs: Tensors, samples: Tensors) -> Terms:
        """The same errors, for the generator to lower."""
        return self._terms(outputs, samples["z"], self.generator_names)

    def _terms(self, outputs: Tensors, z: tf.Tensor, names: tuple[str, ...]) -> Terms:
        sizes = [outputs[head].shape[1] for head in self.heads]
        _, category, code = tf.split(z, [z.shape[1] - sum(sizes), *sizes], axis=1)
        wrong = tf.reduce_mean(
            tf.nn.softmax_cross_entropy_with_logits(category, outputs["category"])
        )
        off = tf.reduce_mean(tf.square(outputs["code"] - code))
        return {names[0]: (self.category, wrong), names[1]: (self.code, off)}


@dataclass(frozen=True)
class Reconstruction:
    """A third network guesses the latent of an image (VEEGAN; Srivastava et al., 2017).

    The critic sees pairs of image and latent.

    The trainer pairs a real image with the guess for it, blurred by N(0, I), and trains the guess
    with the generator.
    """

    weight: float = 1.0

    heads: ClassVar[tuple[str, ...]] = ()
    reconstructs: ClassVar[bool] = True
    critic_names: ClassVar[tuple[str, ...]] = ()
    generator_names: ClassVar[tuple[str, ...]] = ("reconstruction",)

    def critic_terms(
        self, real_outputs: Tensors, fake_outputs: Tensors, real: Tensors, fake: Tensors
    ) -> Terms:
        """Adds nothing."""
        return {}

    def generator_terms(self, outputs: Tensors, samples: Tensors) -> Terms:
        """Mean squared error of the guess for generated images, per coordinate of the latent."""
        return {
            "reconstruction": (
                self.weight,
                tf.reduce_mean(tf.square(samples["reconstruction"] - samples["z"])),
            )
        }


def _class_error(logits: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits))
