"""``python -m tfwgan VERB``: the same as the command ``tfwgan``."""

import sys

from tfwgan.program.verbs import main

if __name__ == "__main__":
    sys.exit(main())
