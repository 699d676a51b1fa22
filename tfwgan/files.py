"""Files that are whole or not there at all."""

import contextlib
import errno
import os
import secrets
from pathlib import Path

# What some file systems answer (shares of Windows and virtual machines, sshfs) that can't
# synchronise a folder.
_NO_SYNC = {
    errno.EINVAL,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.EBADF,
    errno.ENOSYS,
    errno.EACCES,
    errno.EPERM,
}


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that whoever opens `path` sees the old content or the new.

    That holds even after a power cut.
    """
    # A new name that nobody can guess: a link that lies in wait there is neither followed nor
    # replaced.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def clear_leftovers(folder: Path) -> None:
    """Removes what a kill in the middle of `write_atomically` left in a folder."""
    for cut_short in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            cut_short.unlink()


def _sync_folder(folder: Path) -> None:
    """Makes a new name in a folder outlast a power cut, where the file system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
