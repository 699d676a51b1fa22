"""The networks layer by layer: their order, sizes, receptive fields and initial weights."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import GRAY, RGB, critic, generator, n_weights

from tfwgan.errors import UsageError
from tfwgan.networks.cnn import receptive_field
from tfwgan.networks.lipschitz import GroupSort

# One word per layer: n is a normalisation, r a ReLU, l a leaky ReLU, s GroupSort, p a mean of 2x2,
# t a tanh.
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
    (
        critic,
        "DCGAN-norm=batch-head=map-extra_layers=1",
        "conv4s2 r conv3s1 n r conv4s2 n r conv4s2 n r conv4s2",
    ),
    (critic, "DCGAN-down=pool-kernel=5-norm=none", "conv5s1 p r conv5s1 p r conv5s1 p r dense"),
    (critic, "FC-lipschitz=True-depth=3", "dense s dense s dense"),
    (critic, "CNN-lipschitz=True", "conv3s2 s conv3s2 s conv3s2 s dense"),
    (generator, "SimpleCNN", "up4s1 n r up4s2 n r up4s2 n r up4s2 t"),
    (critic, "SimpleCNN", "conv4s2 l conv4s2 n l conv4s2 n l conv4s1"),
    (
        critic,
        "SimpleCNN-norm=none-categories=10-codes=2",
        "conv4s2 l conv4s2 l conv4s2 l conv4s1 conv4s1 conv4s1",
    ),
    (
        generator,
        "ResNet-nf=8",
        f"dense {3 * 'n r up2 conv3s1 n conv1s1 r up2 conv3s1 '}n r conv3s1 t",
    ),
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
    [
        ("CNN-nf=1", 64, [31, 15, 7]),
        ("CNN-nf=1-pad=1", 64, [32, 16, 8]),
        ("CNN-nf=1-depth=2-k=4", 28, [13, 5]),
    ],
)
def test_feature_maps_shrink_as_unpadded_convolutions_do(text, size, sizes):
    model = critic(text, (size, size, 1))
    assert [model.get_layer(f"conv_{i}").output.shape[1] for i in range(len(sizes))] == sizes


@pytest.mark.parametrize(
    "depth, k, field", [(3, 3, 15), (1, 3, 3), (2, 3, 7), (4, 3, 31), (3, 4, 22), (2, 5, 13)]
)
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
    here, there, empty = (
        shifted_patch(0, 0),
        shifted_patch(*shift),
        {"image": np.full((1, *RGB), -0.5, np.float32)},
    )
    np.testing.assert_allclose(average(there), average(here), atol=1e-6)
    assert np.abs(average(here) - average(empty)) > 1e-4
    assert np.abs(positions(there) - positions(here)) > 1e-4


@pytest.mark.parametrize("GAP, same", [(True, True), (False, False)])
def test_averaging_does_not_see_the_order_of_the_last_map(GAP, same):  # noqa: N803
    model = critic(f"CNN-nf=4-GAP={GAP}", GRAY)
    last = model.get_layer("act_2").output
    head = keras.Model(last, model.output)
    features = np.abs(np.random.default_rng(0).normal(size=(3, *last.shape[1:]))).astype(np.float32)
    places = features.reshape(3, 49, -1)[:, np.random.default_rng(1).permutation(49)].reshape(
        features.shape
    )
    assert np.allclose(head(features), head(places), atol=1e-5) == same


@pytest.mark.parametrize("n", [0, 1, 3])
def test_extra_layers_are_three_by_three(n):
    def threes(model):
        layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
        return sum(layer.kernel_size == (3, 3) and layer.strides == (1, 1) for layer in layers)

    for build, nf in ((generator, 4), (critic, 4)):
        plain, model = (
            build(f"DCGAN-nf={nf}-norm=batch-extra_layers={k}", (32, 32, 1)) for k in (0, n)
        )
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
        offered = [
            int(word) for word in re.findall(r"\d+", str(caught.value).partition("`image_size=")[2])
        ]
        assert min(abs(fit - size) for fit in offered) == nearest and set(offered) <= {
            *FITTING,
            256,
        }
