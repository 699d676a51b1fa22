"""This module strips a PNG file of all that is not the picture.

Notes, profiles and times may be damaged or huge.
"""

import io
import struct
import zlib
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND")
_MOST = 1 << 30  # bytes; more are no picture that is small enough to be decoded


def bare(path: Path) -> io.BytesIO:
    """Returns the chunks of a PNG file that make up its picture, as a file in memory.

    They are those of the first picture, and those that tell its orientation.

    Raises:
        ValueError: If the file is no PNG, or has more than a gigabyte of compressed pixels.
        OSError: If it can't be read.
    """
    with open(path, "rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            raise ValueError(f"{path} is no PNG file.")
        kept, size = [_SIGNATURE], 0
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind not in _PICTURE:
                file.seek(length + 4, io.SEEK_CUR)
                continue
            # A file cut short ends here; whoever decodes it finds out.
            body = file.read(min(length, _MOST) + 4)
            if kind != b"eXIf" or body[-4:] == struct.pack(">I", zlib.crc32(kind + body[:-4])):
                kept += [head, body]
            size += len(body)
            if size > _MOST:
                raise ValueError(f"{path} has too many compressed pixels.")
    return io.BytesIO(b"".join(kept))
