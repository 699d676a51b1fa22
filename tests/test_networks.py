"""Laws of generators and critics: sizes, ranges, initial weights, and gradients that reach every weight."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfwgan import rng, spec
from tfwgan.networks import CRITICS, GENERATORS, spectral
from tfwgan.networks.blocks import doublings
from tfwgan.networks.cnn import receptive_field
from tfwgan.networks.lipschitz import GroupSort
from tfwgan.objectives import OBJECTIVES
from tfwgan.spec import UsageError

RGB, GRAY, POINTS, DIGITS = (64, 64, 3), (64, 64, 1), (2,), (28, 28, 1)
SHAPES = [(8, 8, 1), DIGITS, (32, 32, 3), GRAY, POINTS]


def generator(text, shape, z_dim=4, n_classes=None):
    with rng.seeded_initializers(0):
        return spec.build(text, GENERATORS, "generator", z_dim=z_dim, image_shape=shape, n_classes=n_classes)


def critic(text, shape, z_dim=4, n_classes=None):
    with rng.seeded_initializers(0):
        return spec.build(text, CRITICS, "critic", image_shape=shape, z_dim=z_dim, n_classes=n_classes)


def n_weights(model):
    return sum(int(np.prod(v.shape)) for v in model.trainable_variables)


def noise(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


# What the published systems count.


FASTGAN = ("FastGAN", "OldFastGAN", "NewFastGAN")
SMALL = {
    "FC": "FC-nf=6",
    "MLP": "MLP-dim=6",
    "DCGAN": "DCGAN-nf=2",
    "CNN": "CNN-nf=2",
    "SimpleCNN": "SimpleCNN-dim=2",
    "ResNet": "ResNet-nf=4",
    "EigenGAN": "EigenGAN-dim=2",
    **{name: f"{name}-nf=2" for name in FASTGAN},
}
Z_DIM = {"EigenGAN": 30}  # it has six codes for each doubling
MISFITS = {
    ("DCGAN", POINTS): "it works on square images, not on data of shape (2,); MLP and FC take any shape.",
    **{
        (name, shape): message
        for name in ("SimpleCNN", "ResNet", "EigenGAN", *FASTGAN)
        for shape, message in [
            (POINTS, "it works on square images, not on data of shape (2,); MLP and FC take any shape."),
            (DIGITS, "it can't double 4 pixels to 28; try --image_size=32."),
        ]
    },
    **{(name, (8, 8, 1)): "it works on images of 32 to 256 pixels a side, not 8" for name in FASTGAN},
    ("CNN", POINTS): "it reads images, not data of shape (2,); MLP and FC take any shape.",
    ("CNN", (8, 8, 1)): "3 layers of stride 2 are too many for 8x8 pixels.",
}
PAIRS = [
    (kind, build, name, shape)
    for kind, table, build in (("generator", GENERATORS, generator), ("critic", CRITICS, critic))
    for name in table
    for shape in SHAPES
]


@pytest.mark.parametrize("kind, build, name, shape", PAIRS, ids=[f"{p[0]} {p[2]} {p[3]}" for p in PAIRS])
def test_every_network_fits_the_data_or_says_why_not(kind, build, name, shape, monkeypatch):
    monkeypatch.setattr(spectral, "_WARM_UP", 1)  # FastGAN has many spectral norms
    if (name, shape) in MISFITS:
        with pytest.raises(UsageError) as caught:
            build(SMALL[name], shape)
        assert MISFITS[name, shape] in str(caught.value)
        return
    z_dim = Z_DIM.get(name, 4)
    model = build(SMALL[name], shape, *([z_dim] if kind == "generator" else []))
    assert model.name == kind and len(model.trainable_variables) == len({v.path for v in model.trainable_variables})
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
        "DCGAN": ("", "-extra_layers=1-act=leaky", "-head=map-bias=all-kernel=5-sn=True", "-down=pool-act=sort"),
        "CNN": ("-GAP=True", "-GAP=False-pad=1-sn=True-sn_norm=operator"),
        "ResNet": ("-pool=mean", "-pool=sum-sn=True-sn_norm=operator"),
    }.get(name, ("",))
]


@pytest.mark.parametrize("text, shape", PENALISED)
def test_a_penalty_on_the_slope_reaches_every_kernel(text, shape):
    model = critic(text.replace("nf=2", "nf=4"), shape)
    real, fake, mix = {"image": noise(6, *shape)}, {"image": noise(6, *shape, seed=1)}, tf.linspace(0.0, 1.0, 6)
    variables = model.trainable_variables
    with tf.GradientTape(persistent=True) as tape:
        terms = OBJECTIVES["wgan_gp"]().critic_terms(
            lambda samples: {"score": model(samples, training=True)}, real, fake, mix, None
        )
    # The bias of the last layer moves no slope and cancels in the loss, so its gradient may be 0, but it must exist.
    for variable, gradient in zip(variables, tape.gradient(terms["critic_loss"], variables), strict=True):
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
        loss = tf.reduce_mean(model({"z": noise(6, 4)}, training=True) * noise(6, 16, 16, 1, seed=1))
    for variable, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
    ):
        assert gradient is not None and np.isfinite(gradient).all(), variable.path


# The networks layer by layer: n is a normalisation, r a ReLU, l a leaky ReLU, s GroupSort, p a mean of 2x2, t a tanh.
PLANS = [
    (generator, "FC-depth=3-norm=batch", "dense n l dense n l dense t"),
    (critic, "FC-norm=layer", "dense l dense n l dense n l dense"),
    (generator, "MLP-norm=batch", "dense n l dense n l dense n l dense t"),
    (critic, "MLP-norm=batch", "dense l dense n l dense n l dense"),
    (generator, "DCGAN-norm=batch", "up4s1 n r up4s2 n r up4s2 n r up4s2 t"),
    (generator, "DCGAN-norm=batch-stem=dense-kernel=5", "dense n r up5s2 n r up5s2 n r up5s2 t"),
    (generator, "DCGAN-norm=batch-stem=linear", "dense up4s2 n r up4s2 n r up4s2 t"),
    (generator, "DCGAN-extra_layers=1", "up4s1 r up4s2 r up4s2 r conv3s1 r up4s2 t"),
    (critic, "DCGAN", "conv4s2 r conv4s2 n r conv4s2 n r dense"),
    (critic, "DCGAN-norm=layer-first_norm=True", "conv4s2 n r conv4s2 n r conv4s2 n r dense"),
    (critic, "DCGAN-norm=none-act=leaky", "conv4s2 l conv4s2 l conv4s2 l dense"),
    (critic, "DCGAN-norm=batch-head=map-extra_layers=1", "conv4s2 r conv3s1 n r conv4s2 n r conv4s2 n r conv4s2"),
    (critic, "DCGAN-down=pool-kernel=5-norm=none", "conv5s1 p r conv5s1 p r conv5s1 p r dense"),
    (critic, "FC-lipschitz=True-depth=3", "dense s dense s dense"),
    (critic, "CNN-lipschitz=True", "conv3s2 s conv3s2 s conv3s2 s dense"),
    (generator, "SimpleCNN", "up4s1 n r up4s2 n r up4s2 n r up4s2 t"),
    (critic, "SimpleCNN", "conv4s2 l conv4s2 n l conv4s2 n l conv4s1"),
    (critic, "SimpleCNN-norm=none-categories=10-codes=2", "conv4s2 l conv4s2 l conv4s2 l conv4s1 conv4s1 conv4s1"),
    (generator, "ResNet-nf=8", f"dense {3 * 'n r up2 conv3s1 n conv1s1 r up2 conv3s1 '}n r conv3s1 t"),
    (
        critic,
        "ResNet-nf=8-norm=layer",
        "conv3s1 r p conv3s1 conv1s1 p n r conv3s1 n r p conv3s1 conv1s1 p "
        "n r conv3s1 n r conv3s1 n r conv3s1 n r conv3s1 r dense",
    ),
    (critic, "CNN-norm=instance", "conv3s2 r conv3s2 n r conv3s2 n r dense"),
]


def plan(model):
    """One word per layer that computes."""
    words = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            words.append(f"up{layer.kernel_size[0]}s{layer.strides[0]}")
        elif isinstance(layer, keras.layers.Conv2D):
            words.append(f"conv{layer.kernel_size[0]}s{layer.strides[0]}")
        elif isinstance(layer, keras.layers.Dense):
            words.append("dense")
        elif "Normalization" in type(layer).__name__:
            words.append("n")
        elif isinstance(layer, keras.layers.ReLU):
            words.append("r")
        elif isinstance(layer, keras.layers.LeakyReLU):
            assert layer.negative_slope == pytest.approx(0.2)
            words.append("l")
        elif isinstance(layer, GroupSort):
            words.append("s")
        elif isinstance(layer, keras.layers.AveragePooling2D):
            words.append("p")
        elif isinstance(layer, keras.layers.UpSampling2D):
            words.append("up2")
        elif isinstance(layer, keras.layers.Activation):
            assert layer.activation is keras.activations.tanh
            words.append("t")
    return " ".join(words)


@pytest.mark.parametrize("build, text, expected", PLANS, ids=[row[1] for row in PLANS])
def test_layers_follow_each_other_as_in_the_originals(build, text, expected):
    assert plan(build(text, (32, 32, 3))) == expected


@pytest.mark.parametrize(
    "text, size, sizes",
    [("CNN-nf=1", 64, [31, 15, 7]), ("CNN-nf=1-pad=1", 64, [32, 16, 8]), ("CNN-nf=1-depth=2-k=4", 28, [13, 5])],
)
def test_feature_maps_shrink_as_unpadded_convolutions_do(text, size, sizes):
    model = critic(text, (size, size, 1))
    assert [model.get_layer(f"conv_{i}").output.shape[1] for i in range(len(sizes))] == sizes


@pytest.mark.parametrize("depth, k, field", [(3, 3, 15), (1, 3, 3), (2, 3, 7), (4, 3, 31), (3, 4, 22), (2, 5, 13)])
def test_one_place_sees_a_patch_of_the_receptive_field(depth, k, field):
    assert receptive_field(depth, k) == field
    model = critic(f"CNN-nf=1-depth={depth}-k={k}", GRAY)
    for variable in model.trainable_variables:
        variable.assign(tf.abs(variable) + 0.1)  # so that no unit is dead and nothing cancels
    features = keras.Model(model.input, model.get_layer(f"act_{depth - 1}").output)
    image = tf.ones([1, *GRAY])
    with tf.GradientTape() as tape:
        tape.watch(image)
        one = features({"image": image})[0, 1, 1, 0]
    seen = np.argwhere(tape.gradient(one, image).numpy()[0, ..., 0])
    np.testing.assert_array_equal(np.ptp(seen, axis=0) + 1, [field, field])


def shifted_patch(rows, columns):
    image = np.full((1, *RGB), -0.5, np.float32)
    patch = np.random.default_rng(0).uniform(-1, 1, (6, 6, 3))
    image[0, 22 + rows : 28 + rows, 22 + columns : 28 + columns] = patch
    return {"image": image}


@pytest.mark.parametrize("shift", [(8, 0), (0, -8), (16, 8)])
def test_averaging_forgets_where_a_patch_lies_and_positions_do_not(shift):
    average, positions = critic("CNN-nf=4-GAP=True", RGB), critic("CNN-nf=4-GAP=False", RGB)
    here, there, empty = shifted_patch(0, 0), shifted_patch(*shift), {"image": np.full((1, *RGB), -0.5, np.float32)}
    np.testing.assert_allclose(average(there), average(here), atol=1e-6)
    assert np.abs(average(here) - average(empty)) > 1e-4
    assert np.abs(positions(there) - positions(here)) > 1e-4


@pytest.mark.parametrize("GAP, same", [(True, True), (False, False)])
def test_averaging_does_not_see_the_order_of_the_last_map(GAP, same):  # noqa: N803
    model = critic(f"CNN-nf=4-GAP={GAP}", GRAY)
    last = model.get_layer("act_2").output
    head = keras.Model(last, model.output)
    features = np.abs(np.random.default_rng(0).normal(size=(3, *last.shape[1:]))).astype(np.float32)
    places = features.reshape(3, 49, -1)[:, np.random.default_rng(1).permutation(49)].reshape(features.shape)
    assert np.allclose(head(features), head(places), atol=1e-5) == same


@pytest.mark.parametrize("n", [0, 1, 3])
def test_extra_layers_are_three_by_three(n):
    def threes(model):
        layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
        return sum(layer.kernel_size == (3, 3) and layer.strides == (1, 1) for layer in layers)

    for build, nf in ((generator, 4), (critic, 4)):
        plain, model = (build(f"DCGAN-nf={nf}-norm=batch-extra_layers={k}", (32, 32, 1)) for k in (0, n))
        assert threes(model) == n
        assert n_weights(model) - n_weights(plain) == n * (9 * nf * nf + 2 * nf)


FITTING = sorted(base << k for base in (4, 5, 6, 7) for k in range(1, 6))


@pytest.mark.parametrize("size", FITTING)
def test_dcgan_draws_and_reads_4_to_7_pixels_times_a_power_of_two(size):
    shape = (size, size, 1)
    assert generator("DCGAN-nf=1", shape).output.shape == (None, *shape)
    model = critic("DCGAN-nf=1", shape)
    assert 4 <= model.get_layer("flatten").input.shape[1] <= 7
    assert model.output.shape == (None,)


@pytest.mark.parametrize("size", [size for size in range(1, 200) if size not in FITTING])
def test_dcgan_offers_the_nearest_size_instead_of_any_other(size):
    nearest = min(abs(fit - size) for fit in FITTING)
    for build in (generator, critic):
        with pytest.raises(UsageError) as caught:
            build("DCGAN", (size, size, 3))
        offered = [int(word) for word in re.findall(r"\d+", str(caught.value).partition("--image_size=")[2])]
        assert min(abs(fit - size) for fit in offered) == nearest and set(offered) <= {*FITTING, 256}


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
    offered = int(str(caught.value).partition("--image_size=")[2].strip("."))
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
    assert [hasattr(layer, "refresh") for layer in weighted] == [True] * (len(weighted) - 1) + [False]


def test_oblong_images_are_for_fc_mlp_and_cnn():
    shape = (24, 40, 3)
    assert all(critic(SMALL[name], shape).output.shape == (None,) for name in ("FC", "MLP", "CNN"))
    assert all(generator(SMALL[name], shape).output.shape == (None, *shape) for name in ("FC", "MLP"))
    for build in (generator, critic):
        with pytest.raises(UsageError, match="square images"):
            build("DCGAN", shape)
