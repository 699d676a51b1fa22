"""A line on the screen while something takes long, and none while it does not."""

import sys
import time
from typing import Any

_PATIENCE = 5.0  # seconds without a word


class Waiting:
    """Says on the standard error, if there is one, how far a long task is.

    It writes ``loading images: 1,200 of 10,000``.

    In a terminal one line is kept up to date; a log gets a line at twice the time of the last, so
    that it stays short.
    """

    def __init__(self, task: str, total: int) -> None:
        self._task, self._total, self._done = task, total, 0
        self._start = time.monotonic()
        self._next, self._open = self._start + _PATIENCE, False

    def add(self, n: int = 1) -> None:
        """Counts `n` more as done."""
        self._done += n
        now = time.monotonic()
        if now < self._next:
            return
        terminal = _is_terminal(sys.stderr)
        line = f"{self._task}: {self._done:,} of {self._total:,}"
        self._say(f"\r{line}" if terminal else f"{line}\n")
        self._open = terminal
        self._next = now + (1.0 if terminal else now - self._start)

    def close(self) -> None:
        """Ends the line in a terminal."""
        if self._open:
            self._say("\n")
            self._open = False

    def _say(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        # Nobody reads it: no reason to stop.
        except (AttributeError, OSError, ValueError):
            pass


def _is_terminal(stream: Any) -> bool:
    """Whether a stream is one; what stands in for a stream may lack the question, or be closed."""
    try:
        return bool(stream.isatty())
    except (AttributeError, OSError, ValueError):
        return False
