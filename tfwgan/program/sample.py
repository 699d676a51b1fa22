"""Draws samples from an exported SavedModel."""

import numpy as np
from absl import flags

from tfwgan.errors import UsageError, suggest
from tfwgan.program import cli
from tfwgan.program.beside import real_points
from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan sample SAVED_MODEL [--n=64] [--seed=1] [--label=3]
                     [--out=grid.png|folder/|samples.npz]

SAVED_MODEL is the folder that a run exported, or the run folder itself. A conditional model draws n
samples of the class --label, its name or its number; without it every class has a row, n samples in
all.
"""
POSITIONAL = ("SAVED_MODEL",)


def define_flags(values: flags.FlagValues) -> None:
    """The verb's flags."""
    flags.DEFINE_integer("n", 64, "number of samples", lower_bound=1, flag_values=values)
    cli.define_seed(values, "which samples")
    flags.DEFINE_string(
        "label",
        None,
        "class, its name or its number from 0; of conditional models",
        flag_values=values,
    )
    cli.define_path(
        "out",
        "grid.png",
        "one picture (.png .jpg .webp), an array (.npz .npy), "
        "or a folder of pictures (a slash at the end)",
        values,
    )


def command(saved_model: str, values: flags.FlagValues) -> None:
    """Loads the model, draws, writes."""
    with quiet_tensorflow():
        from tfwgan.saved_model import class_names, count_classes, load
    from tfwgan.render import Heads, is_picture, save_samples

    model, n, seed = load(saved_model), values["n"].value, values["seed"].value
    n_classes, names, columns = count_classes(model), class_names(model), None
    label = None if values["label"].value is None else _label(values["label"].value, names)
    if n_classes and label is None:
        columns = -(-n // n_classes)
        counts = [n // n_classes + (number < n % n_classes) for number in range(n_classes)]
        parts = [model.sample(count, seed, number).numpy() for number, count in enumerate(counts)]
        images = np.concatenate(parts)
        if n % n_classes and is_picture(values["out"].value):  # a row of its own for each class
            images = np.concatenate([_filled(part, columns) for part in parts])
    else:
        images = model.sample(n, seed, *([label] if n_classes else [])).numpy()
    heads: Heads = {"row_heads": names} if columns and images.ndim == 4 else {}
    done = save_samples(
        images,
        values["out"].value,
        columns,
        real=real_points(saved_model, images),
        named="--out",
        **heads,
    )
    print(done if label is None else f"{done} Class {label}: {names[label]}.")


def _label(text: str, names: list[str]) -> int:
    """The number of a class, by its name or its number; a name that is a number comes first."""
    if text in names:
        return names.index(text)
    if not (text.isdecimal() and int(text) < len(names)):
        known = suggest(text, names) if names else ", which has no classes."
        raise UsageError(f"--label={text} is not one of the model's{known}")
    return int(text)


def _filled(images: np.ndarray, count: int) -> np.ndarray:
    """Images `[n, ...]` with white ones behind them, `count` in all."""
    return np.concatenate([images, np.ones([count - len(images), *images.shape[1:]], images.dtype)])
