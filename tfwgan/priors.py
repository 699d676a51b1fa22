"""Latent priors: where the generator's input comes from.

A prior draws *codes* and, as a Keras layer, maps codes to latents `z`. For the continuous priors
the two are the same; for ``const=N``, the discrete generator, a code is the index
of a row of an `[N, z_dim]` table. Seeds are pairs `[key, counter]` of `tfwgan.rng`: draw number
`counter` of the stream `key`.
"""

from typing import Any, ClassVar, Literal

import keras
import tensorflow as tf

from tfwgan import rng
from tfwgan.errors import UsageError


class Prior(keras.layers.Layer):
    """Abstract: a subclass says how to draw codes, and how to look them up.

    The second is needed only of codes that are not latents yet.
    """

    code_dtype: ClassVar[tf.DType] = tf.float32

    @property
    def discrete(self) -> bool:
        """Whether codes number finitely many latents."""
        return self.code_dtype.is_integer

    def __init__(self, z_dim: int) -> None:
        super().__init__(name="prior")
        self.z_dim = z_dim
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"z_dim": self.z_dim}

    def draw(self, n: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Codes of `n` samples, a function of the seed pair `[2]`."""
        raise NotImplementedError

    def call(self, codes: tf.Tensor) -> tf.Tensor:
        """Latents `[n, z_dim]` of codes."""
        return codes

    def sample(self, n: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Latents `[n, z_dim]`, a function of the seed pair `[2]`."""
        return self(self.draw(n, seed))

    def evaluation_latents(self, n: int) -> tf.Tensor:
        """Latents that stand for the whole prior: `n` samples that are always the same.

        For a discrete prior these are all of its atoms, once each.
        """
        return self.sample(n, rng.seed_pair(rng.stream(0, "support"), 0))


class Normal(Prior):
    """Latents of independent N(0, 1) coordinates, the usual choice.

        >>> from tfwgan import Normal
        >>> Normal(z_dim=8).evaluation_latents(1000).shape
        TensorShape([1000, 8])

    Args:
        z_dim: Number of coordinates.
    """

    def draw(self, n: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:  # noqa: D102 - see Prior
        return rng.normal([n, self.z_dim], seed)


class Uniform(Prior):
    """Latents of independent coordinates, uniform on [low, high).

        >>> from tfwgan import Uniform
        >>> z = Uniform(z_dim=8, low=0.0).evaluation_latents(1000).numpy()
        >>> bool(0 <= z.min() and z.max() < 1)
        True

    Args:
        z_dim: Number of coordinates.
        low: The least value.
        high: Above all values.
    """

    def __init__(self, z_dim: int, low: float = -1.0, high: float = 1.0) -> None:
        if low >= high:
            raise UsageError(f"low must be below high, got {low} and {high}.")
        super().__init__(z_dim)
        self.low, self.high = low, high

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "low": self.low, "high": self.high}

    def draw(self, n: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:  # noqa: D102 - see Prior
        return rng.uniform([n, self.z_dim], seed, self.low, self.high)


class Binary(Prior):
    """Latents of independent coordinates that are -1 or 1, each with probability 1/2.

        >>> from tfwgan import Binary
        >>> sorted(set(Binary(z_dim=8).evaluation_latents(100).numpy().ravel().tolist()))
        [-1.0, 1.0]

    Args:
        z_dim: Number of coordinates.
    """

    def draw(self, n: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:  # noqa: D102 - see Prior
        return 2.0 * tf.cast(rng.integers([n, self.z_dim], seed, 2), tf.float32) - 1.0


class Sphere(Prior):
    """Uniform on the sphere of radius sqrt(z_dim).

    There N(0, 1) vectors of many dimensions live.

        >>> import numpy as np
        >>> from tfwgan import Sphere
        >>> np.linalg.norm(Sphere(z_dim=4).evaluation_latents(3), axis=1).round(3).tolist()
        [2.0, 2.0, 2.0]

    Args:
        z_dim: Number of coordinates.
    """

    def draw(self, n: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:  # noqa: D102 - see Prior
        return tf.nn.l2_normalize(rng.normal([n, self.z_dim], seed), axis=1) * self.z_dim**0.5


class Info(Prior):
    """InfoGAN's latents: noise, then a category, then continuous codes (Chen et al., 2016).

        >>> from tfwgan import Info
        >>> z = Info(z_dim=16, categories=10, codes=2).evaluation_latents(5).numpy()
        >>> z[:, 4:14].sum(axis=1).tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0]

    The noise is N(0, 1), and the category is one-hot.

    Args:
        z_dim: Latent size, all three parts together.
        categories: Number of equally likely categories.
        codes: Number of continuous codes.
        code: Law of a continuous code: uniform on [-1, 1) as in the paper, or N(0, 1) as in
            GANs-Implementations.
    """

    def __init__(
        self,
        z_dim: int,
        categories: int = 10,
        codes: int = 2,
        code: Literal["uniform", "normal"] = "uniform",
    ) -> None:
        if min(categories, codes) < 1:
            raise UsageError(
                f"categories and codes must be at least 1, got {categories} and {codes}."
            )
        if z_dim <= categories + codes:
            raise UsageError(
                f"it needs more than `z_dim={categories + codes}`, to leave some for the noise."
            )
        super().__init__(z_dim)
        self.categories, self.codes, self.code = categories, codes, code

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "categories": self.categories,
            "codes": self.codes,
            "code": self.code,
        }

    def draw(self, n: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:  # noqa: D102 - see Prior
        seeds = [rng.derive(seed, part) for part in ("noise", "category", "code")]
        noise = rng.normal([n, self.z_dim - self.categories - self.codes], seeds[0])
        category = tf.one_hot(rng.integers([n], seeds[1], self.categories), self.categories)
        normal = self.code == "normal"
        code = (
            rng.normal([n, self.codes], seeds[2])
            if normal
            else rng.uniform([n, self.codes], seeds[2], -1.0, 1.0)
        )
        return tf.concat([noise, category, code], axis=1)


class Const(Prior):
    """N equally likely atoms: the rows of a table (Elnekave and Weiss, 2025).

        >>> from tfwgan import Const
        >>> atoms = Const(z_dim=8, n=64)
        >>> atoms.discrete, atoms.evaluation_latents(1000).shape
        (True, TensorShape([64, 8]))

    The table is drawn once from N(0, 1).

    A draw of exactly N samples is the whole table in order, so that the generated distribution is
    met exactly. Otherwise the draws of a stream go through shuffled epochs of the table: draw c
    takes positions c n ... c n + n - 1, so that each atom is trained equally often.

    Args:
        z_dim: Latent size.
        n: Number of atoms.
        replace: Draw rows independently, with replacement, whatever the number (as the original
            code does).
        trainable: Train the table with the generator.
        table_seed: Seed of the table.
    """

    code_dtype: ClassVar[tf.DType] = tf.int64

    def __init__(
        self,
        z_dim: int,
        n: int,
        replace: bool = False,
        trainable: bool = False,
        table_seed: int = 0,
    ) -> None:
        if n < 1:
            raise UsageError(f"n must be at least 1, got {n}.")
        super().__init__(z_dim)
        self.trainable = trainable
        self.n, self.replace, self.table_seed = n, replace, table_seed
        self.table = self.add_weight(
            (n, z_dim), initializer=self._initial_table, trainable=trainable, name="table"
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        own = {
            "n": self.n,
            "replace": self.replace,
            "trainable": self.trainable,
            "table_seed": self.table_seed,
        }
        return {**super().get_config(), **own}

    def draw(self, n: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:  # noqa: D102 - see Prior
        if self.replace:
            return rng.integers([n], seed, self.n)
        row = tf.range(n, dtype=tf.int64)
        shuffled = rng.shuffled_epochs(seed[1] * tf.cast(n, tf.int64) + row, self.n, seed[0])
        return tf.where(tf.equal(n, self.n), row, shuffled)

    def call(self, codes: tf.Tensor) -> tf.Tensor:  # noqa: D102 - see Prior
        return tf.gather(self.table, codes)

    def evaluation_latents(self, n: int) -> tf.Tensor:  # noqa: D102 - see Prior
        return tf.convert_to_tensor(self.table)

    def _initial_table(self, shape: tuple[int, ...], dtype: str | None = None) -> tf.Tensor:
        return rng.normal(shape, rng.seed_pair(rng.stream(self.table_seed, "table of atoms"), 0))


PRIORS = {
    "normal": Normal,
    "uniform": Uniform,
    "binary": Binary,
    "sphere": Sphere,
    "info": Info,
    "const": Const,
}
