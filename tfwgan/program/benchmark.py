"""Times standard workloads and prints one JSON line for each.

Run it alone on the machine: anything beside it misleads.
"""

import json
from typing import Any

from absl import flags

from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan benchmark [--xla] [dcgan32] [fc64] [mlp2d] [patch_swd] [otmeans]
                        [frechet2048] [neighbours] [features10k]

Without names all workloads run. "seconds" is the median for 5 critic updates with
gradient penalty and 1 generator update; of patch_swd, for a loss and its gradient;
of otmeans, for the whole search; of frechet2048, for the distance of two moments of
2048 features, beside SciPy's square root of matrices on the same ones; of
neighbours, for precision and recall of 5,000 and 5,000 features in 2048 dimensions;
of features10k, for those of the 10,000 bundled images by fashion_cnn.
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
