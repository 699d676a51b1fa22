"""What can go wrong, in one line: mistakes of the caller, and what the machine has no room for."""

import re


class UsageError(ValueError):
    """A mistake of the caller, told in one line: what came, what is allowed, what to try."""


def lack(error: BaseException) -> str | None:
    """What the machine lacks, memory or room on the disk, if that is the error; None if it is another.

    TensorFlow has classes of its own for both, known here by name, so that this costs no import of it.
    """
    kind, text = type(error).__name__, " ".join(str(error).split())[:1500]
    if kind == "MemoryError" or (kind == "ResourceExhaustedError" and re.search("OOM|alloc", text)):
        return "memory is full; use a smaller --batch_size, smaller networks, or smaller images (--image_size)"
    if kind == "UnknownError" and re.search("No space|quota|too large|write", text, re.I):
        return f"can't write: {text}"
    if kind == "ResourceExhaustedError":
        return text
    if isinstance(error, OSError):
        return str(error)
    return None
