"""The one way from any image to the uint8 array that is trained on: centre crop, gray, resize, round."""

import math
import os
import tempfile

import numpy as np
import tensorflow as tf

from tfwgan.spec import UsageError

MEMORY_LIMIT = 4 << 30  # bytes


def prepare(
    images: np.ndarray,
    image_size: int | None = None,
    center_crop: int | None = None,
    gray_scale: bool = False,
    what: str = "an image",
) -> np.ndarray:
    """Crops, turns gray and resizes one image, or a batch of one size.

    An image that has to be resized but is neither cropped nor square is first cropped to its centred square, so that
    `image_size` always means exactly that many rows and columns, with nothing stretched. An alpha channel is laid on
    white.

    Args:
        images: `[h, w, c]` or `[b, h, w, c]` with 1, 3 or 4 channels: uint8, or floats in 0 ... 255.
        image_size: Rows and columns of the result, by antialiased bilinear interpolation; None keeps the size.
        center_crop: Rows and columns of the centred square to keep; None keeps all.
        gray_scale: Whether to keep the luminance only.
        what: Whose image it is, for messages.

    Returns:
        uint8, `[h, w, c]` or `[b, h, w, c]`.

    Raises:
        UsageError: If the crop is larger than the image.
    """
    height, width, channels = images.shape[-3:]
    if center_crop is not None and center_crop > min(height, width):
        raise UsageError(f"--center_crop={center_crop} is larger than {what}, which is {height}x{width} pixels.")
    if image_size is not None and center_crop is None and height != width:
        center_crop = min(height, width)
    if center_crop is not None:
        top, left = (height - center_crop) // 2, (width - center_crop) // 2
        images = images[..., top : top + center_crop, left : left + center_crop, :]
    gray = gray_scale and channels != 1
    resized = image_size is not None and images.shape[-3] != image_size
    if images.dtype == np.uint8 and channels != 4 and not gray and not resized:
        return images
    # Floats from here to the end: rounding after every step would be visible.
    pixels = tf.cast(images, tf.float32)
    if channels == 4:
        alpha = pixels[..., 3:] / 255.0
        pixels = pixels[..., :3] * alpha + 255.0 * (1.0 - alpha)
    if gray:
        pixels = tf.image.rgb_to_grayscale(pixels)
    if resized:
        pixels = tf.image.resize(pixels, (image_size, image_size), method="bilinear", antialias=True)
    return np.clip(np.rint(pixels.numpy()), 0, 255).astype(np.uint8)


def prepare_all(
    images: np.ndarray,
    image_size: int | None = None,
    center_crop: int | None = None,
    gray_scale: bool = False,
    what: str = "an image",
) -> np.ndarray:
    """`prepare` for a whole set in memory, uint8 `[n, h, w, c]`, a piece at a time to bound the float copies."""
    first = prepare(images[:1], image_size, center_crop, gray_scale, what)
    if first.shape[1:] == images.shape[1:]:
        return images  # No option asks for a change.
    prepared = allocate(len(images), first.shape[1:])
    step = batch_size(images.shape[1:])
    for start in range(0, len(images), step):
        piece = slice(start, start + step)
        prepared[piece] = prepare(images[piece], image_size, center_crop, gray_scale, what)
    return prepared


def batch_size(shape: tuple[int, ...]) -> int:
    """How many images of this shape to prepare at once: few enough for 64 MiB of floats, at most 256."""
    return max(1, min(256, (16 << 20) // math.prod(shape)))


def allocate(n: int, shape: tuple[int, ...]) -> np.ndarray:
    """Room for uint8 `[n, *shape]`: memory, or above `MEMORY_LIMIT` a temporary file that vanishes with the program.

    Raises:
        UsageError: If the disk has no room for the file.
    """
    size = n * math.prod(shape)
    if size <= MEMORY_LIMIT:
        return np.empty((n, *shape), np.uint8)
    with tempfile.TemporaryFile() as file:
        try:
            # A disk that fills up under a mapped file kills the process, so the room is taken now.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, np.uint8, mode="w+", shape=(n, *shape))
        except OSError as error:
            raise UsageError(
                f"{n} images of shape {shape} need {size / 2**30:.1f} GiB in {tempfile.gettempdir()} "
                f"({error.strerror}); set TMPDIR to a larger disk, or use --image_size or --limit_data."
            ) from error


def unequal(shape: tuple[int, ...], what: str, other_shape: tuple[int, ...], other: str) -> UsageError:
    """The error to raise for two images of one set that differ in size."""
    sizes = [f"{height}x{width}" for height, width, _ in (shape, other_shape)]
    return UsageError(
        f"the images differ in size: {what} has {sizes[0]} pixels, {other} has {sizes[1]}; give --image_size."
    )
