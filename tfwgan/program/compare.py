"""Comparisons of GANs: modes, losses, DCGAN against WGAN by epochs, weight clips."""

from absl import flags

from tfwgan.errors import UsageError, suggest
from tfwgan.program import cli
from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan compare modes|losses|epochs|clipping [--data=...] [--seeds=3] [--fast]

modes     mode collapse: GAN, GAN + R1, WGAN, WGAN-GP, SNGAN, LSGAN and VEEGAN with the same
          networks (ring8)
losses    every loss with the same networks and the same number of steps (ring8)
epochs    DCGAN against WGAN: spikes of the losses, what they say of the distance, seconds per epoch
          (fashion_mini)
clipping  what the clip does to the weights, slope and estimate of a WGAN's critic (fashion_mini)

Writes report.md, results.json, results.csv, pictures and the runs to <out>/<study>_<data>/. An
interrupted study goes on where it was when it is started again.
"""
POSITIONAL = ("STUDY",)

STUDIES = {
    "modes": "ring8",
    "losses": "ring8",
    "epochs": "fashion_mini",
    "clipping": "fashion_mini",
}  # with their data


def define_flags(values: flags.FlagValues) -> None:
    """The verb's flags."""
    flags.DEFINE_string(
        "data", None, "ring8, fashion_mini, tfds=mnist or any other; default: the study's", values
    )
    cli.define_path("data_dir", None, "where prepared TFDS sets lie", values)
    flags.DEFINE_bool("fast", False, "a fraction of the steps", flag_values=values)
    flags.DEFINE_integer(
        "limit_data", 10000, "items used at most", lower_bound=1, flag_values=values
    )
    flags.DEFINE_integer(
        "seeds", 3, "seeds of modes and clipping", lower_bound=1, flag_values=values
    )
    cli.define_path("out", "outputs/studies", "folder of the studies", values)


def command(study: str, values: flags.FlagValues) -> None:
    """Runs the study that is asked for."""
    if study not in STUDIES:
        raise UsageError(f"Unknown study {study!r}{suggest(study, STUDIES)}")
    with quiet_tensorflow():
        from tfwgan.studies import COMPARISONS
    from tfwgan.studies.study import Study

    options = {
        name: values[name].value for name in ("data", "data_dir", "fast", "limit_data", "seeds")
    }
    options["data"] = options["data"] or STUDIES[study]
    chosen = Study.at(values["out"].value, study, **options)
    print(COMPARISONS[study](chosen))
    print(f"Report: {chosen.out / 'report.md'}")
