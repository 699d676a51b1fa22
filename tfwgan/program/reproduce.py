"""The figures of Elnekave and Weiss (ICLR 2025) on a laptop.

The paper is "Do WGANs succeed because they minimize the Wasserstein Distance?".
"""

from absl import flags

from tfwgan.errors import UsageError, suggest
from tfwgan.program import cli
from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan reproduce fig5|fig6|fig7|all [--data=squares] [--fast]

fig5  a fully connected critic: the atoms of the generator against OTMeans
fig6  as many atoms as images: the generator copies them
fig7  which distance does a critic minimise? convolutional ones, and direct distances
all   the three of them

Writes report.md, results.json, pictures and the runs to <out>/<figure>_<data>/. An interrupted
study goes on where it was when it is started again.
"""
POSITIONAL = ("FIGURE",)

FIGURES = ("fig5", "fig6", "fig7")


def define_flags(values: flags.FlagValues) -> None:
    """The verb's flags."""
    flags.DEFINE_string(
        "data",
        "squares",
        "squares, fashion_mini, tfds=mnist or any other --data of training",
        flag_values=values,
    )
    cli.define_path("data_dir", None, "where prepared TFDS sets lie", values)
    flags.DEFINE_bool(
        "fast", False, "smaller and shorter: at most 10 minutes a figure", flag_values=values
    )
    flags.DEFINE_integer(
        "limit_data", 10000, "images used at most", lower_bound=1, flag_values=values
    )
    flags.DEFINE_integer("seeds", 3, "seeds of fig7", lower_bound=1, flag_values=values)
    cli.define_path("out", "outputs/paper", "folder of the studies", values)


def command(figure: str, values: flags.FlagValues) -> None:
    """Runs the figures that are asked for."""
    if figure not in (*FIGURES, "all"):
        raise UsageError(f"Unknown figure {figure!r}{suggest(figure, (*FIGURES, 'all'))}")
    with quiet_tensorflow():
        from tfwgan.studies import FIGURES as RUNS
    from tfwgan.studies.paper import BASE
    from tfwgan.studies.study import Study

    options = {
        name: values[name].value for name in ("data", "data_dir", "fast", "limit_data", "seeds")
    }
    for name in FIGURES if figure == "all" else [figure]:
        study = Study.at(values["out"].value, name, base=BASE, **options)
        print(RUNS[name](study))
        print(f"Report: {study.out / 'report.md'}")
