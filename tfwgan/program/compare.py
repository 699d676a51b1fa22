"""Comparisons of GANs: modes, losses, epochs, weight clips, scores, StackedMNIST."""

from absl import flags

from tfwgan.errors import UsageError, suggest
from tfwgan.program import cli
from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan compare STUDY [--data=...] [--seeds=3] [--fast] [--steps=...]

modes     mode collapse: GAN, GAN + R1, WGAN, WGAN-GP, SNGAN, LSGAN and VEEGAN with the same
          networks (ring8)
losses    every loss with the same networks and the same number of steps (ring8)
epochs    DCGAN against WGAN: spikes of the losses, what they say of the distance, seconds per epoch
          (fashion_mini)
clipping  what the clip does to the weights, slope and estimate of a WGAN's critic (fashion_mini)
scores    FID, KID, precision and recall of the small siblings of the published GANs, ranked beside
          what their authors state for CIFAR-10 (fashion_mini)
stacked   how many of the 1000 modes of StackedMNIST a GAN, WGAN-GP and R3GAN's loss draw
          (stacked_mnist)

Writes report.md, results.json, results.csv, pictures and the runs to <out>/<study>_<data>/. An
interrupted study goes on where it was when it is started again.
"""
POSITIONAL = ("STUDY",)

STUDIES = {
    "modes": "ring8",
    "losses": "ring8",
    "epochs": "fashion_mini",
    "clipping": "fashion_mini",
    "scores": "fashion_mini",
    "stacked": "stacked_mnist",
}  # with their data
OF_FILES = ("scores", "stacked")  # whose runs are those of files of configs/
_LIMIT = 10000  # items of the other studies, unless another number is asked for


def define_flags(values: flags.FlagValues) -> None:
    """The verb's flags."""
    flags.DEFINE_string(
        "data", None, "ring8, fashion_mini, tfds=mnist or any other; default: the study's", values
    )
    cli.define_path("data_dir", None, "where prepared TFDS sets lie", values)
    flags.DEFINE_bool("fast", False, "a fraction of the steps", flag_values=values)
    flags.DEFINE_integer(
        "limit_data",
        None,
        f"items used at most; default: {_LIMIT:,}, of {' and '.join(OF_FILES)} all",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_integer(
        "seeds",
        3,
        "seeds of modes, clipping, scores and stacked",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_integer(
        "steps",
        None,
        f"generator steps of each run of {' and '.join(OF_FILES)}; default: what their files say",
        lower_bound=1,
        flag_values=values,
    )
    cli.define_path("out", "outputs/studies", "folder of the studies", values)


def command(study: str, values: flags.FlagValues) -> None:
    """Runs the study that is asked for."""
    if study not in STUDIES:
        raise UsageError(f"Unknown study {study!r}{suggest(study, STUDIES)}")
    if values["steps"].value and study not in OF_FILES:
        raise UsageError(
            f"--steps is for {' and '.join(OF_FILES)}, whose runs have files; `{study}` knows "
            "--fast."
        )
    with quiet_tensorflow():
        from tfwgan.studies import COMPARISONS
    from tfwgan.studies.study import Study

    names = ("data", "data_dir", "fast", "limit_data", "seeds", "steps")
    options = {name: values[name].value for name in names}
    options["data"] = options["data"] or STUDIES[study]
    if study not in OF_FILES:
        options["limit_data"] = options["limit_data"] or _LIMIT
    chosen = Study.at(values["out"].value, study, **options)
    print(COMPARISONS[study](chosen))
    print(f"Report: {chosen.out / 'report.md'}")
