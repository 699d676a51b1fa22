"""These are laws of damaged and odd files.

Only lost pixels are a reason to refuse, and all bad files are told.
"""

import io
import os
import socket
import struct
import sys
import threading
import time
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from tfwgan.data import decode, progress, reading
from tfwgan.errors import UsageError
from tfwgan.program import datasets

RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
TIFF = b"II*\0" + struct.pack("<I", 8)


def load(folder, **options):
    return datasets.load(f"folder={folder}", **options)


def encoded(kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, kind, **options)
    return buffer.getvalue()


def entry(tag, kind, count, value):
    return struct.pack("<HHI4s", tag, kind, count, value)


TURNED = entry(0x0112, 3, 1, b"\6\0\0\0")
EXIF = {  # a block, and whether it still tells that the picture is turned
    "nothing": (b"", False),
    "no TIFF": (b"\xff" * 30, False),
    "other bytes": (bytes(range(200)), False),
    "cut in the header": (TIFF[:5], False),
    "cut in the directory": (TIFF + struct.pack("<H", 7) + TURNED[:6], False),
    "directory far away": (b"II*\0" + struct.pack("<I", 2**31), False),
    "turn of no number": (
        TIFF + struct.pack("<H", 1) + entry(0x0112, 2, 4, b"6\0\0\0") + bytes(4),
        False,
    ),
    "turn of no meaning": (
        TIFF + struct.pack("<H", 1) + entry(0x0112, 3, 1, b"\x2a\0\0\0") + bytes(4),
        False,
    ),
    "a wrong type beside the turn": (
        TIFF + struct.pack("<H", 2) + TURNED + entry(0x8825, 2, 4, b"x\0\0\0"),
        True,
    ),
    "a text far away": (
        TIFF + struct.pack("<H", 2) + entry(0x010F, 2, 99, b"\xff\xff\xff\0") + TURNED + bytes(4),
        True,
    ),
}


