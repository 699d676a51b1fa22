"""Laws of augmentations: closed forms, gradients, and randomness that is a function of the seed."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import two_devices

from tfwgan import augment, rng
from tfwgan.errors import UsageError
from tfwgan.program.assemble import make_augmentation

RGB, GRAY, OBLONG = (8, 8, 3), (8, 8, 1), (6, 10, 2)
EACH = ["color", "translation", "cutout", "noise"]
ALL = ",".join(EACH)


def images(n, shape=RGB, seed=0):
    """Images without a single 0."""
    return tf.constant(np.random.default_rng(seed).uniform(0.1, 1, [n, *shape]), tf.float32)


def seed(counter=0, purpose="test"):
    return rng.seed_pair(rng.stream(0, purpose), counter)


def factors(before, after):
    """Least-squares slope of one set of deviations on another, sample by sample."""
    return (before * after).sum((1, 2, 3)) / (before**2).sum((1, 2, 3))


@pytest.mark.parametrize("shape", [RGB, GRAY, OBLONG])
def test_a_translation_moves_all_pixels_and_fills_up_with_grey(shape):
    x, move = images(64, shape), augment.Translation(0.4)
    y = move(x, seed()).numpy()
    down, right = (move.offsets(x, seed(), axis).numpy() for axis in (1, 2))
    for image, moved, i, j in zip(x.numpy(), y, down, right, strict=True):
        expected = np.roll(image, (i, j), axis=(0, 1))
        expected[: max(i, 0)] = expected[shape[0] + min(i, 0) :] = 0
        expected[:, : max(j, 0)] = expected[:, shape[1] + min(j, 0) :] = 0
        np.testing.assert_array_equal(moved, expected)


@pytest.mark.parametrize(
    "ratio, size, longest", [(0.125, 64, 8), (0.125, 28, 4), (0.125, 3, 0), (1.0, 4, 4)]
)
def test_translations_are_uniform_up_to_the_longest(ratio, size, longest):
    x = tf.zeros([4000, size, 1, 1])
    moves = augment.Translation(ratio).offsets(x, seed(), 1).numpy()
    values, counts = np.unique(moves, return_counts=True)
    np.testing.assert_array_equal(values, np.arange(-longest, longest + 1))
    mean = 4000 / len(values)
    assert np.all(np.abs(counts - mean) < 5 * mean**0.5)


@pytest.mark.parametrize(
    "ratio, shape", [(0.5, RGB), (0.5, OBLONG), (0.4, GRAY), (1.0, RGB), (0.1, (20, 20, 1))]
)
def test_cutout_sets_one_clipped_rectangle_to_grey(ratio, shape):
    x = images(200, shape)
    y = augment.Cutout(ratio)(x, seed()).numpy()
    gone = y == 0
    np.testing.assert_array_equal(y, np.where(gone, 0, x))
    rows, columns = gone.any((2, 3)), gone.any((1, 3))
    np.testing.assert_array_equal(
        gone, np.broadcast_to((rows[:, :, None] & columns[:, None])[..., None], gone.shape)
    )
    for side, lines in zip(shape, (rows, columns), strict=False):
        first, lengths = lines.argmax(1), lines.sum(1)
        place = np.arange(side) - first[:, None]
        np.testing.assert_array_equal(lines, (place >= 0) & (place < lengths[:, None]))
        whole = (first > 0) & (first + lengths < side)
        length = int(ratio * side + 0.5)
        assert np.all(lengths <= length) and np.all(lengths[whole] == length)


@pytest.mark.parametrize("size, ratio", [(8, 0.5), (9, 0.5), (9, 0.45)])
def test_every_place_of_a_cutout_is_equally_likely(size, ratio):
    cut = augment.Cutout(ratio).cut(tf.zeros([4000, size, 1, 1]), seed(), 1).numpy()
    length = int(ratio * size + 0.5)
    places = size + 1 - length % 2
    patterns, counts = np.unique(cut, axis=0, return_counts=True)
    # A rectangle that has left the image altogether, at either end, is one pattern: nothing is cut.
    n_empty = sum(
        not 0 <= k - length // 2 + length - 1 or k - length // 2 >= size for k in range(places)
    )
    assert len(patterns) == places - max(n_empty - 1, 0)
    assert np.all(np.abs(counts - 4000 / places) < 5 * (4000 / places) ** 0.5)


def test_brightness_saturation_and_contrast_are_uniform_numbers_of_each_image():
    x = images(4000, (4, 4, 3)).numpy()
    y = augment.Color()(x, seed()).numpy()
    brightness = y.mean((1, 2, 3)) - x.mean((1, 2, 3))
    hues, new_hues = (a - a.mean(3, keepdims=True) for a in (x, y))
    greys, new_greys = (a.mean(3, keepdims=True) - a.mean((1, 2, 3), keepdims=True) for a in (x, y))
    contrast = factors(greys, new_greys)
    saturation = factors(hues, new_hues) / contrast
    np.testing.assert_allclose(new_greys, contrast[:, None, None, None] * greys, atol=1e-5)
    np.testing.assert_allclose(
        new_hues, (contrast * saturation)[:, None, None, None] * hues, atol=1e-5
    )
    for numbers, low, high in ((brightness, -0.5, 0.5), (saturation, 0, 2), (contrast, 0.5, 1.5)):
        share = (numbers - low) / (high - low)
        assert share.min() > -1e-4 and share.max() < 1 + 1e-4
        np.testing.assert_allclose(np.sort(share), (np.arange(4000) + 0.5) / 4000, atol=0.03)
    assert np.abs(np.corrcoef([brightness, saturation, contrast]) - np.eye(3)).max() < 0.08


def test_grey_images_have_no_saturation():
    grey = images(6, GRAY)
    rgb = tf.repeat(grey, 3, axis=3)
    one, three = (augment.Color()(x, seed()) for x in (grey, rgb))
    np.testing.assert_allclose(three, tf.repeat(one, 3, axis=3), atol=1e-6)


@pytest.mark.parametrize("shape", [RGB, (2,)])
def test_noise_is_normal_and_falls_linearly(shape):
    noise, x = make_augmentation("noise=0.4-steps=100"), tf.ones([5000, *shape])
    for step, sigma in ((0, 0.4), (25, 0.3), (75, 0.1), (100, 0.0), (1000, 0.0)):
        added = (noise(x, seed(), tf.constant(step, tf.int64)) - x).numpy()
        np.testing.assert_allclose([added.mean(), added.std()], [0, sigma], atol=0.02)
    np.testing.assert_allclose(
        (make_augmentation("noise=0.4")(x, seed(), 10**6) - x).numpy().std(), 0.4, atol=0.02
    )


@pytest.mark.parametrize("text", [*EACH, ALL])
def test_gradients_are_those_of_finite_differences(text):
    transform, x = make_augmentation(text), images(3, OBLONG)
    weights, direction = (
        tf.constant(np.random.default_rng(k).normal(size=x.shape), tf.float32) for k in (1, 2)
    )

    def value(x):
        return tf.reduce_sum(weights * transform(x, seed(), 0))

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = value(x)
    slope = tf.reduce_sum(tape.gradient(y, x) * direction)
    # Every augmentation is affine in the image, so that a long step is as exact as a short one.
    np.testing.assert_allclose(value(x + direction) - value(x), slope, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("text", [*EACH, ALL])
def test_a_result_is_a_function_of_the_seed_and_graph_and_xla_agree(text):
    transform, x = make_augmentation(text), images(6)
    first = transform(x, seed(), 0).numpy()
    assert first.shape == x.shape and first.dtype == np.float32
    np.testing.assert_array_equal(transform(x, seed(), 0), first)
    for other in (seed(1), seed(0, "other")):
        assert np.abs(transform(x, other, 0) - first).max() > 0.01
    for xla in (False, True):
        compiled = tf.function(transform, jit_compile=xla)
        np.testing.assert_allclose(compiled(x, seed(), tf.constant(0, tf.int64)), first, atol=1e-6)


@pytest.mark.parametrize("text", [*EACH, ALL])
def test_samples_get_numbers_of_their_own(text):
    x = tf.repeat(images(1), 8, axis=0)
    y = make_augmentation(text)(x, seed(), 0).numpy()
    assert len(np.unique(y.reshape(8, -1), axis=0)) > 4


@pytest.mark.parametrize("text", [*EACH, ALL])
def test_two_devices_alter_images_as_one_does(text):
    transform, x = make_augmentation(text), images(8)
    strategy = two_devices()
    halves = strategy.experimental_distribute_values_from_function(
        lambda context: x[4 * context.replica_id_in_sync_group :][:4]
    )
    result = tf.function(lambda x: strategy.run(lambda x: transform(x, seed(), 0), [x]))(halves)
    together = tf.concat(strategy.experimental_local_results(result), axis=0)
    np.testing.assert_allclose(together, transform(x, seed(), 0), atol=1e-6)


@pytest.mark.parametrize(
    "text", ["noise,noise", "translation,translation", "cutout=0.25,cutout=0.25"]
)
def test_the_parts_of_a_chain_are_independent(text):
    chain, x = make_augmentation(text), images(16)
    once, twice = chain.parts[0](x, seed(), 0), chain(x, seed(), 0)
    same = chain.parts[1](once, seed(), 0)
    assert np.abs(twice - same).max() > 0.1


def test_altered_images_come_from_a_batch_of_unknown_size():
    transform = tf.function(
        make_augmentation(ALL),
        input_signature=[
            tf.TensorSpec([None, *RGB]),
            tf.TensorSpec([2], tf.int64),
            tf.TensorSpec([], tf.int64),
        ],
    )
    np.testing.assert_allclose(
        transform(images(5), seed(), 0), make_augmentation(ALL)(images(5), seed(), 0), atol=1e-6
    )


@pytest.mark.parametrize("text", ["", " "])
def test_nothing_is_altered_by_default(text):
    assert make_augmentation(text) is None


@pytest.mark.parametrize("text", ["color", "noise,translation", "cutout"])
def test_points_take_noise_only(text):
    make_augmentation(text).check(RGB)
    with pytest.raises(UsageError, match=r"not data of shape \(2,\); points take noise"):
        make_augmentation(text).check((2,))
    make_augmentation("noise").check((2,))


MISTAKES = [
    ("colour", "did you mean 'color'?"),
    ("color,,cutout", "has no name"),
    ("color=1", "takes no value"),
    ("cutout=1.5", "ratio must be in [0, 1], got 1.5"),
    ("translation=-0.5", "ratio must be in [0, 1], got -0.5"),
    ("noise=-1", "sigma and steps must be at least 0"),
    ("noise=0.1-steps=-1", "sigma and steps must be at least 0"),
    ("noise-sigma=lots", "must be a number"),
]


@pytest.mark.parametrize("text, message", MISTAKES, ids=[row[0] for row in MISTAKES])
def test_impossible_augmentations_are_refused(text, message):
    with pytest.raises(UsageError) as caught:
        make_augmentation(text)
    assert message in str(caught.value) and "\n" not in str(caught.value)
