"""This is DCGAN's convolutional pair (Radford et al., 2016) with its variants.

The variants are those that the WGAN papers and the seed systems use.

An image of `base * 2^k` pixels a side, base 4 to 7, is drawn by k transposed convolutions of stride
2 and read by k convolutions of stride 2; all have 4x4 kernels unless `kernel=5`. Widths double
towards the small end.
"""

import functools
from typing import Literal

import keras

from tfwgan.errors import UsageError
from tfwgan.networks.blocks import (
    Activation,
    Init,
    Norm,
    activate,
    conv,
    conv_transpose,
    dense,
    normalize,
)
from tfwgan.networks.conditional import Condition, CriticCond, GeneratorCond
from tfwgan.networks.spectral import SpectralNorm

Bias = Literal["auto", "all", "none"]


def dcgan_generator(
    z_dim: int,
    image_shape: tuple[int, ...],
    nf: int = 64,
    norm: Norm = "none",
    kernel: int = 4,
    extra_layers: int = 0,
    stem: Literal["conv", "dense", "linear"] = "conv",
    bias: Bias = "auto",
    init: Init = "torch",
    cond: GeneratorCond = "none",
    n_classes: int | None = None,
) -> keras.Model:
    """Maps `z [b, z_dim]` to images `[b, size, size, channels]` in [-1, 1]; a tanh comes last.

    Args:
        z_dim: Latent size.
        image_shape: `(size, size, channels)`.
        nf: Width of the widest-image hidden layer up to 64 pixels; at most 8 nf at the small end.
        norm: Normalisation of every hidden layer.
        kernel: Side of the kernels of stride 2, 4 or 5.
        extra_layers: 3x3 layers of stride 1 before the last one (Arjovsky's ``n_extra_layers``).
        stem: The layer from z: a transposed convolution (a bias per channel), a dense one (a bias
            per unit), or a dense one without normalisation and activation after it (as in
            WGANvsDCGAN).
        bias: Biases where no normalisation follows (auto), everywhere or nowhere.
        init: Initialisation.
        cond: How it uses labels.
        n_classes: Number of labels, None if there are none.

    Raises:
        UsageError: If it can't draw such images.
    """
    base, doublings, channels = _plan(image_shape, nf, kernel, extra_layers)
    widths = [max(1, nf * min(8, 2 ** (doublings - 1)) >> i) for i in range(doublings)]
    use_bias = {"auto": norm == "none" and cond != "cbn", "all": True, "none": False}[bias]
    condition, z = Condition(cond, n_classes), keras.Input([z_dim], name="z")
    x = condition.join(z)
    if stem != "conv":
        x = dense(x, widths[0] * base**2, "stem", init, use_bias)
        x = keras.layers.Reshape([base, base, widths[0]], name="stem_reshape")(x)
    else:
        x = keras.layers.Reshape([1, 1, x.shape[-1]], name="z_reshape")(x)
        x = conv_transpose(x, widths[0], base, 1, "valid", "stem", init, use_bias)
    if stem != "linear":
        x = activate(condition.normalize(x, norm, "stem_norm", init), "relu", "stem_act")
    for i, width in enumerate(widths[1:]):
        x = conv_transpose(x, width, kernel, 2, "same", f"up_{i}", init, use_bias)
        x = activate(condition.normalize(x, norm, f"up_{i}_norm", init), "relu", f"up_{i}_act")
    for i in range(extra_layers):
        x = conv(x, widths[-1], 3, 1, "same", f"extra_{i}", init, use_bias=False)
        x = activate(
            condition.normalize(x, norm, f"extra_{i}_norm", init), "relu", f"extra_{i}_act"
        )
    x = conv_transpose(x, channels, kernel, 2, "same", "to_image", init, bias != "none")
    return keras.Model(
        condition.inputs(z=z), keras.layers.Activation("tanh", name="tanh")(x), name="generator"
    )


