"""What can go wrong, in one line: mistakes of the caller, and what the machine has no room for."""

import difflib
import re
import reprlib
from collections.abc import Iterable
from typing import Any


class UsageError(ValueError):
    """A mistake of the caller, told in one line: what came, what is allowed, what to try.

    Arguments stand in backticks, as in `batch_size=64`, which the command line shows as its flags.
    """


def lack(error: BaseException) -> str | None:
    """What the machine lacks if an error says so: memory, or room on the disk.

    It is None if the error is another.

    TensorFlow has classes of its own for both, known here by name, so that this costs no import of
    it.
    """
    kind, text = type(error).__name__, one_line(error)
    if kind == "MemoryError" or (kind == "ResourceExhaustedError" and re.search("OOM|alloc", text)):
        return (
            "memory is full; use a smaller `batch_size`, smaller networks, or smaller images "
            "(`image_size`)"
        )
    if kind in ("ResourceExhaustedError", "UnknownError") and re.search(
        "No space|quota|too large|write", text, re.I
    ):
        return f"can't write: {text}"
    return text if kind == "ResourceExhaustedError" or isinstance(error, OSError) else None


def one_line(error: BaseException) -> str:
    """The message of an error, on one line of bounded length; its name where it has none."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 1500 else f"{text[:1500]} ..."


def refuse_unknown(given: Iterable[str], known: Iterable[str], kind: str) -> None:
    """Raises `UsageError` at the first given name that is not known, with the known ones."""
    known = list(known)
    for name in given:
        if name not in known:
            raise UsageError(f"Unknown {kind} {name!r}{suggest(name, known)}")


def suggest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the nearest known one, and all of them."""
    known = list(known)
    lower = {name.lower(): name for name in known}  # case is the commonest slip
    near = (
        [lower[word.lower()]]
        if word.lower() in lower
        else difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    )
    near = near or [
        lower[name] for name in difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    ]
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"{hint} Known: {', '.join(known) or 'none'}."


def text_in(value: Any, most: int = 100) -> str:
    """A value the way messages show it: quoted, and cut where it is long."""
    shortened = reprlib.Repr()
    shortened.maxstring = shortened.maxother = 10 * most
    text = shortened.repr(value)
    return text if len(text) <= most else f"{text[:most]} ..."
