"""One image file to uint8 RGB or gray, whatever way it was stored, or a message that names the file."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from tfwgan.spec import UsageError

MAX_PIXELS = 64 << 20
_SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_GRAY = ("1", "L", "LA", *_SIXTEEN_BITS)


def all_gray(paths: list[Path]) -> bool:
    """Whether every file stores a single channel, apart from alpha. Reads the headers only.

    Raises:
        UsageError: If a file is no image, or an image of more than `MAX_PIXELS`.
    """
    gray = True
    with warnings.catch_warnings():
        # Pillow warns about sizes that are refused here anyway.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        for path in paths:
            try:
                with Image.open(path) as image:
                    (width, height), mode = image.size, image.mode
            except Exception as error:
                raise _unreadable(path, error) from error
            if width * height > MAX_PIXELS:
                raise UsageError(
                    f"{path} has {width}x{height} pixels, more than {MAX_PIXELS >> 20} million; scale it down first."
                )
            gray = gray and mode in _GRAY
    return gray


def decode(path: Path, gray: bool) -> np.ndarray:
    """The picture in a file: upright, 8 bits per channel, on white where it is transparent.

    Args:
        path: A file that `all_gray` has passed.
        gray: Whether to return the single channel of a gray file as such, not as RGB.

    Returns:
        uint8 `[h, w, 1]` or `[h, w, 3]`.

    Raises:
        UsageError: If the file is corrupt or cut short.
    """
    try:
        with Image.open(path) as image:
            image.load()
            pixels = np.asarray(_plain(ImageOps.exif_transpose(image)))
    # A decoder that meets garbage may raise anything (SyntaxError, struct.error, ...).
    except Exception as error:
        raise _unreadable(path, error) from error
    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    return pixels[..., :1] if gray else np.broadcast_to(pixels, (*pixels.shape[:2], 3))


def _plain(image: Image.Image) -> Image.Image:
    """The same picture in mode L or RGB."""
    if image.mode in _SIXTEEN_BITS:
        # Pillow's own conversion clips at 255 instead of scaling.
        levels = np.asarray(image).astype(np.float64) / 257.0
        return Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("L" if image.mode in _GRAY else "RGB")


def _unreadable(path: Path, error: Exception) -> UsageError:
    if isinstance(error, PermissionError):
        return UsageError(f"{path} can't be read ({error.strerror}); change its permissions.")
    reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, UnidentifiedImageError):
        reason = "the file is empty" if path.stat().st_size == 0 else "no known image format"
    return UsageError(f"{path} can't be decoded ({reason}); repair or remove it.")
