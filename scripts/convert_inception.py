"""Writes a public file of the FID's Inception weights as a `.npz`, which is read fastest."""

import os
import sys


def main() -> int:
    """Converts what the command line names; returns the exit status."""
    if len(sys.argv) != 3:
        print("Usage: python scripts/convert_inception.py SOURCE TARGET.npz", file=sys.stderr)
        return 2
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tfwgan.errors import UsageError
    from tfwgan.metrics.inception import convert

    try:
        convert(*sys.argv[1:])
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"Wrote {sys.argv[2]}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