def dcgan_critic(
    image_shape: tuple[int, ...],
    nf: int = 64,
    norm: Norm = "instance",
    first_norm: bool = False,
    kernel: int = 4,
    extra_layers: int = 0,
    act: Activation = "relu",
    head: Literal["dense", "map"] = "dense",
    bias: Bias = "auto",
    init: Init = "torch",
    down: Literal["stride", "pool"] = "stride",
    sn: bool = False,
    sn_head: bool = True,
    sn_norm: SpectralNorm = "kernel",
    cond: CriticCond = "none",
    n_classes: int | None = None,
) -> keras.Model:
    """From images `[b, size, size, channels]` to scores `[b]`.

    Args:
        image_shape: `(size, size, channels)`.
        nf: Width of the first layer; each next one is twice as wide.
        norm: Normalisation of every hidden layer but the first; batch normalisation ties the
            samples of a batch together, which a per-sample gradient penalty does not allow for.
        first_norm: Normalise the first layer too.
        kernel: Side of the kernels of stride 2, 4 or 5.
        extra_layers: 3x3 layers of stride 1 after the first one (Arjovsky's ``n_extra_layers``).
        act: ReLU, leaky ReLU as in Arjovsky's critic, or GroupSort.
        head: A dense layer on the last feature map, or the mean of a stride-2 score map (as in
            shekkizh's port to TensorFlow).
        bias: Biases where no normalisation follows (auto), everywhere or nowhere.
        init: Initialisation.
        down: Halves by strides, or by the mean of 2x2 places after a convolution of stride 1.
        sn: Spectral normalisation of every layer.
        sn_head: Of the head too, if of the others.
        sn_norm: Its norm.
        cond: How it uses labels.
        n_classes: Number of labels, None if there are none.

    Raises:
        UsageError: If it can't read such images.
    """
    _, halvings, _ = _plan(image_shape, nf, kernel, extra_layers)
    condition, image = Condition(cond, n_classes), keras.Input(image_shape, name="image")
    linear = functools.partial(dense, init=init, sn=sn and sn_head, sn_norm=sn_norm)
    convolution = functools.partial(conv, padding="same", init=init, sn_norm=sn_norm)
    x = condition.join(image)
    for i in range(halvings):
        use_bias = {"auto": i == 0 or norm == "none", "all": True, "none": False}[bias]
        x = convolution(
            x,
            nf << i,
            kernel,
            2 if down == "stride" else 1,
            name=f"down_{i}",
            use_bias=use_bias,
            sn=sn,
        )
        if down == "pool":
            x = keras.layers.AveragePooling2D(2, name=f"down_{i}_pool")(x)
        x = activate(
            normalize(x, norm if i or first_norm else "none", f"down_{i}_norm", init),
            act,
            f"down_{i}_act",
        )
        for j in range(extra_layers if i == 0 else 0):
            x = convolution(x, nf, 3, 1, name=f"extra_{j}", use_bias=False, sn=sn)
            x = activate(normalize(x, norm, f"extra_{j}_norm", init), act, f"extra_{j}_act")
    flat = keras.layers.Flatten(name="flatten")(x)

    def head_of(units: int, name: str) -> keras.KerasTensor:
        if head == "dense":
            return linear(flat, units, name, use_bias=bias != "none")
        maps = convolution(
            x, units, kernel, 2, name=name, use_bias=bias != "none", sn=sn and sn_head
        )
        return keras.layers.GlobalAveragePooling2D(name=f"{name}_mean")(maps)

    scores = condition.scores(head_of, keras.ops.sum(x, axis=(1, 2)), linear)
    return keras.Model(condition.inputs(image=image), scores, name="critic")


def _plan(
    image_shape: tuple[int, ...], nf: int, kernel: int, extra_layers: int
) -> tuple[int, int, int]:
    """The smallest side, the number of halvings to it, and the channels."""
    if nf < 1 or extra_layers < 0:
        raise UsageError(
            f"nf must be at least 1 and extra_layers at least 0, got {nf} and {extra_layers}."
        )
    if kernel not in (4, 5):
        raise UsageError(f"kernel must be 4 or 5, got {kernel}.")
    if len(image_shape) != 3 or image_shape[0] != image_shape[1]:
        raise UsageError(
            f"it works on square images, not on data of shape {image_shape}; MLP and FC take any "
            "shape."
        )
    size, halvings = image_shape[0], 0
    while size > 7 and size % 2 == 0:
        size, halvings = size // 2, halvings + 1
    if not halvings or not 4 <= size <= 7:
        fits = sorted(base << k for base in (4, 5, 6, 7) for k in range(1, 8))
        near = sorted(sorted(fits, key=lambda fit: abs(fit - image_shape[0]))[:3])
        raise UsageError(
            f"it can't halve {image_shape[0]} pixels down to 4-7; try `image_size={near[0]}`, "
            f"{near[1]} or {near[2]}."
        )
    return size, halvings, image_shape[2]
