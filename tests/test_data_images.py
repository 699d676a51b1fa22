"""Laws of the one preprocessing."""

import numpy as np
import pytest
import tensorflow as tf

from tfwgan.data.images import View
from tfwgan.errors import UsageError


def prepare(images, *options, what="an image", **named):
    return View(*options, **named).prepare(images, what)


def random_images(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_without_options_nothing_changes():
    images = random_images(3, 7, 5, 3)
    np.testing.assert_array_equal(prepare(images), images)


@pytest.mark.parametrize("size", [5, 12, 20, 33])
@pytest.mark.parametrize("gray_scale", [False, True])
def test_resizing_is_antialiased_bilinear_on_floats_rounded_once(size, gray_scale):
    images = random_images(2, 20, 20, 3)
    pixels = tf.cast(images, tf.float32)
    pixels = tf.image.rgb_to_grayscale(pixels) if gray_scale else pixels
    expected = tf.image.resize(pixels, (size, size), antialias=True).numpy()
    prepared = prepare(images, size, gray_scale=gray_scale)
    assert prepared.dtype == np.uint8 and prepared.shape == (2, size, size, 1 if gray_scale else 3)
    np.testing.assert_allclose(prepared, expected, atol=0.5 + 1e-3)


def test_the_crop_comes_before_the_resize():
    images = np.zeros((20, 20, 1), np.uint8)
    images[5:15, 5:15] = 200
    assert np.all(prepare(images, image_size=4, center_crop=10) == 200)
    assert prepare(images, center_crop=10).shape == (10, 10, 1)


@pytest.mark.parametrize(
    "shape, crop, top, left", [((9, 6), 4, 2, 1), ((6, 9), 5, 0, 2), ((5, 5), 5, 0, 0)]
)
def test_the_crop_is_centred(shape, crop, top, left):
    image = random_images(*shape, 3)
    np.testing.assert_array_equal(
        prepare(image, center_crop=crop), image[top : top + crop, left : left + crop]
    )


@pytest.mark.parametrize("shape", [(9, 6), (6, 9), (8, 6)])
def test_an_image_that_is_not_square_is_cut_not_stretched(shape):
    image = random_images(*shape, 3)
    np.testing.assert_array_equal(
        prepare(image, image_size=3), prepare(prepare(image, center_crop=6), image_size=3)
    )
    assert prepare(image, image_size=6).shape == (6, 6, 3)
    assert prepare(image).shape == (*shape, 3)


@pytest.mark.parametrize("level", [0, 1, 127, 128, 254, 255])
def test_gray_and_resize_keep_a_constant(level):
    image = np.full((6, 6, 3), level, np.uint8)
    np.testing.assert_array_equal(
        prepare(image, image_size=4, gray_scale=True), np.full((4, 4, 1), level)
    )


def test_floats_are_rounded_and_transparency_is_white():
    assert (
        prepare(np.full((2, 2, 1), 254.6, np.float32)).tolist() == np.full((2, 2, 1), 255).tolist()
    )
    clear = np.zeros((2, 2, 4), np.uint8)
    assert prepare(clear).tolist() == np.full((2, 2, 3), 255).tolist()


def test_one_by_one_or_all_at_once_is_the_same():
    images = random_images(300, 9, 7, 3)
    one_by_one = np.stack([prepare(image, 5, 6, True) for image in images])
    np.testing.assert_array_equal(View(5, 6, True).prepare_all(images), one_by_one)
    assert View().prepare_all(images) is images


def test_a_crop_larger_than_the_image_names_it():
    with pytest.raises(
        UsageError, match=r"`center_crop=8` is larger than cat.png, which is 9x7 pixels"
    ):
        prepare(random_images(9, 7, 3), center_crop=8, what="cat.png")
