"""Writes a public file of the FID's Inception weights as a `.npz`, which NumPy reads."""

import argparse
import os
import sys


def main() -> int:
    """Converts what the command line names; returns the exit status."""
    parser = argparse.ArgumentParser("tfwgan convert-inception", description=__doc__)
    parser.add_argument("source", help="a .pth, .pb, .tgz or .npz file")
    parser.add_argument("target", help="the .npz file to write")
    flags = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tfwgan.errors import UsageError
    from tfwgan.metrics.inception import convert

    try:
        convert(flags.source, flags.target)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"Wrote {flags.target}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
