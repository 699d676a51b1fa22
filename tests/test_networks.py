"""These are laws of generators and critics.

They concern sizes, ranges, mistakes, and gradients that reach every weight.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import (
    DIGITS,
    GRAY,
    MISFITS,
    POINTS,
    SMALL,
    Z_DIM,
    critic,
    generator,
    n_weights,
    noise,
)

from tfwgan.errors import UsageError
from tfwgan.networks import CRITICS, GENERATORS, spectral
from tfwgan.networks.blocks import doublings
from tfwgan.networks.features import couples_batch, heads
from tfwgan.objectives import OBJECTIVES

SHAPES = [(8, 8, 1), DIGITS, (32, 32, 3), GRAY, POINTS]
PAIRS = [
    (kind, build, name, shape)
    for kind, table, build in (("generator", GENERATORS, generator), ("critic", CRITICS, critic))
    for name in table
    for shape in SHAPES
]


@pytest.mark.parametrize(
    "kind, build, name, shape", PAIRS, ids=[f"{p[0]} {p[2]} {p[3]}" for p in PAIRS]
)
def test_every_network_fits_the_data_or_says_why_not(kind, build, name, shape, monkeypatch):
    monkeypatch.setattr(spectral, "_WARM_UP", 1)  # FastGAN has many spectral norms
    if (name, shape) in MISFITS:
        with pytest.raises(UsageError) as caught:
            build(SMALL[name], shape)
        assert MISFITS[name, shape] in str(caught.value)
        return
    z_dim = Z_DIM.get(name, 4)
    model = build(SMALL[name], shape, *([z_dim] if kind == "generator" else []))
    assert model.name == kind and len(model.trainable_variables) == len(
        {v.path for v in model.trainable_variables}
    )
    if kind == "generator":
        assert {k: v.shape for k, v in model.input.items()} == {"z": (None, z_dim)}
        assert model.output.shape == (None, *shape)
        images = model({"z": 100 * noise(5, z_dim)}).numpy()
        assert images.shape == (5, *shape) and images.dtype == np.float32
        assert -1 <= images.min() < images.max() <= 1
    else:
        assert {k: v.shape for k, v in model.input.items()} == {"image": (None, *shape)}
        scores = model({"image": noise(5, *shape)}).numpy()
        assert scores.shape == (5,) and scores.dtype == np.float32
        assert len(np.unique(scores)) == 5


PENALISED = [
    (f"{SMALL[name]}-norm={norm}{extra}", shape)
    for name, shape in [
        ("FC", POINTS),
        ("MLP", POINTS),
        ("MLP", (8, 8, 1)),
        ("DCGAN", (16, 16, 3)),
        ("CNN", DIGITS),
        ("SimpleCNN", (16, 16, 3)),
        ("ResNet", (16, 16, 3)),
    ]
    for norm in ("none", "instance", "layer")
    for extra in {
        "FC": ("", "-sn=True"),
        "DCGAN": (
            "",
            "-extra_layers=1-act=leaky",
            "-head=map-bias=all-kernel=5-sn=True",
            "-down=pool-act=sort",
        ),
        "CNN": ("-GAP=True", "-GAP=False-pad=1-sn=True-sn_norm=operator"),
        "ResNet": ("-pool=mean", "-pool=sum-sn=True-sn_norm=operator"),
    }.get(name, ("",))
]


@pytest.mark.slow
@pytest.mark.parametrize("text, shape", PENALISED)
def test_a_penalty_on_the_slope_reaches_every_kernel(text, shape):
    model = critic(text.replace("nf=2", "nf=4"), shape)
    real, fake, mix = (
        {"image": noise(6, *shape)},
        {"image": noise(6, *shape, seed=1)},
        tf.linspace(0.0, 1.0, 6),
    )
    variables = model.trainable_variables
    with tf.GradientTape(persistent=True) as tape:
        terms = OBJECTIVES["wgan_gp"].critic_terms(
            lambda samples: {"score": model(samples, training=True)}, real, fake, mix, None
        )
    # The bias of the last layer moves no slope and cancels in the loss, so its gradient may be 0,
    # but it must exist.
    for variable, gradient in zip(
        variables, tape.gradient(terms["critic_loss"], variables), strict=True
    ):
        assert gradient is not None and np.isfinite(gradient).all(), variable.path
    kernels = [v for v in variables if v.name == "kernel"]
    assert len(kernels) >= 3
    for kernel, gradient in zip(kernels, tape.gradient(terms["gp"], kernels), strict=True):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0, kernel.path


@pytest.mark.parametrize(
    "text",
    [
        "FC",
        "FC-norm=batch",
        "MLP-norm=layer",
        "DCGAN-norm=batch",
        "DCGAN-norm=instance",
        "SimpleCNN-dim=8",
        "ResNet-nf=8",
    ],
)
def test_the_loss_reaches_every_weight_of_a_generator(text):
    model = generator(text, (16, 16, 1))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(
            model({"z": noise(6, 4)}, training=True) * noise(6, 16, 16, 1, seed=1)
        )
    for variable, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
    ):
        assert gradient is not None and np.isfinite(gradient).all(), variable.path


MISTAKES = [
    (generator, "FC-depth=1", "nf must be at least 1 and depth at least 2"),
    (generator, "FC-nf=0", "nf must be at least 1"),
    (critic, "FC-depth=1", "depth at least 2"),
    (generator, "MLP-dim=0", "dim and mults must be at least 1"),
    (critic, "MLP-mults=()", "dim and mults must be at least 1"),
    (critic, "MLP-mults=(1,0)", "dim and mults must be at least 1"),
    (critic, "MLP-norm=group", "Known: none, batch, instance, layer"),
    (generator, "DCGAN-nf=0", "nf must be at least 1"),
    (generator, "DCGAN-kernel=3", "kernel must be 4 or 5, got 3"),
    (critic, "DCGAN-extra_layers=-1", "extra_layers at least 0"),
    (critic, "DCGAN-head=flat", "Known: dense, map"),
    (generator, "DCGAN-stem=fc", "Known: conv, dense"),
    (generator, "DCGAN-init=xavier", "Known: torch, normal, zero_bias"),
    (critic, "CNN-nf=0", "nf, depth and k must be at least 1"),
    (critic, "CNN-depth=0", "nf, depth and k must be at least 1"),
    (critic, "CNN-pad=-1", "pad at least 0"),
    (critic, "CNN-depth=5", "5 layers of stride 2 are too many for 32x32 pixels"),
    (generator, "SimpleCNN-dim=0", "dim and mults must be at least 1"),
    (critic, "SimpleCNN-mults=(1,2)", "images of 32 pixels a side take 3 mults, got (1, 2)"),
    (critic, "SimpleCNN-mults=()", "take 3 mults, got ()"),
    (critic, "SimpleCNN-categories=-1", "categories and codes must be at least 0"),
    (generator, "ResNet-nf=0", "nf must be at least 1"),
    (critic, "ResNet-pool=max", "Known: mean, sum"),
    (critic, "DCGAN-sn_norm=frobenius", "Known: kernel, operator"),
    (critic, "DCGAN-down=max", "Known: stride, pool"),
    (critic, "SimpleCNN-n_classes=3", "no option 'n_classes'"),
    (critic, "CNN-image_shape=3", "no option 'image_shape'"),
]


@pytest.mark.parametrize("build, text, message", MISTAKES, ids=[row[1] for row in MISTAKES])
def test_impossible_networks_are_refused(build, text, message):
    with pytest.raises(UsageError) as caught:
        build(text, (32, 32, 3))
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("size", range(1, 200))
def test_doublings_offer_the_nearest_power_of_two(size):
    fits = [8 << k for k in range(7)]
    if size in fits:
        assert doublings((size, size, 3)) == fits.index(size) + 1
        return
    with pytest.raises(UsageError) as caught:
        doublings((size, size, 3))
    offered = int(str(caught.value).partition("`image_size=")[2].strip("`."))
    assert offered in fits and abs(offered - size) == min(abs(fit - size) for fit in fits)


@pytest.mark.parametrize("name", ["SimpleCNN-dim=1", "ResNet-nf=2"])
@pytest.mark.parametrize("size", [8, 16, 64, 128])
def test_networks_that_double_fit_every_such_size(name, size):
    assert generator(name, (size, size, 1)).output.shape == (None, size, size, 1)
    assert critic(name, (size, size, 1)).output.shape == (None,)


@pytest.mark.parametrize("text", ["FC", "MLP", "DCGAN", "CNN", "SimpleCNN", "ResNet"])
def test_every_layer_of_a_spectral_critic_is_normalised(text):
    model = critic(f"{SMALL[text]}-sn=True", (32, 32, 3))
    weighted = [layer for layer in model.layers if hasattr(layer, "kernel")]
    assert len(weighted) >= 4 and all(hasattr(layer, "refresh") for layer in weighted)
    assert n_weights(model) == n_weights(critic(SMALL[text], (32, 32, 3)))


def test_the_head_can_be_left_out_of_spectral_normalisation():
    model = critic("DCGAN-nf=2-sn=True-sn_head=False", (32, 32, 3))
    weighted = [layer for layer in model.layers if hasattr(layer, "kernel")]
    assert [hasattr(layer, "refresh") for layer in weighted] == [True] * (len(weighted) - 1) + [
        False
    ]


def test_oblong_images_are_for_fc_mlp_and_cnn():
    shape = (24, 40, 3)
    assert all(critic(SMALL[name], shape).output.shape == (None,) for name in ("FC", "MLP", "CNN"))
    assert all(
        generator(SMALL[name], shape).output.shape == (None, *shape) for name in ("FC", "MLP")
    )
    for build in (generator, critic):
        with pytest.raises(UsageError, match="square images"):
            build("DCGAN", shape)


NORMS = ["none", "batch", "layer", "instance"]


@pytest.mark.slow
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["FC", "MLP", "DCGAN", "SimpleCNN", "ResNet", "FastGAN"])
def test_a_critic_couples_its_batch_when_what_it_says_of_one_depends_on_the_others(name, norm):
    try:
        model = critic(f"{SMALL[name]}-norm={norm}", (32, 32, 1))
    except UsageError:
        pytest.skip(f"{name} has no norm={norm}")
    images = noise(4, 32, 32, 1)
    alone = model({"image": images}, training=True)
    beside = model(
        {"image": tf.concat([images[:1], 3 * noise(3, 32, 32, 1, seed=1)], axis=0)}, training=True
    )
    first = [float(heads(said)["score"][0]) for said in (alone, beside)]
    assert couples_batch(model) is (abs(first[0] - first[1]) > 1e-4 * max(1e-3, abs(first[0])))
    assert couples_batch(
        keras.Sequential([keras.Input((32, 32, 1)), model_of(model)])
    ) is couples_batch(model)


def model_of(model):
    """A model inside another."""
    return keras.Model(model.input["image"], model({"image": model.input["image"]}))
