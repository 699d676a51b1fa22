"""Pictures of samples, always with the fixed limits [-1, 1]: a generator out of range must look out of range."""

import io
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tfwgan.cli import writing_to
from tfwgan.files import write_atomically
from tfwgan.spec import UsageError

_SIDE = 480


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Images in [-1, 1] as uint8; what lies outside is cut off."""
    return np.rint(np.clip((np.asarray(images, np.float64) + 1.0) * 127.5, 0, 255)).astype(np.uint8)


def image_grid(images: np.ndarray, columns: int | None = None, gap: int = 1) -> np.ndarray:
    """Images `[n, h, w, c]` in [-1, 1] side by side, row by row.

    Args:
        images: One or three channels.
        columns: Images per row; by default as many as make the grid nearly square.
        gap: White pixels between images.

    Returns:
        uint8 `[height, width, c]`, small images enlarged by a whole factor.
    """
    pixels = to_bytes(images)
    n, height, width, channels = pixels.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    grid = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), 255, np.uint8)
    for i, image in enumerate(pixels):
        top, left = gap + i // columns * (height + gap), gap + i % columns * (width + gap)
        grid[top : top + height, left : left + width] = image
    zoom = max(1, _SIDE // max(grid.shape[:2]))
    return grid.repeat(zoom, axis=0).repeat(zoom, axis=1)


def scatter(fake: np.ndarray | None, real: np.ndarray | None = None) -> np.ndarray:
    """Points `[n, 2]` on the square [-1, 1]^2: generated ones blue, real ones green below them.

    Returns:
        uint8 `[height, width, 3]`. Points outside lie on the border.
    """
    scale = 2  # drawn twice as large, for smooth dots
    canvas = Image.new("RGB", (_SIDE * scale, _SIDE * scale), "white")
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, _SIDE * scale - 1, _SIDE * scale - 1), outline=(180, 180, 180), width=scale)
    for points, colour in ((real, (120, 190, 120)), (fake, (40, 80, 200))):
        if points is None:
            continue
        places = (np.clip(np.asarray(points)[:, :2], -1, 1) + 1) / 2 * (_SIDE * scale - 1)
        for x, y in places:
            draw.circle((x, _SIDE * scale - 1 - y), 1.5 * scale, fill=colour)
    return np.asarray(canvas.resize((_SIDE, _SIDE), Image.Resampling.BOX))


def picture(samples: np.ndarray, real: np.ndarray | None = None, columns: int | None = None) -> np.ndarray:
    """The picture that fits the samples: a grid of images, or a scatter plot of their first two coordinates."""
    return image_grid(samples, columns) if np.ndim(samples) == 4 else scatter(samples, real)


def save_png(pixels: np.ndarray, path: str | Path) -> None:
    """Writes uint8 pixels `[h, w, 1 or 3]` as a PNG file, whole or not at all."""
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(buffer, "PNG")
    write_atomically(Path(path), buffer.getvalue())


def save_samples(samples: np.ndarray, out: str | Path, columns: int | None = None) -> str:
    """Writes samples in [-1, 1] as one picture (.png), as an array (.npz) or, otherwise, as a folder of pictures.

    Args:
        samples: Images `[n, h, w, c]`, or points `[n, d]`, which don't go into a folder of pictures.
        out: Where to write; missing parent folders are made.
        columns: Images per row of the one picture.

    Returns:
        What was written, in words.

    Raises:
        UsageError: If it can't be written.
    """
    out, is_image = Path(out), samples.ndim == 4
    if not is_image and out.suffix not in (".png", ".npz"):
        raise UsageError(f"--out={out} asks for a folder of pictures, but the samples are points; use .png or .npz.")
    with writing_to(out):
        (out.parent if out.suffix in (".png", ".npz") else out).mkdir(parents=True, exist_ok=True)
        if out.suffix == ".png":
            save_png(image_grid(samples, columns) if is_image else scatter(samples), out)
        elif out.suffix == ".npz":
            buffer = io.BytesIO()
            np.savez_compressed(buffer, images=samples)
            write_atomically(out, buffer.getvalue())
        else:
            for i, image in enumerate(samples):
                save_png(to_bytes(image), out / f"{i:06d}.png")
    return f"Wrote {len(samples)} samples to {out}."


def is_picture(out: str | Path) -> bool:
    """Whether `save_samples` would write one picture there."""
    return Path(out).suffix == ".png"
