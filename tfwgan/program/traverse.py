"""Moves the codes of an EigenGAN or an InfoGAN one at a time, a picture for each."""

from pathlib import Path

from absl import flags

from tfwgan.program import cli
from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan traverse RUN [--rows=4] [--columns=9] [--limit=3] [--truncation=0.7] [--out=folder]

RUN is a run folder or one of its checkpoints. Of an EigenGAN, L<layer>D<basis>.png moves one basis
of one layer, from the coarsest layer on. Of an InfoGAN, category.png has a column for each
category, code_<i>.png moves a code; where the data has labels, the share of images whose guessed
category is that of their class is printed.
"""
POSITIONAL = ("RUN",)


def define_flags(values: flags.FlagValues) -> None:
    """The verb's flags."""
    flags.DEFINE_integer(
        "rows", 4, "different latents, one row each", lower_bound=1, flag_values=values
    )
    flags.DEFINE_integer(
        "columns", 9, "values of the code that moves", lower_bound=2, flag_values=values
    )
    flags.DEFINE_float(
        "limit",
        None,
        "how far it moves; default: 3, of InfoGAN 1",
        lower_bound=0,
        flag_values=values,
    )
    flags.DEFINE_float(
        "truncation", 1.0, "factor of all that stands still", lower_bound=0, flag_values=values
    )
    cli.define_seed(values, "which latents")
    cli.define_path("out", None, "folder of the pictures; default: traverse/ in the run", values)


def command(path: str, values: flags.FlagValues) -> None:
    """Loads the run, moves each code, writes."""
    with quiet_tensorflow():
        from tfwgan.program.loading import load_data_of, load_trainer
    from tfwgan.audit.codes import categories, cluster_accuracy, code_values, traversals
    from tfwgan.render import image_grid, save_png

    trainer = load_trainer(path)
    options = {
        name: values[name].value for name in ("rows", "columns", "limit", "truncation", "seed")
    }
    pictures = traversals(trainer, **options)
    run_dir = Path(path).parent.parent if path.endswith(".npz") else Path(path)
    out = Path(values["out"].value or run_dir / "traverse")
    with cli.writing_to(out):
        out.mkdir(parents=True, exist_ok=True)
        for name, images in pictures.items():
            columns = len(images) // options["rows"]
            heads = [
                f"{value:.2g}" for value in code_values(trainer, name, columns, options["limit"])
            ]
            save_png(
                image_grid(images, columns, column_heads=heads, title=name), out / f"{name}.png"
            )
    print(f"{len(pictures)} pictures in {out}")
    if "category" in pictures:
        dataset = load_data_of(run_dir)
        if dataset.labels is not None:
            guessed = categories(trainer, dataset.real(slice(None)))
            print(
                "cluster accuracy of the categories: "
                f"{cluster_accuracy(guessed, dataset.labels):.1%}"
            )
