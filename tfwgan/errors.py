"""What can go wrong, in one line: mistakes of the caller, and what the machine has no room for."""

import re


class UsageError(ValueError):
    """A mistake of the caller, told in one line: what came, what is allowed, what to try."""


def lack(error: BaseException) -> str | None:
    """What the machine lacks, memory or room on the disk, if that is the error; None if it is another.

    TensorFlow has classes of its own for both, known here by name, so that this costs no import of it.
    """
    kind, text = type(error).__name__, one_line(error)
    if kind == "MemoryError" or (kind == "ResourceExhaustedError" and re.search("OOM|alloc", text)):
        return "memory is full; use a smaller --batch_size, smaller networks, or smaller images (--image_size)"
    if kind in ("ResourceExhaustedError", "UnknownError") and re.search("No space|quota|too large|write", text, re.I):
        return f"can't write: {text}"
    return text if kind == "ResourceExhaustedError" or isinstance(error, OSError) else None


def one_line(error: BaseException) -> str:
    """The message of an error, on one line of bounded length; its name where it has none."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 1500 else f"{text[:1500]} ..."
