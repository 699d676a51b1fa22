"""Draws samples from an exported SavedModel."""

import numpy as np
from absl import flags

from tfwgan import cli
from tfwgan.spec import UsageError

USAGE = """\
usage: tfwgan sample SAVED_MODEL [--n=64] [--seed=1] [--label=3] [--out=grid.png | folder/ | samples.npz]

SAVED_MODEL is the folder that a run exported, or the run folder itself. A conditional model draws n samples of the
class --label; without it every class has a row, of n / classes samples.
"""
POSITIONAL = ("SAVED_MODEL",)


def define_flags(values: flags.FlagValues) -> None:
    """The verb's flags."""
    flags.DEFINE_integer("n", 64, "number of samples", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "which samples", flag_values=values)
    flags.DEFINE_integer("label", None, "class, from 0; of conditional models", lower_bound=0, flag_values=values)
    flags.DEFINE_string(
        "out", "grid.png", "one picture (.png), an array (.npz), or a folder of pictures", flag_values=values
    )


def command(saved_model: str, values: flags.FlagValues) -> None:
    """Loads the model, draws, writes."""
    with cli.quiet_tensorflow():
        from tfwgan.export import count_classes, load
    from tfwgan.render import save_samples

    model, n, seed, label = load(saved_model), values["n"].value, values["seed"].value, values["label"].value
    n_classes, columns = count_classes(model), None
    if label is not None and label >= n_classes:
        known = f"classes 0 ... {n_classes - 1}" if n_classes else "no classes"
        raise UsageError(f"--label={label} is not one of the model's: it has {known}.")
    if n_classes and label is None:
        columns = max(1, n // n_classes)
        images = np.concatenate([model.sample(columns, seed, label).numpy() for label in range(n_classes)])
    else:
        images = model.sample(n, seed, *([label] if n_classes else [])).numpy()
    print(save_samples(images, values["out"].value, columns))
