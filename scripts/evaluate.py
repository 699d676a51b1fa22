"""`tfwgan evaluate`, as a file of a checkout."""

import sys

from tfwgan.program.verbs import run

if __name__ == "__main__":
    sys.exit(run("evaluate"))
