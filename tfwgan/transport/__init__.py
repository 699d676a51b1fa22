"""Optimal transport gives exact and approximate distances between two sets of samples.

This package also has certificates and OTMeans.

    >>> from tfwgan.transport import w1
    >>> w1([[0.0], [1.0]], [[0.0], [3.0]])
    1.0

`DISTANCES` holds what can be watched during training, `DIFFERENTIABLE` the part of it that can be
trained on.
"""

from tfwgan.protocols import Distance
from tfwgan.transport.bracket import w1_bracket
from tfwgan.transport.certificate import (
    c_transform_bound,
    certify,
    feasible_upper,
    scaling_bound,
)
from tfwgan.transport.exact import exact_plan, w1, w1_loss
from tfwgan.transport.kernels import mmd
from tfwgan.transport.means import ot_means
from tfwgan.transport.moments import frechet, frechet_of_moments
from tfwgan.transport.neighbours import nn
from tfwgan.transport.patches import local_patch_swd, patch_swd, patch_w1
from tfwgan.transport.semidiscrete import semi_discrete
from tfwgan.transport.sinkhorn import sinkhorn, sinkhorn_loss
from tfwgan.transport.sliced import full_dim_swd, projected_w1, swd

__all__ = [
    "DIFFERENTIABLE",
    "DISTANCES",
    "c_transform_bound",
    "certify",
    "exact_plan",
    "feasible_upper",
    "frechet",
    "frechet_of_moments",
    "full_dim_swd",
    "local_patch_swd",
    "mmd",
    "nn",
    "ot_means",
    "patch_swd",
    "patch_w1",
    "projected_w1",
    "scaling_bound",
    "semi_discrete",
    "sinkhorn",
    "sinkhorn_loss",
    "swd",
    "w1",
    "w1_bracket",
    "w1_loss",
]

DIFFERENTIABLE: dict[str, Distance] = {
    "w1": w1_loss,
    "sinkhorn": sinkhorn_loss,
    "swd": swd,
    "full_dim_swd": full_dim_swd,
    "projected_w1": projected_w1,
    "patch_w1": patch_w1,
    "patch_swd": patch_swd,
    "local_patch_swd": local_patch_swd,
}

DISTANCES: dict[str, Distance] = {**DIFFERENTIABLE, "nn": nn, "frechet": frechet, "mmd": mmd}


def __dir__() -> list[str]:
    return __all__
