"""The name that `tfwgan.program.config` had in the first release.

It is kept for code that was written for it.
"""

import sys

from tfwgan.program import config

sys.modules[__name__] = config
