"""Walks between latents of an exported SavedModel: each row of the picture is one path."""

import numpy as np
from absl import flags

from tfwgan.program import cli
from tfwgan.program.beside import real_points
from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan interpolate SAVED_MODEL [--rows=8] [--columns=10] [--path=slerp|lerp]
                          [--out=paths.png]

SAVED_MODEL is the folder that a run exported, or the run folder itself. slerp follows great
circles, on which Gaussian latents keep their typical length; lerp takes the straight line. A
conditional model walks within one class per row.
"""
POSITIONAL = ("SAVED_MODEL",)


def define_flags(values: flags.FlagValues) -> None:
    """The verb's flags."""
    flags.DEFINE_integer(
        "rows",
        8,
        "number of paths, each starting where the one before ends",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_integer("columns", 10, "points on each path", lower_bound=2, flag_values=values)
    flags.DEFINE_enum(
        "path", "slerp", ["slerp", "lerp"], "great circles or straight lines", flag_values=values
    )
    cli.define_seed(values, "which end points")
    cli.define_path(
        "out",
        "paths.png",
        "one picture (.png .jpg .webp), an array (.npz .npy), "
        "or a folder of pictures (a slash at the end)",
        values,
    )


def command(saved_model: str, values: flags.FlagValues) -> None:
    """Loads the model, walks, writes."""
    with quiet_tensorflow():
        from tfwgan.saved_model import class_names, count_classes, load
    from tfwgan import sampling
    from tfwgan.render import Heads, save_samples

    model, columns = load(saved_model), values["columns"].value
    ends = model.latent(values["rows"].value + 1, values["seed"].value).numpy()
    z = sampling.rows(ends, columns, getattr(sampling, values["path"].value))
    labels = np.arange(len(z), dtype=np.int32).repeat(columns) % max(1, count_classes(model))
    images = model.decode(
        z.reshape(-1, z.shape[-1]), *([labels] if count_classes(model) else [])
    ).numpy()
    names = class_names(model)
    heads: Heads = (
        {"column_heads": [f"{t:.2g}" for t in np.linspace(0, 1, columns)]}
        if images.ndim == 4
        else {}
    )
    if names and images.ndim == 4:
        heads["row_heads"] = [names[label] for label in labels[::columns]]
    real = real_points(saved_model, images)
    print(
        save_samples(
            images, values["out"].value, columns, real=real, paths=True, named="--out", **heads
        )
    )
