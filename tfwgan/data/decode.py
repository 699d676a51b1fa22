"""One image file to uint8 RGB or gray, whatever way it was stored, or the reason why not."""

import dataclasses
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from tfwgan.data import png

# Pillow opens nothing else: to tell other formats apart it would run programs on them (PostScript)
# or fetch files.
ENDINGS = {
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG": (".jpeg", ".jpg", ".jfif", ".jpe"),
    "PNG": (".png",),
    "PPM": (".ppm", ".pgm", ".pbm"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "AVIF": (".avif",),
}
_OPTIONAL = {"WEBP": "webp", "AVIF": "avif"}  # which a build of Pillow may lack
FORMATS = tuple(
    name for name in ENDINGS if name not in _OPTIONAL or features.check(_OPTIONAL[name])
)
SUFFIXES = tuple(suffix for name in FORMATS for suffix in ENDINGS[name])

MAX_PIXELS = 64 << 20
_BAND = 1 << 20  # pixels that are converted at once
_SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_GRAY = ("1", "L", "LA", *_SIXTEEN_BITS)
_ORIENTATION = 0x0112  # the EXIF tag
# How to turn `[h, w, c]` upright, by the value of the tag.
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda picture: picture[:, ::-1],
    3: lambda picture: picture[::-1, ::-1],
    4: lambda picture: picture[::-1],
    5: lambda picture: picture.swapaxes(0, 1),
    6: lambda picture: picture[::-1].swapaxes(0, 1),
    7: lambda picture: picture[::-1, ::-1].swapaxes(0, 1),
    8: lambda picture: picture[:, ::-1].swapaxes(0, 1),
}


class Unreadable(Exception):
    """A file that gives no picture.

    Attributes:
        path: The file.
        reason: What is wrong with it, to follow its name.
        remedy: What to do about it.
    """

    def __init__(self, path: Path, reason: str, remedy: str) -> None:
        super().__init__(f"{path} {reason}; {remedy}.")
        self.path, self.reason, self.remedy = path, reason, remedy


@dataclasses.dataclass(frozen=True)
class Header:
    """What the first bytes of an image file tell.

    Attributes:
        pixels: Rows times columns.
        gray: Whether it stores a single channel, apart from alpha.
    """

    pixels: int
    gray: bool


def look(path: Path) -> Header:
    """Reads the header of an image file.

    Raises:
        Unreadable: If it is no image, or an image of more than `MAX_PIXELS`.
    """
    try:
        # Opening a pipe would wait for somebody to write into it.
        kind = stat.S_IFMT(os.stat(path).st_mode)
    except OSError as error:
        raise _unreadable(path, error) from error
    if kind != stat.S_IFREG:
        raise Unreadable(path, "is no regular file", "remove it")
    (width, height), mode = _read(path, lambda image: (image.size, image.mode))
    if width * height > MAX_PIXELS:
        raise Unreadable(
            path,
            f"has {width}x{height} pixels, more than {MAX_PIXELS >> 20} million",
            "scale it down first",
        )
    return Header(width * height, mode in _GRAY)


def decode(path: Path, gray: bool) -> np.ndarray:
    """Reads the picture in a file, upright and with 8 bits per channel.

    Where it is transparent it stands on white. The first of several pictures is read.

    Args:
        path: A file that `look` has passed.
        gray: Whether to return the single channel of a gray file as such, not as RGB.

    Returns:
        uint8 `[h, w, 1]` or `[h, w, 3]`.

    Raises:
        Unreadable: If the file is corrupt or cut short.
    """
    pixels = _read(path, _upright)
    return pixels[..., :1] if gray else np.broadcast_to(pixels, (*pixels.shape[:2], 3))


def _read(path: Path, use: Callable[[Image.Image], Any]) -> Any:
    """Returns what `use` makes of an image.

    A PNG whose notes or profile are damaged or too large is read without them.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            return use(image)
    except MemoryError:
        raise
    # A decoder that meets garbage may raise anything (SyntaxError, struct.error, ...).
    except Exception as error:
        try:
            with Image.open(png.bare(path), formats=("PNG",)) as image:
                return use(image)
        except Exception:
            raise _unreadable(path, error) from error


def _upright(image: Image.Image) -> np.ndarray:
    """Returns the pixels of an image, uint8 `[h, w, 1 or 3]`.

    They are converted a band at a time to bound the copies.
    """
    image.load()
    width, height = image.size
    rows = max(1, _BAND // width)
    pixels = np.empty(0, np.uint8)
    for top in range(0, height, rows):
        band = np.asarray(_plain(image.crop((0, top, width, min(top + rows, height)))))
        if top == 0:
            pixels = np.empty((height, width, 1 if band.ndim == 2 else 3), np.uint8)
        pixels[top : top + rows] = band[..., np.newaxis] if band.ndim == 2 else band
    return _TURNS.get(_orientation(image), lambda picture: picture)(pixels)


def _orientation(image: Image.Image) -> int:
    """Returns the value of the EXIF tag; 1, upright, where there is none or it is damaged.

    Such damage is no reason to refuse the picture.
    """
    try:
        value = image.getexif().get(_ORIENTATION)
    except Exception:
        return 1
    return value if isinstance(value, int) else 1


def _plain(image: Image.Image) -> Image.Image:
    """The same picture in mode L or RGB."""
    if image.mode in _SIXTEEN_BITS:
        # Pillow's own conversion clips at 255 instead of scaling.
        levels = np.asarray(image).astype(np.float64) / 257.0
        if levels.min() < 0 or levels.max() > 255:
            raise ValueError("more than 16 bits per channel")
        return Image.fromarray(np.rint(levels).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("levels that are no whole numbers")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("L" if image.mode in _GRAY else "RGB")


def _unreadable(path: Path, error: Exception) -> Unreadable:
    if isinstance(error, PermissionError):
        return Unreadable(path, f"can't be read ({error.strerror})", "change its permissions")
    if isinstance(error, OSError) and error.strerror:
        return Unreadable(path, f"can't be read ({error.strerror})", "repair or remove it")
    reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, UnidentifiedImageError):
        reason = "the file is empty" if path.stat().st_size == 0 else "no known image format"
    return Unreadable(path, f"can't be decoded ({reason})", "repair or remove it")
