"""The name that `tfwgan.program.experiment` had in the first release.

It is kept for code that was written for it.
"""

import sys

from tfwgan.program import experiment

sys.modules[__name__] = experiment
