"""There is one way from any image to the uint8 array that is trained on.

The image is cropped at the centre, made gray, resized and rounded.
"""

import dataclasses
import math
import os
import tempfile

import numpy as np
import tensorflow as tf

from tfwgan.errors import UsageError

MEMORY_LIMIT = 4 << 30  # bytes
_BAND = 1 << 20  # numbers whose channels are mixed at once


@dataclasses.dataclass(frozen=True)
class View:
    """What is done to every image of a set: centre crop, then gray, then resize.

    Attributes:
        image_size: Rows and columns of the result, by antialiased bilinear interpolation; None
            keeps the size.
        center_crop: Rows and columns of the centred square to keep; None keeps all.
        gray_scale: Whether to keep the luminance only.
    """

    image_size: int | None = None
    center_crop: int | None = None
    gray_scale: bool = False

    def prepare(self, images: np.ndarray, what: str = "an image") -> np.ndarray:
        """Crops, turns gray and resizes one image, or a batch of one size.

        An image that has to be resized but is neither cropped nor square is first cropped to its
        centred square, so that `image_size` always means exactly that many rows and columns, with
        nothing stretched. An alpha channel is laid on white.

        Args:
            images: `[h, w, c]` or `[b, h, w, c]` with 1, 3 or 4 channels: uint8, or floats in 0 ...
                255.
            what: Whose image it is, for messages.

        Returns:
            uint8, `[h, w, c]` or `[b, h, w, c]`.

        Raises:
            UsageError: If the crop is larger than the image.
        """
        size, crop = self.image_size, self.center_crop
        height, width, channels = images.shape[-3:]
        if crop is not None and crop > min(height, width):
            raise UsageError(
                f"`center_crop={crop}` is larger than {what}, which is {height}x{width} pixels."
            )
        if size is not None and crop is None and height != width:
            crop = min(height, width)
        if crop is not None:
            top, left = (height - crop) // 2, (width - crop) // 2
            images = images[..., top : top + crop, left : left + crop, :]
        gray = self.gray_scale and channels != 1
        resized = size is not None and images.shape[-3] != size
        if images.dtype == np.uint8 and channels != 4 and not gray and not resized:
            return images
        pixels = images
        if gray or channels == 4:
            # Floats from here to the end: rounding after every step would be visible.
            rows = max(1, _BAND // math.prod(images.shape[:-3] + images.shape[-2:]))
            bands = (
                images[..., top : top + rows, :, :] for top in range(0, images.shape[-3], rows)
            )
            pixels = np.concatenate([_mixed(band, gray) for band in bands], axis=-3)
        if resized:
            # On bytes as on floats, the sums are of floats.
            pixels = tf.image.resize(
                pixels, (size, size), method="bilinear", antialias=True
            ).numpy()
        return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)

    def shape(self, shape: tuple[int | None, ...], what: str = "an image") -> tuple[int, int, int]:
        """Returns the shape that `prepare` gives an image `(h, w, c)`.

        The rows and columns of the image are None if they are not known yet.

        Raises:
            UsageError: If the crop is larger than the image, or the result depends on what is not
                known.
        """
        side = self.center_crop or self.image_size
        if None in shape and side is None:
            raise UsageError(
                f"{what} may have any size, which only reading it tells; give `image_size`."
            )
        sides = [(side or 0) if n is None else n for n in shape]
        return self.prepare(np.zeros(sides, np.uint8), what).shape

    def prepare_all(self, images: np.ndarray, what: str = "an image") -> np.ndarray:
        """Does what `prepare` does for a whole set in memory, uint8 `[n, h, w, c]`.

        It takes a piece at a time to bound the float copies.
        """
        first = self.prepare(images[:1], what)
        if first.shape[1:] == images.shape[1:]:
            return images  # No option asks for a change.
        prepared = allocate(len(images), first.shape[1:])
        step = batch_size(images.shape[1:])
        for start in range(0, len(images), step):
            piece = slice(start, start + step)
            prepared[piece] = self.prepare(images[piece], what)
        return prepared


AS_IS = View()


def _mixed(images: np.ndarray, gray: bool) -> np.ndarray:
    """Puts images `[..., c]` on white where they are transparent, and makes them gray if asked.

    The result is float32 in 0 ... 255, not rounded.
    """
    pixels = tf.cast(images, tf.float32)
    if images.shape[-1] == 4:
        alpha = pixels[..., 3:] / 255.0
        pixels = pixels[..., :3] * alpha + 255.0 * (1.0 - alpha)
    return (tf.image.rgb_to_grayscale(pixels) if gray else pixels).numpy()


def batch_size(shape: tuple[int, ...]) -> int:
    """Returns how many images of this shape to prepare at once.

    They are few enough for 64 MiB of floats, and at most 256.
    """
    return max(1, min(256, (16 << 20) // math.prod(shape)))


def allocate(n: int, shape: tuple[int, ...]) -> np.ndarray:
    """Makes room for uint8 `[n, *shape]`.

    The room is memory, or above `MEMORY_LIMIT` a temporary file that vanishes with the program.

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
                f"{n} images of shape {shape} need {size / 2**30:.1f} GiB in "
                f"{tempfile.gettempdir()} "
                f"({error.strerror}); set TMPDIR to a larger disk, or use `image_size` or "
                "`limit_data`."
            ) from error


def unequal(
    shape: tuple[int, ...], what: str, other_shape: tuple[int, ...], other: str
) -> UsageError:
    """The error to raise for two images of one set that differ in size."""
    sizes = [f"{height}x{width}" for height, width, _ in (shape, other_shape)]
    return UsageError(
        f"the images differ in size: {what} has {sizes[0]} pixels, {other} has {sizes[1]}; give "
        "`image_size`."
    )
