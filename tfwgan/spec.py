"""The name that `tfwgan.program.spec` had in the first release.

It is kept for code that was written for it.
"""

import sys

from tfwgan.program import spec

sys.modules[__name__] = spec
