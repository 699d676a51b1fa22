"""Metrics: distances between generated and real samples, and covered modes, watched while a generator learns."""

from tfwgan.metrics.distances import ExactW1, watched
from tfwgan.metrics.modes import Modes
from tfwgan.transport import DISTANCES

__all__ = ["METRICS"]

METRICS = {name: watched(distance) for name, distance in DISTANCES.items()} | {"w1": ExactW1, "modes": Modes}
