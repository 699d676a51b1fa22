"""Standard output and error, which are not always a terminal.

They may be a file, a full disk, a reader that left, or not there at all.
"""

import contextlib
import os
import shutil
import sys
from typing import Any


def is_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal; what stands in for one may lack `isatty`, or be None."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError, OSError):
        return False


def silence(stream: Any) -> None:
    """Lets all that is still written to a stream vanish.

    Then Python's last flush does not complain either.
    """
    with contextlib.suppress(AttributeError, ValueError, OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def any_text(stream: Any) -> None:
    """Makes a stream write what its encoding lacks as escapes instead of failing."""
    with contextlib.suppress(AttributeError, ValueError, OSError):
        stream.reconfigure(errors="backslashreplace")


class Screen:
    """Lines of a running program, and on a terminal one line below them that changes in place.

    What can't be shown is left out: a reader that went away is no reason to stop training.

    Args:
        shown: Whether anything is shown.
    """

    def __init__(self, shown: bool = True) -> None:
        self.shown = shown
        self._status = False

    @property
    def is_terminal(self) -> bool:
        """Whether `status` shows anything."""
        return self.shown and is_terminal(sys.stdout)

    def say(self, text: str) -> None:
        """Prints a line, above the status if there is one."""
        self._write(text + "\n")

    def status(self, text: str) -> None:
        """Shows a line that the next one overwrites; on terminals only."""
        if self.is_terminal:
            columns = shutil.get_terminal_size().columns
            self._write(text[: columns - 1])
            self._status = True

    def _write(self, text: str) -> None:
        if not self.shown or sys.stdout is None:
            return
        erase, self._status = "\r\033[K" if self._status else "", False
        try:
            try:
                sys.stdout.write(erase + text)
            except UnicodeEncodeError:
                sys.stdout.write(erase + text.encode("ascii", "backslashreplace").decode())
            sys.stdout.flush()
        except (OSError, ValueError):
            silence(sys.stdout)
            self.shown = False


QUIET = Screen(shown=False)