@pytest.mark.parametrize("kind, ending", [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")])
@pytest.mark.parametrize("block", EXIF)
def test_damaged_exif_costs_no_picture(block, kind, ending, tmp_path):
    exif, turned = EXIF[block]
    options = {"PNG": {}, "JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}[
        kind
    ]
    (tmp_path / f"a.{ending}").write_bytes(encoded(kind, exif=b"Exif\0\0" + exif, **options))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        items = load(tmp_path).items
    expected = np.rot90(RGB, -1) if turned else RGB
    assert items.shape[1:] == expected.shape and told == []
    np.testing.assert_allclose(items[0].astype(int), expected, atol=12 if kind == "JPEG" else 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_every_orientation_is_turned_as_pillow_turns_it(orientation, ending, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(RGB).save(tmp_path / f"a.{ending}", exif=exif)
    with Image.open(tmp_path / f"a.{ending}") as image:
        np.testing.assert_array_equal(
            load(tmp_path).items[0], np.asarray(ImageOps.exif_transpose(image))
        )


def chunk(name, body, right=True):
    return (
        struct.pack(">I", len(body))
        + name
        + body
        + struct.pack(">I", zlib.crc32(name + body) ^ (not right))
    )


def with_chunks(*chunks, at="front"):
    raw = encoded("PNG")
    place = 33 if at == "front" else len(raw) - 12
    return raw[:place] + b"".join(chunks) + raw[place:]


BIG = zlib.compress(bytes(2 << 20))
NOTES = {
    "compressed text": chunk(b"zTXt", b"Comment\0\0" + BIG),
    "international text": chunk(b"iTXt", b"XML\0\1\0\0\0" + BIG),
    "a method of no name": chunk(b"zTXt", b"Comment\0\x09" + BIG),
    "a wrong checksum": chunk(b"tEXt", b"Comment\0hello", right=False),
    "an empty time": chunk(b"pHYs", b""),
    "a cut profile": chunk(b"iCCP", b"icc\0\0" + BIG),
    "a profile without an end": chunk(b"iCCP", b"x" * 100),
    "many texts": b"".join(chunk(b"tEXt", b"a\0" + bytes(1 << 20)) for _ in range(66)),
}


@pytest.mark.parametrize("at", ["front", "back"])
@pytest.mark.parametrize("note", NOTES)
def test_what_is_noted_in_a_png_costs_no_picture(note, at, tmp_path):
    limits = PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY
    exif = Image.Exif()
    exif[0x0112] = 6
    turn = chunk(b"eXIf", exif.tobytes())
    (tmp_path / "a.png").write_bytes(with_chunks(NOTES[note], at=at))
    (tmp_path / "b.png").write_bytes(with_chunks(NOTES[note], turn, at=at))
    np.testing.assert_array_equal(load(tmp_path, limit_data=1).items[0], RGB)
    (tmp_path / "a.png").unlink()
    np.testing.assert_array_equal(load(tmp_path).items[0], np.rot90(RGB, -1))
    assert limits == (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)


@pytest.mark.parametrize("suffix", decode.SUFFIXES)
def test_every_ending_on_the_list_is_read_and_shown_upright(suffix, tmp_path):
    picture = np.tile(np.linspace(40, 200, 32).astype(np.uint8)[:, None, None], (1, 32, 3))
    kind = next(name for name, endings in decode.ENDINGS.items() if suffix in endings)
    Image.fromarray(picture).save(tmp_path / f"a{suffix}", kind)
    items = load(tmp_path).items
    assert items.shape[:3] == (1, 32, 32)
    np.testing.assert_allclose(items[0].astype(int).mean(-1), picture.mean(-1), atol=8)


def test_of_an_animation_the_first_picture_counts(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    for name in ("a.gif", "b.webp", "c.png", "d.tif"):
        options = {"lossless": True} if name.endswith("webp") else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
    assert (load(tmp_path).items == [255, 0, 0]).all()


@pytest.mark.parametrize(
    "levels", [np.full((4, 4), 70000, np.int32), np.full((4, 4), 0.5, np.float32)]
)
def test_levels_without_a_known_scale_are_refused(levels, tmp_path):
    Image.fromarray(levels).save(tmp_path / "a.tif")
    with pytest.raises(
        UsageError,
        match=r"a\.tif can't be decoded \(ValueError: (more than 16 bits|levels that are no)",
    ):
        load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"%PDF-1.4\n",
        b"#?RADIANCE\n",
        b"<svg></svg>",
    ],
)
def test_other_formats_are_not_opened_whatever_their_name(content, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "subprocess.Popen.__init__", lambda *_, **__: pytest.fail("a program is run")
    )
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.png can't be decoded \(no known image format\)"):
        load(tmp_path)


@pytest.mark.parametrize("make", ["fifo", "socket", "device", "broken link"])
def test_what_is_no_file_is_named_and_not_waited_for(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if make == "fifo":
        os.mkfifo("a.png")
    elif make == "socket":
        with socket.socket(socket.AF_UNIX) as end:
            end.bind("a.png")
    else:
        os.symlink("/dev/zero" if make == "device" else "nowhere", "a.png")
    with pytest.raises(
        UsageError,
        match=r"a\.png (is no regular file|can't be read \(No such file.*\)); .*remove it",
    ):
        load(tmp_path)


@pytest.mark.parametrize("path", ["~nosuchuser/x", "x" * 300, "a" * 5000])
def test_a_path_that_can_t_be_one_is_told_in_one_line(path):
    with pytest.raises(UsageError, match="is not known here|can't be opened") as caught:
        load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("stage", ["header", "pixels"])
@pytest.mark.parametrize("n", [2, 3, 9])
def test_all_bad_files_are_told_together(stage, n, tmp_path):
    whole = encoded("PNG")
    for i in range(5):
        (tmp_path / f"good{i}.png").write_bytes(whole)
    for i in range(n):
        (tmp_path / f"bad{i}.png").write_bytes(b"" if stage == "header" else whole[:-60])
    with pytest.raises(UsageError) as caught:
        load(tmp_path)
    told = str(caught.value)
    assert (
        f"{n} files of {n + 5} under {tmp_path} are bad: bad0.png can't be decoded (" in told
        and "\n" not in told
    )
    assert [f"bad{i}.png" in told for i in range(n)] == [i < 3 for i in range(n)]
    assert told.endswith(
        f", and {n - 3} more; repair or remove them." if n > 3 else "; repair or remove them."
    )


@pytest.mark.parametrize("threads", [1, 7])
def test_pixels_in_flight_are_bounded_and_the_large_are_not_starved(threads, tmp_path, monkeypatch):
    sides = [4] * 20 + [30] + [8] * 20
    for i, side in enumerate(sides):
        Image.new("L", (side, side), i).save(tmp_path / f"{i:02d}.png")
    now, most, lock, original = [0], [0], threading.Lock(), decode.decode

    def slow(path, gray):
        pixels = sides[int(path.stem)] ** 2
        with lock:
            now[0] += pixels
            most[0] = max(most[0], now[0])
        time.sleep(0.002)
        with lock:
            now[0] -= pixels
        return original(path, gray)

    monkeypatch.setattr(decode, "decode", slow)
    monkeypatch.setattr(os, "cpu_count", lambda: threads)
    monkeypatch.setattr(reading, "PIXELS_IN_FLIGHT", 100)
    items = load(tmp_path, image_size=4).items
    np.testing.assert_array_equal(items[:, 0, 0, 0], np.arange(41))
    assert most[0] == 900  # the largest one, alone


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_only_a_long_wait_is_told_of(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])

    def told(stream, seconds):
        monkeypatch.setattr(sys, "stderr", stream)
        waiting = progress.Waiting("loading images", 10000)
        for _ in range(10000):
            now[0] += seconds / 10000
            waiting.add()
        waiting.close()
        return stream and stream.getvalue()

    assert told(io.StringIO(), 4.9) == told(Terminal(), 4.9) == ""
    lines = told(io.StringIO(), 3000).splitlines()
    assert (
        lines[0].startswith("loading images: ") and " of 10,000" in lines[0] and 3 < len(lines) < 12
    )
    assert told(Terminal(), 10.5).count("\r") == 6
    assert told(None, 100) is None
    closed = io.StringIO()
    closed.close()
    waiting = progress.Waiting("loading images", 2)
    monkeypatch.setattr(sys, "stderr", closed)
    now[0] += 100
    waiting.add()
