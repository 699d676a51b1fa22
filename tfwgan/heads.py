"""Names on a picture that is made of rows and columns.

They say in a white margin what each row and column shows.
"""

import re
from collections.abc import Sequence
from typing import Literal, cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_SIZE, _LEAST = 15, 9  # of letters in pixels: where there is room, and where there is not
_PAD, _WIDEST, _LINES = 8, 220, 3
_INK = 60


def with_heads(
    pixels: np.ndarray,
    row_heads: Sequence[str] = (),
    column_heads: Sequence[str] = (),
    title: str = "",
) -> np.ndarray:
    """Puts words left of the rows of a picture and above its columns, and a title above all.

    Args:
        pixels: uint8 `[height, width, 1 or 3]`.
        row_heads: As many as the picture has rows of equal height, or none. Long ones are broken,
            then cut.
        column_heads: As many as it has columns of equal width, or none.
        title: One line.

    Returns:
        uint8 `[height, width, 1 or 3]`, larger than before where there is anything to print.
    """
    height, width, channels = pixels.shape
    row_heads, column_heads = (
        [str(head) for head in row_heads],
        [str(head) for head in column_heads],
    )
    rows, left = _fitted(row_heads, _WIDEST, height / max(1, len(row_heads)))
    columns, _ = _fitted(column_heads, width / max(1, len(column_heads)) - 4, 1e9)
    above = max((len(lines) * _height(columns[1]) for lines in columns[0]), default=0)
    left, above, top = (
        side + _PAD if side else 0 for side in (left, above, _height(_font(_SIZE)) if title else 0)
    )
    wide = max(width + left, int(_font(_SIZE).getlength(title)) + 2 * _PAD if title else 0)
    canvas = Image.new("L" if channels == 1 else "RGB", (wide, height + above + top), "white")
    canvas.paste(Image.fromarray(pixels[..., 0] if channels == 1 else pixels), (left, top + above))
    draw, ink = ImageDraw.Draw(canvas), _INK if channels == 1 else (_INK,) * 3
    draw.text((left or _PAD // 2, top - _PAD // 2), title, ink, _font(_SIZE), "ls")
    for i, lines in enumerate(rows[0]):
        middle = top + above + (i + 0.5) * height / len(row_heads)
        _print(
            draw,
            lines,
            rows[1],
            (left - _PAD // 2, middle - len(lines) * _height(rows[1]) / 2),
            "r",
            ink,
        )
    for i, lines in enumerate(columns[0]):
        middle = left + (i + 0.5) * width / len(column_heads)
        upper = top + above - _PAD // 2 - len(lines) * _height(columns[1])
        _print(draw, lines, columns[1], (middle, upper), "m", ink)
    result = np.asarray(canvas)
    return result[..., np.newaxis] if channels == 1 else result


def _print(
    draw: ImageDraw.ImageDraw,
    lines: Sequence[str],
    font: ImageFont.FreeTypeFont,
    place: tuple[float, float],
    side: Literal["r", "m"],
    ink: int | tuple[int, ...],
) -> None:
    """Prints lines one below the other, to the left of a place or around it."""
    for i, line in enumerate(lines):
        draw.text((place[0], place[1] + (i + 0.5) * _height(font)), line, ink, font, side + "m")


def _font(size: int) -> ImageFont.FreeTypeFont:
    # With a size it is always one of FreeType.
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))


def _height(font: ImageFont.FreeTypeFont) -> int:
    return round(1.25 * font.size)


def _fitted(
    heads: Sequence[str], width: float, height: float
) -> tuple[tuple[list[list[str]], ImageFont.FreeTypeFont], int]:
    """Heads as lines, with the largest letters that fit into cells of a size.

    The width of the widest line comes second.
    """
    for size in range(_SIZE, _LEAST - 1, -1):
        font = _font(size)
        most = max(1, min(_LINES, int(height // _height(font))))
        broken = [_broken(head, font, width) for head in heads]
        if all(
            len(lines) <= most and all(font.getlength(line) <= width for line in lines)
            for lines in broken
        ):
            break
    lines = [[_cut(line, font, width) for line in lines[:most]] for lines in broken]
    return (lines, font), max(
        (int(np.ceil(font.getlength(line))) for many in lines for line in many), default=0
    )


def _broken(head: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Breaks a head that is too wide into lines.

    It is broken behind blanks, hyphens, commas and underscores.
    """
    lines = [""]
    for word in re.split(r"(?<=[ _,-])", head):
        if lines[-1] and font.getlength((lines[-1] + word).rstrip()) > width:
            lines.append("")
        lines[-1] += word
    return [line.rstrip() for line in lines]


def _cut(line: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """A line without its end, if it is still too wide."""
    if font.getlength(line) <= width:
        return line
    while line and font.getlength(line + "...") > width:
        line = line[:-1]
    return line + "..."
