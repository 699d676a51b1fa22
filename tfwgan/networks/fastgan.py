"""FastGAN (Liu et al., 2021) is light enough for large images.

These are the nets of the figures of Elnekave and Weiss (2025), old and new.

Gated linear units instead of ReLUs, and skips over several doublings at once: a small feature map
gates the channels of a large one (skip-layer excitation). All layers are spectrally normalised and
have no bias, so the scale of the initial weights does not matter. The critics are built of the
paper's blocks but have no decoders.
"""

import functools
from typing import Literal

import keras
import tensorflow as tf

from tfwgan import rng
from tfwgan.errors import UsageError
from tfwgan.networks.blocks import Norm, activate, conv, conv_transpose, doublings, normalize

_SIZES = (32, 64, 128, 256)
_WIDTHS = {
    4: 16,
    8: 8,
    16: 4,
    32: 2,
    64: 2,
    128: 1,
    256: 0.5,
}  # of the generator's maps by their side, in units of nf
_THOROUGH = (8, 32, 128)  # sides of the maps that are made by two convolutions and with noise

_conv = functools.partial(conv, padding="same", use_bias=False, sn=True)


def fastgan_generator(
    z_dim: int,
    image_shape: tuple[int, ...],
    nf: int = 64,
    norm: Norm = "batch",
    skip_connections: bool = True,
) -> keras.Model:
    """Maps `z [b, z_dim]` to images `[b, size, size, channels]` in [-1, 1]; a tanh comes last.

    Args:
        z_dim: Latent size, 128 in the original.
        image_shape: `(size, size, channels)`, size 32, 64, 128 or 256.
        nf: Width at 128 pixels; 16 nf at 4.
        norm: Normalisation behind every convolution but the last.
        skip_connections: The maps of 4, 8 and 16 pixels gate those of 64, 128 and 256.

    Raises:
        UsageError: If it can't draw such images.
    """
    return _generator(z_dim, image_shape, nf, norm, skip_connections, image_kernel=1)


def new_fastgan_generator(
    z_dim: int,
    image_shape: tuple[int, ...],
    nf: int = 64,
    norm: Norm = "instance",
    skip_connections: bool = True,
) -> keras.Model:
    """Builds `fastgan_generator` with instance normalisation.

    The last convolution is 3x3 instead of 1x1.
    """
    return _generator(z_dim, image_shape, nf, norm, skip_connections, image_kernel=3)


def fastgan_critic(image_shape: tuple[int, ...], nf: int = 48, norm: Norm = "batch") -> keras.Model:
    """From images `[b, size, size, channels]` to scores `[b]`.

    Args:
        image_shape: `(size, size, channels)`, size 32, 64, 128 or 256.
        nf: Width of the first layer; each next one is twice as wide, at most 16 nf.
        norm: Normalisation behind all convolutions but the first and the last. The original's batch
            normalisation ties the samples of a batch together, which a per-sample gradient penalty
            does not allow for; none, instance or layer do.

    Raises:
        UsageError: If it can't read such images.
    """
    size, image = _size(image_shape, nf), keras.Input(image_shape, name="image")
    x = activate(_conv(image, nf, 3, 1, name="stem"), "leaky", "stem_act")
    for i in range(_halvings(size)):
        x = _down(x, nf << min(i + 1, 4), norm, f"down_{i}")
    x = _conv(x, x.shape[-1], 4, 2, padding="valid", name="last")
    x = activate(normalize(x, norm, "last_norm"), "leaky", "last_act")
    x = _conv(x, 1, 3, 1, padding="valid", name="head")
    return keras.Model({"image": image}, keras.layers.Reshape((), name="score")(x), name="critic")


