"""Comparisons of GANs with each other: which find all modes, and what each loss reaches."""

import sys

from absl import flags

from tfwgan import cli
from tfwgan.spec import UsageError, suggest

USAGE = """\
usage: python scripts/compare.py modes|losses [--data=ring8] [--seeds=3] [--fast]

modes   mode collapse: GAN, GAN + R1, WGAN, WGAN-GP, SNGAN, LSGAN and VEEGAN with the same networks
losses  every loss with the same networks and the same number of steps

Writes report.md, results.json, results.csv, pictures and the runs to <out>/<study>_<data>/. An interrupted study goes
on where it was when it is started again.
"""

STUDIES = ("modes", "losses")


def define_flags(values: flags.FlagValues) -> None:
    """The script's flags."""
    flags.DEFINE_string("data", "ring8", "ring8, fashion_mini, tfds=mnist or any other --data", flag_values=values)
    flags.DEFINE_string("data_dir", None, "where prepared TFDS sets lie", flag_values=values)
    flags.DEFINE_bool("fast", False, "a fifth of the steps", flag_values=values)
    flags.DEFINE_integer("limit_data", 10000, "items used at most", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seeds", 3, "seeds of modes", lower_bound=1, flag_values=values)
    flags.DEFINE_string("out", "outputs/studies", "folder of the studies", flag_values=values)


def command(study: str, values: flags.FlagValues) -> None:
    """Runs the study that is asked for."""
    if study not in STUDIES:
        raise UsageError(f"Unknown study {study!r}{suggest(study, STUDIES)}")
    with cli.quiet_tensorflow():
        from tfwgan.studies import COMPARISONS
    from tfwgan.studies.study import Study

    options = {name: values[name].value for name in ("data", "data_dir", "fast", "limit_data", "seeds")}
    chosen = Study.at(values["out"].value, study, **options)
    print(COMPARISONS[study](chosen))
    print(f"Report: {chosen.out / 'report.md'}")


if __name__ == "__main__":
    sys.exit(cli.run(command, define_flags, USAGE, ["STUDY"]))
