"""Times standard workloads and prints one JSON line for each.

Run it alone on the machine: anything beside it misleads.
"""

import json
from typing import Any

from absl import flags

from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan benchmark [--xla] [dcgan32] [fc64] [mlp2d] [patch_swd] [otmeans]

Without names all workloads run. "seconds" is the median for 5 critic updates with
gradient penalty and 1 generator update; of patch_swd, for a loss and its gradient;
of otmeans, for the whole search.
"""
POSITIONAL = ()
MANY = True


def define_flags(values: flags.FlagValues) -> None:
    """The verb's flags."""
    flags.DEFINE_bool("xla", False, "compile the updates with XLA", flag_values=values)


def command(*arguments: Any) -> None:
    """Runs the workloads: `arguments` are names, then the flags."""
    *names, values = arguments
    with quiet_tensorflow():
        from tfwgan.studies.benchmark import benchmark

    for line in benchmark(names, values["xla"].value):
        print(json.dumps(line), flush=True)
