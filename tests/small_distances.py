"""This module makes a distance of its spec, for tests that run over the whole table.

The distance is a function of two sets and a seed.
"""

from tfwgan.metrics import DistanceMetric
from tfwgan.program import spec
from tfwgan.transport import DISTANCES
from tfwgan.transport.options import between


def distance_of(text):
    made = spec.build(
        text, {name: DistanceMetric(one) for name, one in DISTANCES.items()}, "distance"
    ).distance
    return lambda x, y, seed=0: between(made, x, y, seed)
