"""Pictures of samples, always with the fixed limits [-1, 1].

A generator that is out of range must look out of range.
"""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
from PIL import Image, ImageDraw

from tfwgan.errors import UsageError
from tfwgan.files import write_atomically
from tfwgan.heads import with_heads
from tfwgan.plots import COLOURS

SIDE = 960  # about the longer side of a grid, so that small images can be seen
_SQUARE = 480  # side of a scatter plot
_PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_ARRAYS = (".npz", ".npy")


class Heads(TypedDict, total=False):
    """What is printed on a grid of images, see `image_grid`."""

    row_heads: Sequence[str]
    column_heads: Sequence[str]
    title: str


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Images in [-1, 1] as uint8; what lies outside is cut off."""
    return np.rint(np.clip((np.asarray(images, np.float64) + 1.0) * 127.5, 0, 255)).astype(np.uint8)


def visible(images: np.ndarray) -> np.ndarray:
    """The channels of images `[..., c]` that can be shown.

    They are the first three, or where there are fewer the first.
    """
    return images[..., :3] if images.shape[-1] >= 3 else images[..., :1]


def image_grid(
    images: np.ndarray,
    columns: int | None = None,
    gap: int = 1,
    *,
    row_heads: Sequence[str] = (),
    column_heads: Sequence[str] = (),
    title: str = "",
    zoom: int | None = None,
) -> np.ndarray:
    """Images `[n, h, w, c]` in [-1, 1] side by side, row by row.

    Args:
        images: Of any number of channels; of more than three the first three are shown, of two the
            first.
        columns: Images per row; by default as many as make the grid nearly square.
        gap: White pixels between images.
        row_heads: What to print left of each row; nothing by default.
        column_heads: What to print above each column.
        title: What to print above all.
        zoom: The whole factor by which the grid is enlarged; by default what brings the longer side
            nearest to `SIDE`.

    Returns:
        uint8 `[height, width, 1 or 3]`.

    Raises:
        ValueError: If there are heads, but not as many as rows or columns.
    """
    pixels = to_bytes(visible(np.asarray(images)))
    n = len(pixels)
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    for heads, places, what in ((row_heads, rows, "rows"), (column_heads, columns, "columns")):
        if len(heads) not in (0, places):
            raise ValueError(f"{len(heads)} heads were given for {places} {what}.")
    grid = tiles([list(pixels[i : i + columns]) for i in range(0, n, columns)], gap)
    missing = max(0, columns - n) * (pixels.shape[2] + gap)  # places of a single row
    grid = np.pad(grid, ((gap, gap), (gap, gap + missing), (0, 0)), constant_values=255)
    zoom = zoom or max(1, round(SIDE / max(grid.shape[:2])))
    return with_heads(
        grid.repeat(zoom, axis=0).repeat(zoom, axis=1), row_heads, column_heads, title
    )


def tiles(pictures: Sequence[Sequence[np.ndarray]], gap: int = 12) -> np.ndarray:
    """Pictures `[h, w, c]` in rows, with `gap` white pixels between them."""
    rows = []
    for row in pictures:
        tall = max(len(picture) for picture in row)
        wide = [_padded(p, below=tall - len(p), right=gap if p is not row[-1] else 0) for p in row]
        rows.append(np.concatenate(wide, axis=1))
    width = max(row.shape[1] for row in rows)
    rows = [
        _padded(row, below=gap if row is not rows[-1] else 0, right=width - row.shape[1])
        for row in rows
    ]
    return np.concatenate(rows)


def _padded(pixels: np.ndarray, below: int, right: int) -> np.ndarray:
    """A picture with so many white pixels below it and right of it."""
    return np.pad(pixels, ((0, below), (0, right), (0, 0)), constant_values=255)


def scatter(
    fake: np.ndarray | None, real: np.ndarray | None = None, paths: np.ndarray | None = None
) -> np.ndarray:
    """Points `[n, d]` on the square [-1, 1]^2: generated ones blue, real ones green below them.

    Args:
        fake: Generated points, or None. Only the first two coordinates are shown; a missing second
            one is 0.
        real: Real points, or None.
        paths: Points `[rows, steps, d]` that are joined by a line along each row, with a dot at its
            ends.

    Returns:
        uint8 `[height, width, 3]`. Points outside lie on the border.
    """
    scale = 2  # drawn twice as large, for smooth dots
    canvas = Image.new("RGB", (_SQUARE * scale, _SQUARE * scale), "white")
    draw = ImageDraw.Draw(canvas)
    draw.rectangle(
        (0, 0, _SQUARE * scale - 1, _SQUARE * scale - 1), outline=(180, 180, 180), width=scale
    )
    for points, colour in ((real, (120, 190, 120)), (fake, (40, 80, 200))):
        for place in [] if points is None else _places(points, _SQUARE * scale):
            draw.circle(place, 1.5 * scale, fill=colour)
    for i, path in enumerate([] if paths is None else paths):
        places, colour = _places(path, _SQUARE * scale), COLOURS[i % len(COLOURS)]
        draw.line(places, fill=colour, width=2 * scale, joint="curve")
        for place in places[1:-1]:
            draw.circle(place, 2 * scale, fill=colour)
        for place in (places[0], places[-1]):
            draw.circle(place, 4 * scale, fill=colour)
    return np.asarray(canvas.resize((_SQUARE, _SQUARE), Image.Resampling.BOX))


def _places(points: np.ndarray, side: int) -> list[tuple[float, float]]:
    """Where points `[n, d]` lie on a canvas: the first coordinate goes right, the second up."""
    points = np.asarray(points, np.float64)[:, :2]
    points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    places = (np.clip(points, -1, 1) + 1) / 2 * (side - 1)
    return [(x, side - 1 - y) for x, y in places.tolist()]


def picture(
    samples: np.ndarray | None,
    real: np.ndarray | None = None,
    columns: int | None = None,
    **heads: Unpack[Heads],
) -> np.ndarray:
    """The picture that fits the samples.

    It is a grid of images, or a scatter plot of the samples' first two coordinates.

    `heads` are those of `image_grid`; a scatter plot has none.
    """
    if samples is not None and np.ndim(samples) == 4:
        return image_grid(samples, columns, **heads)
    return scatter(samples, real)


def save_png(pixels: np.ndarray, path: str | Path) -> None:
    """Writes uint8 pixels `[h, w, 1 or 3]` as a PNG file, whole or not at all."""
    write_atomically(Path(path), _encoded(pixels, "PNG"))


def save_samples(
    samples: np.ndarray,
    out: str | Path,
    columns: int | None = None,
    *,
    real: np.ndarray | None = None,
    paths: bool = False,
    named: str = "out",
    **heads: Unpack[Heads],
) -> str:
    """Writes samples in [-1, 1] as one picture, as an array or as a folder of pictures.

    A picture ends in .png, .jpg or .webp, an array in .npz or .npy.

    Args:
        samples: Images `[n, h, w, c]`, or points `[n, d]`, which don't go into a folder of
            pictures.
        out: Where to write; missing parent folders are made. A folder has no ending, exists, or
            ends in a slash.
        columns: Images per row of the one picture.
        real: Points to draw below generated ones.
        paths: Whether rows of `columns` points, or all in one row, are paths, to be drawn as lines.
        named: What the caller's user knows `out` as, for messages.
        **heads: Those of `image_grid`, for the one picture.

    Returns:
        What was written, in words.

    Raises:
        UsageError: If it can't be written, or the ending is not known.
    """
    ending, is_image, path = _ending(out, named), samples.ndim == 4, Path(out)
    if not is_image and not ending:
        raise UsageError(
            f"{named}={out} asks for a folder of pictures, but the samples are points; "
            "use .png or .npz."
        )
    try:
        (path.parent if ending else path).mkdir(parents=True, exist_ok=True)
        if ending in _PICTURES:
            steps = columns or len(samples)
            lines = (
                samples.reshape(-1, steps, samples.shape[-1]) if paths and not is_image else None
            )
            points = None if paths else samples
            pixels = (
                image_grid(samples, columns, **heads) if is_image else scatter(points, real, lines)
            )
            write_atomically(path, _encoded(pixels, _PICTURES[ending]))
        elif ending:
            write_atomically(path, _array(samples, ending))
        else:
            for i, image in enumerate(samples):
                save_png(to_bytes(visible(image)), path / f"{i:06d}.png")
    except OSError as error:
        raise UsageError(f"Can't write {named}={out}: {error.strerror}.") from None
    return f"Wrote {len(samples)} samples to {path}."


def is_picture(out: str | Path) -> bool:
    """Whether `save_samples` would write one picture there."""
    return Path(out).suffix.lower() in _PICTURES


def _ending(out: str | Path, named: str) -> str:
    """The ending of a file to write, in small letters, or none of a folder."""
    ending = Path(out).suffix.lower()
    if not ending or str(out).endswith(("/", "\\")) or Path(out).is_dir():
        return ""
    if ending not in (*_PICTURES, *_ARRAYS):
        known = ", ".join((*_PICTURES, *_ARRAYS))
        raise UsageError(
            f"{named}={out} has an unknown ending; use one of {known}, "
            "or end a folder's name in a slash."
        )
    return ending


def _encoded(pixels: np.ndarray, kind: str) -> bytes:
    """Encodes pixels `[h, w, 1 or 3]` as the content of an image file.

    A format that loses something is set to lose little.
    """
    buffer = io.BytesIO()
    options: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(
        buffer, kind, **options.get(kind, {})
    )
    return buffer.getvalue()


def _array(samples: np.ndarray, ending: str) -> bytes:
    """Samples as the content of an array file; in an archive they are called `images`."""
    buffer = io.BytesIO()
    if ending == ".npz":
        np.savez_compressed(buffer, images=samples)
    else:
        np.save(buffer, samples)
    return buffer.getvalue()
