"""Metrics that are watched while a generator learns: distances to the data, covered modes."""

from tfwgan.metrics.distances import DistanceMetric, ExactW1, solved_sinkhorn
from tfwgan.metrics.modes import Modes
from tfwgan.transport import DISTANCES

__all__ = ["METRICS", "DistanceMetric", "ExactW1", "Modes"]

METRICS = {
    **{name: DistanceMetric(distance) for name, distance in DISTANCES.items()},
    "w1": ExactW1,
    "sinkhorn": DistanceMetric(solved_sinkhorn),
    "modes": Modes,
}
