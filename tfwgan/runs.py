"""The name that `tfwgan.program.runs` had in the first release.

It is kept for code that was written for it.
"""

import sys

from tfwgan.program import runs

sys.modules[__name__] = runs
