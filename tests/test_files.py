"""Files are whole or not there, on any file system, and nobody else's file is ever touched."""

import errno
import os
import stat

import pytest

from tfwgan import files
from tfwgan.files import clear_leftovers, write_atomically


@pytest.fixture
def folders_that_answer(monkeypatch):
    """Makes fsync of a folder fail with an error number; files are synchronised as ever."""

    def set_answer(number):
        real = os.fsync

        def fsync(descriptor):
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(number, os.strerror(number))
            return real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)

    return set_answer


@pytest.mark.parametrize("number", sorted(files._NO_SYNC))
def test_a_folder_that_can_not_be_synchronised_is_no_error(number, tmp_path, folders_that_answer):
    folders_that_answer(number)
    write_atomically(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fails_is_an_error(number, tmp_path, folders_that_answer):
    folders_that_answer(number)
    with pytest.raises(OSError, match=os.strerror(number)):
        write_atomically(tmp_path / "file", b"content")


def test_temporary_names_can_not_be_guessed_nor_followed(tmp_path, monkeypatch):
    names = []
    real = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: names.append(str(a)) or real(a, b))
    for _ in range(20):
        write_atomically(tmp_path / "file", b"content")
    assert len(set(names)) == 20

    victim = tmp_path / "victim"
    victim.write_text("precious")
    monkeypatch.setattr(files.secrets, "token_hex", lambda n: "guessed")
    (tmp_path / ".file.guessed.tmp").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "file", b"content")
    assert victim.read_text() == "precious"


def test_a_link_is_replaced_and_not_written_through(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "file").symlink_to(victim)
    write_atomically(tmp_path / "file", b"content")
    assert victim.read_text() == "precious" and not (tmp_path / "file").is_symlink()


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_file_has_the_rights_of_any_new_file(mask, tmp_path):
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "file", b"content")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~mask


def test_only_what_was_cut_short_is_cleared_away(tmp_path):
    for name in (".file.abc.tmp", ".step_000001.npz.123.tmp", "notes.tmp", ".hidden", "file"):
        (tmp_path / name).write_text("")
    clear_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "file", "notes.tmp"]
