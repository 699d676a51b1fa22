"""Draws samples from an exported SavedModel."""

import sys

from absl import flags

from tfwgan import cli

USAGE = """\
usage: python scripts/sample.py SAVED_MODEL [--n=64] [--seed=1] [--out=grid.png | folder/ | samples.npz]

SAVED_MODEL is the folder that a run exported, or the run folder itself.
"""


def define_flags(values: flags.FlagValues) -> None:
    """The script's flags."""
    flags.DEFINE_integer("n", 64, "number of samples", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "which samples", flag_values=values)
    flags.DEFINE_string(
        "out", "grid.png", "one picture (.png), an array (.npz), or a folder of pictures", flag_values=values
    )


def command(saved_model: str, values: flags.FlagValues) -> None:
    """Loads the model, draws, writes."""
    with cli.quiet_tensorflow():
        from tfwgan.export import load
    from tfwgan.render import save_samples

    model = load(saved_model)
    images = model.sample(values["n"].value, values["seed"].value).numpy()
    print(save_samples(images, values["out"].value))


if __name__ == "__main__":
    sys.exit(cli.run(command, define_flags, USAGE, ["SAVED_MODEL"]))