def new_fastgan_critic(
    image_shape: tuple[int, ...],
    nf: int = 32,
    norm: Norm = "instance",
    skip_connections: bool = True,
) -> keras.Model:
    """Maps images `[b, size, size, channels]` to scores `[b]`.

    Each score is the mean of a 5x5 map of scores.

    Args:
        image_shape: `(size, size, channels)`, size 32, 64, 128 or 256.
        nf: Width at 128 pixels; it doubles with every halving, to 32 nf at the end.
        norm: Normalisation behind all convolutions but the first and the last.
        skip_connections: Maps gate the ones that are 8 times as small, where those have 8 pixels or
            more.

    Raises:
        UsageError: If it can't read such images.
    """
    size, image = _size(image_shape, nf), keras.Input(image_shape, name="image")
    width = max(1, nf * 128 // size)
    maps = [activate(_conv(image, width, 3, 1, name="stem"), "leaky", "stem_act")]
    for i in range(_halvings(size)):
        x = _down(maps[-1], width << (i + 1), norm, f"down_{i}")
        if skip_connections and i >= 2:
            x = keras.layers.Multiply(name=f"skip_{i}")(
                [x, _gates(maps[i - 2], x.shape[-1], f"skip_{i}")]
            )
        maps.append(x)
    x = _conv(maps[-1], 2 * maps[-1].shape[-1], 1, 1, name="last")
    x = activate(normalize(x, norm, "last_norm"), "leaky", "last_act")
    x = _conv(x, 1, 4, 1, padding="valid", name="head")
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model({"image": image}, keras.layers.Reshape((), name="score")(x), name="critic")


@keras.saving.register_keras_serializable("tfwgan")
class NoiseInjection(keras.layers.Layer):
    """Adds a noise image to every channel of a feature map.

    The noise is multiplied by a trained number that starts at 0.

    The original draws new noise in every call. Here it is a function of z, so that images are: a
    sample can be drawn again, and a prior of N atoms has N images. With one vector of random signs
    for each place, always the same ones, the noise there is its product with z / |z|: of mean 0 and
    variance 1, nearly normal, independent between places, and for two latents as correlated as they
    are.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.strength = self.add_weight((), "zeros", name="strength")
        self.built = True

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {"name": self.name}

    def call(self, x: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
        """Noisy feature maps `[b, h, w, c]` of such maps and latents `[b, z_dim]`."""
        return x + self.strength * self.noise(z, x.shape[1], x.shape[2])

    def noise(self, z: tf.Tensor, height: int, width: int) -> tf.Tensor:
        """The noise images `[b, height, width, 1]` of latents."""
        seed = rng.seed_pair(rng.stream(0, f"noise of {self.name}"), 0)
        signs = 2 * rng.integers([z.shape[1], height * width], seed, 2) - 1
        noise = tf.matmul(tf.nn.l2_normalize(z, axis=1), tf.cast(signs, z.dtype))
        return tf.reshape(noise, [-1, height, width, 1])


def _generator(
    z_dim: int,
    image_shape: tuple[int, ...],
    nf: int,
    norm: Norm,
    skip_connections: bool,
    image_kernel: Literal[1, 3],
) -> keras.Model:
    size = _size(image_shape, nf)
    widths = {side: max(1, int(nf * mult)) for side, mult in _WIDTHS.items()}
    z = keras.Input([z_dim], name="z")
    x = keras.layers.Reshape([1, 1, z_dim], name="z_reshape")(z)
    x = conv_transpose(x, 2 * widths[4], 4, 1, "valid", "stem", use_bias=False, sn=True)
    maps = {4: keras.ops.glu(normalize(x, norm, "stem_norm"))}
    for i in range(doublings(image_shape)):
        side = 8 << i
        x = keras.layers.UpSampling2D(name=f"up_{side}")(maps[side // 2])
        for j in range(2 if side in _THOROUGH else 1):
            name = f"conv_{side}_{j}"
            x = _conv(x, 2 * widths[side], 3, 1, name=name)
            x = NoiseInjection(name=f"{name}_noise")(x, z) if side in _THOROUGH else x
            x = keras.ops.glu(normalize(x, norm, f"{name}_norm"))
        if skip_connections and side >= 64:
            x = keras.layers.Multiply(name=f"skip_{side}")(
                [x, _gates(maps[side // 16], widths[side], f"skip_{side}")]
            )
        maps[side] = x
    x = _conv(maps[size], image_shape[2], image_kernel, 1, name="to_image")
    return keras.Model({"z": z}, keras.layers.Activation("tanh", name="tanh")(x), name="generator")


def _gates(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Makes the factors of skip-layer excitation for the channels of another map.

    They are `[b, 1, 1, filters]` in (0, 1).
    """
    if x.shape[1] > 4:
        x = keras.layers.AveragePooling2D(x.shape[1] // 4, name=f"{name}_pool")(x)
    x = _conv(x, filters, 4, 1, padding="valid", name=f"{name}_conv_0")
    x = keras.layers.Activation("silu", name=f"{name}_act")(x)
    x = _conv(x, filters, 1, 1, name=f"{name}_conv_1")
    return keras.layers.Activation("sigmoid", name=f"{name}_gates")(x)


def _down(x: keras.KerasTensor, filters: int, norm: Norm, name: str) -> keras.KerasTensor:
    """Halves the size by the mean of two convolutions.

    The first has stride 2; the second is a 1x1 convolution of 2x2 means.
    """

    def step(x: keras.KerasTensor, kernel: int, stride: int, name: str) -> keras.KerasTensor:
        x = normalize(_conv(x, filters, kernel, stride, name=name), norm, f"{name}_norm")
        return activate(x, "leaky", f"{name}_act")

    main = step(step(x, 4, 2, f"{name}_0"), 3, 1, f"{name}_1")
    beside = step(keras.layers.AveragePooling2D(2, name=f"{name}_pool")(x), 1, 1, f"{name}_beside")
    return keras.layers.Average(name=f"{name}_mean")([main, beside])


def _halvings(size: int) -> int:
    """How often a side is halved to 8."""
    return (size // 8).bit_length() - 1


def _size(image_shape: tuple[int, ...], nf: int) -> int:
    if nf < 1:
        raise UsageError(f"nf must be at least 1, got {nf}.")
    doublings(image_shape)  # refuses what is not square
    if image_shape[0] not in _SIZES:
        near = min(_SIZES, key=lambda size: abs(size - image_shape[0]))
        raise UsageError(
            f"it works on images of 32 to 256 pixels a side, not {image_shape[0]}; try "
            f"`image_size={near}`."
        )
    return image_shape[0]
