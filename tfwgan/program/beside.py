"""What lies beside an exported model: the run that it is from.

Its points are drawn on the data of that run.
"""

from pathlib import Path

import numpy as np

from tfwgan.errors import UsageError


def real_points(saved_model: str, samples: np.ndarray, most: int = 2000) -> np.ndarray | None:
    """Real points `[n, d]` to draw below generated ones.

    They are None for images, or if the run's data can't be had.

    Args:
        saved_model: The folder of a run, or that of the model in it.
        samples: The generated samples.
        most: So many points are enough.
    """
    from tfwgan.program.loading import load_data_of

    path = Path(saved_model).resolve()
    runs = [one for one in (path, path.parent.parent) if (one / "config.json").exists()]
    if samples.ndim != 2 or not runs:
        return None
    try:
        dataset = load_data_of(runs[0])
    except UsageError:
        return None
    return dataset.real(slice(most)) if dataset.shape == samples.shape[1:] else None
