"""Metrics: distances between generated and real samples, and covered modes, watched while a generator learns."""

from collections.abc import Sequence

from tfwgan import spec
from tfwgan.errors import UsageError
from tfwgan.metrics.distances import DistanceMetric, ExactW1, solved_sinkhorn
from tfwgan.metrics.modes import Modes
from tfwgan.protocols import Metric
from tfwgan.transport import DISTANCES

__all__ = ["METRICS", "DistanceMetric", "ExactW1", "Modes", "keys", "named"]

METRICS = {
    **{name: DistanceMetric(distance) for name, distance in DISTANCES.items()},
    "w1": ExactW1,
    "sinkhorn": DistanceMetric(solved_sinkhorn),
    "modes": Modes,
}


def named(specs: Sequence[str]) -> dict[str, Metric]:
    """The metrics of a run by the keys that their numbers are written under, see `keys`.

    Raises:
        UsageError: If a metric is unknown, or two are the same.
    """
    metrics = [spec.build(text, METRICS, "metric") for text in specs]
    return dict(zip(keys(specs, metrics), metrics, strict=True))


def keys(specs: Sequence[str], metrics: Sequence[Metric]) -> list[str]:
    """A key for each metric: its name, and where several share it, the options in which these differ.

    ``["w1-otmeans=True", "patch_swd-p=16-s=8", "patch_swd-p=8-s=8"]`` gives ``w1``, ``patch_swd_p16`` and
    ``patch_swd_p8``. Keys hold letters, digits and underscores only.

    Args:
        specs: The metrics, as they were asked for.
        metrics: What was built from them.

    Raises:
        UsageError: If two metrics are the same, however they are spelt.
    """
    names = [spec.parse(text).name for text in specs]
    found = []
    for text, name, metric in zip(specs, names, metrics, strict=True):
        alike = [other.options for other, one in zip(metrics, names, strict=True) if one == name]
        differing = [option for option in metric.options if len({str(options[option]) for options in alike}) > 1]
        key = "_".join([name, *(f"{option}{_plain(metric.options[option])}" for option in differing)])
        if key in found:
            raise UsageError(f"--metrics={text} is asked for twice; leave one out.")
        found.append(key)
    return found


def _plain(value: object) -> str:
    """A value in letters, digits and underscores: 0.1 is ``0p1``, -1 ``m1``."""
    text = str(value).replace(".", "p").replace("-", "m").replace("+", "")
    return "".join(character if character.isalnum() else "_" for character in text)
