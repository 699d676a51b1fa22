"""How far generated samples are from real ones: distances, scores of features, covered modes.

Functions of arrays (`fid`, `kid`, `precision`, ...) are what the papers define; `METRICS` holds
what can be watched while a generator learns, `FEATURE_METRICS` what `tfwgan evaluate` knows.
"""

from tfwgan.metrics.classified import classes_found, inception_score
from tfwgan.metrics.distances import DistanceMetric, ExactW1, solved_sinkhorn
from tfwgan.metrics.feature_metric import FeatureMetric
from tfwgan.metrics.feature_sets import FeatureSet
from tfwgan.metrics.features import Extractor
from tfwgan.metrics.kernel import kid
from tfwgan.metrics.manifold import authenticity, coverage, density, precision, recall
from tfwgan.metrics.modes import Modes
from tfwgan.metrics.moments import fid, fid_error, fid_infinity, intra_fid
from tfwgan.metrics.scores import SCORES
from tfwgan.metrics.sliced import mind
from tfwgan.transport import DISTANCES

__all__ = [
    "FEATURE_METRICS",
    "METRICS",
    "DistanceMetric",
    "ExactW1",
    "Extractor",
    "FeatureMetric",
    "FeatureSet",
    "Modes",
    "authenticity",
    "classes_found",
    "coverage",
    "density",
    "fid",
    "fid_error",
    "fid_infinity",
    "inception_score",
    "intra_fid",
    "kid",
    "mind",
    "precision",
    "recall",
]

FEATURE_METRICS = {name: FeatureMetric(score) for name, score in SCORES.items()}

METRICS = {
    **{name: DistanceMetric(distance) for name, distance in DISTANCES.items()},
    "w1": ExactW1,
    "sinkhorn": DistanceMetric(solved_sinkhorn),
    "modes": Modes,
    # intra_fid asks for the classes of the samples, which a run that is watched does not hand over.
    **{name: metric for name, metric in FEATURE_METRICS.items() if name != "intra_fid"},
}
