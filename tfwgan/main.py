"""``python -m tfwgan.main --loss=wgan_gp``: the same as ``tfwgan train --loss=wgan_gp``."""

import sys
from collections.abc import Sequence

from tfwgan.program.verbs import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains what the flags say; returns the exit code."""
    return run("train", arguments)


if __name__ == "__main__":
    sys.exit(main())
