"""Laws of image folders: every way to store a picture, and every way to fail."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfwgan.data import decode
from tfwgan.errors import UsageError
from tfwgan.program import datasets

TEST_DATA = os.environ.get("TFWGAN_TEST_DATA")
RGB = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
GRAY = np.ascontiguousarray(RGB[..., 0])
SMOOTH = np.tile(np.linspace(40, 200, 32).astype(np.uint8)[:, None, None], (1, 32, 3))


def save(path, array, mode=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def load(folder, **options):
    return datasets.load(f"folder={folder}", **options)


@pytest.mark.parametrize("suffix", ["png", "PNG", "bmp", "jpg", "JPEG", "webp"])
def test_every_format_gives_the_picture(tmp_path, suffix):
    save(tmp_path / f"a.{suffix}", SMOOTH)
    dataset = load(tmp_path)
    assert dataset.items.shape == (1, 32, 32, 3) and dataset.labels is None
    np.testing.assert_allclose(dataset.items[0].astype(int), SMOOTH, atol=8)


def transparent(value):
    return np.concatenate([RGB, np.full((8, 8, 1), value, np.uint8)], axis=-1)


# What a file holds, how it is saved, and the picture that must come out.
STORED = {
    "gray": (Image.fromarray(GRAY), "png", GRAY[..., None]),
    "16 bits": (Image.fromarray(GRAY.astype(np.uint16) * 257), "png", GRAY[..., None]),
    "16 bits between levels": (
        Image.fromarray(np.array([[0, 100, 129, 65407, 65535]], np.uint16)),
        "png",
        np.array([[[0], [0], [1], [255], [255]]]),
    ),
    "1 bit": (Image.fromarray(GRAY > 127), "png", (GRAY > 127)[..., None] * 255),
    "1 bit bmp": (Image.fromarray(GRAY > 127), "bmp", (GRAY > 127)[..., None] * 255),
    "opaque": (Image.fromarray(transparent(255)), "png", RGB),
    "clear": (Image.fromarray(transparent(0)), "png", np.full_like(RGB, 255)),
    "half clear": (Image.fromarray(transparent(128)), "png", RGB * (128 / 255) + 127),
    "gray and clear": (
        Image.fromarray(np.stack([GRAY, 0 * GRAY], -1)),
        "png",
        np.full((8, 8, 1), 255),
    ),
    "gray and opaque": (
        Image.fromarray(np.stack([GRAY, 0 * GRAY + 255], -1)),
        "png",
        GRAY[..., None],
    ),
    "palette": (
        Image.fromarray(RGB).quantize(64),
        "png",
        np.asarray(Image.fromarray(RGB).quantize(64).convert("RGB")),
    ),
    "lossless webp": (Image.fromarray(RGB), "webp", RGB),
}


@pytest.mark.parametrize("name", STORED)
def test_every_mode_gives_the_picture(tmp_path, name):
    image, suffix, expected = STORED[name]
    image.save(tmp_path / f"a.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    items = load(tmp_path).items
    assert items.shape[1:] == expected.shape
    np.testing.assert_allclose(
        items[0].astype(int), expected, atol=1 if name == "half clear" else 0
    )


def test_a_transparent_palette_entry_is_white(tmp_path):
    image = Image.fromarray(np.arange(4, dtype=np.uint8).reshape(2, 2)).convert("P")
    image.putpalette([10, 20, 30] * 4)
    image.save(tmp_path / "a.png", transparency=2)
    assert load(tmp_path).items[0].reshape(4, 3).tolist() == [[10, 20, 30]] * 2 + [[255] * 3] + [
        [10, 20, 30]
    ]


def test_cmyk_becomes_rgb(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    assert np.abs(load(tmp_path).items[0].astype(int) - [255, 0, 0]).max() < 40


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_a_turned_photo_stands_upright(tmp_path, suffix):
    picture = np.zeros((16, 32, 3), np.uint8)
    picture[:, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # The top of the scene is at the left: turn it clockwise.
    save(tmp_path / f"a.{suffix}", picture, exif=exif)
    items = load(tmp_path).items
    assert items.shape == (1, 32, 16, 3)
    assert items[0, :14].min() > 200 and items[0, 18:].max() < 55


def test_channels_are_one_only_if_every_file_is_gray(tmp_path):
    save(tmp_path / "a.png", GRAY)
    save(tmp_path / "b.png", GRAY.astype(np.uint16) * 257)
    assert load(tmp_path).items.shape == (2, 8, 8, 1)
    save(tmp_path / "c.png", RGB)
    mixed = load(tmp_path).items
    np.testing.assert_array_equal(mixed[0], np.repeat(GRAY[..., None], 3, -1))
    np.testing.assert_array_equal(mixed[2], RGB)
    assert load(tmp_path, gray_scale=True).items.shape == (3, 8, 8, 1)


def test_subfolders_are_classes_in_sorted_order(tmp_path):
    for index, name in enumerate(["b/2.png", "a-c/1.png", "a/deep/er/0.png", "b/10.png"]):
        save(tmp_path / name, np.full((2, 2), index, np.uint8))
    (tmp_path / "empty").mkdir()
    dataset = load(tmp_path)
    assert dataset.class_names == ("a", "a-c", "b") and dataset.n_classes == 3
    assert dataset.labels.tolist() == [0, 1, 2, 2] and dataset.labels.dtype == np.int32
    assert dataset.items[:, 0, 0, 0].tolist() == [2, 1, 3, 0]
    assert load(tmp_path, limit_data=1).n_classes == 3
    save(tmp_path / "z.png", GRAY[:2, :2])
    assert load(tmp_path).labels is None


def test_hidden_and_other_files_are_skipped(tmp_path):
    save(tmp_path / "a.png", GRAY)
    for name in (".b.png", ".cache/c.png", "notes.txt", "d.png.part"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no image")
    assert len(load(tmp_path)) == 1


REMARKS = {
    "nothing": ([], ()),
    "junk": (
        [
            "Thumbs.db",
            "cats/desktop.ini",
            ".DS_Store",
            "__MACOSX/x.txt",
            "@eaDir/a.jpg/b.jpg",
            "x/#recycle/b.tif",
        ],
        (),
    ),
    "one": (["notes.txt"], ("1 other file skipped (.txt 1)",)),
    "many": (
        ["a.heic", "b.HEIC", "cats/c.heic", "IMG_1"],
        ("4 other files skipped (.heic 3, no ending 1)",),
    ),
    "kinds": (
        [f"a.{c}" for c in "uvwxyz"],
        ("6 other files skipped (.u 1, .v 1, .w 1, .x 1, .y 1, ...)",),
    ),
    "beside": (["preview.png"], ("no labels: preview.png lies beside the class folders",)),
    "two beside": (
        ["p.png", "q.jpg"],
        ("no labels: p.png and 1 more lie beside the class folders",),
    ),
}


@pytest.mark.parametrize("name", REMARKS)
def test_what_was_left_out_is_remarked(name, tmp_path):
    others, remarks = REMARKS[name]
    for path in ("cats/a.png", "dogs/a.png", *others):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        if path.endswith((".png", "/q.jpg")) or path == "q.jpg":
            save(file, RGB)
    dataset = load(tmp_path)
    assert sorted(dataset.remarks) == sorted(remarks)
    assert (dataset.labels is None) == any("no labels" in remark for remark in remarks)
    assert load(tmp_path, limit_data=1).remarks == dataset.remarks
    assert datasets.outline(f"folder={tmp_path}", limit_data=1).remarks == dataset.remarks
    if dataset.labels is not None:
        assert dataset.class_names == ("cats", "dogs")


@pytest.mark.parametrize(
    "folder",
    ["@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "__MACOSX", ".git"],
)
@pytest.mark.parametrize("depth", ["", "cats", "cats/deep"])
def test_folders_of_the_system_are_neither_pictures_nor_classes(folder, depth, tmp_path):
    for path in (
        "cats/a.png",
        "dogs/a.png",
        f"{depth}/{folder}/b.png",
        f"{depth}/{folder}/a.jpg/c.png",
    ):
        save(tmp_path / path, RGB)
    dataset = load(tmp_path)
    assert len(dataset) == 2 and dataset.class_names == ("cats", "dogs") and dataset.remarks == ()


@pytest.mark.parametrize(
    "limit, kept", [(1, [0]), (3, [0, 3, 4]), (4, [0, 1, 3, 4]), (6, range(6)), (99, range(7))]
)
def test_a_limit_takes_the_classes_in_turn(limit, kept, tmp_path):
    for i, name in enumerate(["a/0", "a/1", "a/2", "b/0", "c/0", "c/1", "c/deep/2"]):
        save(tmp_path / f"{name}.png", np.full((2, 2), i, np.uint8))
    dataset = load(tmp_path, limit_data=limit)
    assert dataset.items[:, 0, 0, 0].tolist() == list(kept) and dataset.n_classes == 3
    assert dataset.labels.tolist() == [[0, 0, 0, 1, 2, 2, 2][i] for i in kept]


def test_a_limit_without_classes_keeps_the_first_files(tmp_path):
    for i, name in enumerate(["a", "b/0", "b/1", "c/0"]):
        save(tmp_path / f"{name}.png", np.full((2, 2), i, np.uint8))
    assert load(tmp_path, limit_data=3).items[:, 0, 0, 0].tolist() == [0, 1, 2]


def test_names_that_are_no_text_can_be_printed(tmp_path):
    save(tmp_path / os.fsdecode(b"caf\xe9") / "a.png", RGB)
    (tmp_path / os.fsdecode(b"a.\xff")).touch()
    dataset = load(tmp_path)
    assert dataset.class_names == ("caf\ufffd",)
    " ".join([*dataset.class_names, *dataset.remarks, dataset.name]).encode()


def test_links_are_followed_but_not_in_circles(tmp_path):
    save(tmp_path / "elsewhere/a.png", GRAY)
    (tmp_path / "set").mkdir()
    (tmp_path / "set/cats").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/up").symlink_to(tmp_path / "set")
    dataset = load(tmp_path / "set")
    assert len(dataset) == 1 and dataset.class_names == ("cats",)


def test_sizes_may_differ_only_if_one_is_asked_for(tmp_path):
    save(tmp_path / "a.png", RGB)
    save(tmp_path / "b.png", RGB[:6])
    with pytest.raises(
        UsageError, match=r"a\.png has 8x8 pixels, .*b\.png has 6x8; give `image_size`"
    ):
        load(tmp_path)
    assert load(tmp_path, image_size=4).items.shape == (2, 4, 4, 3)
    assert load(tmp_path, center_crop=6).items.shape == (2, 6, 6, 3)
    with pytest.raises(UsageError, match=r"`center_crop=7` is larger than .*b\.png, which is 6x8"):
        load(tmp_path, center_crop=7)


def test_a_limit_spares_the_rest_the_decoding(tmp_path):
    save(tmp_path / "a.png", RGB)
    (tmp_path / "b.png").write_bytes(b"broken")
    assert len(load(tmp_path, limit_data=1)) == 1


def cut(path, keep):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp"])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.8])
def test_a_file_cut_short_is_named(tmp_path, suffix, keep):
    save(tmp_path / f"good.{suffix}", SMOOTH)
    cut(save(tmp_path / f"short.{suffix}", SMOOTH), keep)
    with pytest.raises(
        UsageError, match=rf"short\.{suffix} can't be decoded \(.+\); repair or remove it"
    ):
        load(tmp_path)


@pytest.mark.parametrize(
    "content", [b"GIF89a", b"not an image at all", b"\x89PNG\r\n\x1a\n" + bytes(40)]
)
def test_a_corrupt_file_is_named(tmp_path, content):
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(UsageError, match=r"bad\.png can't be decoded"):
        load(tmp_path)


def test_huge_pictures_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(decode, "MAX_PIXELS", 63)
    save(tmp_path / "huge.png", RGB)
    with pytest.raises(UsageError, match=r"huge\.png has 8x8 pixels, more than"):
        load(tmp_path)


@pytest.mark.parametrize("side", [9000, 10000, 100_000])
def test_a_decompression_bomb_is_not_decoded(tmp_path, side):
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = b""
    for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
        chunks += (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    with pytest.raises(UsageError, match=r"bomb\.png .*pixels"):
        load(tmp_path)


def test_a_path_without_images_is_told_what_is_wrong(tmp_path):
    with pytest.raises(UsageError, match="there is no folder .*nowhere"):
        load(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"a\.png is a file; name the folder"):
        load(save(tmp_path / "sub/a.png", GRAY))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/movie.mp4").write_text("")
    with pytest.raises(
        UsageError, match=r"no images under .*empty \(other files: 1\); expected .*\.png"
    ):
        load(tmp_path / "empty")


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    save(tmp_path / "a/a.png", GRAY)
    scandir = os.scandir

    def locked(path):
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locked)
    with pytest.raises(
        UsageError, match=r"/a can't be listed \(Permission denied\); change its permissions"
    ):
        load(tmp_path)


@pytest.mark.skipif(not TEST_DATA, reason="TFWGAN_TEST_DATA names no folder of real data")
def test_the_emoji_are_nine_classes():
    emoji = load(Path(TEST_DATA) / "emoji64")
    assert emoji.items.shape == (1906, 64, 64, 3) and emoji.n_classes == 9
    assert np.bincount(emoji.labels).min() > 0 and emoji.class_names[0] == "activities"
    assert np.median(emoji.items[:, 0, 0]) == 255
