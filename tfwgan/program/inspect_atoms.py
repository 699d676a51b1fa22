"""Tells what became of the atoms of a discrete generator.

It says which data each atom stands for, and which atoms are dead, double or copied.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from tfwgan.errors import UsageError
from tfwgan.files import write_atomically
from tfwgan.program import cli
from tfwgan.start import quiet_tensorflow

USAGE = """\
usage: tfwgan inspect-atoms RUN [--out=RUN/atoms] [--tolerance=0.05] [--patch=8] [--limit=10000]

RUN is the folder of a run with the prior const=N. Writes atoms.json, and for images atoms.png
(eight for each atom: the atom, the nearest real image, real images that the optimal plan sends to
it) and patches.png (four for each: the atom, a patch of it, the most alike real patch around the
same place, the image it is from).
"""
POSITIONAL = ("RUN",)
_ATOM = ["atom", "nearest real", "sent by the plan"]
_PATCH = ["atom", "its patch", "most alike", "from"]


def define_flags(values: flags.FlagValues) -> None:
    """The verb's flags."""
    cli.define_path("out", None, "folder to write to; default: atoms/ in the run folder", values)
    flags.DEFINE_float(
        "tolerance",
        0.05,
        "share of the mean distance between real images that counts as the same",
        flag_values=values,
    )
    flags.DEFINE_integer("patch", 8, "side of the patches", lower_bound=1, flag_values=values)
    flags.DEFINE_integer(
        "limit", 10000, "real images used at most", lower_bound=1, flag_values=values
    )


def command(run: str, values: flags.FlagValues) -> None:
    """Loads the run and its data, compares, writes."""
    with quiet_tensorflow():
        from tfwgan.program.loading import load_run
    from tfwgan.audit.atoms import assignment_rows, inspect_atoms, patch_rows
    from tfwgan.priors import Const
    from tfwgan.render import image_grid, save_png, scatter

    trainer, dataset = load_run(run)
    if not isinstance(trainer.prior, Const):
        raise UsageError(
            f"{run} has no atoms: its prior is continuous; train with --z_prior=const=64."
        )
    # All of them, or evenly spread ones: folders are sorted by class.
    rows = np.unique(
        np.linspace(0, len(dataset) - 1, min(len(dataset), values["limit"].value)).astype(int)
    )
    real = dataset.real(rows)
    atoms = inspect_atoms(trainer.evaluation_samples(), real, values["tolerance"].value)
    if dataset.is_image:
        pictures = {
            "atoms": image_grid(
                assignment_rows(atoms), columns=16, column_heads=2 * [*_ATOM, *[""] * 5]
            ),
            "patches": image_grid(
                patch_rows(atoms.fake, real, values["patch"].value),
                columns=16,
                column_heads=4 * _PATCH,
            ),
        }
    else:
        pictures = {"atoms": scatter(atoms.fake, real)}
    out = Path(values["out"].value or Path(run) / "atoms")
    with cli.writing_to(out):
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / "atoms.json", _as_json(atoms.as_dict()).encode())
        for name, picture in pictures.items():
            save_png(picture, out / f"{name}.png")
    print(
        f"{atoms.summary()}\n"
        f"Wrote atoms.json and {', '.join(f'{name}.png' for name in pictures)} to {out}."
    )


def _as_json(report: Mapping[str, Any]) -> str:
    """JSON with a line for each entry and for each atom, which people read as well as programs."""
    lines = {name: json.dumps(value) for name, value in report.items()}
    lines["per_atom"] = "[\n    " + ",\n    ".join(map(json.dumps, report["per_atom"])) + "\n  ]"
    return "{\n" + ",\n".join(f'  "{name}": {line}' for name, line in lines.items()) + "\n}\n"
