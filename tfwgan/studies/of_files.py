"""Studies of runs that the files of `configs/` describe: their settings, scores that are kept."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tfwgan.files import write_atomically
from tfwgan.program.config import Config, read_config
from tfwgan.render import image_grid
from tfwgan.studies.study import Study

Numbers = dict[str, float]

_SHORTER = 10  # by how much a fast study's runs are shorter


def config_of(study: Study, file: str, seed: int) -> Config:
    """The run of a file of `configs/` with a seed, on the data and in the folder of the study.

    Its steps are those of the file, unless the study asks for others; of a fast one a tenth.
    """
    settings = read_config(file)
    whole = Config(**settings).steps
    steps = study.steps or (max(1, whole // _SHORTER) if study.fast else whole)
    for name in ("name", "data", "data_dir"):
        settings.pop(name, None)
    return study.config(f"{file}_{seed}", **{**settings, "seed": seed, "steps": steps})


def kept(path: Path, about: Mapping[str, int], make: Callable[[], Numbers]) -> Numbers:
    """The numbers that `make` returns, or those that the file holds of an earlier call.

    Args:
        path: The file, in the folder of the run that is measured, so that it goes where that goes.
        about: What the numbers depend on: those of another `about` are made anew.
        make: What measures.
    """
    try:
        found = json.loads(path.read_text())
        if found["about"] == dict(about):
            return dict(found["numbers"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not there, or damaged: made anew
    numbers = make()
    content = json.dumps({"about": dict(about), "numbers": numbers}, indent=2)
    write_atomically(path, (content + "\n").encode())
    return numbers


def sample_rows(samples: Mapping[str, np.ndarray]) -> np.ndarray:
    """A picture with a row of samples for each name, pixels `[h, w, c]`.

    Args:
        samples: As many images `[n, h, w, c]` in [-1, 1] of each, square, by name; smaller ones get
            a black border.
    """
    side = max(images.shape[1] for images in samples.values())
    bordered = [_bordered(images, side) for images in samples.values()]
    return image_grid(np.concatenate(bordered), len(bordered[0]), row_heads=list(samples))


def _bordered(images: np.ndarray, side: int) -> np.ndarray:
    missing = side - images.shape[1]
    around = (missing // 2, missing - missing // 2)
    return np.pad(images, ((0, 0), around, around, (0, 0)), constant_values=-1.0)
