"""Scores of generated samples against real ones: FID and its kin, with their provenance."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from tfwgan.files import write_atomically
from tfwgan.program import cli, components
from tfwgan.start import quiet_tensorflow

if TYPE_CHECKING:
    from tfwgan.data.images import View

USAGE = """\
usage: tfwgan evaluate A [--against=B] [--metrics=fid ...] [--features=fashion_cnn] [--n=10000]

A holds what is judged, B what is real. Each is a run folder (or a checkpoint in one), a SavedModel,
a folder of images, an .npz or .npy of samples, an .npz of features that --save wrote, or a data set
(fashion_mini, tfds=mnist-split=test, ...). Without B a run is compared with its own data.

Prints one line for each score, named with its protocol: fid10k-fashion_cnn is the Frechet distance
of 10,000 samples in the features of the bundled classifier of clothes. The column "real" says what
real samples reach against other real ones. The last line is the same as JSON.
"""
POSITIONAL = ("A",)
_DEFAULT = ("fid", "kid", "mind", "precision", "recall", "density", "coverage")


def define_flags(values: flags.FlagValues) -> None:
    """The verb's flags."""
    flags.DEFINE_string(
        "against", None, "what is real; default: the data of the run A", flag_values=values
    )
    flags.DEFINE_multi_string(
        "metrics",
        None,
        f"scores, one --metrics=... each; default: {', '.join(_DEFAULT)}; "
        "all: `tfwgan options scores`",
        flag_values=values,
    )
    flags.DEFINE_string(
        "features",
        "auto",
        "what compares images: fashion_cnn, mnist_cnn, inception=<file>, efficientnet_lite0, "
        "model=<file>, applications=<name>, projections, pixels; auto: by the images' channels",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "n",
        None,
        "samples of A; default: 10,000 of a generator, all of a set",
        lower_bound=2,
        flag_values=values,
    )
    flags.DEFINE_integer(
        "seeds",
        1,
        "draw a generator A so many times, and give mean and spread",
        lower_bound=1,
        flag_values=values,
    )
    cli.define_seed(values, "which samples")
    flags.DEFINE_bool("floor", True, "also what real samples reach", flag_values=values)
    cli.define_path("save", None, "keep the features of B in this .npz, for later", values)
    cli.define_path("out", None, "add the JSON line to this file", values)
    cli.define_path(
        "cache_dir", None, "where features of sets are kept; default: ~/.cache/tfwgan", values
    )
    cli.define_view(values)


def command(a: str, values: flags.FlagValues) -> None:
    """Finds both sides, makes features, measures, prints."""
    names = values["metrics"].value or list(_DEFAULT)
    for text in names:
        components.check_spec("scores", text)
    components.check_spec("features", values["features"].value)
    with quiet_tensorflow():
        from tfwgan.program import scoring
    seeds, first = values["seeds"].value, values["seed"].value
    sides = scoring.Sides.of(
        a, values["against"].value, _view(values), values["data_dir"].value, values["n"].value
    )
    cache = Path(values["cache_dir"].value) if values["cache_dir"].value else _cache_dir()
    floor, features = values["floor"].value, values["features"].value
    outcome = scoring.score(sides, names, features, range(first, first + seeds), cache, floor)
    print(outcome.table())
    line = json.dumps(outcome.as_dict())
    print(line)
    if values["save"].value:
        path = Path(values["save"].value)
        with cli.writing_to(path, "--save"):
            path.parent.mkdir(parents=True, exist_ok=True)
            outcome.real.save(path)
    if values["out"].value:
        path = Path(values["out"].value)
        with cli.writing_to(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            before = path.read_bytes() if path.exists() else b""
            before += b"\n" if before and not before.endswith(b"\n") else b""
            write_atomically(path, before + line.encode() + b"\n")


def _view(values: flags.FlagValues) -> "View":
    """What is done to images that are read."""
    from tfwgan.data.images import View

    names = ("image_size", "center_crop", "gray_scale")
    return View(**{name: values[name].value for name in names})


def _cache_dir() -> Path | None:
    """Where programs of this user keep what can be made again; None of a user without a home."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tfwgan"
    except RuntimeError:  # neither HOME nor an entry among the machine's users
        return None
