"""How generators and critics use labels: `Condition` holds the ways, each network says where.

* ``concat`` (Mirza and Osindero, 2014): a one-hot label beside the latent, point or image that a
network reads. * ``cbn``, generators (Dumoulin et al., 2017): batch normalisation whose scales and
shifts are the class's own. * ``projection``, critics (Miyato and Koyama, 2018): a class vector
times the last features, added to the score. * ``ac``, critics (ACGAN; Odena et al., 2017): the
critic reads no label but guesses it, by a second head.
"""

from collections.abc import Callable
from typing import Literal, TypeAlias

import keras

from tfwgan.errors import UsageError
from tfwgan.networks.blocks import Init, Norm, batch_norm, normalize

GeneratorCond = Literal["none", "concat", "cbn"]
CriticCond = Literal["none", "concat", "projection", "ac"]
Outputs: TypeAlias = keras.KerasTensor | dict[str, keras.KerasTensor]


class Condition:
    """The label of one network, input `label`, int32 `[b]` in 0 ... n_classes - 1, if it reads one.

    Args:
        cond: How the network uses labels.
        n_classes: How many there are; None if the data have none.

    Raises:
        UsageError: If there are none to use.
    """

    def __init__(self, cond: GeneratorCond | CriticCond, n_classes: int | None) -> None:
        if cond != "none" and n_classes is None:
            raise UsageError(f"cond={cond} needs labels, and these data have none.")
        self.cond, self.n_classes = cond, n_classes
        self.label = (
            None if cond in ("none", "ac") else keras.Input((), dtype="int32", name="label")
        )

    def inputs(self, **tensors: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """The inputs of the network by name: those given, and `label` if it is read."""
        return tensors if self.label is None else {**tensors, "label": self.label}

    def join(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Appends the one-hot label to vectors `[b, n]` or maps `[b, h, w, n]`.

        It is `n_classes` more entries or maps.
        """
        if self.cond != "concat":
            return x
        y = keras.ops.one_hot(self.label, self.n_classes)
        if len(x.shape) == 4:
            y = keras.layers.Reshape([1, 1, self.n_classes], name="label_place")(y)
            y = keras.layers.UpSampling2D(x.shape[1:3], name="label_maps")(y)
        return keras.layers.Concatenate(name="with_label")([x, y])

    def normalize(
        self, x: keras.KerasTensor, norm: Norm, name: str, init: Init = "torch"
    ) -> keras.KerasTensor:
        """Applies the given normalisation, or in its place the conditional one.

        The classes share the statistics of the conditional one.

        Raises:
            UsageError: If there is a normalisation other than batch to replace.
        """
        if self.cond != "cbn":
            return normalize(x, norm, name, init)
        if norm not in ("none", "batch"):
            raise UsageError(
                f"cond=cbn brings batch normalisation; norm={norm} does not go with it."
            )

        def of_class(part: str, initial: str) -> keras.KerasTensor:
            table = keras.layers.Embedding(
                self.n_classes, x.shape[-1], initial, name=f"{name}_{part}"
            )
            shape = [1] * (len(x.shape) - 2) + [x.shape[-1]]
            return keras.layers.Reshape(shape, name=f"{name}_{part}_shape")(table(self.label))

        y = batch_norm(name, center=False, scale=False)(x)
        y = keras.layers.Multiply(name=f"{name}_scale")([y, of_class("gamma", "ones")])
        return keras.layers.Add(name=f"{name}_shift")([y, of_class("beta", "zeros")])

    def scores(
        self,
        head: Callable[[int, str], keras.KerasTensor],
        features: keras.KerasTensor,
        linear: Callable[..., keras.KerasTensor],
        **units: int,
    ) -> Outputs:
        """What a critic returns: scores `[b]`, or a dict of them and of the outputs of other heads.

        Args:
            head: `head(n, name)` makes a head of `n` outputs `[b, n]`.
            features: The last features, pooled to `[b, c]`, for the projection.
            linear: `linear(x, n, name, use_bias=)` makes a dense layer like the critic's.
            **units: Sizes of more heads by name; those of size 0 are left out.

        Returns:
            `score` alone, or a dict of `score [b]`, of `label [b, n_classes]` (logits) with ``ac``,
            and of each name in `units`.
        """
        score = head(1, "head")
        if self.cond == "projection":
            one_hot = keras.ops.one_hot(self.label, self.n_classes)
            direction = linear(one_hot, features.shape[-1], "projection", use_bias=False)
            score = keras.layers.Add(name="projected")(
                [score, keras.layers.Dot(1, name="dot")([direction, features])]
            )
        score = keras.layers.Reshape((), name="score")(score)
        sizes: dict[str, int | None] = {**units}
        if self.cond == "ac":
            sizes["label"] = self.n_classes
        others = {name: head(n, f"{name}_head") for name, n in sizes.items() if n}
        return {"score": score, **others} if others else score
